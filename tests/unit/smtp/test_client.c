/* The client machine against written answers of a server. */
#include "smtp/client.h"

#include <stdio.h>

#include "loop/sim.h"
#include "net/tls_client.h"
#include "unit/unit.h"

static const struct peer_nonce nonce = {"client nonce 16"};

#define EHLO_PIPELINING "250-mail.example.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n"
#define EHLO_PLAIN      "250 mail.example.test\r\n"

struct world {
    struct smtp_client_options options;
    struct smtp_client *c;
    struct str recipients[4];
    struct buf log; /* "ready", "0:delivered:final dot:250 ...", "done", "end:lost:MAIL:..." lines */
    bool late_body, free_at_result, send_again;
    unsigned wanted, sends_left, asked_to_end, handed_on;
    bool may_end;
    const char *body;
    unsigned wakes;
};

static void send_message(struct world *w);

static void on_ready(void *arg)
{
    buf_append_text(&((struct world *)arg)->log, "ready\n");
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct world *w = arg;
    assert_int_equal(len_max, SMTP_CLIENT_BODY_MAX);
    w->wanted++;
    if (w->late_body)
        return;
    struct str piece = str_from(w->body);
    w->body = "";
    smtp_client_body(w->c, piece.ptr, piece.len);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    struct world *w = arg;
    char reply[128];
    smtp_reply_describe(&r->reply, reply, sizeof(reply));
    w->handed_on += r->dsn;
    buf_append_fmt(&w->log, "%d:%s:%s:%s\n", (int)index, smtp_outcome_name(r->outcome),
                   smtp_stage_name(r->stage), reply);
    if (w->free_at_result)
        smtp_client_free(w->c);
}

static void on_done(void *arg)
{
    struct world *w = arg;
    buf_append_text(&w->log, "done\n");
    if (w->sends_left > 0 && smtp_client_is_ready(w->c)) {
        w->sends_left--;
        buf_clear(&w->log);
        send_message(w);
    }
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    static const char *const names[] = {
        [SMTP_END_QUIT] = "quit",         [SMTP_END_REFUSED] = "refused", [SMTP_END_CONNECT] = "connect",
        [SMTP_END_LOCAL] = "local",       [SMTP_END_LOST] = "lost",       [SMTP_END_TIMEOUT] = "timeout",
        [SMTP_END_PROTOCOL] = "protocol", [SMTP_END_TLS] = "TLS",         [SMTP_END_ABANDONED] = "abandoned"};
    struct world *w = arg;
    (void)reply;
    buf_append_fmt(&w->log, "end:%s:%s:%.*s\n", names[end], smtp_stage_name(stage), STR_ARG(why));
}

static void on_tls_failed(void *arg, const char *detail)
{
    buf_append_fmt(&((struct world *)arg)->log, "TLS failed:%s\n", detail);
}

static void on_wake(void *arg)
{
    ((struct world *)arg)->wakes++;
}

static const struct smtp_client_ops ops = {.ready = on_ready,
                                           .body_wanted = on_body_wanted,
                                           .result = on_result,
                                           .done = on_done,
                                           .tls_failed = on_tls_failed,
                                           .end = on_end};

static void open_world(struct world *w, enum smtp_client_flavour flavour)
{
    *w = (struct world){.options = {.flavour = flavour, .hostname = "relay.example.test"}, .body = "x\r\n"};
    w->recipients[0] = STR("alice@example.test");
    w->recipients[1] = STR("bob@example.test");
    buf_init(&w->log, 1 << 20);
    w->c = smtp_client_new(&w->options, &ops, w, &nonce);
    smtp_client_on_wake(w->c, on_wake, w);
}

static void close_world(struct world *w)
{
    if (!w->free_at_result)
        smtp_client_free(w->c);
    buf_fini(&w->log);
}

static void says(struct world *w, const char *text)
{
    smtp_client_input(w->c, text, strlen(text));
}

static void expect_output(struct world *w, const char *expected)
{
    assert_str(smtp_client_output(w->c), expected);
    smtp_client_output_taken(w->c, smtp_client_output(w->c).len);
}

static void expect_log(struct world *w, const char *expected)
{
    assert_str(buf_str(&w->log), expected);
    buf_clear(&w->log);
}

static void greet(struct world *w, const char *ehlo)
{
    says(w, "220 hello\r\n");
    smtp_client_output_taken(w->c, smtp_client_output(w->c).len);
    says(w, ehlo);
    expect_log(w, "ready\n");
    assert_true(smtp_client_is_ready(w->c));
    assert_int_equal(smtp_client_timeout_ms(w->c), 0);
}

static void open_ready(struct world *w, enum smtp_client_flavour flavour, const char *ehlo)
{
    open_world(w, flavour);
    greet(w, ehlo);
}

