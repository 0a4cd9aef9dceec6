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
    enum smtp_stage stage;
    uint16_t code;
    enum smtp_client_end end;
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
    w->stage = r->stage;
    w->code = (uint16_t)r->reply.code;
}

static void on_done(void *arg)
{
    ((struct world *)arg)->done++;
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    (void)stage;
    (void)reply;
    (void)why;
    ((struct world *)arg)->end = end;
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
}

#define XCLIENT "XCLIENT ADDR=192.0.2.1 HELO=client\r\n"

/* Offers XCLIENT, and has sent it for a first message. */
static void introduce(struct world *w)
{
    open_world(w, SMTP_CLIENT_INFO_XCLIENT, "250-hi\r\n250-PIPELINING\r\n250 XCLIENT ADDR HELO\r\n");
    send_of(w, "192.0.2.1", "client");
    expect(w, XCLIENT);
}

/* The message has its result, and the session goes in peace. */
static void check_judged(struct world *w, enum smtp_outcome outcome, enum smtp_stage stage, uint16_t code)
{
    assert_int_equal(w->outcome, outcome);
    assert_int_equal(w->stage, stage);
    assert_int_equal(w->code, code);
    assert_int_equal(w->done, 1);
    assert_false(smtp_client_is_ready(w->c));
    expect(w, "QUIT\r\n");
    says(w, "221 bye\r\n");
    assert_int_equal(w->end, SMTP_END_QUIT);
    smtp_client_free(w->c);
}

static void what_the_server_says_of_the_client_is_the_messages_result(void **state)
{
    static const struct {
        const char *greeting, *helo; /* helo NULL: the greeting is it */
        enum smtp_outcome outcome;
        uint16_t code;
    } cases[] = {
        {"220 hello\r\n", "504 5.5.2 not a name\r\n", SMTP_OUTCOME_REFUSED, 504},
        {"220 hello\r\n", "450 4.7.1 no such host\r\n", SMTP_OUTCOME_DEFERRED, 450},
        {"220 hello\r\n", "421 4.7.1 go away\r\n", SMTP_OUTCOME_DEFERRED, 421},
        {"554 5.7.1 listed\r\n", NULL, SMTP_OUTCOME_REFUSED, 554},
        {"450 4.7.25 no name\r\n", NULL, SMTP_OUTCOME_DEFERRED, 450},
        {"421 4.7.0 too many of him\r\n", NULL, SMTP_OUTCOME_DEFERRED, 421},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        introduce(&w);
        says(&w, cases[i].greeting);
        if (cases[i].helo) {
            expect(&w, "EHLO client\r\n");
            says(&w, cases[i].helo);
        }
        check_judged(&w, cases[i].outcome, cases[i].helo ? SMTP_STAGE_HELO : SMTP_STAGE_CLIENT,
                     cases[i].code);
    }
}

/* A server may refuse EHLO for what is no name, which would be the message's end. */
static void after_xclient_ehlo_names_the_client_or_its_address(void **state)
{
    static const char *const cases[][3] = {
        {"192.0.2.1", "client.example", "EHLO client.example\r\n"},
        {"192.0.2.1", "[192.0.2.9]", "EHLO [192.0.2.9]\r\n"},
        {"192.0.2.1", "Tom?s?PC", "EHLO [192.0.2.1]\r\n"},
        {"2001:db8::1", "-x-", "EHLO [IPv6:2001:db8::1]\r\n"},
        {"192.0.2.1", "", "EHLO [192.0.2.1]\r\n"},
        {"", "Tom?s?PC", "EHLO relay.test\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        open_world(&w, SMTP_CLIENT_INFO_XCLIENT, "250-hi\r\n250 XCLIENT ADDR HELO\r\n");
        send_of(&w, cases[i][0], cases[i][1]);
        smtp_client_output_taken(w.c, smtp_client_output(w.c).len);
        says(&w, "220 hello\r\n");
        expect(&w, cases[i][2]);
        smtp_client_free(w.c);
    }
}

static void a_connection_lost_after_xclient_counts_against_the_message(void **state)
{
    struct world w;
    (void)state;
    introduce(&w);
    smtp_client_lost(w.c, ERR_CLOSED);
    assert_int_equal(w.outcome, SMTP_OUTCOME_LOST);
    smtp_client_free(w.c);
    introduce(&w);
    says(&w, "220 hello\r\n");
    smtp_client_timeout(w.c);
    assert_int_equal(w.outcome, SMTP_OUTCOME_LOST);
    smtp_client_free(w.c);
}

static void take_one(struct world *w)
{
    says(w, "250 ok\r\n250 ok\r\n354 go\r\n");
    expect(w, ".\r\n");
    says(w, "250 ok\r\n");
    assert_int_equal(w->outcome, SMTP_OUTCOME_DELIVERED);
}

/* The message was not sent, nobody is to blame, and the session goes in peace. */
static void check_comes_again(struct world *w)
{
    assert_int_equal(w->outcome, SMTP_OUTCOME_UNSENT);
    assert_int_equal(w->done, 2);
    expect(w, "QUIT\r\n");
    says(w, "221 bye\r\n");
    assert_int_equal(w->end, SMTP_END_QUIT);
    smtp_client_free(w->c);
}

static void a_session_of_one_client_is_never_used_for_another(void **state)
{
    static const char *const others[][2] = {{"192.0.2.2", "client"}, {"192.0.2.1", "other"}, {"", ""}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct world w;
        introduce(&w);
        says(&w, "220 hello\r\n");
        expect(&w, "EHLO client\r\n");
        says(&w, "250-hi\r\n250 PIPELINING\r\n"); /* no XCLIENT */
        expect(&w, PIPELINED);
        take_one(&w);
        send_of(&w, others[i][0], others[i][1]);
        check_comes_again(&w);
    }
}

static void nor_when_the_server_refuses_to_hear_of_another(void **state)
{
    struct world w;
    (void)state;
    introduce(&w);
    says(&w, "220 hello\r\n");
    expect(&w, "EHLO client\r\n");
    says(&w, "250-hi\r\n250-PIPELINING\r\n250 XCLIENT ADDR HELO\r\n");
    expect(&w, PIPELINED);
    take_one(&w);
    send_of(&w, "192.0.2.2", "other");
    expect(&w, "XCLIENT ADDR=192.0.2.2 HELO=other\r\n");
    says(&w, "503 5.5.1 only once\r\n");
    check_comes_again(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xforward_goes_before_each_message),
        cmocka_unit_test(only_what_is_offered_and_wanted),
        cmocka_unit_test(a_refused_xforward_delays_nothing),
        cmocka_unit_test(xclient_begins_the_session_anew_for_each_client),
        cmocka_unit_test(a_refused_xclient_leaves_us_ourselves),
        cmocka_unit_test(what_the_server_says_of_the_client_is_the_messages_result),
        cmocka_unit_test(after_xclient_ehlo_names_the_client_or_its_address),
        cmocka_unit_test(a_connection_lost_after_xclient_counts_against_the_message),
        cmocka_unit_test(a_session_of_one_client_is_never_used_for_another),
        cmocka_unit_test(nor_when_the_server_refuses_to_hear_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
