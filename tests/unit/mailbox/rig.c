#include "rig.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/mem.h"
#include "store/records.h"
#include "store/store.h"

#define ADDRESS  "127.1.0.10"
#define LIMIT_MS 3600000

const char *const rig_verifier =
    "{SHA512-CRYPT}$6$holdfastdemo$T8VFS1ji82TO1LonGLn0PWXvxNeDpKAuhH0qZRZkR344Wg2tiPk2XR5I"
    "9Jv2uhGl6TQfchdawf4HXRt3AEBcE.";

static const char configuration[] =
    "site \"s\" { }\n"
    "node \"a\" { site = \"s\" roles = {\"director\", \"mailbox\", \"relay\"} }\n"
    "node \"b\" { site = \"s\" roles = {\"director\", \"mailbox\", \"relay\"} }\n"
    "relay \"r\" { node = \"a\" hostname = \"r.test\" address = {\"127.1.0.2\"} listen = "
    "{\"127.1.0.2:2525\"} }\n"
    "relay \"r2\" { node = \"b\" hostname = \"r2.test\" address = {\"10.1.0.3\"} listen = "
    "{\"10.1.0.3:2525\"} }\n"
    "domain \"example.test\" { server = \"mail1\" }\n"
    "domain \"named.test\" { server = \"mail1\" postmaster = \"Alice@example.test\" }\n"
    "domain \"other.test\" { server = \"mail2\" }\n"
    "server \"mail1\" { kind = \"builtin\" site = \"s\" hostname = \"mail1.example.test\"\n"
    "    address = {\"" ADDRESS "\"}\n"
    "    smtp_port = 2525 lmtp_port = 2424 submission_port = 2587 imap_port = 2143 pop3_port = 2110 }\n"
    "server \"mail2\" { kind = \"builtin\" site = \"s\" hostname = \"mail2.example.test\" address = "
    "{\"127.1.0.11\"} }\n";

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

static bool is_set(void *arg)
{
    return *(bool *)arg;
}

void rig_until(struct rig *r, bool (*holds)(void *arg), void *arg)
{
    struct mono_time limit = mono_add_ms(sim_now(r->world), LIMIT_MS);
    while (!holds(arg)) {
        assert_true(sim_step(r->world));
        assert_true(mono_before(sim_now(r->world), limit));
    }
}

/* ---- records ---- */

struct answer {
    bool done;
    int err;
    char *verifier;
};

static void on_written(void *arg, int err, size_t failed)
{
    struct answer *a = arg;
    (void)failed;
    *a = (struct answer){.done = true, .err = err};
}

static void put(struct rig *r, const char *kind, const char *key, const char *value, bool users)
{
    struct answer a = {.done = false};
    const struct network_change changes[] = {
        {.kind = str_from(kind),
         .key = str_from(key),
         .value = str_from(value),
         .expect_version = NETWORK_ANY_VERSION},
        {.kind = STR("revision"),
         .key = STR("users"),
         .value = STR("{}"),
         .expect_version = NETWORK_ANY_VERSION},
    };
    network_write(r->network, changes, users ? 2 : 1, NULL, on_written, &a);
    rig_until(r, is_set, &a.done);
    assert_ok(a.err);
}

void rig_put(struct rig *r, const char *kind, const char *key, const char *value)
{
    put(r, kind, key, value, false);
}

void rig_put_user(struct rig *r, const char *address, const char *verifier, bool disabled)
{
    struct record_user user = {.verifier = str_from(verifier), .disabled = disabled};
    char *value = record_user_encode(&user);
    put(r, "user", address, value, true);
    free(value);
}

static void on_user(void *arg, int err, const struct network_record *records, size_t count)
{
    struct answer *a = arg;
    struct arena arena;
    struct record_user user;
    arena_init(&arena, 1 << 16);
    a->done = true;
    a->err = err ? err : count == 1 ? record_user_decode(&arena, records[0].value, &user) : ERR_NOT_FOUND;
    if (a->err == 0)
        a->verifier = str_dup(user.verifier);
    arena_fini(&arena);
}

