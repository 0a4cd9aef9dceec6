/* The client machine against the server machine: bytes are carried in pieces. */
#include <stdio.h>

#include "net/tls_client.h"
#include "smtp/client.h"
#include "smtp/map_error.h"
#include "smtp/server.h"
#include "unit/unit.h"

static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
static const struct peer_nonce server_nonce = {"server nonce 16"}, client_nonce = {"client nonce 16"};

struct pair {
    struct smtp_server *server;
    struct smtp_client *client;
    size_t piece;
    struct str server_channel, client_channel; /* of TLS, once it began */

    /* What the server's owner saw */
    char mail[128];
    bool eight_bit, has_custody, authenticated;
    struct custody_id custody_id;
    struct buf message;
    unsigned messages, resets;
    struct smtp_data_info info;
    bool per_recipient;

    /* The client's side */
    struct str body;
    size_t body_at;
    struct buf results; /* "0:delivered:final dot:250 ..." lines */
    unsigned ready, done;
    bool ended;
    enum smtp_client_end end;
};

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct pair *p = arg;
    snprintf(p->mail, sizeof(p->mail), "%.*s %d", STR_ARG(mail->reverse_path), (int)mail->size_bytes);
    p->eight_bit = mail->eight_bit;
    p->has_custody = mail->custody_id;
    p->authenticated = mail->authenticated;
    if (mail->custody_id)
        p->custody_id = *mail->custody_id;
    buf_clear(&p->message);
    smtp_server_reply(p->server,
                      str_starts(mail->reverse_path, STR("no@")) ? &SMTP_REPLY(550, 5, 7, 1, "No") : NULL);
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    struct pair *p = arg;
    if (str_eq(rcpt->local_part, STR("unknown")))
        smtp_server_reply(p->server, &SMTP_REPLY(550, 5, 1, 1, "No such user"));
    else if (str_eq(rcpt->local_part, STR("full")))
        smtp_server_reply(p->server, &SMTP_REPLY(452, 4, 2, 2, "Full"));
    else
        smtp_server_reply(p->server, NULL);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct pair *p = arg;
    return buf_append(&p->message, data, len) == 0;
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct pair *p = arg;
    p->messages++;
    p->info = *info;
    if (!p->per_recipient) {
        smtp_server_reply(p->server, NULL);
        return;
    }
    smtp_server_reply_recipient(p->server, NULL);
    smtp_server_reply_recipient(p->server, &SMTP_REPLY(450, 4, 2, 1, "Busy"));
    smtp_server_reply(p->server, &SMTP_REPLY(554, 5, 6, 0, "Never"));
}

static void on_reset(void *arg)
{
    ((struct pair *)arg)->resets++;
}

static const struct smtp_server_ops server_ops = {
    .mail = on_mail, .rcpt = on_rcpt, .data = on_data, .data_end = on_data_end, .reset = on_reset};

static void on_ready(void *arg)
{
    ((struct pair *)arg)->ready++;
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct pair *p = arg;
    struct str piece = str_sub(p->body, p->body_at, len_max < 7 ? len_max : 7);
    p->body_at += piece.len;
    smtp_client_body(p->client, piece.ptr, piece.len);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    struct pair *p = arg;
    char reply[128];
    smtp_reply_describe(&r->reply, reply, sizeof(reply));
    buf_append_fmt(&p->results, "%d:%s:%s:%s\n", (int)index, smtp_outcome_name(r->outcome),
                   smtp_stage_name(r->stage), reply);
}

static void on_done(void *arg)
{
    ((struct pair *)arg)->done++;
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct pair *p = arg;
    (void)stage;
    (void)reply;
    (void)why;
    assert_false(p->ended);
    p->ended = true;
    p->end = end;
}

static const struct smtp_client_ops client_ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

/* Until neither side has anything to say. */
static void carry(struct pair *p)
{
    for (;;) {
        if (smtp_client_wants_tls(p->client) && smtp_server_wants_tls(p->server)) {
            smtp_server_tls_started(p->server, STR("TLSv1.3 SOME_CIPHER"), p->server_channel);
            smtp_client_tls_started(p->client, p->client_channel);
        }
        struct str out = str_sub(smtp_client_output(p->client), 0, p->piece);
        char copy[256];
        memcpy(copy, out.ptr, out.len);
        if (out.len > 0 && smtp_server_wants_input(p->server)) {
            smtp_client_output_taken(p->client, out.len);
            smtp_server_input(p->server, copy, out.len);
            continue;
        }
        out = str_sub(smtp_server_output(p->server), 0, p->piece);
        if (out.len == 0)
            return;
        memcpy(copy, out.ptr, out.len);
        smtp_server_output_taken(p->server, out.len);
        smtp_client_input(p->client, copy, out.len);
    }
}

