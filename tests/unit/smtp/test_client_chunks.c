/* A body by BDAT, where CHUNKING is offered. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "smtp/client.h"
#include "unit/unit.h"

static const struct peer_nonce nonce = {"client nonce 16"};

struct world {
    struct smtp_client_options options;
    struct smtp_client *c;
    struct str recipients[2];
    const char *pieces[4]; /* of the body; NULL ends it */
    size_t piece;
    uint64_t size_bytes;
    bool hold_body;
    bool may_end;
    struct buf log;
};

static void on_body_wanted(void *arg, size_t len_max)
{
    struct world *w = arg;
    const char *piece = w->pieces[w->piece];
    (void)len_max;
    if (w->hold_body)
        return;
    w->piece += piece != NULL;
    smtp_client_body(w->c, piece ? piece : "", piece ? strlen(piece) : 0);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    struct world *w = arg;
    buf_append_fmt(&w->log, "%zu:%s:%s:%u ", index, smtp_outcome_name(r->outcome), smtp_stage_name(r->stage),
                   r->reply.code);
}

static void on_done(void *arg)
{
    buf_append_text(&((struct world *)arg)->log, "done ");
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct world *w = arg;
    (void)reply;
    (void)why;
    buf_append_fmt(&w->log, "end:%d:%s ", end, smtp_stage_name(stage));
}

static const struct smtp_client_ops ops = {
    .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

static bool on_may_end(void *arg)
{
    return ((struct world *)arg)->may_end;
}

static const struct smtp_client_ops gated_ops = {.body_wanted = on_body_wanted,
                                                 .may_end = on_may_end,
                                                 .result = on_result,
                                                 .done = on_done,
                                                 .end = on_end};

static void says(struct world *w, const char *text)
{
    smtp_client_input(w->c, text, strlen(text));
}

static void expect(struct world *w, const char *expected)
{
    assert_str(smtp_client_output(w->c), expected);
    smtp_client_output_taken(w->c, smtp_client_output(w->c).len);
}

static void expect_log(struct world *w, const char *expected)
{
    assert_str(buf_str(&w->log), expected);
    buf_clear(&w->log);
}

static void open_with(struct world *w, const struct smtp_client_ops *with, enum smtp_client_flavour flavour,
                      const char *more)
{
    char ehlo[100];
    *w = (struct world){.options = {.hostname = "relay.test", .flavour = flavour},
                        .recipients = {{"a@b.test", 8}, {"c@b.test", 8}},
                        .pieces = {"x\r\n"},
                        .size_bytes = 3};
    buf_init(&w->log, 10000);
    w->c = smtp_client_new(&w->options, with, w, &nonce);
    says(w, "220 hello\r\n");
    smtp_client_output_taken(w->c, smtp_client_output(w->c).len);
    snprintf(ehlo, sizeof(ehlo), "250-hi\r\n250-CHUNKING\r\n250 %s\r\n", more);
    says(w, ehlo);
}

static void open_world(struct world *w, enum smtp_client_flavour flavour, const char *more)
{
    open_with(w, &ops, flavour, more);
}

static void close_world(struct world *w)
{
    smtp_client_free(w->c);
    buf_fini(&w->log);
}

static void send_message(struct world *w)
{
    struct smtp_client_message m = {.reverse_path = STR("s@s.test"),
                                    .recipients = w->recipients,
                                    .recipient_count = 2,
                                    .size_bytes = w->size_bytes};
    w->piece = 0;
    smtp_client_send(w->c, &m);
}

#define ENVELOPE "MAIL FROM:<s@s.test>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<c@b.test>\r\n"

static void a_small_message_goes_out_at_once(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    send_message(&w);
    expect(&w, ENVELOPE "BDAT 3 LAST\r\nx\r\n");
    says(&w, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n");
    expect_log(&w, "1:refused:RCPT:550 ");
    says(&w, "250 2.0.0 mine\r\n");
    expect_log(&w, "0:delivered:final dot:250 done ");
    assert_true(smtp_client_is_ready(w.c));
    expect(&w, "");
    close_world(&w);
}

static void a_large_one_waits_until_somebody_takes_it(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    w.size_bytes = SMTP_CLIENT_BODY_MAX + 1;
    memcpy(w.pieces, (const char *[]){"one", ".\r", "\nend"}, 3 * sizeof(char *));
    send_message(&w);
    expect(&w, ENVELOPE);
    says(&w, "250 ok\r\n250 ok\r\n");
    expect(&w, "");
    says(&w, "250 ok\r\n");
    expect(&w, "BDAT 3\r\none" /* nothing is stuffed */
               "BDAT 2\r\n.\r"
               "BDAT 6 LAST\r\n\nend\r\n"); /* a last line without its end gets one */
    says(&w, "250 ok\r\n250 ok\r\n");
    expect_log(&w, "");
    says(&w, "250 mine\r\n");
    expect_log(&w, "0:delivered:final dot:250 1:delivered:final dot:250 done ");
    close_world(&w);
}

static void without_pipelining_each_waits(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "SIZE");
    w.pieces[1] = "y\r\n";
    send_message(&w);
    expect(&w, "MAIL FROM:<s@s.test> SIZE=3\r\n");
    says(&w, "250 ok\r\n");
    expect(&w, "RCPT TO:<a@b.test>\r\n");
    says(&w, "250 ok\r\n");
    expect(&w, "RCPT TO:<c@b.test>\r\n");
    says(&w, "250 ok\r\n");
    expect(&w, "BDAT 3\r\nx\r\n");
    assert_int_equal(smtp_client_timeout_ms(w.c), 3 * 60 * 1000);
    says(&w, "250 ok\r\n");
    expect(&w, "BDAT 3 LAST\r\ny\r\n");
    says(&w, "250 mine\r\n");
    expect_log(&w, "0:delivered:final dot:250 1:delivered:final dot:250 done ");
    close_world(&w);
}

static void lmtp_answers_for_each_at_the_last(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_LMTP, "PIPELINING");
    send_message(&w);
    expect(&w, ENVELOPE "BDAT 3 LAST\r\nx\r\n");
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n452 4.2.2 full\r\n");
    expect_log(&w, "0:deferred:final dot:452 ");
    says(&w, "250 2.0.0 mine\r\n");
    expect_log(&w, "1:delivered:final dot:250 done ");
    expect(&w, "");
    close_world(&w);
}