char *rig_verifier_of(struct rig *r, const char *address)
{
    struct answer a = {.done = false};
    network_read(r->network, STR("user"), str_from(address), on_user, &a);
    rig_until(r, is_set, &a.done);
    assert_ok(a.err);
    return a.verifier;
}

static void put_peer_key(struct rig *r)
{
    char hex[PEER_KEY_TEXT];
    memset(&r->key, 7, sizeof(r->key));
    peer_key_format(&r->key, hex);
    struct record_secret secret = {.hex = str_from(hex)};
    char *value = record_secret_encode(&secret);
    put(r, "secret", "peer", value, false);
    free(value);
}

/* ---- the world ---- */

static struct store *open_store(struct rig *r, struct loop *l)
{
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->memory};
    struct err_buf eb;
    struct store *store;
    assert_ok(store_open(l, &options, &store, &eb));
    return store;
}

struct rig *rig_new(void)
{
    struct rig *r = mem_zalloc(sizeof(*r));
    struct config_findings findings;
    assert_ok(config_parse(str_from(configuration), "/test.conf", "/state", &r->config, &findings));
    config_findings_free(&findings);
    r->world = sim_world_new(1);
    r->memory = store_memory_new(device_clock, r->world);
    r->loop = sim_loop_new(r->world, "client", "client");
    r->store = open_store(r, r->loop);
    r->network = store_network(r->store);
    put_peer_key(r);
    rig_put_user(r, "alice@example.test", rig_verifier, false);
    rig_put_user(r, "bob@example.test", rig_verifier, false);
    return r;
}

void rig_free(struct rig *r)
{
    store_close(r->store);
    sim_loop_free(r->loop);
    store_memory_free(r->memory);
    sim_world_free(r->world);
    config_free(r->config);
    free(r);
}

/* ---- instances ---- */

static void on_ready(void *arg)
{
    struct rig_instance *i = arg;
    i->ready = true;
}

static void on_failed(void *arg, int err, const char *why)
{
    struct rig_instance *i = arg;
    assert_true(err < 0 && why[0]);
    i->err = err;
}

static const struct mailbox_role_ops role_ops = {.ready = on_ready, .failed = on_failed};

struct rig_instance *rig_start(struct rig *r, const char *node, int64_t epoch)
{
    struct rig_instance *i = mem_zalloc(sizeof(*i));
    struct err_buf eb;
    i->rig = r;
    i->loop = sim_loop_new(r->world, node, "mailbox");
    i->store = open_store(r, i->loop);
    struct mailbox_role_options options = {.config = r->config,
                                           .node = config_node_find(r->config, node),
                                           .server = config_server_find(r->config, "mail1"),
                                           .epoch = epoch,
                                           .store = i->store};
    assert_ok(addr_parse_ip(STR(ADDRESS), 0, &options.address));
    assert_ok(mailbox_role_start(i->loop, &options, &role_ops, i, &i->role, &eb));
    return i;
}

struct rig_instance *rig_start_ready(struct rig *r, const char *node, int64_t epoch)
{
    struct rig_instance *i = rig_start(r, node, epoch);
    rig_until(r, is_set, &i->ready);
    return i;
}

static bool has_failed(void *arg)
{
    return ((struct rig_instance *)arg)->err != 0;
}

void rig_until_failed(struct rig_instance *i)
{
    rig_until(i->rig, has_failed, i);
}

void rig_instance_free(struct rig_instance *i)
{
    mailbox_role_free(i->role);
    store_close(i->store);
    sim_loop_free(i->loop);
    free(i);
}

/* ---- clients ---- */

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct rig_client *c = arg;
    if (err)
        c->ended = true;
    else
        assert_ok(buf_append(&c->received, data, len));
}

static void on_connect(void *arg, struct loop_stream *stream, int err)
{
    struct rig_client *c = arg;
    c->stream = stream;
    c->refused = err != 0;
    if (stream)
        loop_stream_read_start(stream, on_read, c);
}

static bool is_settled(void *arg)
{
    struct rig_client *c = arg;
    return c->stream || c->refused;
}