struct setup {
    struct smtp_server_options server;
    struct smtp_client_options client;
};

static struct setup smtp_setup(void)
{
    return (struct setup){
        {.flavour = SMTP_FLAVOUR_SMTP,
         .hostname = "mail.example.test",
         .size_max_bytes = 1000,
         .peer = {PEER_MAILBOX, "mail1"},
         .peer_address = "10.1.0.1"},
        {.flavour = SMTP_CLIENT_SMTP, .hostname = "relay.example.test", .peer = {PEER_MAILBOX, "mail1"}},
    };
}

static void pair_prepare(struct pair *p, const struct setup *setup, size_t piece)
{
    p->piece = piece;
    buf_init(&p->message, 1 << 16);
    buf_init(&p->results, 1 << 16);
    p->server = smtp_server_new(&setup->server, &server_ops, p, &server_nonce);
    struct addr at;
    p->client = smtp_client_new(&setup->client, &client_ops, p, &client_nonce);
    assert_ok(addr_parse(STR("10.1.0.1:25"), &at));
    smtp_client_connects_to(p->client, &at);
}

static void pair_start(struct pair *p)
{
    smtp_server_start(p->server);
    carry(p);
    assert_int_equal(p->ready, 1);
}

static void pair_open(struct pair *p, const struct setup *setup, size_t piece)
{
    *p = (struct pair){.piece = 0};
    pair_prepare(p, setup, piece);
    pair_start(p);
}

static void pair_send(struct pair *p, struct smtp_client_message *m, const char *const *recipients,
                      const char *body)
{
    struct str list[8];
    while (recipients[m->recipient_count]) {
        list[m->recipient_count] = str_from(recipients[m->recipient_count]);
        m->recipient_count++;
    }
    m->recipients = list;
    p->body = str_from(body);
    p->body_at = 0;
    buf_clear(&p->results);
    smtp_client_send(p->client, m);
    carry(p);
}

static void pair_quit(struct pair *p)
{
    smtp_client_quit(p->client);
    carry(p);
    assert_true(p->ended);
    assert_int_equal(p->end, SMTP_END_QUIT);
    assert_true(smtp_server_finished(p->server));
    smtp_client_free(p->client);
    smtp_server_free(p->server);
    buf_fini(&p->message);
    buf_fini(&p->results);
}

static void many_transactions_in_one_session(void **state)
{
    struct setup setup = smtp_setup();
    struct pair p;
    (void)state;
    for (size_t piece = 1; piece < 200; piece += 33) {
        pair_open(&p, &setup, piece);
        for (unsigned i = 1; i <= 3; i++) {
            struct smtp_client_message m = {.reverse_path = STR("a@b.test"), .size_bytes = 15};
            pair_send(&p, &m, (const char *const[]){"alice@example.test", "bob@example.test", NULL},
                      ".dot\r\n..\r\nx\r\n");
            assert_str(buf_str(&p.results),
                       "0:delivered:final dot:250 2.0.0 Ok\n1:delivered:final dot:250 2.0.0 Ok\n");
            assert_str(buf_str(&p.message), ".dot\r\n..\r\nx\r\n");
            assert_string_equal(p.mail, "a@b.test 15");
            assert_int_equal(p.done, i);
        }
        assert_int_equal(p.resets, 0);
        pair_quit(&p);
    }
}

static void some_recipients_refused(void **state)
{
    struct setup setup = smtp_setup();
    struct pair p;
    struct smtp_client_message m = {.reverse_path = STR("")};
    (void)state;
    pair_open(&p, &setup, 10);
    pair_send(&p, &m,
              (const char *const[]){"unknown@example.test", "alice@example.test", "full@example.test", NULL},
              "x\r\n");
    assert_str(buf_str(&p.results), "0:refused:RCPT:550 5.1.1 No such user\n2:deferred:RCPT:452 4.2.2 Full\n"
                                    "1:delivered:final dot:250 2.0.0 Ok\n");
    m = (struct smtp_client_message){.reverse_path = STR("")};
    pair_send(&p, &m, (const char *const[]){"unknown@example.test", "full@example.test", NULL}, "x\r\n");
    assert_str(buf_str(&p.results),
               "0:refused:RCPT:550 5.1.1 No such user\n1:deferred:RCPT:452 4.2.2 Full\n");
    assert_int_equal(p.messages, 1);
    m = (struct smtp_client_message){.reverse_path = STR("no@b.test")};
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
    assert_str(buf_str(&p.results), "0:refused:MAIL:550 5.7.1 No\n");
    m = (struct smtp_client_message){.reverse_path = STR("a@b.test")};
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
    assert_str(buf_str(&p.results), "0:delivered:final dot:250 2.0.0 Ok\n");
    pair_quit(&p);
}

