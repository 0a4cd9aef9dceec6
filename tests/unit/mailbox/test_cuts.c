/* A connection that is cut at any byte, of either side: a sender's to the relay, the relay's to a builtin
 * server and to an external one. Each byte of the dialogue has its turn, in one world; at the end the ledger
 * is judged. */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "cut_wire.h"
#include "relay/role.h"
#include "rig.h"
#include "smtp/client_connection.h"
#include "smtp/server_connection.h"
#include "store/records.h"
#include "store/store.h"

#define LETTERS_MAX 4096
#define STEP_MS     100
#define RETRY_MS    3000 /* for a message's second attempt, after a second */
#define SETTLE_MS   30000

/* mail1 is known to it by another port, behind a wire: whom it proves itself to is told by the address. */
static const char relay_configuration[] =
    "site \"s\" { }\n"
    "node \"a\" { site = \"s\" roles = {\"director\", \"mailbox\", \"relay\"} }\n"
    "node \"b\" { site = \"s\" roles = {\"director\", \"mailbox\"} }\n"
    "relay \"r\" { node = \"a\" hostname = \"r.test\" address = {\"127.1.0.2\"} listen = "
    "{\"127.1.0.2:2525\"}\n"
    "    retry = \"1s\" }\n"
    "domain \"example.test\" { server = \"mail1\" recipients = \"any\" }\n"
    "domain \"other.test\" { server = \"mail2\" recipients = \"any\" }\n"
    "domain \"lmtp.test\" { server = \"mail3\" recipients = \"any\" }\n"
    "server \"mail1\" { kind = \"builtin\" site = \"s\" hostname = \"mail1.example.test\"\n"
    "    address = {\"127.1.0.10\"} smtp_port = 2526\n"
    "    check { kind = \"tcp\" interval = \"1s\" timeout = \"1s\" fall = 2 rise = 1 } }\n"
    "server \"mail2\" { kind = \"external\" site = \"s\" hostname = \"mail2.other.test\"\n"
    "    address = {\"127.1.0.31\"} smtp_port = 2525\n"
    "    check { kind = \"tcp\" interval = \"1s\" timeout = \"1s\" fall = 2 rise = 1 } }\n"
    "server \"mail3\" { kind = \"external\" protocol = \"lmtp\" site = \"s\" hostname = \"mail3.lmtp.test\"\n"
    "    address = {\"127.1.0.33\"} lmtp_port = 2525\n"
    "    check { kind = \"tcp\" interval = \"1s\" timeout = \"1s\" fall = 2 rise = 1 } }\n";

struct letter {
    enum smtp_outcome outcome; /* of its last recipient, for its sender */
    bool cut;
    unsigned found, found_second; /* of its first recipient, and of its second, whose name is carol */
};

/* A server that takes all, and knows no custody id. */
struct external {
    struct world *world;
    struct cut_wire wire; /* before it */
    struct loop_listener *listener;
    struct smtp_server_options options;
};

struct world {
    struct rig *rig;
    struct rig_instance *server;
    struct config *config;
    struct loop *loop, *wire_loop, *server_wire_loop; /* the last is where the server is */
    struct store *store;
    struct relay_role *relay;
    struct cut_wire inward, outward;
    struct external by_smtp, by_lmtp;
    struct letter letters[LETTERS_MAX];
    size_t letter_count;
};

static size_t number_in(struct str text)
{
    static const char name[] = "X-Number: ";
    const char *at = memmem(text.ptr, text.len, name, sizeof(name) - 1);
    size_t number;
    return at && sscanf(at + sizeof(name) - 1, "%zu", &number) == 1 ? number : SIZE_MAX;
}

static struct letter *letter_of(struct world *w, struct str content)
{
    size_t number = number_in(content);
    assert_in_range(number, 0, w->letter_count - 1);
    return &w->letters[number];
}

/* ---- the external servers ---- */

struct taker {
    struct external *external;
    struct smtp_server_connection *connection;
    struct buf content;
    bool first, second; /* its recipients */
};

static void taker_on_mail(void *arg, const struct smtp_mail *mail)
{
    struct taker *t = arg;
    (void)mail;
    buf_clear(&t->content);
    t->first = t->second = false;
    smtp_server_reply(smtp_server_connection_session(t->connection), NULL);
}

static void taker_on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    struct taker *t = arg;
    *(str_eq(rcpt->local_part, STR("carol")) ? &t->second : &t->first) = true;
    smtp_server_reply(smtp_server_connection_session(t->connection), NULL);
}

