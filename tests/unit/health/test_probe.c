#include "unit/unit.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_server.h"
#include "health/probe.h"
#include "loop/real.h"
#include "net/tls_client.h"

#define TIMEOUT_MS 5000 /* of probes that are to end by themselves */

struct ending {
    struct loop *loop;
    int calls;
    enum health_outcome outcome;
    bool answered;
    char detail[256];
};

static void on_outcome(void *arg, const struct probe_outcome *outcome)
{
    struct ending *e = arg;
    e->calls++;
    e->outcome = outcome->outcome;
    e->answered = outcome->answered;
    snprintf(e->detail, sizeof(e->detail), "%.*s", STR_ARG(outcome->detail));
    loop_stop(e->loop);
}

static struct ending run(struct loop *l, struct probe_spec spec)
{
    struct ending e = {.loop = l};
    spec.timeout_ms = spec.timeout_ms ? spec.timeout_ms : TIMEOUT_MS;
    probe_start(l, &spec, on_outcome, &e);
    assert_int_equal(e.calls, 0);
    loop_run(l);
    assert_int_equal(e.calls, 1);
    return e;
}

static struct ending probe_fake(enum check_kind kind, const char *greeting, const char *answer,
                                int64_t timeout_ms, const char *ret_heard_has)
{
    struct loop *l = loop_real_new();
    struct fake_server f;
    fake_server_start(&f, l, greeting, answer);
    struct ending e =
        run(l, (struct probe_spec){.kind = kind, .to = f.at, .timeout_ms = timeout_ms, .helo = "dns1"});
    if (ret_heard_has)
        assert_non_null(strstr(f.heard, ret_heard_has));
    fake_server_stop(&f);
    loop_real_free(l);
    return e;
}

static void smtp_works(void **state)
{
    (void)state;
    struct ending e = probe_fake(CHECK_SMTP, "220 m\r\n", "250 m\r\n", 0, "EHLO dns1\r\n");
    assert_int_equal(e.outcome, HEALTH_OK);
}

static void lmtp_works(void **state)
{
    (void)state;
    struct ending e = probe_fake(CHECK_LMTP, "220 m\r\n", "250 m\r\n", 0, "LHLO dns1\r\n");
    assert_int_equal(e.outcome, HEALTH_OK);
}

static void imap_works(void **state)
{
    (void)state;
    struct ending e =
        probe_fake(CHECK_IMAP, "* OK m\r\n", "* CAPABILITY IMAP4rev1\r\np1 OK\r\n", 0, "CAPABILITY\r\n");
    assert_int_equal(e.outcome, HEALTH_OK);
}

static void pop3_works(void **state)
{
    (void)state;
    assert_int_equal(probe_fake(CHECK_POP3, "+OK\r\n", "+OK\r\n", 0, "QUIT").outcome, HEALTH_OK);
}

static void tcp_works_without_a_word(void **state)
{
    (void)state;
    assert_int_equal(probe_fake(CHECK_TCP, NULL, NULL, 0, NULL).outcome, HEALTH_OK);
}

static void a_greeting_421_is_a_failure_with_its_text(void **state)
{
    (void)state;
    struct ending e = probe_fake(CHECK_SMTP, "421 4.3.2 going down\r\n", "250 m\r\n", 0, NULL);
    assert_int_equal(e.outcome, HEALTH_FAIL);
    assert_string_equal(e.detail, "greeting: 421 4.3.2 going down");
    assert_true(e.answered);
}