static void nobody_takes_it(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    send_message(&w);
    expect(&w, ENVELOPE "BDAT 3 LAST\r\nx\r\n");
    says(&w, "250 ok\r\n550 no\r\n450 later\r\n");
    expect_log(&w, "0:refused:RCPT:550 1:deferred:RCPT:450 ");
    expect(&w, "");
    says(&w, "503 5.5.1 nobody\r\n");
    expect_log(&w, "done ");
    expect(&w, "RSET\r\n");
    says(&w, "250 ok\r\n");
    send_message(&w);
    expect(&w, ENVELOPE "BDAT 3 LAST\r\nx\r\n");
    says(&w, "451 not now\r\n");
    expect_log(&w, "0:deferred:MAIL:451 1:deferred:MAIL:451 ");
    says(&w, "503 a\r\n503 b\r\n503 c\r\n");
    expect_log(&w, "done ");
    close_world(&w);
}

static void a_chunk_that_is_refused_ends_it(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    w.size_bytes = 1 << 20;
    w.pieces[1] = "y\r\n";
    send_message(&w);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n");
    expect(&w, ENVELOPE "BDAT 3\r\nx\r\nBDAT 3 LAST\r\ny\r\n");
    says(&w, "552 5.3.4 too large\r\n");
    expect_log(&w, "0:refused:body:552 1:refused:body:552 ");
    expect(&w, "");
    says(&w, "503 5.5.1 what\r\n"); /* to the chunk that was on its way */
    expect_log(&w, "done ");
    expect(&w, "RSET\r\n");
    close_world(&w);
}

static void a_chunk_refused_while_the_body_is_awaited(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "SIZE");
    w.size_bytes = 1 << 20;
    w.pieces[1] = "y\r\n";
    send_message(&w);
    says(&w, "250 ok\r\n");
    says(&w, "250 ok\r\n");
    says(&w, "250 ok\r\n");
    smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
    says(&w, "452 4.3.1 full\r\n");
    expect_log(&w, "0:deferred:body:452 1:deferred:body:452 done ");
    expect(&w, "RSET\r\n");
    close_world(&w);
}