static bool taker_on_data(void *arg, const char *data, size_t len)
{
    assert_ok(buf_append(&((struct taker *)arg)->content, data, len));
    return true;
}

static void taker_on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct taker *t = arg;
    (void)info;
    assert_ok(buf_append(&t->content, "", 1));
    struct letter *l = letter_of(t->external->world, buf_str(&t->content));
    l->found += t->first;
    l->found_second += t->second;
    smtp_server_reply(smtp_server_connection_session(t->connection), NULL);
}

static void taker_on_closed(void *arg)
{
    struct taker *t = arg;
    buf_fini(&t->content);
    free(t);
}

static const struct smtp_server_ops taker_ops = {.mail = taker_on_mail,
                                                 .rcpt = taker_on_rcpt,
                                                 .data = taker_on_data,
                                                 .data_end = taker_on_data_end,
                                                 .closed = taker_on_closed};

static void on_connection(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct external *e = arg;
    struct taker *t = mem_zalloc(sizeof(*t));
    (void)peer;
    t->external = e;
    buf_init(&t->content, 1 << 16);
    t->connection = smtp_server_connection_new(e->world->wire_loop, stream, NULL, &e->options, &taker_ops, t);
}

static void external_open(struct external *e, struct world *w, enum smtp_flavour flavour, const char *wire_at,
                          const char *server_at)
{
    struct addr at;
    struct err_buf eb;
    *e = (struct external){.world = w, .options = {.flavour = flavour, .hostname = "external.test"}};
    cut_wire_open(&e->wire, w->wire_loop, wire_at, server_at);
    assert_ok(addr_parse(str_from(server_at), &at));
    assert_ok(loop_listen(w->wire_loop, &at, on_connection, e, &e->listener, &eb));
}

static void external_close(struct external *e)
{
    cut_wire_close(&e->wire);
    loop_listener_free(e->listener);
}

/* ---- the sender ---- */

struct sender {
    struct smtp_client_connection *connection;
    const struct str *recipients;
    size_t recipient_count;
    struct str content;
    bool given, ended;
    struct letter *letter;
};

static struct smtp_client *client_of(struct sender *s)
{
    return smtp_client_connection_session(s->connection);
}

static void on_ready(void *arg)
{
    struct sender *s = arg;
    struct smtp_client_message m = {.reverse_path = STR("a@client.test"),
                                    .recipients = s->recipients,
                                    .recipient_count = s->recipient_count};
    smtp_client_send(client_of(s), &m);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct sender *s = arg;
    (void)len_max;
    smtp_client_body(client_of(s), s->content.ptr, s->given ? 0 : s->content.len);
    s->given = true;
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *result)
{
    (void)index;
    ((struct sender *)arg)->letter->outcome = result->outcome;
}

static void on_done(void *arg)
{
    struct sender *s = arg;
    if (smtp_client_is_ready(client_of(s)))
        smtp_client_quit(client_of(s));
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    (void)end, (void)stage, (void)reply, (void)why;
    ((struct sender *)arg)->ended = true;
}

static const struct smtp_client_ops sender_ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

static bool has_ended(void *arg)
{
    return ((struct sender *)arg)->ended;
}

/* Where letters go, and whom they are for. */
struct way {
    const char *to;
    const char *recipients[2];
};

static void send_letter(struct world *w, const struct way *way)
{
    static const struct smtp_client_options options = {.hostname = "client.test"};
    char content[128];
    struct addr at;
    assert_true(w->letter_count < LETTERS_MAX);
    snprintf(content, sizeof(content), "Subject: x\r\nX-Number: %04zu\r\n\r\n.\r\n..\r\ntext\r\n",
             w->letter_count);
    const struct str recipients[] = {str_from(way->recipients[0]),
                                     way->recipients[1] ? str_from(way->recipients[1]) : STR_EMPTY};
    struct sender s = {.recipients = recipients,
                       .recipient_count = way->recipients[1] ? 2 : 1,
                       .content = str_from(content),
                       .letter = &w->letters[w->letter_count++]};
    s.letter->outcome = SMTP_OUTCOME_UNSENT;
    assert_ok(addr_parse(str_from(way->to), &at));
    s.connection = smtp_client_connection_new(w->rig->loop, &at, NULL, 3000, &options, &sender_ops, &s);
    rig_until(w->rig, has_ended, &s);
    smtp_client_connection_free(s.connection);
}

/* ---- the world ---- */

static void run_ms(struct world *w, int64_t ms)
{
    sim_run_until(w->rig->world, mono_add_ms(sim_now(w->rig->world), ms));
}

