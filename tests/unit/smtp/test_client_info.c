/* What a server is told of the client that a message came from. */
#include <string.h>

#include "smtp/client.h"
#include "unit/unit.h"

static const struct peer_nonce nonce = {"client nonce 16"};

struct world {
    struct smtp_client_options options;
    struct smtp_client *c;
    struct str recipient;
    unsigned results, done, ended;
    enum smtp_outcome outcome;
};

static void on_body_wanted(void *arg, size_t len_max)
{
    (void)len_max;
    smtp_client_body(((struct world *)arg)->c, "", 0);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    struct world *w = arg;
    (void)index;
    w->results++;
    w->outcome = r->outcome;
}

static void on_done(void *arg)
{
    ((struct world *)arg)->done++;
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    (void)end;
    (void)stage;
    (void)reply;
    (void)why;
    ((struct world *)arg)->ended++;
}

static const struct smtp_client_ops ops = {
    .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

static void says(struct world *w, const char *text)
{
    smtp_client_input(w->c, text, strlen(text));
}

static void expect(struct world *w, const char *expected)
{
    assert_str(smtp_client_output(w->c), expected);
    smtp_client_output_taken(w->c, smtp_client_output(w->c).len);
}

static void open_world(struct world *w, enum smtp_client_info info, const char *ehlo)
{
    *w = (struct world){.options = {.hostname = "relay.test", .info = info}, .recipient = STR("bob@b.test")};
    w->c = smtp_client_new(&w->options, &ops, w, &nonce);
    says(w, "220 hello\r\n");
    expect(w, "EHLO relay.test\r\n");
    says(w, ehlo);
}

static void send_of(struct world *w, const char *ip, const char *helo)
{
    struct smtp_client_message m = {.reverse_path = STR("a@a.test"),
                                    .recipients = &w->recipient,
                                    .recipient_count = 1,
                                    .client_ip = str_from(ip),
                                    .client_helo = str_from(helo)};
    smtp_client_send(w->c, &m);
}

#define MAIL      "MAIL FROM:<a@a.test>\r\n"
#define PIPELINED MAIL "RCPT TO:<bob@b.test>\r\nDATA\r\n"

static void xforward_goes_before_each_message(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_INFO_XFORWARD,
               "250-hi\r\n250-PIPELINING\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE PORT\r\n");
    send_of(&w, "192.0.2.1", "client+1");
    expect(&w, "XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1 HELO=client+2B1\r\n" PIPELINED);
    says(&w, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    expect(&w, ".\r\n");
    says(&w, "250 ok\r\n");
    assert_int_equal(w.outcome, SMTP_OUTCOME_DELIVERED);
    send_of(&w, "2001:db8::1", "");
    expect(&w, "XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 HELO=[UNAVAILABLE]\r\n" PIPELINED);
    smtp_client_free(w.c);
}

static void only_what_is_offered_and_wanted(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_INFO_XFORWARD,
               "250-hi\r\n250-XCLIENT ADDR HELO\r\n250 XFORWARD PROTO HELO\r\n");
    send_of(&w, "192.0.2.1", "client");
    expect(&w, "XFORWARD HELO=client\r\n"); /* no PIPELINING: it waits */
    says(&w, "250 ok\r\n");
    expect(&w, MAIL);
    smtp_client_free(w.c);
    open_world(&w, SMTP_CLIENT_INFO_NONE, "250-hi\r\n250-XCLIENT ADDR HELO\r\n250 XFORWARD ADDR HELO\r\n");
    send_of(&w, "192.0.2.1", "client");
    expect(&w, MAIL);
    smtp_client_free(w.c);
    open_world(&w, SMTP_CLIENT_INFO_XFORWARD, "250-hi\r\n250 XFORWARD ADDR HELO\r\n");
    send_of(&w, "", ""); /* our own */
    expect(&w, MAIL);
    smtp_client_free(w.c);
}

static void a_refused_xforward_delays_nothing(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_INFO_XFORWARD, "250-hi\r\n250-PIPELINING\r\n250 XFORWARD ADDR\r\n");
    send_of(&w, "192.0.2.1", "client");
    expect(&w, "XFORWARD ADDR=192.0.2.1\r\n" PIPELINED);
    says(&w, "550 5.7.0 no\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    expect(&w, ".\r\n");
    says(&w, "250 ok\r\n");
    assert_int_equal(w.outcome, SMTP_OUTCOME_DELIVERED);
    send_of(&w, "192.0.2.1", "client");
    expect(&w, PIPELINED);
    says(&w, "250 ok\r\n");
    smtp_client_free(w.c);
}

static void xclient_begins_the_session_anew_for_each_client(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_INFO_XCLIENT, "250-hi\r\n250-PIPELINING\r\n250 XCLIENT NAME ADDR HELO\r\n");
    send_of(&w, "192.0.2.1", "client");
    expect(&w, "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1 HELO=client\r\n");
    says(&w, "220 hello\r\n");
    expect(&w, "EHLO client\r\n");
    says(&w, "250-hi\r\n250-PIPELINING\r\n250 XCLIENT NAME ADDR HELO\r\n");
    expect(&w, PIPELINED);
    says(&w, "250 ok\r\n250 ok\r\n354 go\r\n");
    expect(&w, ".\r\n");
    says(&w, "250 ok\r\n");
    send_of(&w, "192.0.2.1", "client"); /* the same */
    expect(&w, PIPELINED);
    says(&w, "250 ok\r\n250 ok\r\n354 go\r\n");
    expect(&w, ".\r\n");
    says(&w, "250 ok\r\n");
    send_of(&w, "", "");
    expect(&w, "XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] HELO=[UNAVAILABLE]\r\n");
    says(&w, "220 hello\r\n");
    expect(&w, "EHLO relay.test\r\n");
    smtp_client_free(w.c);
}

static void a_refused_xclient_leaves_us_ourselves(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, SMTP_CLIENT_INFO_XCLIENT, "250-hi\r\n250 XCLIENT ADDR\r\n");
    send_of(&w, "192.0.2.1", "");
    expect(&w, "XCLIENT ADDR=192.0.2.1\r\n");
    says(&w, "550 5.7.0 no\r\n");
    expect(&w, MAIL);
    smtp_client_free(w.c);
    open_world(&w, SMTP_CLIENT_INFO_XCLIENT, "250-hi\r\n250 XCLIENT ADDR\r\n");
    send_of(&w, "192.0.2.1", "");
    says(&w, "421 4.3.2 not now\r\n");
    assert_int_equal(w.outcome, SMTP_OUTCOME_UNSENT);
    assert_int_equal(w.done, 1);
    assert_int_equal(w.ended, 1);
    smtp_client_free(w.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xforward_goes_before_each_message),
        cmocka_unit_test(only_what_is_offered_and_wanted),
        cmocka_unit_test(a_refused_xforward_delays_nothing),
        cmocka_unit_test(xclient_begins_the_session_anew_for_each_client),
        cmocka_unit_test(a_refused_xclient_leaves_us_ourselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
