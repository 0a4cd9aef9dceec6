/* Server and client sessions with real handshakes over the simulated network: each policy, and how a session
 * goes on when a handshake fails. */
#include <stdio.h>
#include <time.h>

#include "loop/sim.h"
#include "net/certificates.h"
#include "net/tls_client.h"
#include "net/tls_server.h"
#include "smtp/client_connection.h"
#include "smtp/server_connection.h"
#include "unit/unit.h"

/* Offers TLS, agrees to it, and says nothing more. */
#define MUTE_WORDS "220 hello\r\n250 STARTTLS\r\n220 go on\r\n"

static struct certificates certificates;
static const struct peer_key key = {"0123456789abcdef0123456789abcde"};

struct bench {
    struct sim_world *world;
    struct loop *loop;
    struct addr at;
    struct loop_listener *listener;
    struct tls_server *tls_server;
    struct smtp_server_options server_options;
    struct smtp_server_connection *server;
    unsigned accepted, tls_failures;
    char with[32], tls[64]; /* of the message that came */
    char peer[16];          /* of the same */
    bool mute;              /* the first connection's server is */
    struct loop_stream *mute_stream;

    struct smtp_client_options client_options;
    struct smtp_client_connection *client;
    struct str recipient;
    struct smtp_client_result last;
    enum smtp_client_end end;
    unsigned results, ended;
    char why[256];
};

/* ---- the server's side ---- */

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct bench *b = arg;
    struct smtp_server *s = smtp_server_connection_session(b->server);
    (void)info;
    snprintf(b->with, sizeof(b->with), "%s", smtp_server_protocol_name(s));
    snprintf(b->tls, sizeof(b->tls), "%.*s", STR_ARG(smtp_server_tls(s)));
    snprintf(b->peer, sizeof(b->peer), "%.*s", STR_ARG(smtp_server_peer_node(s)));
    smtp_server_reply(s, NULL);
}

static void on_tls_failed(void *arg, const char *detail)
{
    struct bench *b = arg;
    assert_true(detail[0] != '\0');
    b->tls_failures++;
}

static void on_closed(void *arg)
{
    ((struct bench *)arg)->server = NULL;
}

static const struct smtp_server_ops server_ops = {
    .data_end = on_data_end, .tls_failed = on_tls_failed, .closed = on_closed};

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct bench *b = arg;
    (void)peer;
    b->accepted++;
    if (b->mute && !b->mute_stream) {
        b->mute_stream = stream;
        loop_stream_write(stream, MUTE_WORDS, strlen(MUTE_WORDS));
        return;
    }
    b->server = smtp_server_connection_new(b->loop, stream, NULL, &b->server_options, &server_ops, b);
}

/* ---- the client's side ---- */

static void on_ready(void *arg)
{
    struct bench *b = arg;
    struct smtp_client_message m = {
        .reverse_path = STR("a@b.test"), .recipients = &b->recipient, .recipient_count = 1};
    smtp_client_send(smtp_client_connection_session(b->client), &m);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct bench *b = arg;
    (void)len_max;
    smtp_client_body(smtp_client_connection_session(b->client), "", 0);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *result)
{
    struct bench *b = arg;
    (void)index;
    b->results++;
    b->last = *result;
}

static void on_done(void *arg)
{
    struct bench *b = arg;
    if (smtp_client_is_ready(smtp_client_connection_session(b->client)))
        smtp_client_quit(smtp_client_connection_session(b->client));
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct bench *b = arg;
    (void)stage, (void)reply;
    b->ended++;
    b->end = end;
    snprintf(b->why, sizeof(b->why), "%.*s", STR_ARG(why));
}

static const struct smtp_client_ops client_ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

/* ---- a world ---- */