static void send_message(struct world *w)
{
    struct smtp_client_message m = {
        .reverse_path = STR("a@b.test"), .recipients = w->recipients, .recipient_count = 2};
    smtp_client_send(w->c, &m);
}

#define COMMANDS                                                                                             \
    "MAIL FROM:<a@b.test>\r\nRCPT TO:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"

static void pipelines_where_offered(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    send_message(&w);
    expect_output(&w, COMMANDS);
    assert_false(smtp_client_is_ready(w.c));
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n");
    expect_output(&w, "");
    says(&w, "354 go\r\n");
    expect_output(&w, "x\r\n.\r\n");
    says(&w, "250 2.0.0 mine\r\n");
    expect_log(&w, "0:delivered:final dot:250 2.0.0 mine\n1:delivered:final dot:250 2.0.0 mine\ndone\n");
    assert_true(smtp_client_is_ready(w.c));
    smtp_client_quit(w.c);
    expect_output(&w, "QUIT\r\n");
    says(&w, "221 bye\r\n");
    expect_log(&w, "end:quit:QUIT:quit\n");
    assert_true(smtp_client_finished(w.c));
    close_world(&w);
}

static void dsn_is_handed_on_where_it_is_offered(void **state)
{
    static const struct dsn_request requests[] = {
        {DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE, STR("rfc822;a+2Bb@example.test")}, {0, STR_EMPTY}};
    static const char *const replies[] = {"250-mail.example.test\r\n250-PIPELINING\r\n250 DSN\r\n",
                                          "250-mail.example.test\r\n250 PIPELINING\r\n"};
    static const char *const commands[] = {
        "MAIL FROM:<a@b.test> RET=FULL ENVID=QQ+201\r\n"
        "RCPT TO:<alice@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@example.test\r\n"
        "RCPT TO:<bob@example.test>\r\nDATA\r\n",
        COMMANDS};
    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        struct world w;
        open_ready(&w, SMTP_CLIENT_SMTP, replies[!offered]);
        struct smtp_client_message m = {.reverse_path = STR("a@b.test"),
                                        .recipients = w.recipients,
                                        .recipient_count = 2,
                                        .dsn = {DSN_RET_FULL, STR("QQ+201")},
                                        .requests = requests,
                                        .user = STR("alice@example.test")};
        smtp_client_send(w.c, &m);
        expect_output(&w, commands[!offered]);
        says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 mine\r\n");
        assert_int_equal(w.handed_on, offered ? 2 : 0);
        close_world(&w);
    }
}

static void ask(struct world *w, size_t count)
{
    struct smtp_client_message m = {
        .reverse_path = STR_EMPTY, .recipients = w->recipients, .recipient_count = count, .question = true};
    smtp_client_send(w->c, &m);
}

static void a_question_ends_at_rcpt(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    ask(&w, 2);
    expect_output(&w, "MAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\n");
    says(&w, "250 ok\r\n250 2.1.5 ok\r\n");
    expect_log(&w, "0:delivered:RCPT:250 2.1.5 ok\n");
    expect_output(&w, "");
    says(&w, "550 5.1.1 no\r\n");
    expect_log(&w, "1:refused:RCPT:550 5.1.1 no\ndone\n");
    expect_output(&w, "RSET\r\n");
    says(&w, "250 ok\r\n");
    send_message(&w); /* a message may follow */
    expect_output(&w, COMMANDS);
    close_world(&w);
}

static void a_question_without_pipelining_waits(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_LMTP, EHLO_PLAIN);
    ask(&w, 1);
    expect_output(&w, "MAIL FROM:<>\r\n");
    says(&w, "250 ok\r\n");
    expect_output(&w, "RCPT TO:<alice@example.test>\r\n");
    says(&w, "250 ok\r\n");
    expect_log(&w, "0:delivered:RCPT:250 ok\ndone\n");
    expect_output(&w, "RSET\r\n");
    says(&w, "250 ok\r\n");
    ask(&w, 1);
    expect_output(&w, "MAIL FROM:<>\r\n");
    says(&w, "451 later\r\n"); /* no transaction was begun */
    expect_log(&w, "0:deferred:MAIL:451 later\ndone\n");
    expect_output(&w, "");
    assert_true(smtp_client_is_ready(w.c));
    close_world(&w);
}

