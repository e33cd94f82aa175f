/*
 * A filter on libmilter that says what it was told, one line an event on standard output, and answers as the macro {plan}
 * says. Postern's own engine must say and answer the same to the same MTA.
 *
 * usage: filter SOCKET ACTIONS PROTOCOL    (the bits that it wants, hexadecimal)
 *
 * {plan} is a list of EVENT:ANSWER, separated by commas. EVENT is the letter of the command. ANSWER is c, a, r, t, d, s
 * (continue, accept, reject, tempfail, discard, skip), y (a reply of one line), Y (of two) or, at the end of the message,
 * m (every modification, then accept).
 */
#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static unsigned long wanted_actions, wanted_protocol;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

struct session { int leading_space; };

static void put(const unsigned char *octets, size_t count)
{
    if (count > 1000) {
        printf("%zu octets", count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (octets[i] > ' ' && octets[i] < 0x7F && octets[i] != '\\') putchar(octets[i]);
        else printf("\\%02x", octets[i]);
    }
}

static void put_string(const char *text)
{
    putchar(' ');
    put((const unsigned char *)text, strlen(text));
}

static void begin(const char *event)
{
    pthread_mutex_lock(&output);
    fputs(event, stdout);
}

static void end(void)
{
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&output);
}

static void put_macro(SMFICTX *context, const char *name)
{
    char *value = smfi_getsymval(context, (char *)name);
    printf(" %s=", name);
    if (value != NULL) put((const unsigned char *)value, strlen(value));
    else putchar('-');
}

static char planned(SMFICTX *context, char event)
{
    char *plan = smfi_getsymval(context, "{plan}");
    for (; plan != NULL && *plan != '\0'; plan++) {
        if (plan[0] == event && plan[1] == ':') return plan[2];
    }
    return 'c';
}

static sfsistat answer(SMFICTX *context, char event)
{
    switch (planned(context, event)) {
    case 'a': return SMFIS_ACCEPT;
    case 'r': return SMFIS_REJECT;
    case 't': return SMFIS_TEMPFAIL;
    case 'd': return SMFIS_DISCARD;
    case 's': return SMFIS_SKIP;
    case 'y':
        smfi_setreply(context, "550", "5.7.23", "SPF fail: 100%%");
        return SMFIS_REJECT;
    case 'Y':
        smfi_setmlreply(context, "451", "4.7.1", "one", "two", NULL);
        return SMFIS_TEMPFAIL;
    default: return SMFIS_CONTINUE;
    }
}

static sfsistat negotiate(SMFICTX *context, unsigned long actions, unsigned long protocol, unsigned long f2,
    unsigned long f3, unsigned long *wants_actions, unsigned long *wants_protocol, unsigned long *w2, unsigned long *w3)
{
    (void)f2, (void)f3;
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL) return SMFIS_REJECT;
    *wants_actions = actions & wanted_actions;
    *wants_protocol = protocol & wanted_protocol;
    *w2 = *w3 = 0;
    session->leading_space = (*wants_protocol & SMFIP_HDR_LEADSPC) != 0;
    smfi_setpriv(context, session);
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
    char text[256] = "";
    unsigned port = 0;
    const char *family = "unknown";
    if (address != NULL && address->sa_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)address;
        family = "ipv4", port = ntohs(in->sin_port);
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
        family = "ipv6", port = ntohs(in6->sin6_port);
        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    } else if (address != NULL && address->sa_family == AF_UNIX) {
        family = "unix";
        snprintf(text, sizeof text, "%s", ((struct sockaddr_un *)address)->sun_path);
    }
    begin("connect");
    put_string(name);
    printf(" %s %u", family, port);
    put_string(text);
    put_macro(context, "j");
    end();
    return answer(context, SMFIC_CONNECT);
}

static sfsistat on_helo(SMFICTX *context, char *name)
{
    begin("helo");
    put_string(name);
    put_macro(context, "j");
    end();
    return answer(context, SMFIC_HELO);
}