static int setup(void **state)
{
    static struct bench b;
    struct err_buf eb;
    struct tls_files files = {"mail", certificates_path(&certificates, "mail.pem"),
                              certificates_path(&certificates, "mail.key")};
    b = (struct bench){.world = sim_world_new(4), .recipient = STR("alice@example.test")};
    b.loop = sim_loop_new(b.world, "host", "test");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    sim_loop_set_clock(b.loop, (int64_t)now.tv_sec * 1000 - loop_wall(b.loop).ms, 0);
    b.tls_server = tls_server_new(b.loop, (struct tls_files *[]){&files}, 1);
    b.server_options = (struct smtp_server_options){.hostname = "mail.test",
                                                    .tls = b.tls_server,
                                                    .peer_key = &key,
                                                    .peer = {PEER_MAILBOX, "mail1"},
                                                    .peer_address = "10.1.0.1"};
    b.client_options = (struct smtp_client_options){.hostname = "relay.test",
                                                    .node = "east1",
                                                    .peer_key = &key,
                                                    .peer = {PEER_MAILBOX, "mail1"},
                                                    .tls = tls_client_new(b.loop)};
    assert_ok(addr_parse(STR("10.1.0.1:25"), &b.at));
    assert_ok(loop_listen(b.loop, &b.at, on_accept, &b, &b.listener, &eb));
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    smtp_client_connection_free(b->client);
    smtp_server_connection_free(b->server);
    loop_stream_free(b->mute_stream);
    loop_listener_free(b->listener);
    tls_server_free(b->tls_server);
    tls_client_free(b->client_options.tls);
    sim_loop_free(b->loop);
    sim_world_free(b->world);
    return 0;
}

static void pass_ms(struct bench *b, int64_t ms)
{
    sim_run_until(b->world, mono_add_ms(sim_now(b->world), ms));
}

static void deliver(struct bench *b, const struct tls_client_options *options)
{
    assert_ok(tls_client_set(b->client_options.tls, options, NULL));
    b->client = smtp_client_connection_new(b->loop, &b->at, NULL, 3000, &b->client_options, &client_ops, b);
    pass_ms(b, 60000);
    assert_int_equal(b->ended, 1);
}

static void delivered(struct bench *b, const char *with)
{
    assert_int_equal(b->results, 1);
    assert_int_equal(b->last.outcome, SMTP_OUTCOME_DELIVERED);
    assert_int_equal(b->end, SMTP_END_QUIT);
    assert_string_equal(b->with, with);
}

/* ---- stories ---- */

static void opportunistic_is_encrypted(void **state)
{
    struct bench *b = *state;
    deliver(b, &(struct tls_client_options){.policy = TLS_OPPORTUNISTIC, .name = "other.test"});
    delivered(b, "ESMTPS");
    assert_int_equal(strncmp(b->tls, "TLSv1.3 TLS_", 12), 0);
    assert_int_equal(b->accepted, 1);
}

static void our_own_prove_themselves_in_it(void **state)
{
    struct bench *b = *state;
    deliver(b, &(struct tls_client_options){.policy = TLS_OPPORTUNISTIC, .name = "mail.test"});
    delivered(b, "ESMTPS");
    assert_string_equal(b->peer, "east1");
}

static void required_is_verified(void **state)
{
    struct bench *b = *state;
    deliver(b, &(struct tls_client_options){.policy = TLS_REQUIRED,
                                            .name = "mail.test",
                                            .ca_file = certificates_path(&certificates, "mail.pem")});
    delivered(b, "ESMTPS");
}

static void an_unverified_server_gets_nothing(void **state)
{
    struct bench *b = *state;
    deliver(b, &(struct tls_client_options){.policy = TLS_REQUIRED,
                                            .name = "other.test",
                                            .ca_file = certificates_path(&certificates, "mail.pem")});
    assert_int_equal(b->results, 0);
    assert_int_equal(b->end, SMTP_END_TLS);
    assert_non_null(strstr(b->why, "hostname mismatch"));
    assert_int_equal(b->accepted, 1);
    assert_int_equal(b->tls_failures, 1);
}

static void an_unknown_key_gets_nothing(void **state)
{
    struct bench *b = *state;
    struct tls_pin pin = {{1}};
    deliver(b, &(struct tls_client_options){
                   .policy = TLS_PINNED, .name = "mail.test", .pins = &pin, .pin_count = 1});
    assert_int_equal(b->results, 0);
    assert_int_equal(b->end, SMTP_END_TLS);
    assert_non_null(strstr(b->why, "none of those that are pinned"));
}

/* The certificate is gone between the offer and the handshake. */
static void lose_certificate(void *arg)
{
    struct bench *b = arg;
    tls_server_set(b->tls_server, NULL, 0);
}