static void waits_where_not(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PLAIN);
    send_message(&w);
    expect_output(&w, "MAIL FROM:<a@b.test>\r\n");
    says(&w, "250 ok\r\n");
    expect_output(&w, "RCPT TO:<alice@example.test>\r\n");
    says(&w, "550 5.1.1 no\r\n");
    expect_output(&w, "RCPT TO:<bob@example.test>\r\n");
    says(&w, "450 4.2.1 later\r\n");
    expect_log(&w, "0:refused:RCPT:550 5.1.1 no\n1:deferred:RCPT:450 4.2.1 later\ndone\n");
    expect_output(&w, "RSET\r\n");
    assert_true(smtp_client_is_ready(w.c));
    send_message(&w);
    expect_output(&w, "");
    says(&w, "250 reset\r\n");
    expect_output(&w, "MAIL FROM:<a@b.test>\r\n");
    says(&w, "451 4.3.0 later\r\n");
    expect_log(&w, "0:deferred:MAIL:451 4.3.0 later\n1:deferred:MAIL:451 4.3.0 later\ndone\n");
    expect_output(&w, ""); /* no transaction was opened, none is to be reset */
    close_world(&w);
}

static void falls_back_to_helo(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP);
    says(&w, "220 hello\r\n");
    expect_output(&w, "EHLO relay.example.test\r\n");
    says(&w, "500-PIPELINING\r\n500 what\r\n");
    expect_output(&w, "HELO relay.example.test\r\n");
    says(&w, "250 ok\r\n");
    expect_log(&w, "ready\n");
    send_message(&w);
    expect_output(&w, "MAIL FROM:<a@b.test>\r\n");
    close_world(&w);
}

static void refused_before_a_message(void **state)
{
    static const struct {
        enum smtp_client_flavour flavour;
        const char *says, *log, *output;
    } cases[] = {
        {SMTP_CLIENT_SMTP, "421 busy\r\n", "end:refused:greeting:the server closes the session\n", ""},
        {SMTP_CLIENT_SMTP, "554 5.7.1 no\r\n", "end:refused:greeting:the greeting is a refusal\n",
         "QUIT\r\n"},
        {SMTP_CLIENT_SMTP, "220 a\r\n450 b\r\n", "end:refused:EHLO:the server refused EHLO\n",
         "EHLO relay.example.test\r\nQUIT\r\n"},
        {SMTP_CLIENT_LMTP, "220 a\r\n500 b\r\n", "end:refused:EHLO:the server refused EHLO\n",
         "LHLO relay.example.test\r\nQUIT\r\n"},
        {SMTP_CLIENT_SMTP, "SSH-2.0-OpenSSH\r\n",
         "end:protocol:greeting:what came is no SMTP reply at greeting\n", ""},
        {SMTP_CLIENT_SMTP, "220 a\r\n" EHLO_PLAIN "421 idle\r\n",
         "ready\nend:refused:idle:the server closes the session\n", "EHLO relay.example.test\r\n"},
        {SMTP_CLIENT_SMTP, "220 a\r\n" EHLO_PLAIN "250 hm\r\n",
         "ready\nend:protocol:idle:the server sent a reply that was not asked for\n",
         "EHLO relay.example.test\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        open_world(&w, cases[i].flavour);
        says(&w, cases[i].says);
        expect_log(&w, cases[i].log);
        expect_output(&w, cases[i].output);
        close_world(&w);
    }
}

/* The session ends at each point of a transaction. */
static const struct {
    const char *says;
    bool body;
    const char *outcome, *stage;
} points[] = {
    {"", false, "lost", "MAIL"},
    {"250 ok\r\n", false, "lost", "RCPT"},
    {"250 ok\r\n250 ok\r\n250 ok\r\n", false, "lost", "DATA"},
    {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", false, "lost", "body"},
    {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", true, "unknown", "final dot"},
};

static void open_at_point(struct world *w, size_t i)
{
    open_ready(w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    w->late_body = true;
    send_message(w);
    says(w, points[i].says);
    if (points[i].body)
        smtp_client_body(w->c, "", 0);
}

static void loss_at_each_point(void **state)
{
    char expected[512];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct world w;
        open_at_point(&w, i);
        smtp_client_lost(w.c, ERR_CLOSED);
        snprintf(expected, sizeof(expected),
                 "0:%s:%s:connection lost (closed) at %s\n1:%s:%s:connection lost (closed) at %s\ndone\n"
                 "end:lost:%s:connection lost (closed) at %s\n",
                 points[i].outcome, points[i].stage, points[i].stage, points[i].outcome, points[i].stage,
                 points[i].stage, points[i].stage, points[i].stage);
        expect_log(&w, expected);
        close_world(&w);

        open_at_point(&w, i);
        smtp_client_timeout(w.c);
        snprintf(expected, sizeof(expected),
                 "0:%s:%s:timeout at %s\n1:%s:%s:timeout at %s\ndone\nend:timeout:%s:timeout at %s\n",
                 points[i].outcome, points[i].stage, points[i].stage, points[i].outcome, points[i].stage,
                 points[i].stage, points[i].stage, points[i].stage);
        expect_log(&w, expected);
        close_world(&w);
    }
}

static void goes_down_at_each_point(void **state)
{
    char expected[512];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct world w;
        const char *outcome = points[i].body ? "deferred" : "unsent";
        open_at_point(&w, i);
        says(&w, "421 4.3.2 bye\r\n");
        snprintf(expected, sizeof(expected),
                 "0:%s:%s:421 4.3.2 bye\n1:%s:%s:421 4.3.2 bye\ndone\nend:refused:%s:the server closes the "
                 "session\n",
                 outcome, points[i].stage, outcome, points[i].stage, points[i].stage);
        expect_log(&w, expected);
        close_world(&w);
    }
}

static void waits_as_long_as_the_rfc_says(void **state)
{
    static const int64_t minutes[] = {5, 5, 2, 0, 10};
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP);
    assert_int_equal(smtp_client_timeout_ms(w.c), 5 * 60000);
    w.options.timeout_ms = 700;
    assert_int_equal(smtp_client_timeout_ms(w.c), 700);
    close_world(&w);
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        open_at_point(&w, i);
        if (!points[i].body)
            smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
        assert_int_equal(smtp_client_timeout_ms(w.c), minutes[i] * 60000);
        close_world(&w);
    }
    open_at_point(&w, 3);
    smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
    smtp_client_body(w.c, "x\r\n", 3);
    assert_int_equal(smtp_client_timeout_ms(w.c), 3 * 60000);
    close_world(&w);
}