static void lost_after_the_last_it_is_unknown(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    send_message(&w);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n");
    smtp_client_lost(w.c, ERR_CLOSED);
    expect_log(&w, "0:unknown:final dot:0 1:unknown:final dot:0 done end:4:final dot ");
    close_world(&w);
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    w.hold_body = true;
    send_message(&w);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n");
    smtp_client_lost(w.c, ERR_CLOSED);
    expect_log(&w, "0:lost:body:0 1:lost:body:0 done end:4:body ");
    close_world(&w);
}

static void an_empty_message(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_SMTP, "PIPELINING");
    w.pieces[0] = NULL;
    send_message(&w);
    expect(&w, ENVELOPE "BDAT 0 LAST\r\n");
    close_world(&w);
}

/* Its last chunk is one of no bytes then: what goes before it has left when it is asked for. */
static void the_end_is_asked_for_when_all_else_has_left(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, &gated_ops, SMTP_CLIENT_SMTP, "PIPELINING");
    w.pieces[0] = "no end of line";
    send_message(&w);
    w.may_end = true;
    smtp_client_flushed(w.c); /* it has not: the output is not taken */
    expect(&w, ENVELOPE "BDAT 16\r\nno end of line\r\n");
    smtp_client_flushed(w.c);
    expect(&w, "BDAT 0 LAST\r\n");
    says(&w, "250 m\r\n250 a\r\n250 c\r\n250 chunk\r\n");
    expect_log(&w, "");
    says(&w, "250 taken\r\n");
    expect_log(&w, "0:delivered:final dot:250 1:delivered:final dot:250 done ");
    close_world(&w);
}

static void without_pipelining_the_end_waits_for_the_chunk_before(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, &gated_ops, SMTP_CLIENT_SMTP, "8BITMIME");
    w.may_end = true;
    send_message(&w);
    expect(&w, "MAIL FROM:<s@s.test>\r\n");
    says(&w, "250 m\r\n");
    expect(&w, "RCPT TO:<a@b.test>\r\n");
    says(&w, "250 a\r\n");
    expect(&w, "RCPT TO:<c@b.test>\r\n");
    says(&w, "250 c\r\n");
    expect(&w, "BDAT 3\r\nx\r\n");
    smtp_client_flushed(w.c);
    expect(&w, "");
    says(&w, "250 chunk\r\n");
    smtp_client_flushed(w.c);
    expect(&w, "BDAT 0 LAST\r\n");
    close_world(&w);
}

static void a_message_that_may_not_end_is_given_up(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, &gated_ops, SMTP_CLIENT_SMTP, "PIPELINING");
    send_message(&w);
    expect(&w, ENVELOPE "BDAT 3\r\nx\r\n");
    smtp_client_flushed(w.c);
    expect(&w, "");
    assert_true(smtp_client_finished(w.c));
    close_world(&w);
}

static void a_chunk_that_is_refused_before_the_end_ends_it(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, &gated_ops, SMTP_CLIENT_SMTP, "8BITMIME PIPELINING");
    w.may_end = true;
    send_message(&w);
    expect(&w, "MAIL FROM:<s@s.test>\r\n");
    says(&w, "250 m\r\n");
    smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
    says(&w, "250 a\r\n");
    smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
    says(&w, "250 c\r\n");
    expect(&w, "BDAT 3\r\nx\r\n");
    says(&w, "552 5.3.4 no\r\n");
    smtp_client_flushed(w.c);
    expect(&w, "RSET\r\n");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_message_goes_out_at_once),
        cmocka_unit_test(a_large_one_waits_until_somebody_takes_it),
        cmocka_unit_test(without_pipelining_each_waits),
        cmocka_unit_test(lmtp_answers_for_each_at_the_last),
        cmocka_unit_test(nobody_takes_it),
        cmocka_unit_test(a_chunk_that_is_refused_ends_it),
        cmocka_unit_test(a_chunk_refused_while_the_body_is_awaited),
        cmocka_unit_test(lost_after_the_last_it_is_unknown),
        cmocka_unit_test(an_empty_message),
        cmocka_unit_test(the_end_is_asked_for_when_all_else_has_left),
        cmocka_unit_test(without_pipelining_the_end_waits_for_the_chunk_before),
        cmocka_unit_test(a_message_that_may_not_end_is_given_up),
        cmocka_unit_test(a_chunk_that_is_refused_before_the_end_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
