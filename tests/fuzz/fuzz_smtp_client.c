/* A client session under any bytes of a server. The first byte chooses the
 * flavour, the peers' key, what the messages need and the policy for TLS; the
 * second how the bytes are cut, how a handshake and how the session ends. */
#include <stdint.h>
#include <string.h>

#include "net/tls_client.h"
#include "smtp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_BOUND  (1 << 20)
#define RECIPIENTS 3
#define MESSAGES   4

static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
static const struct peer_nonce nonce = {"client nonce 16"};
static const struct str recipients[RECIPIENTS] = {
    {"alice@example.test", 18}, {"bob@example.test", 16}, {"carol@example.test", 18}};
static const struct dsn_request requests[RECIPIENTS] = {
    {DSN_NOTIFY_NEVER, {"", 0}}, {0, {"rfc822;b", 8}}, {DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, {"x", 1}}};
static const struct str body = {"Subject: x\r\n\r\n.\r\nlast", 22};

struct session {
    struct smtp_client_options options;
    struct smtp_client *client;
    struct smtp_client_message message;
    struct custody_id id;
    bool told[RECIPIENTS];
    unsigned sent, done, ended;
    bool open, wanted, late;
    bool tls_fails, under_tls;
    size_t body_at;
    struct buf said;
    unsigned delivered;
};

static void on_ready(void *arg)
{
    struct session *s = arg;
    CHECK(!s->open && !s->ended && s->sent == 0);
    CHECK(s->under_tls || tls_client_policy(s->options.tls) != TLS_PINNED);
}

static void give_body(struct session *s)
{
    struct str piece = str_sub(body, s->body_at, 9);
    s->body_at += piece.len;
    s->wanted = false;
    smtp_client_body(s->client, piece.ptr, piece.len);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct session *s = arg;
    CHECK(s->open && !s->wanted && len_max > 9);
    s->wanted = true;
    if (!s->late)
        give_body(s);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    struct session *s = arg;
    CHECK(s->open && index < RECIPIENTS && !s->told[index]);
    s->told[index] = true;
    if (r->outcome == SMTP_OUTCOME_DELIVERED) {
        CHECK(r->stage == SMTP_STAGE_DATA_END && smtp_reply_class(&r->reply) == 2 && s->body_at == body.len);
        s->delivered++;
    }
    if (r->outcome == SMTP_OUTCOME_UNKNOWN)
        CHECK(s->body_at == body.len);
    CHECK(r->reply.text.len <= SMTP_REPLY_TEXT_MAX);
}

static void on_done(void *arg)
{
    struct session *s = arg;
    CHECK(s->open);
    for (size_t i = 0; i < RECIPIENTS; i++)
        CHECK(s->told[i]);
    s->open = s->wanted = false;
    s->done++;
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct session *s = arg;
    (void)end;
    CHECK(!s->ended && !s->open && why.len > 0);
    CHECK(smtp_stage_name(stage) && reply->text.len <= SMTP_REPLY_TEXT_MAX);
    s->ended = 1;
}

static const struct smtp_client_ops ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

static void shake_hands(struct session *s)
{
    s->under_tls = !s->tls_fails;
    if (s->under_tls)
        smtp_client_tls_started(s->client, STR_EMPTY);
    else
        CHECK(smtp_client_tls_failed(s->client, "fuzz") ==
              (tls_client_policy(s->options.tls) == TLS_OPPORTUNISTIC));
}

static void go_on(struct session *s)
{
    if (smtp_client_wants_tls(s->client))
        shake_hands(s);
    if (s->wanted)
        give_body(s);
    while (smtp_client_is_ready(s->client) && s->sent < MESSAGES) {
        memset(s->told, 0, sizeof(s->told));
        s->open = true;
        s->body_at = 0;
        s->sent++;
        smtp_client_send(s->client, &s->message);
    }
    if (smtp_client_is_ready(s->client) && s->sent == MESSAGES)
        smtp_client_quit(s->client);
    struct str out = smtp_client_output(s->client);
    CHECK(out.len <= OUT_BOUND && smtp_client_timeout_ms(s->client) >= 0);
    buf_append_str(&s->said, out);
    smtp_client_output_taken(s->client, out.len);
}

static void end(struct session *s, uint8_t how)
{
    switch (how % 3) {
    case 0:
        smtp_client_lost(s->client, ERR_CLOSED);
        break;
    case 1:
        smtp_client_timeout(s->client);
        break;
    default:
        smtp_client_abort(s->client, "enough");
    }
}

/* Handshakes are made here, never by it: it needs no loop. */
static struct tls_client *make_tls(uint8_t flags)
{
    static const enum tls_policy policies[] = {TLS_NONE, TLS_OPPORTUNISTIC, TLS_PINNED, TLS_NONE};
    struct tls_client_options options = {.policy = policies[flags >> 6], .name = "mail.example.test"};
    struct tls_client *t = tls_client_new(NULL);
    CHECK(tls_client_set(t, &options, NULL) == 0);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct session s = {
        .options = {.flavour = data[0] & 1 ? SMTP_CLIENT_LMTP : SMTP_CLIENT_SMTP,
                    .hostname = "relay.example.test",
                    .peer_key = data[0] & 2 ? &key : NULL,
                    .node = "east1",
                    .peer = {PEER_MAILBOX, "mail1"},
                    .info = (enum smtp_client_info)(data[1] >> 6) % 3,
                    .tls = make_tls(data[0])},
        .message = {.reverse_path = STR("a@b.test"),
                    .recipients = recipients,
                    .recipient_count = RECIPIENTS,
                    .size_bytes = 22,
                    .client_ip = STR("192.0.2.1"),
                    .client_helo = STR("client.example.test"),
                    .eight_bit = data[0] & 4,
                    .smtputf8 = data[0] & 8,
                    .dsn = {DSN_RET_FULL, STR("QQ+2B1")},
                    .requests = requests,
                    .user = STR("alice@example.test")},
        .late = data[0] & 16,
        .tls_fails = data[1] & 32,
    };
    size_t piece = 1 + (data[1] & 31) * 3;
    s.message.custody_id = &s.id;
    buf_init(&s.said, 64 << 20);
    s.client = smtp_client_new(&s.options, &ops, &s, &nonce);
    for (size_t at = 2; at < size; at += piece) {
        smtp_client_input(s.client, (const char *)data + at, size - at < piece ? size - at : piece);
        go_on(&s);
    }
    end(&s, data[1] >> 5);
    CHECK(s.ended && s.done == s.sent && smtp_client_finished(s.client));
    CHECK(smtp_client_peer_proved(s.client) || !memmem(buf_data(&s.said), s.said.len, "XCUSTODY", 8));
    smtp_client_free(s.client);
    tls_client_free(s.options.tls);
    buf_fini(&s.said);
    return 0;
}