static void start_relay(struct world *w)
{
    struct config_findings findings;
    struct err_buf eb;
    struct store_options store = {.engine = STORE_ENGINE_MEMORY, .memory = w->rig->memory};
    assert_ok(config_parse(str_from(relay_configuration), "/test.conf", "/state", &w->config, &findings));
    config_findings_free(&findings);
    w->loop = sim_loop_new(w->rig->world, "a", "relay");
    assert_ok(store_open(w->loop, &store, &w->store, &eb));
    struct relay_role_options options = {
        .config = w->config, .relay = &w->config->relays[0], .store = w->store, .boot_id = "boot"};
    assert_ok(relay_role_start(w->loop, &options, &w->relay, &eb));
}

/* The director's word: mail1 is where the wire begins. */
static void put_server(struct world *w)
{
    struct record_server record = {
        .state = STR("running"),
        .instance = {.node = STR("b"), .site = STR("s"), .address = STR("127.1.0.10"), .epoch = 1},
        .epoch = 1,
        .generation = 1};
    char *value = record_server_encode(&record);
    rig_put(w->rig, "server", "mail1", value);
    free(value);
}

static void world_open(struct world *w)
{
    w->rig = rig_new();
    w->server = rig_start_ready(w->rig, "b", 1);
    w->wire_loop = sim_loop_new(w->rig->world, "wires", "wires");
    cut_wire_open(&w->inward, w->wire_loop, "127.1.0.22:2525", "127.1.0.2:2525");
    w->server_wire_loop = sim_loop_new(w->rig->world, "b", "wire");
    cut_wire_open(&w->outward, w->server_wire_loop, "127.1.0.10:2526", "127.1.0.10:2525");
    external_open(&w->by_smtp, w, SMTP_FLAVOUR_SMTP, "127.1.0.31:2525", "127.1.0.32:2525");
    external_open(&w->by_lmtp, w, SMTP_FLAVOUR_LMTP, "127.1.0.33:2525", "127.1.0.34:2525");
    put_server(w);
    start_relay(w);
    run_ms(w, SETTLE_MS);
}

static void world_close(struct world *w)
{
    relay_role_free(w->relay);
    store_close(w->store);
    sim_loop_free(w->loop);
    config_free(w->config);
    cut_wire_close(&w->inward);
    cut_wire_close(&w->outward);
    external_close(&w->by_smtp);
    external_close(&w->by_lmtp);
    rig_instance_free(w->server);
    run_ms(w, SETTLE_MS); /* the takers' sessions end */
    sim_loop_free(w->wire_loop);
    sim_loop_free(w->server_wire_loop);
    rig_free(w->rig);
}

/* Cuts the wire behind each byte that a letter makes it carry that way, a letter each. Returns how many there
 * are. */
static size_t cut_everywhere(struct world *w, struct cut_wire *wire, enum wire_way side,
                             const struct way *way)
{
    for (size_t at = 1;; at++) {
        cut_wire_arm(wire, side, at);
        send_letter(w, way);
        run_ms(w, STEP_MS);
        if (wire->cuts)
            run_ms(w, RETRY_MS);
        while (!list_empty(&wire->pairs)) /* no session is kept for the next letter */
            run_ms(w, STEP_MS);
        if (wire->cuts == 0)
            return at - 1;
        w->letters[w->letter_count - 1].cut = true;
    }
}

/* ---- the judgement ---- */

static void read_mailbox(struct world *w)
{
    int count = rig_count(w->rig, "alice@example.test");
    struct rig_client *c = rig_connect(w->rig, RIG_POP3);
    rig_say(c, "USER alice@example.test\r\nPASS " RIG_PASSWORD "\r\n");
    for (int i = 1; i <= count; i++) {
        char line[32];
        snprintf(line, sizeof(line), "RETR %d\r\n", i);
        rig_say(c, line);
        letter_of(w, str_from(rig_expect(c, "X-Number: ")))->found++;
    }
    rig_client_free(c);
}

static size_t count_of(const struct world *w, enum smtp_outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < w->letter_count; i++)
        count += w->letters[i].outcome == outcome;
    return count;
}

#define RELAY "127.1.0.2:2525"

static const struct way by_wire = {"127.1.0.22:2525", {"alice@example.test", NULL}},
                        to_builtin = {RELAY, {"alice@example.test", NULL}},
                        to_external = {RELAY, {"bob@other.test", NULL}},
                        to_lmtp = {RELAY, {"bob@lmtp.test", "carol@lmtp.test"}};

/* The sender's outcome is told: what it knows to be taken is there, once; what it knows not to be taken is
 * not. */