static void lmtp_answers_for_each_recipient(void **state)
{
    struct setup setup = smtp_setup();
    struct pair p;
    struct smtp_client_message m = {.reverse_path = STR("a@b.test")};
    (void)state;
    setup.server.flavour = SMTP_FLAVOUR_LMTP;
    setup.client.flavour = SMTP_CLIENT_LMTP;
    pair_open(&p, &setup, 5);
    p.per_recipient = true;
    pair_send(&p, &m,
              (const char *const[]){"alice@example.test", "unknown@example.test", "bob@example.test",
                                    "carol@example.test", "dave@example.test", NULL},
              "x\r\n");
    assert_str(buf_str(&p.results),
               "1:refused:RCPT:550 5.1.1 No such user\n0:delivered:final dot:250 2.0.0 Ok\n"
               "2:deferred:final dot:450 4.2.1 Busy\n3:refused:final dot:554 5.6.0 Never\n"
               "4:refused:final dot:554 5.6.0 Never\n");
    assert_int_equal(p.done, 1);
    pair_quit(&p);
}

static void custody_travels_between_our_own(void **state)
{
    struct setup setup = smtp_setup();
    struct custody_id id = {"custody id 16 b"};
    struct pair p;
    struct smtp_client_message m = {.reverse_path = STR("a@b.test"), .custody_id = &id};
    (void)state;
    setup.server.peer_key = setup.client.peer_key = &key;
    setup.client.node = "east1";
    pair_open(&p, &setup, 7);
    assert_true(smtp_client_peer_proved(p.client));
    assert_str(smtp_server_peer_node(p.server), "east1");
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
    assert_true(p.has_custody);
    assert_true(custody_id_eq(&p.custody_id, &id));
    pair_quit(&p);
}

/* That a user has logged in is believed of our own parts alone; without the proof nothing is said of him. */
static void a_user_is_told_between_our_own(void **state)
{
    struct setup setup = smtp_setup();
    (void)state;
    setup.client.peer_key = &key;
    setup.client.node = "east1";
    for (int ours = 0; ours < 2; ours++)
        for (int user = 0; user < 2; user++) {
            struct smtp_client_message m = {.reverse_path = STR("a@b.test")};
            struct pair p;
            m.user = user ? STR("a+b@example.test") : STR_EMPTY;
            setup.server.peer_key = ours ? &key : NULL;
            pair_open(&p, &setup, 100);
            pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
            assert_int_equal(p.authenticated, ours && user);
            pair_quit(&p);
        }
}

/* The server's limit is 1,000 bytes, judged where the message came in. */
static void trace_fields_of_our_own_do_not_count(void **state)
{
    struct setup setup = smtp_setup();
    struct pair p;
    char body[1502];
    (void)state;
    memset(body, 'x', sizeof(body));
    memcpy(body + sizeof(body) - 3, "\r\n", 3);
    setup.client.node = "east1";
    setup.client.peer_key = &key;
    const char *const results[] = {"0:refused:local:552 5.3.4 The message is larger than the server takes\n",
                                   "0:delivered:final dot:250 2.0.0 Ok\n"};
    for (size_t ours = 0; ours < 2; ours++) {
        struct smtp_client_message m = {.reverse_path = STR("a@b.test"), .size_bytes = sizeof(body) - 1};
        setup.server.peer_key = ours ? &key : NULL;
        pair_open(&p, &setup, 100);
        pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, body);
        assert_str(buf_str(&p.results), results[ours]);
        pair_quit(&p);
    }
}

static void custody_is_told_to_nobody_else(void **state)
{
    struct peer_key other = key;
    struct setup setup = smtp_setup();
    struct custody_id id = {"custody id 16 b"};
    struct pair p;
    (void)state;
    other.bytes[0] ^= 1;
    setup.client.peer_key = &key;
    setup.client.node = "east1";
    const struct peer_key *const keys[] = {NULL, &other};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct smtp_client_message m = {.reverse_path = STR("a@b.test"), .custody_id = &id};
        setup.server.peer_key = keys[i];
        pair_open(&p, &setup, 100);
        assert_false(smtp_client_peer_proved(p.client));
        assert_str(smtp_server_peer_node(p.server), "");
        pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
        assert_false(p.has_custody);
        assert_str(buf_str(&p.results), "0:delivered:final dot:250 2.0.0 Ok\n");
        pair_quit(&p);
    }
}

