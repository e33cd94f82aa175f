/* dns_relay ADDRESS PORT SERVER PORT MILLISECONDS: stands before a name server as one that is far away. It passes questions
   on by UDP, and each answer back no sooner than MILLISECONDS after its question came; nothing is lost, and nothing comes by
   TCP. Answers look as those of a recursive server do: RA is set, and AA is not (RFC 1035 section 4.1.1). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum { LARGEST = 65535, SHORTEST = 12, AT_ONCE = 64 };

struct question {
    struct sockaddr_in client;
    int64_t due;
    uint8_t id[2];
};

struct answer {
    struct answer *next;
    struct sockaddr_in client;
    int64_t due;
    size_t length;
    uint8_t octets[];
};

static struct question questions[65536];
static uint16_t last;
/* In the order in which answers came; since all wait for as long, that is the order in which they are due. */
static struct answer *waiting, **end_of_waiting = &waiting;
static uint8_t octets[LARGEST];
static int near_side, far_side;
static int64_t delay;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void take_questions(void) {
    for (int count = 0; count < AT_ONCE; count++) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t length = recvfrom(near_side, octets, sizeof octets, MSG_DONTWAIT, (struct sockaddr *)&client, &size);
        if (length < 0) return;
        if (length < SHORTEST) continue;
        struct question *question = &questions[++last];
        *question = (struct question){client, now() + delay, {octets[0], octets[1]}};
        octets[0] = (uint8_t)(last >> 8);
        octets[1] = (uint8_t)last;
        send(far_side, octets, (size_t)length, 0);
    }
}

static void take_answers(void) {
    for (int count = 0; count < AT_ONCE; count++) {
        ssize_t length = recv(far_side, octets, sizeof octets, MSG_DONTWAIT);
        if (length < 0) return;
        if (length < SHORTEST) continue;
        struct question *question = &questions[octets[0] << 8 | octets[1]];
        if (question->due == 0) continue;
        memcpy(octets, question->id, 2);
        octets[2] &= (uint8_t)~0x04;
        octets[3] |= 0x80;
        if (delay == 0) {
            sendto(near_side, octets, (size_t)length, 0, (struct sockaddr *)&question->client, sizeof question->client);
        } else {
            struct answer *answer = malloc(sizeof *answer + (size_t)length);
            if (answer == NULL) abort();
            *answer = (struct answer){NULL, question->client, question->due, (size_t)length};
            memcpy(answer->octets, octets, (size_t)length);
            *end_of_waiting = answer;
            end_of_waiting = &answer->next;
        }
        question->due = 0;
    }
}

static void send_due(void) {
    while (waiting != NULL && waiting->due <= now()) {
        struct answer *answer = waiting;
        sendto(near_side, answer->octets, answer->length, 0, (struct sockaddr *)&answer->client, sizeof answer->client);
        waiting = answer->next;
        if (waiting == NULL) end_of_waiting = &waiting;
        free(answer);
    }
}

static int open_side(const char *address, const char *port, int (*attach)(int, const struct sockaddr *, socklen_t)) {
    int room = 4 << 20, side = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    setsockopt(side, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1 || attach(side, (struct sockaddr *)&name, sizeof name) < 0) {
        perror(address);
        exit(1);
    }
    return side;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "Usage: dns_relay ADDRESS PORT SERVER PORT MILLISECONDS\n");
        return 64;
    }
    near_side = open_side(arguments[1], arguments[2], bind);
    far_side = open_side(arguments[3], arguments[4], connect);
    delay = (int64_t)(atof(arguments[5]) * 1e6);
    prctl(PR_SET_TIMERSLACK, 1);
    struct pollfd sides[] = {{near_side, POLLIN, 0}, {far_side, POLLIN, 0}};
    for (;;) {
        int64_t wait = waiting == NULL ? 1000000000 : waiting->due - now();
        struct timespec timeout = {0, wait < 0 ? 0 : (long)(wait < 999999999 ? wait : 999999999)};
        if (ppoll(sides, 2, &timeout, NULL) < 0) return 1;
        if (sides[1].revents) take_answers();
        if (sides[0].revents) take_questions();
        send_due();
    }
}