static void connect_failed(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP);
    smtp_client_connect_failed(w.c, ERR_REFUSED);
    expect_log(&w, "end:connect:connect:connection could not be made (refused) at connect\n");
    close_world(&w);
    open_world(&w, SMTP_CLIENT_SMTP);
    smtp_client_connect_failed(w.c, ERR_LIMIT); /* what we lack, not the server */
    expect_log(&w, "end:local:connect:connection could not be made (limit) at connect\n");
    close_world(&w);
}

static void nobody_to_deliver_to(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    send_message(&w);
    expect_output(&w, COMMANDS);
    says(&w, "250 ok\r\n550 a\r\n552 5.5.3 b\r\n354 go\r\n");
    expect_log(&w, "0:refused:RCPT:550 a\n1:deferred:RCPT:552 5.5.3 b\n");
    expect_output(&w, ".\r\n");
    says(&w, "554 5.5.1 nobody\r\n");
    expect_log(&w, "done\n");
    expect_output(&w, ""); /* the answer to the final dot ended the transaction */
    assert_int_equal(w.wanted, 0);
    close_world(&w);
}

static void mail_refused_while_pipelining(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    send_message(&w);
    expect_output(&w, COMMANDS);
    says(&w, "552 5.3.4 too big\r\n");
    expect_log(&w, "0:refused:MAIL:552 5.3.4 too big\n1:refused:MAIL:552 5.3.4 too big\n");
    says(&w, "503 x\r\n503 x\r\n503 x\r\n");
    expect_log(&w, "done\n");
    expect_output(&w, "");
    assert_true(smtp_client_is_ready(w.c));
    close_world(&w);
}

static void lmtp_lost_between_the_replies(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_LMTP, EHLO_PIPELINING);
    send_message(&w);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 first\r\n");
    smtp_client_lost(w.c, ERR_IO);
    expect_log(
        &w,
        "0:delivered:final dot:250 2.0.0 first\n1:unknown:final dot:connection lost (io) at final dot\ndone\n"
        "end:lost:final dot:connection lost (io) at final dot\n");
    close_world(&w);
}

/* It says goodbye for one recipient, and the others need no answer: no connection was lost over the message.
 */
static void lmtp_closed_between_the_replies(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_LMTP, EHLO_PIPELINING);
    send_message(&w);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n421 4.3.2 bye\r\n");
    smtp_client_lost(w.c, ERR_CLOSED);
    expect_log(&w, "0:deferred:final dot:421 4.3.2 bye\n"
                   "1:deferred:final dot:connection lost (closed) at final dot\ndone\n"
                   "end:lost:final dot:connection lost (closed) at final dot\n");
    close_world(&w);
    open_ready(&w, SMTP_CLIENT_LMTP, EHLO_PIPELINING);
    send_message(&w);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n421 4.3.2 bye\r\n250 2.0.0 second\r\n"); /* ours does */
    expect_log(&w, "0:deferred:final dot:421 4.3.2 bye\n1:delivered:final dot:250 2.0.0 second\ndone\n"
                   "end:refused:final dot:the server closes the session\n");
    close_world(&w);
}

