/* What the server machine owes to its owner and to who moves the bytes; what is
 * said is in tests/dialogue. */
#include "smtp/server.h"

#include <stdio.h>

#include "unit/unit.h"

static const struct peer_nonce nonce = {"server nonce 16"};

struct world {
    struct smtp_server_options options;
    struct smtp_server *s;
    bool late; /* questions are left open */
    bool room;
    char log[512]; /* which callbacks fired */
    size_t data_bytes;
    char content[256]; /* of the last message, NUL-terminated */
    unsigned wakes;
    unsigned errors_left; /* that the owner lets pass */
};

static void note(struct world *w, const char *what)
{
    assert_true(strlen(w->log) + strlen(what) + 2 < sizeof(w->log));
    strcat(strcat(w->log, what), " ");
}

static void question(struct world *w, const char *what)
{
    note(w, what);
    if (!w->late)
        smtp_server_reply(w->s, NULL);
}

static void on_connect(void *arg)
{
    question(arg, "connect");
}

static void on_helo(void *arg, struct str name)
{
    (void)name;
    question(arg, "helo");
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    (void)mail;
    question(arg, "mail");
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    (void)rcpt;
    question(arg, "rcpt");
}

static void on_data_begin(void *arg)
{
    question(arg, "data");
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct world *w = arg;
    size_t have = strlen(w->content);
    w->data_bytes += len;
    if (have + len < sizeof(w->content))
        memcpy(w->content + have, data, len);
    return w->room;
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    (void)info;
    question(arg, "end");
}

static void on_reset(void *arg)
{
    note(arg, "reset");
}

static void on_cancel(void *arg)
{
    note(arg, "cancel");
}

static struct smtp_reply on_error(void *arg)
{
    struct world *w = arg;
    if (w->errors_left-- > 0)
        return (struct smtp_reply){.code = 0};
    return SMTP_REPLY(421, 4, 7, 0, "Too many of yours");
}

static void on_refused(void *arg, const struct smtp_refusal *r)
{
    char text[128];
    snprintf(text, sizeof(text), "%s:%d:%.*s:%.*s", r->stage, r->reply->code, STR_ARG(r->sender),
             STR_ARG(r->recipient));
    note(arg, text);
}

static void on_tls_failed(void *arg, const char *detail)
{
    note(arg, detail);
}

static void on_wake(void *arg)
{
    ((struct world *)arg)->wakes++;
}

static const struct smtp_server_ops ops = {
    .connect = on_connect,
    .helo = on_helo,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_data_begin,
    .data = on_data,
    .data_end = on_data_end,
    .reset = on_reset,
    .cancel = on_cancel,
    .error = on_error,
    .refused = on_refused,
    .tls_failed = on_tls_failed,
};

static void open_world(struct world *w)
{
    *w = (struct world){.options = {.hostname = "mail.example.test", .idle_timeout_ms = 1000},
                        .room = true,
                        .errors_left = 1000};
    w->s = smtp_server_new(&w->options, &ops, w, &nonce);
    smtp_server_on_wake(w->s, on_wake, w);
}

static void input(struct world *w, const char *text)
{
    assert_true(smtp_server_wants_input(w->s));
    smtp_server_input(w->s, text, strlen(text));
}

static void expect_output(struct world *w, const char *expected)
{
    assert_str(smtp_server_output(w->s), expected);
    smtp_server_output_taken(w->s, smtp_server_output(w->s).len);
}

static void drop_output(struct world *w)
{
    smtp_server_output_taken(w->s, smtp_server_output(w->s).len);
    w->log[0] = '\0';
}