/* What deliveries must have is a part of working. */
static void a_server_without_the_tls_that_is_required_fails(void **state)
{
    static const struct {
        const char *answer, *detail;
    } cases[] = {{"250 m\r\n", "the server does not offer STARTTLS, which is required"},
                 {"250 STARTTLS\r\n", "the answer to STARTTLS: 250 STARTTLS"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct loop *l = loop_real_new();
        struct tls_client *tls = tls_client_new(l);
        struct fake_server f;
        assert_ok(tls_client_set(tls, &(struct tls_client_options){.policy = TLS_PINNED, .name = "m"}, NULL));
        fake_server_start(&f, l, "220 m\r\n", cases[i].answer);
        struct ending e = run(l, (struct probe_spec){.kind = CHECK_SMTP, .to = f.at, .tls = tls});
        assert_int_equal(e.outcome, HEALTH_FAIL);
        assert_string_equal(e.detail, cases[i].detail);
        fake_server_stop(&f);
        tls_client_free(tls);
        loop_real_free(l);
    }
}

static void silence_runs_into_the_timeout(void **state)
{
    (void)state;
    struct ending e = probe_fake(CHECK_SMTP, NULL, NULL, 50, NULL);
    assert_int_equal(e.outcome, HEALTH_FAIL);
    assert_non_null(strstr(e.detail, "no answer in time, waiting for the greeting"));
    assert_false(e.answered);
}

static void a_lost_connection_fails(void **state)
{
    (void)state;
    struct ending e = probe_fake(CHECK_SMTP, "220 m\r\n", NULL, 0, NULL);
    assert_int_equal(e.outcome, HEALTH_FAIL);
    assert_non_null(strstr(e.detail, "closed before the answer to EHLO"));
}

/* What the prober lacks is no failure of the server. */
static void without_descriptors_nothing_is_known(void **state)
{
    (void)state;
    struct rlimit before, none;
    struct loop *l = loop_real_new();
    struct fake_server f;
    fake_server_start(&f, l, NULL, NULL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct ending e = run(l, (struct probe_spec){.kind = CHECK_TCP, .to = f.at});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(e.outcome, HEALTH_NONE);
    assert_non_null(strstr(e.detail, "this machine"));
    fake_server_stop(&f);
    loop_real_free(l);
}

static void a_closed_port_refuses(void **state)
{
    (void)state;
    struct loop *l = loop_real_new();
    struct fake_server f;
    fake_server_start(&f, l, NULL, NULL);
    fake_server_stop(&f);
    struct ending e = run(l, (struct probe_spec){.kind = CHECK_TCP, .to = f.at});
    assert_int_equal(e.outcome, HEALTH_FAIL);
    assert_true(e.answered);
    assert_non_null(strstr(e.detail, "refused"));
    loop_real_free(l);
}

static void write_script(char *path, const char *text)
{
    strcpy(path, "/tmp/holdfast-check-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
}

static struct ending run_script(const char *text, int64_t timeout_ms)
{
    struct loop *l = loop_real_new();
    char path[64];
    struct probe_spec spec = {.kind = CHECK_COMMAND, .command = path, .timeout_ms = timeout_ms};
    write_script(path, text);
    assert_ok(addr_parse(STR("127.0.0.7:25"), &spec.to));
    struct ending e = run(l, spec);
    unlink(path);
    loop_real_free(l);
    return e;
}

static void plugins_are_judged_by_their_exit(void **state)
{
    (void)state;
    struct ending e = run_script("#!/bin/sh\necho \"OK $*\"; echo more", 0);
    assert_int_equal(e.outcome, HEALTH_OK);
    assert_string_equal(e.detail, "OK -H 127.0.0.7 -p 25");
    assert_int_equal(run_script("#!/bin/sh\nexit 1", 0).outcome, HEALTH_OK);
    e = run_script("#!/bin/sh\necho CRITICAL; exit 2", 0);
    assert_int_equal(e.outcome, HEALTH_FAIL);
    assert_string_equal(e.detail, "CRITICAL");
    assert_int_equal(run_script("#!/bin/sh\nexit 3", 0).outcome, HEALTH_NONE);
    assert_int_equal(run_script("#!/bin/sh\nkill -9 $$", 0).outcome, HEALTH_NONE);
}

static void a_plugin_that_hangs_fails(void **state)
{
    (void)state;
    assert_int_equal(run_script("#!/bin/sh\nexec sleep 60", 50).outcome, HEALTH_FAIL);
}

static void a_missing_plugin_is_no_evidence(void **state)
{
    (void)state;
    struct loop *l = loop_real_new();
    struct probe_spec spec = {.kind = CHECK_COMMAND, .command = "/nonexistent/plugin"};
    assert_ok(addr_parse(STR("127.0.0.7:25"), &spec.to));
    assert_int_equal(run(l, spec).outcome, HEALTH_NONE);
    loop_real_free(l);
}

static void cancelling_is_silent(void **state)
{
    (void)state;
    struct loop *l = loop_real_new();
    struct fake_server f;
    struct ending cancelled = {.loop = l};
    fake_server_start(&f, l, "220 m\r\n", "250 m\r\n");
    struct probe_spec spec = {.kind = CHECK_SMTP, .to = f.at, .timeout_ms = TIMEOUT_MS};
    probe_cancel(probe_start(l, &spec, on_outcome, &cancelled));
    probe_cancel(NULL);
    assert_int_equal(run(l, spec).outcome, HEALTH_OK);
    assert_int_equal(cancelled.calls, 0);
    fake_server_stop(&f);
    loop_real_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smtp_works),
        cmocka_unit_test(lmtp_works),
        cmocka_unit_test(imap_works),
        cmocka_unit_test(pop3_works),
        cmocka_unit_test(tcp_works_without_a_word),
        cmocka_unit_test(a_greeting_421_is_a_failure_with_its_text),
        cmocka_unit_test(a_server_without_the_tls_that_is_required_fails),
        cmocka_unit_test(silence_runs_into_the_timeout),
        cmocka_unit_test(a_lost_connection_fails),
        cmocka_unit_test(without_descriptors_nothing_is_known),
        cmocka_unit_test(a_closed_port_refuses),
        cmocka_unit_test(plugins_are_judged_by_their_exit),
        cmocka_unit_test(a_plugin_that_hangs_fails),
        cmocka_unit_test(a_missing_plugin_is_no_evidence),
        cmocka_unit_test(cancelling_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