static void answer_before_the_final_dot(void **state)
{
    struct world w;
    (void)state;
    open_at_point(&w, 3);
    says(&w, "552 5.3.4 stop\r\n");
    expect_log(&w, "0:refused:body:552 5.3.4 stop\n1:refused:body:552 5.3.4 stop\ndone\n"
                   "end:protocol:body:the server sent a reply of a wrong kind\n");
    close_world(&w);
    open_at_point(&w, 3);
    says(&w, "250 ok\r\n");
    expect_log(&w, "0:lost:body:250 ok\n1:lost:body:250 ok\ndone\nend:protocol:body:the server sent a reply "
                   "of a wrong kind\n");
    close_world(&w);
}

static void body_fails(void **state)
{
    struct world w;
    (void)state;
    open_at_point(&w, 3);
    smtp_client_body(w.c, "half", 4);
    smtp_client_body_failed(w.c, "checksum");
    expect_log(&w,
               "0:abandoned:body:checksum\n1:abandoned:body:checksum\ndone\nend:abandoned:body:checksum\n");
    assert_false(str_ends(smtp_client_output(w.c), STR(".\r\n")));
    close_world(&w);
}

static bool on_may_end(void *arg)
{
    struct world *w = arg;
    w->asked_to_end++;
    return w->may_end;
}

static const struct smtp_client_ops gated_ops = {.ready = on_ready,
                                                 .body_wanted = on_body_wanted,
                                                 .may_end = on_may_end,
                                                 .result = on_result,
                                                 .done = on_done,
                                                 .tls_failed = on_tls_failed,
                                                 .end = on_end};

/* A message, up to its final dot. */
static void open_gated(struct world *w, bool may_end)
{
    open_world(w, SMTP_CLIENT_SMTP);
    smtp_client_free(w->c);
    w->may_end = may_end;
    w->c = smtp_client_new(&w->options, &gated_ops, w, &nonce);
    smtp_client_on_wake(w->c, on_wake, w);
    greet(w, EHLO_PIPELINING);
    send_message(w);
    expect_output(w, COMMANDS);
    says(w, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    smtp_client_flushed(w->c); /* not all of it yet */
    assert_int_equal(w->asked_to_end, 0);
    assert_true(smtp_client_timeout_ms(w->c) > 0);
    expect_output(w, "x\r\n");
    assert_int_equal(w->asked_to_end, 0); /* the kernel may not have taken it */
    assert_true(smtp_client_timeout_ms(w->c) > 0);
}

static void the_final_dot_is_asked_for_when_all_before_it_is_out(void **state)
{
    (void)state;
    struct world w;
    open_gated(&w, true);
    smtp_client_flushed(w.c);
    expect_output(&w, ".\r\n");
    smtp_client_flushed(w.c);
    assert_int_equal(w.asked_to_end, 1);
    says(&w, "250 2.0.0 mine\r\n");
    expect_log(&w, "0:delivered:final dot:250 2.0.0 mine\n1:delivered:final dot:250 2.0.0 mine\ndone\n");
    close_world(&w);
    open_gated(&w, false);
    smtp_client_flushed(w.c);
    expect_output(&w, "");
    assert_true(smtp_client_finished(w.c));
    expect_log(&w, "0:abandoned:body:the message may not be sent any more\n"
                   "1:abandoned:body:the message may not be sent any more\ndone\n"
                   "end:abandoned:body:the message may not be sent any more\n");
    close_world(&w);
    open_gated(&w, true);
    says(&w, "552 5.3.4 stop\r\n"); /* an answer before it */
    buf_clear(&w.log);
    smtp_client_flushed(w.c);
    assert_int_equal(w.asked_to_end, 0);
    close_world(&w);
}

static void body_waits_for_a_slow_reader(void **state)
{
    static char piece[SMTP_CLIENT_BODY_MAX];
    struct world w;
    (void)state;
    memset(piece, '.', sizeof(piece));
    for (size_t i = 0; i + 3 <= sizeof(piece); i += 3)
        memcpy(piece + i, ".\r\n", 3);
    open_at_point(&w, 3);
    smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
    for (unsigned i = 1; i <= 10; i++) {
        assert_int_equal(w.wanted, i);
        smtp_client_body(w.c, piece, sizeof(piece));
        assert_int_equal(w.wanted, i);
        size_t len = smtp_client_output(w.c).len;
        assert_true(len < 2 * sizeof(piece));
        smtp_client_output_taken(w.c, len - 10);
    }
    close_world(&w);
}

static void freed_inside_a_callback(void **state)
{
    struct world w;
    (void)state;
    open_at_point(&w, 2);
    w.free_at_result = true;
    smtp_client_lost(w.c, ERR_CLOSED);
    expect_log(&w, "0:lost:DATA:connection lost (closed) at DATA\n");
    close_world(&w);

    open_at_point(&w, 0);
    w.free_at_result = true;
    says(&w, "250 ok\r\n550 a\r\n250 b\r\n354 go\r\n250 x\r\n");
    expect_log(&w, "0:refused:RCPT:550 a\n");
    close_world(&w);
}

static void many_that_cannot_be_taken(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    w.recipients[0] = STR("a\r\nb@example.test"); /* refused by ourselves, inside smtp_client_send */
    w.sends_left = 200000;                        /* as recursion, more than a stack */
    send_message(&w);
    assert_int_equal(w.sends_left, 0);
    assert_true(smtp_client_is_ready(w.c));
    expect_output(&w, "");
    close_world(&w);
}

static void wakes_who_moves_the_bytes(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PIPELINING);
    assert_int_equal(w.wakes, 0);
    send_message(&w);
    assert_int_equal(w.wakes, 1);
    smtp_client_abort(w.c, "enough");
    assert_int_equal(w.wakes, 2);
    expect_log(&w, "0:abandoned:MAIL:enough\n1:abandoned:MAIL:enough\ndone\nend:abandoned:MAIL:enough\n");
    close_world(&w);
}