static void put_arguments(SMFICTX *context, const char *event, char **arguments)
{
    begin(event);
    for (; *arguments != NULL; arguments++) put_string(*arguments);
    put_macro(context, "i");
    put_macro(context, "{auth_authen}");
    end();
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    put_arguments(context, "mail", arguments);
    return answer(context, SMFIC_MAIL);
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
    put_arguments(context, "recipient", arguments);
    return answer(context, SMFIC_RCPT);
}

static sfsistat on_data(SMFICTX *context)
{
    begin("data");
    end();
    return answer(context, SMFIC_DATA);
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    begin("header");
    put_string(name);
    put_string(value);
    end();
    return answer(context, SMFIC_HEADER);
}

static sfsistat on_end_of_headers(SMFICTX *context)
{
    begin("endOfHeaders");
    end();
    return answer(context, SMFIC_EOH);
}

static sfsistat on_body(SMFICTX *context, unsigned char *chunk, size_t count)
{
    begin("body ");
    put(chunk, count);
    end();
    return answer(context, SMFIC_BODY);
}

static sfsistat modify(SMFICTX *context, struct session *session)
{
    char *b = session->leading_space ? " b;\n\tc" : "b;\n\tc";
    char *large = malloc(70000);
    if (large == NULL) return SMFIS_TEMPFAIL;
    memset(large, 'x', 70000);
    smfi_chgheader(context, "X-Old", 2, NULL);
    smfi_chgheader(context, "X-Old", 1, b);
    smfi_insheader(context, 0, "X-A", b);
    smfi_addheader(context, "X-B", b);
    smfi_quarantine(context, "held for review");
    smfi_chgfrom(context, "<new@example.com>", NULL);
    smfi_chgfrom(context, "<new@example.com>", "SIZE=1");
    smfi_addrcpt(context, "<c@example.net>");
    smfi_addrcpt_par(context, "<d@example.net>", "NOTIFY=NEVER");
    smfi_delrcpt(context, "<b@example.net>");
    smfi_replacebody(context, (unsigned char *)large, 70000);
    free(large);
    return SMFIS_ACCEPT;
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    begin("endOfMessage");
    put_macro(context, "i");
    put_macro(context, "{auth_authen}");
    end();
    struct session *session = smfi_getpriv(context);
    if (planned(context, SMFIC_BODYEOB) == 'm' && session != NULL) return modify(context, session);
    return answer(context, SMFIC_BODYEOB);
}

static sfsistat on_unknown(SMFICTX *context, const char *command)
{
    begin("unknown");
    put_string(command);
    end();
    return answer(context, SMFIC_UNKNOWN);
}

static sfsistat on_abort(SMFICTX *context)
{
    (void)context;
    begin("abort");
    end();
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
    begin("close");
    end();
    free(smfi_getpriv(context));
    smfi_setpriv(context, NULL);
    return SMFIS_CONTINUE;
}

int main(int count, char **arguments)
{
    struct smfiDesc description = {
        .xxfi_name = "reference", .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFI_CURR_ACTS,
        .xxfi_connect = on_connect, .xxfi_helo = on_helo, .xxfi_envfrom = on_mail, .xxfi_envrcpt = on_recipient,
        .xxfi_data = on_data, .xxfi_header = on_header, .xxfi_eoh = on_end_of_headers, .xxfi_body = on_body,
        .xxfi_eom = on_end_of_message, .xxfi_abort = on_abort, .xxfi_close = on_close, .xxfi_unknown = on_unknown,
        .xxfi_negotiate = negotiate,
    };
    if (count != 4) return 64;
    wanted_actions = strtoul(arguments[2], NULL, 16);
    wanted_protocol = strtoul(arguments[3], NULL, 16);
    if (smfi_setconn(arguments[1]) != MI_SUCCESS || smfi_register(description) != MI_SUCCESS
        || smfi_opensocket(1) != MI_SUCCESS)
        return 71;
    puts("ready");
    fflush(stdout);
    return smfi_main();
}
