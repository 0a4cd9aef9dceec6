/* What the dialogues cannot arrange: output that nobody takes, a store that fails in the midst of a message,
 * a message that another session expunges. */
#include "pop3/session.h"

#include "base/mem.h"
#include "rig.h"

#define LINE       "0123456789012345678901234567890123456789012345678901234567890123456789012\r\n"
#define LINE_COUNT 8000 /* more than the output's high mark, many times */

struct pop {
    struct rig *rig;
    struct pop3_options options;
    struct pop3_session *session;
    struct buf out;
    bool woken;
};

static void authenticate(void *arg, struct str user, struct str password)
{
    struct pop *p = arg;
    pop3_session_authenticated(p->session, str_eq(password, STR("secret")) ? 0 : ERR_DENIED, user);
}

static void cancel(void *arg)
{
    (void)arg;
}

static void on_wake(void *arg)
{
    struct pop *p = arg;
    p->woken = true;
    loop_stop(p->rig->loop);
}

/* Takes what is there; the session goes on when there is room again. */
static void collect(struct pop *p)
{
    struct str out;
    while ((out = pop3_session_output(p->session)).len > 0) {
        assert_ok(buf_append_str(&p->out, out));
        pop3_session_output_taken(p->session, out.len);
    }
}

static void settle(struct pop *p)
{
    collect(p);
    while (!pop3_session_finished(p->session) && !pop3_session_wants_input(p->session)) {
        p->woken = false;
        rig_wait(p->rig, &p->woken);
        collect(p);
    }
}

static void say(struct pop *p, const char *line)
{
    pop3_session_input(p->session, line, strlen(line));
}

static void assert_said(struct pop *p, const char *text)
{
    settle(p);
    assert_string_equal(buf_data(&p->out), text);
    buf_clear(&p->out);
}

static char *large_message(void)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_ok(buf_append_text(&text, "Subject: large\r\n\r\n"));
    for (int i = 0; i < LINE_COUNT; i++)
        assert_ok(buf_append_text(&text, LINE));
    return buf_steal(&text);
}

static int setup(void **state)
{
    static const struct pop3_ops ops = {.authenticate = authenticate, .cancel = cancel, .fenced = cancel};
    struct pop *p = mem_zalloc(sizeof(*p));
    char *large = large_message();
    p->rig = rig_new();
    rig_deliver(p->rig, "alice@x", "Subject: small\r\n\r\n.dot\r\n");
    rig_deliver(p->rig, "alice@x", large);
    free(large);
    p->options = (struct pop3_options){.hostname = "mail1.example.test", .instance = "7@east1"};
    buf_init(&p->out, 16 << 20);
    p->session = pop3_session_new(&p->options, &ops, p, p->rig->mail, true, false);
    pop3_session_on_wake(p->session, on_wake, p);
    say(p, "USER alice@x\r\nPASS secret\r\n");
    assert_said(p, "+OK mail1.example.test Holdfast POP3 instance=7@east1\r\n+OK And the password?\r\n+OK 2 "
                   "messages\r\n");
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pop *p = *state;
    pop3_session_free(p->session);
    buf_fini(&p->out);
    rig_free(p->rig);
    free(p);
    return 0;
}

static void a_small_message_is_stuffed(void **state)
{
    say(*state, "RETR 1\r\n");
    assert_said(*state, "+OK 24 octets\r\nSubject: small\r\n\r\n..dot\r\n.\r\n");
}

static bool is_high(struct pop *p)
{
    return pop3_session_output(p->session).len >= POP3_SESSION_OUT_HIGH;
}

static void run_until_it_pauses(struct pop *p)
{
    while (!is_high(p)) {
        p->woken = false;
        rig_wait(p->rig, &p->woken);
    }
}

static void a_large_one_waits_for_who_takes_it(void **state)
{
    struct pop *p = *state;
    say(p, "RETR 2\r\nNOOP\r\n");
    run_until_it_pauses(p);
    assert_true(pop3_session_output(p->session).len < 4 * POP3_SESSION_OUT_HIGH);
    assert_false(pop3_session_wants_input(p->session));
    settle(p);
    struct str all = buf_str(&p->out);
    assert_int_equal(all.len, strlen("+OK 600018 octets\r\n") + 600018 + strlen(".\r\n+OK Done\r\n"));
    assert_true(str_starts(all, STR("+OK 600018 octets\r\nSubject: large\r\n\r\n" LINE)));
    assert_true(str_ends(all, STR(LINE ".\r\n+OK Done\r\n")));
}

/* After +OK there is no honest end but that of the session: a line with a dot would make the part a message.
 */
static void a_store_that_fails_midway_ends_the_session(void **state)
{
    struct pop *p = *state;
    static const struct store_memory_faults away = {.unreachable = true};
    say(p, "RETR 2\r\n");
    run_until_it_pauses(p);
    rig_faults(p->rig, &away);
    settle(p);
    assert_true(pop3_session_finished(p->session));
    assert_true(p->out.len < 600018);
    assert_true(str_ends(buf_str(&p->out), STR(LINE)) || !str_ends(buf_str(&p->out), STR("\r\n.\r\n")));
}

static void a_store_that_is_away_is_said(void **state)
{
    struct pop *p = *state;
    static const struct store_memory_faults away = {.unreachable = true};
    rig_faults(p->rig, &away);
    say(p, "RETR 1\r\n");
    assert_said(p, "-ERR [SYS/TEMP] The mail store is not available now, nothing was changed\r\n");
    assert_false(pop3_session_finished(p->session));
}

static void what_another_session_expunged_is_not_an_empty_message(void **state)
{
    struct pop *p = *state;
    struct talk *other = talk_login(p->rig, "alice@x");
    talk_send(other, "a SELECT INBOX\r\nb STORE 1 +FLAGS.SILENT (\\Deleted)\r\nc EXPUNGE\r\n");
    assert_non_null(strstr(talk_take(other), "c OK"));
    talk_free(other);
    say(p, "RETR 1\r\n");
    assert_said(p, "-ERR This message is not there any more\r\n");
    say(p, "DELE 1\r\nQUIT\r\n");
    settle(p);
    assert_non_null(strstr(buf_data(&p->out), "+OK"));
}

static void tls_may_come_before_the_greeting(void **state)
{
    static const struct pop3_ops ops = {.fenced = NULL};
    struct pop *p = *state;
    struct pop3_session *s = pop3_session_new(&p->options, &ops, p, p->rig->mail, false, true);
    pop3_session_begin_with_tls(s);
    assert_true(pop3_session_wants_tls(s));
    assert_false(pop3_session_wants_input(s));
    assert_int_equal(pop3_session_output(s).len, 0);
    pop3_session_tls_started(s);
    assert_false(pop3_session_wants_tls(s));
    assert_true(str_starts(pop3_session_output(s), STR("+OK mail1.example.test ")));
    pop3_session_free(s);
}

#define POP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POP_TEST(a_small_message_is_stuffed),
        POP_TEST(a_large_one_waits_for_who_takes_it),
        POP_TEST(a_store_that_fails_midway_ends_the_session),
        POP_TEST(a_store_that_is_away_is_said),
        POP_TEST(what_another_session_expunged_is_not_an_empty_message),
        POP_TEST(tls_may_come_before_the_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