static void eight_bit_is_said_where_it_is_offered(void **state)
{
    struct world w;
    struct smtp_client_message m = {.recipients = w.recipients, .recipient_count = 1, .eight_bit = true};
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, EHLO_PLAIN);
    smtp_client_send(w.c, &m);
    expect_output(&w, "MAIL FROM:<>\r\n"); /* as it is */
    close_world(&w);
    open_ready(&w, SMTP_CLIENT_SMTP, "250-hi\r\n250 8BITMIME\r\n");
    smtp_client_send(w.c, &m);
    expect_output(&w, "MAIL FROM:<> BODY=8BITMIME\r\n");
    close_world(&w);
}

static void heeds_the_servers_limits(void **state)
{
    struct world w;
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, "250-hi\r\n250-PIPELINING\r\n250 LIMITS MAILMAX=2 RCPTMAX=1\r\n");
    for (int i = 0; i < 2; i++) {
        assert_true(smtp_client_is_ready(w.c));
        send_message(&w);
        expect_log(&w, "1:deferred:local:452 4.5.3 The server takes no more recipients at once\n");
        expect_output(&w, "MAIL FROM:<a@b.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n");
        says(&w, "250 ok\r\n250 ok\r\n354 go\r\n");
        expect_output(&w, "x\r\n.\r\n");
        w.body = "x\r\n";
        says(&w, "250 2.0.0 mine\r\n");
        expect_log(&w, "0:delivered:final dot:250 2.0.0 mine\ndone\n");
    }
    assert_false(smtp_client_is_ready(w.c));
    expect_output(&w, "QUIT\r\n");
    close_world(&w);
}

/* RCPTDOMAINMAX: from the first recipient of one domain too many on they wait for the next transaction. */
static void splits_by_domain(void **state)
{
    static const struct str to[] = {STR("a@one.test"), STR("b@two.test"), STR("c@ONE.test"),
                                    STR("d@three.test"), STR("e@one.test")};
    struct world w;
    struct smtp_client_message m = {.reverse_path = STR("a@b.test"), .recipients = to, .recipient_count = 5};
    (void)state;
    open_ready(&w, SMTP_CLIENT_SMTP, "250-hi\r\n250-PIPELINING\r\n250 LIMITS RCPTDOMAINMAX=2\r\n");
    smtp_client_send(w.c, &m);
    expect_log(&w, "4:deferred:local:452 4.5.3 The server takes no more recipients at once\n"
                   "3:deferred:local:452 4.5.3 The server takes no more recipients at once\n");
    expect_output(&w, "MAIL FROM:<a@b.test>\r\nRCPT TO:<a@one.test>\r\nRCPT TO:<b@two.test>\r\n"
                      "RCPT TO:<c@ONE.test>\r\nDATA\r\n");
    close_world(&w);
}

static void tells_what_is_offered(void **state)
{
    struct world w;
    struct smtp_offers offers = {.known = false};
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP);
    w.options.offers = &offers;
    says(&w, "220 hello\r\n");
    assert_false(offers.known);
    says(&w, "250-hi\r\n250-SMTPUTF8\r\n250 SIZE 1000\r\n");
    assert_true(offers.known && offers.smtputf8 && !offers.eight_bit_mime);
    assert_int_equal(offers.size_max_bytes, 1000);
    close_world(&w);
    open_world(&w, SMTP_CLIENT_SMTP); /* again, with less */
    w.options.offers = &offers;
    says(&w, "220 hello\r\n");
    says(&w, "500 what\r\n");
    says(&w, "250 hi\r\n");
    assert_true(offers.known && !offers.smtputf8);
    close_world(&w);
}

