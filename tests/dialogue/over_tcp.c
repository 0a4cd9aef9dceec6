/* over_tcp DIALOGUE NAME FOLDER: serves the sessions of machine_smtp's owner on
 * a free loopback port and lets `DIALOGUE --connect` play the scripts there:
 * the streams' glue and the real loop under the same scripts. Its TAP and exit
 * status are those of DIALOGUE. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "dialogue/smtp_owner.h"
#include "loop/real.h"
#include "smtp/server_connection.h"

struct service {
    struct loop *loop;
    struct smtp_server_options options;
    uint32_t seed;
};

struct served {
    struct smtp_server_ops ops; /* the owner's, and closed */
    struct smtp_owner owner;
    struct smtp_server_connection *connection;
    struct loop *loop;
    struct loop_timer *ticker;
};

static void on_tick(void *arg)
{
    struct served *s = arg;
    smtp_owner_tick(&s->owner);
    loop_timer_start(s->ticker, 1);
}

static void on_closed(void *arg)
{
    struct served *s = CONTAINER_OF(arg, struct served, owner);
    loop_timer_free(s->ticker);
    smtp_owner_fini(&s->owner);
    free(s);
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct service *service = arg;
    struct served *s = mem_zalloc(sizeof(*s));
    (void)peer;
    smtp_owner_init(&s->owner, ++service->seed);
    s->loop = service->loop;
    s->ops = smtp_owner_ops;
    s->ops.closed = on_closed;
    s->connection = smtp_server_connection_new(s->loop, stream, &service->options, &s->ops, &s->owner);
    s->owner.server = smtp_server_connection_session(s->connection);
    s->ticker = loop_timer_new(s->loop, on_tick, s);
    loop_timer_start(s->ticker, 1);
}

static bool set_flavour(struct service *service, const char *name)
{
    static const char *const names[] = {
        [SMTP_FLAVOUR_SMTP] = "smtp", [SMTP_FLAVOUR_LMTP] = "lmtp", [SMTP_FLAVOUR_SUBMISSION] = "submission"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            service->options.flavour = (enum smtp_flavour)i;
            return true;
        }
    }
    return false;
}

/* Never returns; ends with its parent. */
static void serve(struct service *service, int port_fd)
{
    struct loop_listener *listener;
    struct addr at;
    struct err_buf eb;
    char text[ADDR_TEXT_MAX];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    service->loop = loop_real_new();
    CHECK(addr_parse(STR("127.0.0.1:0"), &at) == 0);
    CHECK(loop_listen(service->loop, &at, on_accept, service, &listener, &eb) == 0);
    loop_listener_local(listener, &at);
    addr_format(&at, text);
    CHECK(write(port_fd, text, sizeof(text)) == sizeof(text));
    loop_run(service->loop);
    _exit(1);
}

int main(int argc, char **argv)
{
    struct service service = {.options = {.hostname = "mail.example.test", .size_max_bytes = 1000000}};
    int port[2], status;
    char text[ADDR_TEXT_MAX];
    if (argc != 4 || !set_flavour(&service, argv[2]) || pipe(port) != 0)
        return 2;
    if (service.options.flavour == SMTP_FLAVOUR_SUBMISSION)
        service.options.auth_mechanisms = "PLAIN LOGIN";
    pid_t server = fork();
    if (server == 0)
        serve(&service, port[1]);
    if (server < 0 || read(port[0], text, sizeof(text)) != sizeof(text))
        return 2;
    pid_t player = fork();
    if (player == 0) {
        execl(argv[1], argv[1], "--connect", text, argv[3], (char *)NULL);
        _exit(2);
    }
    bool well = player > 0 && waitpid(player, &status, 0) == player && WIFEXITED(status);
    bool alive = waitpid(server, NULL, WNOHANG) == 0; /* a broken invariant would have ended it */
    kill(server, SIGKILL);
    return well && alive ? WEXITSTATUS(status) : 1;
}