struct rig_client *rig_connect(struct rig *r, int port)
{
    struct rig_client *c = mem_zalloc(sizeof(*c));
    struct loop_connect *connect;
    struct addr to, from;
    c->rig = r;
    buf_init(&c->received, 1 << 20);
    assert_ok(addr_parse_ip(STR(ADDRESS), 0, &to));
    addr_set_port(&to, (uint16_t)port);
    assert_ok(addr_parse_ip(STR("127.0.0.9"), 0, &from)); /* passwords are taken on loopback only */
    loop_connect(r->loop, &to, &from, 5000, on_connect, c, &connect);
    rig_until(r, is_settled, c);
    return c;
}

void rig_client_free(struct rig_client *c)
{
    loop_stream_free(c->stream);
    buf_fini(&c->received);
    free(c);
}

void rig_say(struct rig_client *c, const char *lines)
{
    loop_stream_write(c->stream, lines, strlen(lines));
}

static bool has_line(void *arg)
{
    struct rig_client *c = arg;
    return c->ended || str_find(buf_str(&c->received), '\n', 0) != SIZE_MAX;
}

const char *rig_expect(struct rig_client *c, const char *start)
{
    static char line[1024];
    for (;;) {
        rig_until(c->rig, has_line, c);
        struct str got = buf_str(&c->received);
        size_t end = str_find(got, '\n', 0);
        if (end == SIZE_MAX)
            fail_msg("the server closed before \"%s\"", start);
        snprintf(line, sizeof(line), "%.*s", (int)(end > 0 ? end - 1 : 0), got.ptr);
        buf_consume(&c->received, end + 1);
        if (strncmp(line, start, strlen(start)) == 0)
            return line;
    }
}

static bool has_ended(void *arg)
{
    return ((struct rig_client *)arg)->ended;
}

void rig_expect_end(struct rig_client *c)
{
    rig_until(c->rig, has_ended, c);
}

static void prove(struct rig_client *c)
{
    struct peer_talk talk = {.client_nonce = {"client nonce 16"},
                             .node = STR("a"),
                             .server = {PEER_MAILBOX, "mail1"},
                             .address = STR(ADDRESS)};
    char nonce[PEER_NONCE_TEXT], proof[PEER_PROOF_TEXT], line[256];
    const char *offer = rig_expect(c, "250 XHOLDFAST ");
    assert_ok(peer_nonce_parse(str_from(offer + strlen("250 XHOLDFAST ")), &talk.server_nonce));
    peer_nonce_format(&talk.client_nonce, nonce);
    peer_proof_make(PEER_CLIENT, &c->rig->key, &talk, proof);
    snprintf(line, sizeof(line), "XHOLDFAST a %s %s\r\n", nonce, proof);
    rig_say(c, line);
    rig_expect(c, "235 ");
}

void rig_send(struct rig *r, const char *to, char with_custody, const char *answer)
{
    struct rig_client *c = rig_connect(r, RIG_SMTP);
    char lines[512], custody[64] = "";
    rig_say(c, "EHLO client.example\r\n");
    if (with_custody) {
        prove(c);
        snprintf(custody, sizeof(custody), " XCUSTODY=%c0000000000000000000000000", with_custody);
    }
    snprintf(lines, sizeof(lines), "MAIL FROM:<s@client.example>%s\r\nRCPT TO:<%s>\r\nDATA\r\n", custody, to);
    rig_say(c, lines);
    rig_expect(c, "354 ");
    rig_say(c, "Subject: x\r\n\r\n.\r\n");
    rig_expect(c, answer);
    rig_client_free(c);
}

int rig_count(struct rig *r, const char *user)
{
    struct rig_client *c = rig_connect(r, RIG_POP3);
    char lines[256];
    int count;
    snprintf(lines, sizeof(lines), "USER %s\r\nPASS " RIG_PASSWORD "\r\nSTAT\r\n", user);
    rig_expect(c, "+OK");
    rig_say(c, lines);
    rig_expect(c, "+OK"); /* USER, PASS, STAT */
    rig_expect(c, "+OK");
    assert_int_equal(sscanf(rig_expect(c, "+OK"), "+OK %d", &count), 1);
    rig_client_free(c);
    return count;
}