static void a_claimed_proof_is_none(void **state)
{
    static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
    struct custody_id id = {"custody id 16 b"};
    struct world w;
    struct smtp_client_message m = {.recipients = w.recipients, .recipient_count = 1, .custody_id = &id};
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP);
    w.options.peer_key = &key;
    w.options.peer = (struct peer_id){PEER_MAILBOX, "mail1"};
    w.options.node = "east1";
    says(&w, "220 hello\r\n250-mail.example.test\r\n250 XHOLDFAST 000102030405060708090a0b0c0d0e0f\r\n");
    assert_true(str_starts(smtp_client_output(w.c), STR("EHLO relay.example.test\r\nXHOLDFAST east1 ")));
    smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
    says(&w, "235 2.7.0 0000000000000000000000000000000000000000000000000000000000000000\r\n");
    expect_log(&w, "ready\n");
    assert_false(smtp_client_peer_proved(w.c));
    smtp_client_send(w.c, &m);
    expect_output(&w, "MAIL FROM:<>\r\n");
    close_world(&w);
}

static void quits_before_it_is_ready(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP);
    smtp_client_quit(w.c);
    says(&w, "220 hello\r\n" EHLO_PLAIN);
    expect_output(&w, "EHLO relay.example.test\r\nQUIT\r\n");
    smtp_client_lost(w.c, ERR_CLOSED);
    expect_log(&w, "end:quit:QUIT:connection lost (closed) at QUIT\n");
    close_world(&w);
}

/* ---- STARTTLS: the handshake is who moves the bytes' ---- */

#define EHLO_TLS "250-mail.example.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n"

struct tls_world {
    struct world w; /* first */
    struct sim_world *sim;
    struct loop *loop;
};

static void open_for_tls(struct tls_world *t, enum tls_policy policy)
{
    struct tls_client_options options = {
        .policy = policy, .name = "mail.example.test", .ca_file = "/dev/null"};
    t->sim = sim_world_new(1);
    t->loop = sim_loop_new(t->sim, "host", "test");
    open_world(&t->w, SMTP_CLIENT_SMTP);
    t->w.options.tls = tls_client_new(t->loop);
    int err = tls_client_set(t->w.options.tls, &options, NULL);
    assert_true(err == 0 || policy == TLS_REQUIRED); /* no authority is needed here */
    says(&t->w, "220 hello\r\n");
    expect_output(&t->w, "EHLO relay.example.test\r\n");
}

static void close_tls(struct tls_world *t)
{
    close_world(&t->w);
    tls_client_free(t->w.options.tls);
    sim_loop_free(t->loop);
    sim_world_free(t->sim);
}

static void each_tls(void (*play)(struct tls_world *t, enum tls_policy policy), enum tls_policy policy)
{
    struct tls_world t;
    open_for_tls(&t, policy);
    play(&t, policy);
    close_tls(&t);
}

static void play_upgrade(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    says(w, EHLO_TLS);
    if (policy == TLS_NONE) {
        expect_output(w, "");
        expect_log(w, "ready\n");
        return;
    }
    expect_output(w, "STARTTLS\r\n");
    says(w, "220 2.0.0 go\r\n");
    assert_true(smtp_client_wants_tls(w->c));
    expect_output(w, "");
    expect_log(w, "");
    smtp_client_tls_started(w->c, STR_EMPTY);
    expect_output(w, "EHLO relay.example.test\r\n");
    says(w, "250-mail.example.test\r\n250 STARTTLS\r\n"); /* again: a server that forgets itself is not
                                                             followed */
    expect_log(w, "ready\n");
    send_message(w);
    expect_output(w, "MAIL FROM:<a@b.test>\r\n"); /* PIPELINING was offered before only */
}

static void starttls_comes_before_all_else(void **state)
{
    (void)state;
    each_tls(play_upgrade, TLS_NONE);
    each_tls(play_upgrade, TLS_OPPORTUNISTIC);
    each_tls(play_upgrade, TLS_REQUIRED);
    each_tls(play_upgrade, TLS_PINNED);
}

static void play_not_offered(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    says(w, EHLO_PIPELINING);
    if (policy == TLS_OPPORTUNISTIC) {
        expect_log(w, "ready\n");
        return;
    }
    expect_output(w, "QUIT\r\n");
    expect_log(w, "end:TLS:EHLO:the server does not offer STARTTLS, which is required\n");
}

static void play_only_helo(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    says(w, "500 what?\r\n");
    expect_output(w, "HELO relay.example.test\r\n");
    says(w, "250 hello\r\n");
    if (policy == TLS_OPPORTUNISTIC)
        expect_log(w, "ready\n");
    else
        expect_log(w, "end:TLS:EHLO:the server does not offer STARTTLS, which is required\n");
}