static void a_senders_connection(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    (void)state;
    world_open(w);
    size_t there = cut_everywhere(w, &w->inward, WIRE_TO_SERVER, &by_wire);
    size_t back = cut_everywhere(w, &w->inward, WIRE_TO_CLIENT, &by_wire);
    read_mailbox(w);
    for (size_t i = 0; i < w->letter_count; i++) {
        const struct letter *l = &w->letters[i];
        if (l->outcome == SMTP_OUTCOME_DELIVERED ? l->found != 1
                                                 : l->found > (l->outcome == SMTP_OUTCOME_UNKNOWN))
            fail_msg("letter %zu: %s, found %u times", i, smtp_outcome_name(l->outcome), l->found);
    }
    assert_true(there > 100 && back > 100);
    assert_true(count_of(w, SMTP_OUTCOME_LOST) > 50 && count_of(w, SMTP_OUTCOME_UNKNOWN) > 5);
    world_close(w);
    free(w);
}

static void judge_all_once(struct world *w)
{
    read_mailbox(w);
    assert_int_equal(count_of(w, SMTP_OUTCOME_DELIVERED), w->letter_count);
    for (size_t i = 0; i < w->letter_count; i++)
        if (w->letters[i].found != 1)
            fail_msg("letter %zu: found %u times", i, w->letters[i].found);
}

static void the_relays_connection_to_a_builtin_server(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    (void)state;
    world_open(w);
    size_t there = cut_everywhere(w, &w->outward, WIRE_TO_SERVER, &to_builtin);
    size_t back = cut_everywhere(w, &w->outward, WIRE_TO_CLIENT, &to_builtin);
    assert_true(there > 300 && back > 300);
    judge_all_once(w);
    world_close(w);
    free(w);
}

static size_t count_doubled(const struct world *w, size_t from, size_t to)
{
    size_t count = 0;
    for (size_t i = from; i < to; i++)
        count += w->letters[i].found == 2;
    return count;
}

/* Only between the final dot and our record of its answer is there a double: by one byte on the way there,
 * and on the way back by all that is said from then on, but for the last byte, which ends the answer. */
static void the_relays_connection_to_an_external_server(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    (void)state;
    world_open(w);
    size_t there = cut_everywhere(w, &w->by_smtp.wire, WIRE_TO_SERVER, &to_external);
    size_t first_back = w->letter_count, last = SIZE_MAX;
    size_t back = cut_everywhere(w, &w->by_smtp.wire, WIRE_TO_CLIENT, &to_external);
    assert_true(there > 100 && back > 100);
    assert_int_equal(count_of(w, SMTP_OUTCOME_DELIVERED), w->letter_count);
    for (size_t i = 0; i < w->letter_count; i++) {
        const struct letter *l = &w->letters[i];
        assert_in_range(l->found, 1, l->cut ? 2 : 1);
        if (l->found == 2 && i > first_back && last != SIZE_MAX)
            assert_int_equal(i, last + 1);
        if (l->found == 2 && i > first_back)
            last = i;
    }
    assert_int_equal(count_doubled(w, 0, first_back), 1);
    assert_in_range(count_doubled(w, first_back, w->letter_count), 1, 80);
    world_close(w);
    free(w);
}

/* Who was answered for is not sent to again, though the connection was cut before the next one was. */
static void the_relays_connection_by_lmtp(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    size_t second_alone = 0;
    (void)state;
    world_open(w);
    (void)cut_everywhere(w, &w->by_lmtp.wire, WIRE_TO_SERVER, &to_lmtp);
    (void)cut_everywhere(w, &w->by_lmtp.wire, WIRE_TO_CLIENT, &to_lmtp);
    assert_int_equal(count_of(w, SMTP_OUTCOME_DELIVERED), w->letter_count);
    for (size_t i = 0; i < w->letter_count; i++) {
        const struct letter *l = &w->letters[i];
        assert_in_range(l->found, 1, l->cut ? 2 : 1);
        assert_in_range(l->found_second, l->found, l->cut ? 2 : 1);
        second_alone += l->found_second > l->found;
    }
    assert_in_range(second_alone, 5, strlen("250 2.0.0 Ok\r\n")); /* by all but the last byte of its answer */
    world_close(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_senders_connection),
        cmocka_unit_test(the_relays_connection_to_a_builtin_server),
        cmocka_unit_test(the_relays_connection_to_an_external_server),
        cmocka_unit_test(the_relays_connection_by_lmtp),
    };
    log_set_level(LOG_ERROR); /* each cut has its lines */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
