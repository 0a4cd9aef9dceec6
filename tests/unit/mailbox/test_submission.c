#include "mailbox/role.h"

#include "base/mem.h"
#include "rig.h"

/* What a relay says; "": nothing. */
struct manners {
    const char *greeting, *mail, *rcpt, *data, *dot;
    bool cut_at_dot;      /* the connection, without an answer */
    bool mute_tls;        /* it offers TLS, and says nothing once that was begun */
    const char *rcpt_end; /* to the second RCPT, and then the connection is cut; NULL: as to the first */
};

static const struct manners good = {"220 r", "250 ok", "250 ok", "354 go on", "250 2.0.0 Accepted as x",
                                    false};

struct relay {
    struct manners manners;
    struct loop_listener *listener;
    struct loop_stream *stream; /* the last */
    struct buf in;
    bool in_body, mute;
    int recipients;         /* RCPT heard in this session */
    int sessions, messages; /* complete ones */
};

static void say(struct relay *r, const char *line)
{
    if (line[0] == '\0')
        return;
    loop_stream_write(r->stream, line, strlen(line));
    loop_stream_write(r->stream, "\r\n", 2);
}

static void body_line(struct relay *r, struct str line)
{
    if (!str_eq(line, STR(".")))
        return;
    r->in_body = false;
    r->messages++;
    if (r->manners.cut_at_dot) {
        loop_stream_close(r->stream, 0);
        r->stream = NULL;
    } else {
        say(r, r->manners.dot);
    }
}

static void command(struct relay *r, struct str line)
{
    if (str_starts(line, STR("EHLO"))) {
        say(r, "250-r");
        if (r->manners.mute_tls)
            say(r, "250-STARTTLS");
        say(r, "250 8BITMIME");
    } else if (str_starts(line, STR("STARTTLS"))) {
        say(r, "220 go on");
        r->mute = true;
    } else if (str_starts(line, STR("MAIL"))) {
        say(r, r->manners.mail);
    } else if (str_starts(line, STR("RCPT")) && r->manners.rcpt_end && r->recipients++ > 0) {
        say(r, r->manners.rcpt_end);
        loop_stream_close(r->stream, 0);
        r->stream = NULL;
    } else if (str_starts(line, STR("RCPT"))) {
        say(r, r->manners.rcpt);
    } else if (str_starts(line, STR("DATA"))) {
        r->in_body = r->manners.data[0] == '3';
        say(r, r->manners.data);
    }
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct relay *r = arg;
    size_t end;
    if (err || r->mute)
        return;
    assert_ok(buf_append(&r->in, data, len));
    while (r->stream && (end = str_find(buf_str(&r->in), '\n', 0)) != SIZE_MAX) {
        struct str line = {buf_data(&r->in), end > 0 ? end - 1 : 0};
        if (r->in_body)
            body_line(r, line);
        else
            command(r, line);
        buf_consume(&r->in, end + 1);
    }
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct relay *r = arg;
    (void)peer;
    loop_stream_free(r->stream);
    buf_clear(&r->in);
    r->stream = stream;
    r->in_body = r->mute = false;
    r->recipients = 0;
    r->sessions++;
    loop_stream_read_start(stream, on_read, r);
    say(r, r->manners.greeting);
}

static void relay_open(struct relay *r, struct rig *rig, const char *address, const struct manners *manners)
{
    struct addr at;
    struct err_buf eb;
    *r = (struct relay){.manners = *manners};
    buf_init(&r->in, 1 << 20);
    assert_ok(addr_parse(str_from(address), &at));
    assert_ok(loop_listen(rig->loop, &at, on_accept, r, &r->listener, &eb));
}

static void relay_close(struct relay *r)
{
    loop_stream_free(r->stream);
    if (r->listener)
        loop_listener_free(r->listener);
    buf_fini(&r->in);
}

/* The server mail1 on node a, whose relay is `own`; the other is on node b. */
struct ground {
    struct rig *rig;
    struct rig_instance *server;
    struct relay own, other;
};

static void ground_open(struct ground *g, const struct manners *own, const struct manners *other)
{
    *g = (struct ground){.rig = rig_new()};
    g->server = rig_start_ready(g->rig, "a", 1);
    relay_open(&g->own, g->rig, "127.1.0.2:2525", own);
    relay_open(&g->other, g->rig, "10.1.0.3:2525", other);
}

static void ground_close(struct ground *g)
{
    relay_close(&g->own);
    relay_close(&g->other);
    rig_instance_free(g->server);
    rig_free(g->rig);
}

/* rcpt: further RCPT commands. */
static struct rig_client *log_in(struct ground *g, const char *rcpt)
{
    struct rig_client *c = rig_connect(g->rig, RIG_SUBMISSION);
    rig_say(c, "EHLO c\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABob2xkZmFzdA==\r\n");
    rig_expect(c, "235 ");
    rig_say(c, "MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\n");
    rig_say(c, rcpt);
    rig_say(c, "DATA\r\n");
    return c;
}

static void submit(struct ground *g, const char *answer)
{
    struct rig_client *c = log_in(g, "");
    rig_expect(c, "354 ");
    rig_say(c, "Subject: x\r\n\r\nhello\r\n.\r\n");
    rig_expect(c, answer);
    rig_client_free(c);
}

static void submit_refused(struct ground *g, const char *answer)
{
    struct rig_client *c = log_in(g, "");
    rig_expect(c, answer);
    rig_client_free(c);
}

static void the_relay_of_the_node_gets_it(void **state)
{
    (void)state;
    struct ground g;
    ground_open(&g, &good, &good);
    submit(&g, "250 2.0.0 Accepted as x");
    assert_int_equal(g.own.messages, 1);
    assert_int_equal(g.other.sessions, 0);
    ground_close(&g);
}

