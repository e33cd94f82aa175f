/* null_milter SOCKET: a milter that reads all of a message, adds a field and accepts it. It shows what the load program and
   the transport cost alone. A thread for each connection, no memory but its stack.

   Packets are a length of four octets, an octet that says what it is, and data (libmilter/mfdef.h). */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Version 6; SMFIF_ADDHDRS and SMFIF_CHGHDRS; the SMFIP_NR_ bits of every command: only the end of the message is answered. */
static const uint8_t negotiation[] = {0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 0, 0x11, 0, 0x0F, 0xF0, 0x80};
/* A field at place 0, and "continue". */
static const char verdict[] = "\0\0\0\x30i\0\0\0\0Authentication-Results\0mx.bench.test; none\0\0\0\0\1c";

static int answer(int connection, uint8_t command) {
    const void *octets = command == 'O' ? (const void *)negotiation : verdict;
    size_t count = command == 'O' ? sizeof negotiation : sizeof verdict - 1;
    if (command != 'O' && command != 'E') return command != 'Q';
    return write(connection, octets, count) == (ssize_t)count;
}

static void *serve(void *argument) {
    int connection = (int)(intptr_t)argument;
    uint8_t octets[131072], head[5];
    size_t in_head = 0, to_skip = 0;
    for (ssize_t count; (count = read(connection, octets, sizeof octets)) > 0;) {
        for (const uint8_t *next = octets, *end = octets + count; next < end;) {
            size_t left = (size_t)(end - next), part = to_skip < left ? to_skip : left;
            to_skip -= part;
            next += part;
            if (next == end) break;
            head[in_head++] = *next++;
            if (in_head < sizeof head) continue;
            in_head = 0;
            uint32_t length = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
            to_skip = length > 0 ? length - 1 : 0;
            if (!answer(connection, head[4])) goto done;
        }
    }
done:
    close(connection);
    return NULL;
}

int main(int count, char **arguments) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (count != 2 || strlen(arguments[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "Usage: null_milter SOCKET\n");
        return 64;
    }
    strcpy(address.sun_path, arguments[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
        perror(arguments[1]);
        return 1;
    }
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 262144);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        pthread_t thread;
        if (connection >= 0 && pthread_create(&thread, &detached, serve, (void *)(intptr_t)connection) != 0) close(connection);
    }
}