/* Whoever has our proof in his hands cannot show it to another part of ours. */
static void a_proof_is_for_one_of_our_parts(void **state)
{
    struct setup setups[] = {smtp_setup(), smtp_setup(), smtp_setup()};
    (void)state;
    setups[0].server.peer = (struct peer_id){PEER_MAILBOX, "mail2"};
    setups[1].server.peer = (struct peer_id){PEER_RELAY, "mail1"};
    setups[2].server.peer_address = "10.1.0.2";
    for (size_t i = 0; i < ARRAY_LEN(setups); i++) {
        struct pair p;
        setups[i].server.peer_key = setups[i].client.peer_key = &key;
        setups[i].client.node = "east1";
        pair_open(&p, &setups[i], 100);
        assert_false(smtp_client_peer_proved(p.client));
        assert_str(smtp_server_peer_node(p.server), "");
        pair_quit(&p);
    }
}

#define ONE_CHANNEL   "0123456789abcdef0123456789abcde1"
#define OTHER_CHANNEL "0123456789abcdef0123456789abcde2"

/* Who stands between two channels has two; and what cannot be bound to the channel is not proved at all. */
static void a_proof_is_for_one_channel(void **state)
{
    const struct {
        struct str server, client;
        bool proved;
    } channels[] = {{STR(ONE_CHANNEL), STR(ONE_CHANNEL), true},
                    {STR(ONE_CHANNEL), STR(OTHER_CHANNEL), false},
                    {STR(ONE_CHANNEL), STR_EMPTY, false},
                    {STR_EMPTY, STR_EMPTY, false}};
    struct tls_client_options options = {.policy = TLS_OPPORTUNISTIC, .name = "mail.example.test"};
    struct setup setup = smtp_setup();
    (void)state;
    setup.server.peer_key = setup.client.peer_key = &key;
    setup.client.node = "east1";
    setup.client.tls = tls_client_new(NULL); /* the handshake is made here */
    assert_ok(tls_client_set(setup.client.tls, &options, NULL));
    for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
        struct pair p = {.server_channel = channels[i].server, .client_channel = channels[i].client};
        pair_prepare(&p, &setup, 100);
        smtp_server_offer_tls(p.server);
        pair_start(&p);
        assert_true(smtp_server_tls(p.server).len > 0);
        assert_int_equal(smtp_client_peer_proved(p.client), channels[i].proved);
        assert_int_equal(smtp_server_peer_node(p.server).len > 0, channels[i].proved);
        pair_quit(&p);
    }
    tls_client_free(setup.client.tls);
}

static void what_the_server_cannot_take(void **state)
{
    struct setup setup = smtp_setup();
    struct pair p;
    struct smtp_client_message m = {.reverse_path = STR("a@b.test"), .size_bytes = 1001};
    (void)state;
    pair_open(&p, &setup, 100);
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
    assert_str(buf_str(&p.results),
               "0:refused:local:552 5.3.4 The message is larger than the server takes\n");
    m = (struct smtp_client_message){.smtputf8 = true};
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
    assert_str(buf_str(&p.results),
               "0:refused:local:553 5.6.7 The message needs SMTPUTF8, which the server does not offer\n");
    m = (struct smtp_client_message){.reverse_path = STR("a\r\nRSET")};
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "x\r\n");
    assert_str(buf_str(&p.results), "0:refused:local:553 5.1.7 The reverse-path cannot be sent\n");
    m = (struct smtp_client_message){.eight_bit = true};
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, "\xe4\r\n");
    assert_str(buf_str(&p.results), "0:delivered:final dot:250 2.0.0 Ok\n");
    assert_true(p.eight_bit);
    assert_true(p.info.eight_bit);
    assert_int_equal(p.info.size_bytes, 3);
    pair_quit(&p);
}

static void over_size_at_the_end(void **state)
{
    struct setup setup = smtp_setup();
    char body[1100];
    struct pair p;
    struct smtp_client_message m = {.reverse_path = STR("a@b.test")};
    (void)state;
    memset(body, 'x', sizeof(body));
    body[sizeof(body) - 1] = '\0';
    pair_open(&p, &setup, 100);
    pair_send(&p, &m, (const char *const[]){"alice@example.test", NULL}, body);
    assert_str(buf_str(&p.results), "0:refused:body:552 5.3.4 Message exceeds the maximum size\n");
    assert_int_equal(p.messages, 0);
    assert_int_equal(p.resets, 1);
    pair_quit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_transactions_in_one_session),
        cmocka_unit_test(some_recipients_refused),
        cmocka_unit_test(lmtp_answers_for_each_recipient),
        cmocka_unit_test(custody_travels_between_our_own),
        cmocka_unit_test(a_user_is_told_between_our_own),
        cmocka_unit_test(custody_is_told_to_nobody_else),
        cmocka_unit_test(a_proof_is_for_one_of_our_parts),
        cmocka_unit_test(a_proof_is_for_one_channel),
        cmocka_unit_test(trace_fields_of_our_own_do_not_count),
        cmocka_unit_test(what_the_server_cannot_take),
        cmocka_unit_test(over_size_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