static void a_failed_handshake_is_followed_by_plain_text(void **state)
{
    struct bench *b = *state;
    sim_net_latency(b->world, 1000, 1000);
    sim_at(b->world, 3, lose_certificate, b); /* after the greeting */
    deliver(b, &(struct tls_client_options){.policy = TLS_OPPORTUNISTIC, .name = "mail.test"});
    delivered(b, "ESMTP");
    assert_string_equal(b->tls, "");
    assert_int_equal(b->tls_failures, 1);
    assert_int_equal(b->accepted, 2);
}

static void a_handshake_that_is_cut_is_followed_by_plain_text(void **state)
{
    struct bench *b = *state;
    sim_net_latency(b->world, 1000, 1000);
    assert_ok(tls_client_set(b->client_options.tls,
                             &(struct tls_client_options){.policy = TLS_OPPORTUNISTIC, .name = "mail.test"},
                             NULL));
    b->client = smtp_client_connection_new(b->loop, &b->at, NULL, 3000, &b->client_options, &client_ops, b);
    while (!smtp_client_wants_tls(smtp_client_connection_session(b->client)))
        assert_true(sim_step(b->world));
    smtp_server_connection_free(b->server);
    pass_ms(b, 60000);
    delivered(b, "ESMTP");
    assert_int_equal(b->accepted, 2);
}

static void a_handshake_without_an_answer_is_followed_by_plain_text(void **state)
{
    struct bench *b = *state;
    b->mute = true;
    b->client_options.timeout_ms = 5000;
    deliver(b, &(struct tls_client_options){.policy = TLS_OPPORTUNISTIC, .name = "mail.test"});
    delivered(b, "ESMTP");
    assert_int_equal(b->accepted, 2);
}

/* Something on the way swallows it: not every session waits, nor one for the minutes of RFC 5321. */
static void a_mute_server_is_spared_for_a_while(void **state)
{
    struct bench *b = *state;
    b->mute = true;
    deliver(b, &(struct tls_client_options){.policy = TLS_OPPORTUNISTIC, .name = "mail.test"});
    delivered(b, "ESMTP");
    smtp_client_connection_free(b->client);
    b->results = b->ended = 0;
    b->client = smtp_client_connection_new(b->loop, &b->at, NULL, 3000, &b->client_options, &client_ops, b);
    pass_ms(b, 1000);
    delivered(b, "ESMTP");
    assert_int_equal(b->accepted, 3);
    pass_ms(b, 15 * 60 * 1000);
    smtp_client_connection_free(b->client);
    b->results = b->ended = 0;
    b->client = smtp_client_connection_new(b->loop, &b->at, NULL, 3000, &b->client_options, &client_ops, b);
    pass_ms(b, 1000);
    delivered(b, "ESMTPS");
}

static void a_handshake_without_an_answer_ends_what_requires_it(void **state)
{
    struct bench *b = *state;
    b->mute = true;
    b->client_options.timeout_ms = 5000;
    deliver(b, &(struct tls_client_options){.policy = TLS_PINNED, .name = "mail.test"});
    assert_int_equal(b->end, SMTP_END_TLS);
    assert_non_null(strstr(b->why, "took too long"));
    assert_int_equal(b->accepted, 1);
}

static int make_certificates(void **state)
{
    (void)state;
    certificates_open(&certificates);
    certificates_make(&certificates, "mail", "ec", "DNS:mail.test");
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_close(&certificates);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opportunistic_is_encrypted),
        TEST(our_own_prove_themselves_in_it),
        TEST(required_is_verified),
        TEST(an_unverified_server_gets_nothing),
        TEST(an_unknown_key_gets_nothing),
        TEST(a_failed_handshake_is_followed_by_plain_text),
        TEST(a_handshake_that_is_cut_is_followed_by_plain_text),
        TEST(a_handshake_without_an_answer_is_followed_by_plain_text),
        TEST(a_mute_server_is_spared_for_a_while),
        TEST(a_handshake_without_an_answer_ends_what_requires_it),
    };
    return cmocka_run_group_tests_name("SMTP over TLS", tests, make_certificates, remove_certificates);
}