static void open_in_data(struct world *w)
{
    open_world(w);
    smtp_server_start(w->s);
    input(w, "HELO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
    assert_string_equal(w->log, "connect helo mail rcpt data ");
    drop_output(w);
}

static void question_holds_all_back(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.late = true;
    assert_false(smtp_server_wants_input(w.s));
    smtp_server_start(w.s);
    assert_false(smtp_server_wants_input(w.s));
    assert_int_equal(smtp_server_timeout_ms(w.s), 0);
    expect_output(&w, "");
    smtp_server_reply(w.s, NULL);
    assert_int_equal(w.wakes, 1);
    expect_output(&w, "220 mail.example.test ESMTP\r\n");
    assert_int_equal(smtp_server_timeout_ms(w.s), 1000);
    input(&w, "HELO a\r\nNOOP\r\nMAIL FROM:<>\r\n");
    assert_string_equal(w.log, "connect helo ");
    smtp_server_reply(w.s, NULL);
    expect_output(&w, "250 mail.example.test\r\n250 2.0.0 Ok\r\n");
    assert_string_equal(w.log, "connect helo mail ");
    smtp_server_free(w.s);
    assert_string_equal(w.log, "connect helo mail cancel ");
}

static void only_who_sends_a_message_stays_when_room_is_wanted(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    smtp_server_start(w.s);
    assert_false(smtp_server_busy(w.s));
    input(&w, "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nNOOP\r\n");
    assert_false(smtp_server_busy(w.s));
    input(&w, "DATA\r\n");
    assert_true(smtp_server_busy(w.s));
    input(&w, "x\r\n.\r\n");
    assert_false(smtp_server_busy(w.s));
    w.late = true;
    input(&w, "MAIL FROM:<a@b>\r\n");
    assert_true(smtp_server_busy(w.s));
    smtp_server_free(w.s);
}

/* The same by DATA and in chunks. */
static void bare_newlines_are_made_whole_where_asked_for(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.options.normalises = true;
    w.options.size_max_bytes = 40;
    smtp_server_start(w.s);
    input(&w, "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\na\n.\r\nb\rc\r\n.\r\n");
    assert_string_equal(w.content, "a\r\n.\r\nb\r\nc\r\n");
    drop_output(&w);
    memset(w.content, 0, sizeof(w.content));
    input(&w, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2\r\na\rBDAT 3\r\n\nb\nBDAT 2 LAST\r\nc\r");
    assert_string_equal(w.content, "a\r\nb\r\nc\r\n");
    assert_non_null(strstr(w.log, "end "));
    drop_output(&w);
    input(&w,
          "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nx\r\n.\r\n");
    assert_null(strstr(w.log, "end ")); /* 24 octets that would have become 45 */
    assert_non_null(strstr(w.log, "reset "));
    smtp_server_free(w.s);
}

static void transaction_ends_once(void **state)
{
    struct world w;
    (void)state;
    open_in_data(&w);
    smtp_server_free(w.s);
    assert_string_equal(w.log, "reset ");

    open_in_data(&w);
    w.late = true;
    input(&w, "x\r\n.\r\n");
    smtp_server_free(w.s);
    assert_string_equal(w.log, "end cancel reset ");

    open_in_data(&w);
    input(&w, "x\r\n.\r\n");
    smtp_server_free(w.s);
    assert_string_equal(w.log, "end ");

    open_in_data(&w);
    input(&w, "x\ny");
    assert_string_equal(w.log, "reset ");
    smtp_server_free(w.s);
    assert_string_equal(w.log, "reset ");
}

static void refused_with_421_ends(void **state)
{
    struct world w;
    (void)state;
    open_in_data(&w);
    w.late = true;
    input(&w, "x\r\n.\r\nNOOP\r\n");
    smtp_server_reply(w.s, &SMTP_REPLY_UNAVAILABLE);
    assert_true(smtp_server_finished(w.s));
    assert_false(smtp_server_wants_input(w.s));
    assert_string_equal(w.log, "end message:421:a@b: ");
    smtp_server_free(w.s);
}

/* The owner counts what the machine counts, and its word ends the session; so does the session's own limit.
 */
static void errors_are_counted_with_the_owner(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.errors_left = 2;
    smtp_server_start(w.s);
    input(&w, "HELO a\r\n");
    drop_output(&w);
    input(&w, "RCPT TO:<c@d>\r\nNOOP\r\nWHAT\r\nWHAT\r\nNOOP\r\n");
    expect_output(&w, "503 5.5.1 MAIL first\r\n250 2.0.0 Ok\r\n500 5.5.1 Command not recognized\r\n"
                      "421 4.7.0 Too many of yours\r\n");
    assert_true(smtp_server_finished(w.s));
    smtp_server_free(w.s);

    open_world(&w);
    w.options.errors_max = 2;
    smtp_server_start(w.s);
    drop_output(&w);
    input(&w, "WHAT\r\nWHAT\r\nNOOP\r\n");
    expect_output(&w, "500 5.5.1 Command not recognized\r\n"
                      "421 4.7.0 Too many errors, closing transmission channel\r\n");
    assert_int_equal(w.errors_left, 998);
    smtp_server_free(w.s);
}

/* A pipelining client could not know that MAIL was put off. */
static void what_follows_a_mail_that_was_put_off_is_no_error(void **state)
{
    static const char *const anew[] = {"RSET\r\n", "EHLO a\r\n", "MAIL FROM:<\r\n"};
    struct world w;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(anew); i++) {
        open_world(&w);
        w.options.errors_max = 3;
        smtp_server_start(w.s);
        input(&w, "HELO a\r\n");
        w.late = true;
        input(&w, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<c@d>\r\nDATA\r\nBDAT 1 LAST\r\nxDATA\r\n");
        smtp_server_reply(w.s, &SMTP_REPLY(450, 4, 7, 1, "Later"));
        assert_false(smtp_server_finished(w.s));
        assert_int_equal(w.errors_left, 1000);
        w.late = false;
        drop_output(&w);
        input(&w, anew[i]);
        input(&w, "RCPT TO:<c@d>\r\nDATA\r\nBDAT 0\r\n");
        assert_true(smtp_server_finished(w.s));
        assert_int_equal(w.errors_left, 997);
        smtp_server_free(w.s);
    }
}

static void no_room_until_resume(void **state)
{
    struct world w;
    (void)state;
    open_in_data(&w);
    w.room = false;
    input(&w, "one\r\n..two\r\n.\r\n");
    assert_int_equal(w.data_bytes, 5);
    assert_false(smtp_server_wants_input(w.s));
    assert_int_equal(smtp_server_timeout_ms(w.s),
                     1000); /* an owner without room is not waited for without end */
    smtp_server_resume(w.s);
    assert_int_equal(w.wakes, 1);
    assert_int_equal(w.data_bytes, 11);
    assert_string_equal(w.log, "");
    w.room = true;
    smtp_server_resume(w.s);
    assert_string_equal(w.log, "end ");
    assert_true(smtp_server_wants_input(w.s));
    smtp_server_free(w.s);
}

static void replies_wait_for_a_slow_reader(void **state)
{
    struct world w;
    char noops[6 * 4000 + 1] = "";
    size_t replies = 0;
    (void)state;
    for (size_t i = 0; i < 4000; i++)
        memcpy(noops + 6 * i, "NOOP\r\n", 7);
    open_world(&w);
    smtp_server_start(w.s);
    drop_output(&w);
    input(&w, noops);
    while (smtp_server_output(w.s).len > 0) {
        size_t len = smtp_server_output(w.s).len;
        assert_true(len < SMTP_SERVER_OUT_HIGH + 512);
        replies += len / strlen("250 2.0.0 Ok\r\n");
        smtp_server_output_taken(w.s, len);
    }
    assert_int_equal(replies, 4000);
    assert_true(smtp_server_wants_input(w.s));
    smtp_server_free(w.s);
}

static void progress_is_lines_and_kibibytes(void **state)
{
    struct world w;
    char kib[1025];
    (void)state;
    open_world(&w);
    smtp_server_start(w.s);
    uint64_t before = smtp_server_progress(w.s);
    input(&w, "NOO");
    assert_true(smtp_server_progress(w.s) == before);
    input(&w, "P\r\n");
    assert_true(smtp_server_progress(w.s) > before);
    smtp_server_free(w.s);

    open_in_data(&w);
    memset(kib, 'x', sizeof(kib));
    kib[1024] = '\0';
    before = smtp_server_progress(w.s);
    input(&w, "x");
    assert_true(smtp_server_progress(w.s) == before);
    input(&w, kib);
    assert_true(smtp_server_progress(w.s) > before);
    smtp_server_free(w.s);
}

static void timeout_ends_the_session(void **state)
{
    struct world w;
    (void)state;
    open_in_data(&w);
    smtp_server_timeout(w.s);
    expect_output(&w, "421 4.4.2 Timeout, closing transmission channel\r\n");
    assert_true(smtp_server_finished(w.s));
    assert_string_equal(w.log, "DATA:421:a@b: reset ");
    smtp_server_free(w.s);
    open_world(&w);
    w.options.idle_timeout_ms = 0;
    smtp_server_start(w.s);
    assert_int_equal(smtp_server_timeout_ms(w.s), 5 * 60 * 1000);
    smtp_server_free(w.s);
}

static void shutdown_between_commands(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    smtp_server_start(w.s);
    drop_output(&w);
    smtp_server_shutdown(w.s, NULL);
    assert_int_equal(w.wakes, 1);
    expect_output(&w, "421 4.3.2 Service not available, closing transmission channel\r\n");
    assert_true(smtp_server_finished(w.s));
    smtp_server_free(w.s);
}

static void shutdown_lets_a_message_end(void **state)
{
    struct world w;
    (void)state;
    open_in_data(&w);
    smtp_server_shutdown(w.s, &SMTP_REPLY(421, 4, 3, 2, "Going down"));
    expect_output(&w, "");
    input(&w, "x\r\n.\r\nNOOP\r\n");
    expect_output(&w, "250 2.0.0 Ok\r\n421 4.3.2 Going down\r\n");
    assert_true(smtp_server_finished(w.s));
    smtp_server_free(w.s);
}

static void shutdown_waits_for_an_answer(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    smtp_server_start(w.s);
    drop_output(&w);
    w.late = true;
    input(&w, "HELO a\r\n");
    smtp_server_shutdown(w.s, NULL);
    expect_output(&w, "");
    smtp_server_reply(w.s, NULL);
    expect_output(&w, "250 mail.example.test\r\n"
                      "421 4.3.2 Service not available, closing transmission channel\r\n");
    smtp_server_free(w.s);
    assert_string_equal(w.log, "helo ");
}

static void each_refusal_is_told_once(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.options.flavour = SMTP_FLAVOUR_LMTP;
    w.options.size_max_bytes = 2;
    smtp_server_start(w.s);
    input(&w, "JUNK\r\nLHLO a\r\nMAIL FROM:<a@b> SIZE=9\r\nMAIL FROM:<a@b>\r\n");
    assert_string_equal(w.log, "connect command:500:: helo MAIL:552:a@b: mail ");
    drop_output(&w);
    input(&w, "RCPT TO:<broken\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\nlong\r\n.\r\n");
    assert_string_equal(w.log, "RCPT:501:a@b:<broken rcpt rcpt data reset message:552:a@b: ");
    smtp_server_free(w.s);
}

static void protocol_names(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.options.smtputf8 = true;
    smtp_server_start(w.s);
    assert_str(smtp_server_helo(w.s), "");
    input(&w, "HELO a.example\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "SMTP");
    assert_str(smtp_server_helo(w.s), "a.example");
    input(&w, "EHLO b.example\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "ESMTP");
    input(&w, "MAIL FROM:<> SMTPUTF8\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "UTF8SMTP");
    input(&w, "RSET\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "ESMTP");
    smtp_server_free(w.s);
    open_world(&w);
    w.options.flavour = SMTP_FLAVOUR_LMTP;
    smtp_server_start(w.s);
    input(&w, "LHLO b.example\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "LMTP");
    smtp_server_free(w.s);
}

/* As at Postfix: the last word on the client's name, XCLIENT's or EHLO's, holds. */
static void the_last_name_holds(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    smtp_server_offer_xclient(w.s);
    smtp_server_start(w.s);
    input(&w, "EHLO front.example\r\nXCLIENT ADDR=192.0.2.1 HELO=client.example\r\n");
    assert_str(smtp_server_helo(w.s), "client.example");
    input(&w, "EHLO Tom's PC\r\n");
    assert_str(smtp_server_helo(w.s), "Tom?s?PC");
    input(&w, "XCLIENT HELO=other.example\r\n");
    assert_str(smtp_server_helo(w.s), "other.example");
    smtp_server_free(w.s);
}

static void open_for_tls(struct world *w, enum smtp_flavour flavour)
{
    open_world(w);
    w->options.flavour = flavour;
    w->options.smtputf8 = true;
    smtp_server_offer_tls(w->s);
    smtp_server_start(w->s);
}

static void start_tls(struct world *w)
{
    input(w, "STARTTLS\r\n");
    assert_true(smtp_server_wants_tls(w->s));
    assert_false(smtp_server_wants_input(w->s));
    drop_output(w);
    smtp_server_tls_started(w->s, STR("TLSv1.3 SOME_CIPHER"), STR_EMPTY);
    assert_false(smtp_server_wants_tls(w->s));
    assert_true(smtp_server_wants_input(w->s));
}

static void tls_forgets_what_was_said(void **state)
{
    struct world w;
    (void)state;
    open_for_tls(&w, SMTP_FLAVOUR_SMTP);
    input(&w, "EHLO a.example\r\n");
    start_tls(&w);
    assert_str(smtp_server_helo(w.s), "");
    assert_str(smtp_server_tls(w.s), "TLSv1.3 SOME_CIPHER");
    input(&w, "EHLO b.example\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "ESMTPS");
    input(&w, "MAIL FROM:<> SMTPUTF8\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "UTF8SMTPS");
    smtp_server_free(w.s);
    open_for_tls(&w, SMTP_FLAVOUR_LMTP);
    start_tls(&w);
    input(&w, "LHLO b.example\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "LMTPS");
    smtp_server_free(w.s);
}

/* CVE-2011-0411: else the rest would be taken as said under TLS. */
static void a_command_behind_starttls_ends_the_session(void **state)
{
    static const char *const behind[] = {"STARTTLS\r\nMAIL FROM:<a@b>\r\n", "STARTTLS\r\n\r\n",
                                         "STARTTLS\r\nx"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
        struct world w;
        open_for_tls(&w, SMTP_FLAVOUR_SMTP);
        input(&w, "EHLO a\r\n");
        drop_output(&w);
        input(&w, behind[i]);
        assert_true(smtp_server_finished(w.s));
        assert_false(smtp_server_wants_tls(w.s));
        expect_output(&w, "554 5.5.0 Nothing may follow STARTTLS before its reply, closing\r\n");
        assert_string_equal(w.log, "STARTTLS:554:: ");
        smtp_server_free(w.s);
    }
}

static void a_handshake_ends_by_failure_time_or_success(void **state)
{
    struct world w;
    (void)state;
    open_for_tls(&w, SMTP_FLAVOUR_SMTP);
    input(&w, "STARTTLS\r\n");
    drop_output(&w);
    smtp_server_tls_failed(w.s, "no shared cipher");
    assert_true(smtp_server_finished(w.s));
    expect_output(&w, "");
    assert_string_equal(w.log, "no shared cipher ");
    smtp_server_free(w.s);
    open_for_tls(&w, SMTP_FLAVOUR_SMTP);
    input(&w, "STARTTLS\r\n");
    drop_output(&w);
    assert_true(smtp_server_timeout_ms(w.s) > 0);
    smtp_server_timeout(w.s);
    assert_true(smtp_server_finished(w.s));
    expect_output(&w, ""); /* nothing in plain text */
    smtp_server_free(w.s);
    open_for_tls(&w, SMTP_FLAVOUR_SMTP);
    input(&w, "STARTTLS\r\n");
    drop_output(&w);
    smtp_server_shutdown(w.s, NULL); /* waits for the handshake */
    expect_output(&w, "");
    smtp_server_tls_started(w.s, STR("TLSv1.2 SOME_CIPHER"), STR_EMPTY);
    expect_output(&w, "421 4.3.2 Service not available, closing transmission channel\r\n");
    smtp_server_free(w.s);
}

static void tls_may_come_before_the_greeting(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    smtp_server_begin_with_tls(w.s);
    smtp_server_start(w.s);
    assert_true(smtp_server_wants_tls(w.s));
    assert_false(smtp_server_wants_input(w.s));
    assert_true(smtp_server_timeout_ms(w.s) > 0);
    expect_output(&w, "");
    assert_string_equal(w.log, "");
    smtp_server_tls_started(w.s, STR("TLSv1.3 SOME_CIPHER"), STR_EMPTY);
    assert_string_equal(w.log, "connect ");
    expect_output(&w, "220 mail.example.test ESMTP\r\n");
    input(&w, "EHLO a\r\n");
    assert_null(strstr(smtp_server_output(w.s).ptr, "STARTTLS"));
    drop_output(&w);
    input(&w, "STARTTLS\r\n");
    expect_output(&w, "503 5.5.1 TLS is active already\r\n");
    assert_string_equal(smtp_server_protocol_name(w.s), "ESMTPS");
    smtp_server_free(w.s);
    open_world(&w);
    smtp_server_begin_with_tls(w.s);
    smtp_server_start(w.s);
    smtp_server_tls_failed(w.s, "no TLS at all");
    assert_true(smtp_server_finished(w.s));
    expect_output(&w, "");
    assert_string_equal(w.log, "no TLS at all ");
    smtp_server_free(w.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(question_holds_all_back),
        cmocka_unit_test(only_who_sends_a_message_stays_when_room_is_wanted),
        cmocka_unit_test(bare_newlines_are_made_whole_where_asked_for),
        cmocka_unit_test(transaction_ends_once),
        cmocka_unit_test(refused_with_421_ends),
        cmocka_unit_test(errors_are_counted_with_the_owner),
        cmocka_unit_test(what_follows_a_mail_that_was_put_off_is_no_error),
        cmocka_unit_test(no_room_until_resume),
        cmocka_unit_test(replies_wait_for_a_slow_reader),
        cmocka_unit_test(progress_is_lines_and_kibibytes),
        cmocka_unit_test(timeout_ends_the_session),
        cmocka_unit_test(shutdown_between_commands),
        cmocka_unit_test(shutdown_lets_a_message_end),
        cmocka_unit_test(shutdown_waits_for_an_answer),
        cmocka_unit_test(each_refusal_is_told_once),
        cmocka_unit_test(protocol_names),
        cmocka_unit_test(the_last_name_holds),
        cmocka_unit_test(tls_forgets_what_was_said),
        cmocka_unit_test(a_command_behind_starttls_ends_the_session),
        cmocka_unit_test(a_handshake_ends_by_failure_time_or_success),
        cmocka_unit_test(tls_may_come_before_the_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