/* A stopped process: the kernel takes the connection, nobody speaks. */
static void the_next_gets_it_when_the_first_is_silent(void **state)
{
    (void)state;
    struct ground g;
    struct manners silent = good;
    silent.greeting = "";
    ground_open(&g, &silent, &good);
    submit(&g, "250 2.0.0 Accepted as x");
    assert_int_equal(g.own.sessions, 1);
    assert_int_equal(g.other.messages, 1);
    submit(&g, "250 "); /* who was silent a moment ago is not waited for */
    assert_int_equal(g.own.sessions, 1);
    assert_int_equal(g.other.messages, 2);
    ground_close(&g);
}

/* As deliveries do it: the relay is there, and takes the message on a second connection, in plain text. */
static void a_relay_with_a_mute_handshake_gets_it_without(void **state)
{
    (void)state;
    struct ground g;
    struct manners mute = good;
    mute.mute_tls = true;
    ground_open(&g, &good, &mute);
    loop_listener_free(g.own.listener);
    g.own.listener = NULL;
    submit(&g, "250 2.0.0 Accepted as x");
    assert_int_equal(g.other.messages, 1);
    assert_int_equal(g.other.sessions, 2);
    submit(&g, "250 "); /* that is remembered */
    assert_int_equal(g.other.sessions, 3);
    ground_close(&g);
}

static void also_when_it_falls_silent_before_354(void **state)
{
    (void)state;
    struct ground g;
    struct manners silent = good;
    silent.data = "";
    ground_open(&g, &silent, &good);
    submit(&g, "250 ");
    assert_int_equal(g.own.sessions, 1);
    assert_int_equal(g.other.messages, 1);
    ground_close(&g);
}

static void also_when_it_is_not_there(void **state)
{
    (void)state;
    struct ground g;
    ground_open(&g, &good, &good);
    loop_listener_free(g.own.listener);
    g.own.listener = NULL;
    submit(&g, "250 ");
    assert_int_equal(g.other.messages, 1);
    ground_close(&g);
}

static void also_when_it_says_later(void **state)
{
    (void)state;
    static const struct manners later[] = {
        {"421 4.3.2 no queue", "", "", "", "", false},
        {"220 r", "452 4.3.1 full", "503 x", "503 x", "", false},
        {"220 r", "250 ok", "450 4.1.1 not verified", "503 x", "", false},
        {"220 r", "250 ok", "250 ok", "451 4.3.0 not now", "", false},
        {"220 r", "421 4.3.2 bye", "", "", "", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct ground g;
        ground_open(&g, &later[i], &good);
        submit(&g, "250 ");
        assert_int_equal(g.own.sessions, 1);
        assert_int_equal(g.other.messages, 1);
        ground_close(&g);
    }
}

static void a_refusal_for_good_is_the_answer(void **state)
{
    (void)state;
    struct ground g;
    struct manners refusing = good;
    refusing.rcpt = "550 5.1.1 nobody";
    refusing.data = "503 no recipients";
    ground_open(&g, &refusing, &good);
    submit_refused(&g, "550 5.1.1 <bob@example.test>: nobody");
    assert_int_equal(g.other.sessions, 0);
    ground_close(&g);
}

/* A relay sends away who names many that it does not know; its words about the first are what the user must
 * hear. */
static void also_when_the_relay_then_ends_the_session(void **state)
{
    (void)state;
    struct ground g;
    struct manners refusing = good;
    refusing.rcpt = "550 5.1.1 nobody";
    refusing.rcpt_end = "421 4.7.0 too many errors";
    ground_open(&g, &refusing, &good);
    struct rig_client *c = log_in(&g, "RCPT TO:<alice@example.test>\r\n");
    rig_expect(c, "550 5.1.1 <bob@example.test>: nobody");
    rig_client_free(c);
    assert_int_equal(g.other.sessions, 0);
    g.own.manners = good;
    submit(&g, "250 "); /* it is not taken for one that failed */
    assert_int_equal(g.other.sessions, 0);
    ground_close(&g);
}

static void none_takes_it(void **state)
{
    (void)state;
    struct ground g;
    struct manners silent = good, away = good;
    silent.greeting = "";
    away.greeting = "421 4.3.2 no queue";
    ground_open(&g, &silent, &away);
    submit_refused(&g, "451 4.3.0 ");
    assert_int_equal(g.own.sessions, 1);
    assert_int_equal(g.other.sessions, 1);
    ground_close(&g);
}

/* It may have it: a second relay would make a second message. */
static void nothing_is_sent_twice(void **state)
{
    (void)state;
    struct ground g;
    struct manners lost = good;
    lost.cut_at_dot = true;
    ground_open(&g, &lost, &good);
    submit(&g, "451 4.3.0 ");
    assert_int_equal(g.own.messages, 1);
    assert_int_equal(g.other.sessions, 0);
    submit(&g, "250 "); /* as the user's program does it: by the other, at once */
    assert_int_equal(g.own.sessions, 1);
    ground_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_relay_of_the_node_gets_it),
        cmocka_unit_test(the_next_gets_it_when_the_first_is_silent),
        cmocka_unit_test(a_relay_with_a_mute_handshake_gets_it_without),
        cmocka_unit_test(also_when_it_falls_silent_before_354),
        cmocka_unit_test(also_when_it_is_not_there),
        cmocka_unit_test(also_when_it_says_later),
        cmocka_unit_test(a_refusal_for_good_is_the_answer),
        cmocka_unit_test(also_when_the_relay_then_ends_the_session),
        cmocka_unit_test(none_takes_it),
        cmocka_unit_test(nothing_is_sent_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