static void play_refused(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    says(w, EHLO_TLS);
    expect_output(w, "STARTTLS\r\n");
    says(w, "454 4.7.0 not now\r\n");
    if (policy == TLS_OPPORTUNISTIC) {
        expect_log(w, "ready\n"); /* goes on as it is */
        return;
    }
    expect_output(w, "QUIT\r\n");
    expect_log(w, "end:TLS:STARTTLS:the server refused STARTTLS, which is required\n");
}

static void play_failed(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    says(w, EHLO_TLS);
    expect_output(w, "STARTTLS\r\n");
    says(w, "220 go\r\n");
    bool again = smtp_client_tls_failed(w->c, "no shared cipher");
    assert_int_equal(again, policy == TLS_OPPORTUNISTIC);
    if (!again) {
        expect_log(w, "end:TLS:STARTTLS:TLS: no shared cipher\n");
        expect_output(w, "");
        return;
    }
    expect_log(w, "TLS failed:no shared cipher\n");
    says(w, "220 hello again\r\n");
    expect_output(w, "EHLO relay.example.test\r\n");
    says(w, EHLO_TLS);
    expect_output(w, "");
    expect_log(w, "ready\n");
}

static void without_tls_the_policy_decides(void **state)
{
    static void (*const plays[])(struct tls_world *, enum tls_policy) = {play_not_offered, play_only_helo,
                                                                         play_refused, play_failed};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plays); i++) {
        each_tls(plays[i], TLS_OPPORTUNISTIC);
        each_tls(plays[i], TLS_REQUIRED);
        each_tls(plays[i], TLS_PINNED);
    }
}

/* CVE-2011-0411 and its like: in one piece with the reply, or before the handshake. */
static void play_injected(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    (void)policy;
    says(w, EHLO_TLS);
    expect_output(w, "STARTTLS\r\n");
    says(w, "220 go\r\n250-injected\r\n");
    assert_false(smtp_client_wants_tls(w->c));
    expect_log(w, "end:protocol:STARTTLS:the server went on in plain text at STARTTLS\n");
}

static void play_injected_later(struct tls_world *t, enum tls_policy policy)
{
    struct world *w = &t->w;
    (void)policy;
    says(w, EHLO_TLS);
    expect_output(w, "STARTTLS\r\n");
    says(w, "220 go\r\n");
    says(w, "2");
    expect_log(w, "end:protocol:STARTTLS:the server went on in plain text at STARTTLS\n");
}

static void what_is_injected_before_the_handshake_ends_it(void **state)
{
    (void)state;
    each_tls(play_injected, TLS_OPPORTUNISTIC);
    each_tls(play_injected, TLS_REQUIRED);
    each_tls(play_injected_later, TLS_OPPORTUNISTIC);
    each_tls(play_injected_later, TLS_REQUIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelines_where_offered),
        cmocka_unit_test(dsn_is_handed_on_where_it_is_offered),
        cmocka_unit_test(a_question_ends_at_rcpt),
        cmocka_unit_test(a_question_without_pipelining_waits),
        cmocka_unit_test(waits_where_not),
        cmocka_unit_test(falls_back_to_helo),
        cmocka_unit_test(refused_before_a_message),
        cmocka_unit_test(loss_at_each_point),
        cmocka_unit_test(goes_down_at_each_point),
        cmocka_unit_test(waits_as_long_as_the_rfc_says),
        cmocka_unit_test(connect_failed),
        cmocka_unit_test(nobody_to_deliver_to),
        cmocka_unit_test(mail_refused_while_pipelining),
        cmocka_unit_test(lmtp_lost_between_the_replies),
        cmocka_unit_test(lmtp_closed_between_the_replies),
        cmocka_unit_test(answer_before_the_final_dot),
        cmocka_unit_test(body_fails),
        cmocka_unit_test(the_final_dot_is_asked_for_when_all_before_it_is_out),
        cmocka_unit_test(body_waits_for_a_slow_reader),
        cmocka_unit_test(freed_inside_a_callback),
        cmocka_unit_test(many_that_cannot_be_taken),
        cmocka_unit_test(wakes_who_moves_the_bytes),
        cmocka_unit_test(eight_bit_is_said_where_it_is_offered),
        cmocka_unit_test(heeds_the_servers_limits),
        cmocka_unit_test(splits_by_domain),
        cmocka_unit_test(tells_what_is_offered),
        cmocka_unit_test(a_claimed_proof_is_none),
        cmocka_unit_test(quits_before_it_is_ready),
        cmocka_unit_test(starttls_comes_before_all_else),
        cmocka_unit_test(without_tls_the_policy_decides),
        cmocka_unit_test(what_is_injected_before_the_handshake_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
