#include "unit/unit.h"
#include "unit/wait.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "base/err.h"
#include "dns/role.h"
#include "loop/real.h"
#include "network.h"
#include "scratch.h"
#include "unit/health/fake_server.h"

/* The role on a loop in a thread of its own, with an SMTP server for mail1 and
 * one for each relay beside it; the tests ask it over UDP and change what it
 * sees by posts to its loop. */
struct fixture {
    struct network network;
    struct loop *loop;
    struct fake_server mail, relays[2];
    struct dns_role *role;
    struct dns_route route; /* of mail1 */
    struct dns_domain_route home;
    struct dns_routes routes;
    int64_t lease_ms;
    const char *greeting;
    _Atomic int reload_err;
    int fd;
    pthread_t thread;
};

#define LONG_MS 3600000

static void start_servers(struct fixture *f)
{
    fake_server_start(&f->mail, f->loop, "220 mail1\r\n", "250 mail1 instance=1@east1\r\n");
    f->network.servers[0].smtp_port = addr_port(&f->mail.at);
    f->network.servers[0].address = (struct config_listen){&f->mail.at, 1};
    for (int i = 0; i < 2; i++) {
        fake_server_start(&f->relays[i], f->loop, "220 relay\r\n", "250 relay\r\n");
        f->network.relays[i].address = f->network.relays[i].listen =
            (struct config_listen){&f->relays[i].at, 1};
    }
}

static void *run_loop(void *arg)
{
    struct fixture *f = arg;
    loop_run(f->loop);
    return NULL;
}

static void connect_client(struct fixture *f)
{
    struct timeval limit = {.tv_sec = 20};
    struct addr at;
    dns_role_local(f->role, 0, &at);
    f->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(f->fd, &at.u.sa, addr_len(&at)), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err_buf eb;
    network_init(&f->network);
    f->loop = loop_real_new();
    start_servers(f);
    f->route = (struct dns_route){
        .server = "mail1", .state = HEALTH_OPERATIONAL, .epoch = 1, .expect = "instance=1@"};
    f->routes = (struct dns_routes){.servers = &f->route, .server_count = 1, .domains = &f->home};
    f->lease_ms = LONG_MS;
    assert_ok(dns_role_open(f->loop, &f->network.config, &f->network.dns[0], &f->role, &eb));
    assert_ok(dns_role_start(f->role, &eb));
    connect_client(f);
    assert_int_equal(pthread_create(&f->thread, NULL, run_loop, f), 0);
    *state = f;
    return 0;
}

static void end(void *arg)
{
    struct fixture *f = arg;
    loop_stop(f->loop);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_post(f->loop, end, f);
    pthread_join(f->thread, NULL);
    close(f->fd);
    dns_role_free(f->role);
    fake_server_stop(&f->mail);
    fake_server_stop(&f->relays[0]);
    fake_server_stop(&f->relays[1]);
    loop_real_free(f->loop);
    free(f);
    return 0;
}

/* ---- posts ---- */

static void post_routes(void *arg)
{
    struct fixture *f = arg;
    f->routes.valid_until = mono_add_ms(loop_now(f->loop), f->lease_ms);
    dns_role_set_routes(f->role, &f->routes);
}

static void post_greeting(void *arg)
{
    struct fixture *f = arg;
    f->mail.greeting = f->greeting;
}

static void post_kill_relay(void *arg)
{
    struct fixture *f = arg;
    f->relays[0].greeting = "421 no\r\n";
}

static void post_reload(void *arg)
{
    struct fixture *f = arg;
    struct err_buf eb;
    f->reload_err = dns_role_reload(f->role, &eb);
}

/* ---- asking ---- */

static const char *ask(struct fixture *f, const char *name, const char *type)
{
    uint8_t bytes[1500];
    size_t len = ask_format(&(struct ask){.name = name, .type = type}, bytes);
    assert_int_equal(send(f->fd, bytes, len, 0), len);
    ssize_t got = recv(f->fd, bytes, sizeof(bytes), 0);
    assert_true(got > 0);
    return ask_read(bytes, (size_t)got);
}

/* The exchangers of example.test: H the host, E and W the relays, in order of preference. */
static const char *exchangers(struct fixture *f)
{
    static char out[8];
    const char *reply = ask(f, "example.test", "MX"), *at;
    size_t len = 0;
    static const struct {
        const char *text;
        char initial;
    } names[] = {{"mail1.", 'H'}, {"mail2.", 'S'}, {"relay-east.", 'E'}, {"relay-west.", 'W'}};
    for (int preference = 10; preference <= 30; preference += 10) {
        char text[16];
        snprintf(text, sizeof(text), " MX %d ", preference);
        if ((at = strstr(reply, text)) == NULL)
            break;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (strncmp(at + strlen(text), names[i].text, strlen(names[i].text)) == 0)
                out[len++] = names[i].initial;
    }
    out[len] = '\0';
    return out;
}

#define WAIT_EXCHANGERS(f, wanted) WAIT_UNTIL(strcmp(exchangers(f), wanted) == 0)

static void it_follows_a_server_and_its_relays(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(exchangers(f), "EW"); /* no routes yet */
    loop_post(f->loop, post_routes, f);
    WAIT_EXCHANGERS(f, "HEW");
    f->greeting = "421 no\r\n";
    loop_post(f->loop, post_greeting, f);
    WAIT_EXCHANGERS(f, "EW");
    loop_post(f->loop, post_kill_relay, f);
    WAIT_EXCHANGERS(f, "W");
    f->greeting = "220 mail1\r\n";
    loop_post(f->loop, post_greeting, f);
    WAIT_EXCHANGERS(f, "HW");
}

static void routes_overrule_what_probes_say(void **state)
{
    struct fixture *f = *state;
    loop_post(f->loop, post_routes, f);
    WAIT_EXCHANGERS(f, "HEW");
    f->route.state = HEALTH_FENCED;
    loop_post(f->loop, post_routes, f);
    WAIT_EXCHANGERS(f, "EW");
}

static void a_stale_instance_is_not_named(void **state)
{
    struct fixture *f = *state;
    loop_post(f->loop, post_routes, f);
    WAIT_EXCHANGERS(f, "HEW");
    f->route.epoch = 2; /* what answers there says that it is instance 1 */
    f->route.expect = "instance=2@";
    loop_post(f->loop, post_routes, f);
    WAIT_EXCHANGERS(f, "EW");
}

static void a_lease_that_runs_out_leaves_the_relays(void **state)
{
    struct fixture *f = *state;
    f->lease_ms = 500;
    loop_post(f->loop, post_routes, f);
    WAIT_EXCHANGERS(f, "HEW");
    WAIT_EXCHANGERS(f, "EW");
    assert_non_null(strstr(ask(f, "mail1.example.test", "A"), " A 127.0.0.1 "));
}

static void addresses_follow_the_instance(void **state)
{
    struct fixture *f = *state;
    assert_ok(addr_parse_ip(STR("127.2.0.10"), 0, &f->route.addresses[0]));
    f->route.address_count = 1;
    loop_post(f->loop, post_routes, f);
    WAIT_UNTIL(strstr(ask(f, "mail1.example.test", "A"), " A 127.2.0.10 ") != NULL);
}

static void a_standby_stands_in(void **state)
{
    struct fixture *f = *state;
    f->route.served_by = "mail2"; /* external: it runs where the configuration says */
    loop_post(f->loop, post_routes, f);
    WAIT_UNTIL(strstr(ask(f, "mail1.example.test", "AAAA"), " AAAA ::1 ") != NULL);
    f->route.served_by = NULL;
    f->home = (struct dns_domain_route){.domain = "sub.example.test", .server = "mail1"};
    f->routes.domain_count = 1;
    loop_post(f->loop, post_routes, f);
    WAIT_UNTIL(strstr(ask(f, "sub.example.test", "MX"), " MX 10 mail1.") != NULL);
}

static void zones_are_read_again(void **state)
{
    struct fixture *f = *state;
    struct scratch file;
    scratch_write(&file, "new TXT here\n");
    f->network.zones[0].file = file.path;
    loop_post(f->loop, post_reload, f);
    WAIT_UNTIL(strstr(ask(f, "new.example.test", "TXT"), "here") != NULL);
    scratch_remove(&file);
    f->reload_err = 0;
    loop_post(f->loop, post_reload, f);
    WAIT_UNTIL(f->reload_err == ERR_NOT_FOUND);
    assert_non_null(strstr(ask(f, "new.example.test", "TXT"), "here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_follows_a_server_and_its_relays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(routes_overrule_what_probes_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stale_instance_is_not_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lease_that_runs_out_leaves_the_relays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_follow_the_instance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_standby_stands_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zones_are_read_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
