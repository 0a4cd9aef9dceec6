/* A server session under any bytes. The first byte chooses the flavour and what
 * is offered, the second how the bytes are cut and when the owner answers. */
#include <stdint.h>
#include <string.h>

#include "dialogue/smtp_owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TLS_FLAG 128

static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
static const struct peer_nonce nonce = {"server nonce 16"};

/* What was said to the client in a session: at most this much of it waits at once. */
#define OUT_BOUND (SMTP_SERVER_OUT_HIGH + OWNER_RECIPIENTS_MAX * 600)

struct session {
    struct smtp_server_options options;
    struct smtp_owner owner;
    struct smtp_server *server;
    struct buf said;
};

static void take_output(struct session *s)
{
    struct str out;
    while ((out = smtp_server_output(s->server)).len > 0) {
        CHECK(out.len <= OUT_BOUND);
        CHECK(buf_append_str(&s->said, out) == 0);
        smtp_server_output_taken(s->server, out.len);
    }
}

/* The handshake is done at once; what a piece then holds counts as sent under TLS. */
static bool tick(struct session *s)
{
    if (!smtp_server_wants_tls(s->server))
        return smtp_owner_tick(&s->owner);
    smtp_server_tls_started(s->server, STR("TLSv1.3 SOME_CIPHER"), STR_EMPTY);
    return true;
}

static void feed(struct session *s, const char *data, size_t len)
{
    while (!smtp_server_wants_input(s->server) && !smtp_server_finished(s->server)) {
        take_output(s);
        if (smtp_server_wants_input(s->server))
            break;
        CHECK(tick(s) || smtp_server_finished(s->server));
    }
    if (!smtp_server_finished(s->server))
        smtp_server_input(s->server, data, len);
}

static void play(struct session *s, uint8_t flags, struct str stream, size_t piece, uint32_t random)
{
    *s = (struct session){.options = {
                              .flavour = (enum smtp_flavour)(flags & 3) % 3,
                              .hostname = "mail.example.test",
                              .size_max_bytes = flags & 4 ? 100 : 0,
                              .recipients_max = 5,
                              .smtputf8 = flags & 8,
                              .dsn = flags & 8,
                              .auth_mechanisms = flags & 16 ? "PLAIN LOGIN" : NULL,
                              .auth_needs_tls = flags & TLS_FLAG,
                              .peer_key = flags & 32 ? &key : NULL,
                              .peer = {PEER_MAILBOX, "mail1"},
                          }};
    buf_init(&s->said, 64 << 20);
    smtp_owner_init(&s->owner, random);
    s->owner.greeting = flags & 64 ? 554 : 0;
    s->server = s->owner.server = smtp_server_new(&s->options, &smtp_owner_ops, &s->owner, &nonce);
    if (flags & TLS_FLAG)
        smtp_server_offer_tls(s->server);
    if (flags & 32)
        smtp_server_offer_xclient(s->server);
    smtp_server_start(s->server);
    for (size_t at = 0; at < stream.len; at += piece)
        feed(s, stream.ptr + at, stream.len - at < piece ? stream.len - at : piece);
    do
        take_output(s);
    while (tick(s));
    take_output(s);
}

static size_t count(struct str s, struct str part)
{
    size_t found = 0;
    for (size_t at = 0; at + part.len <= s.len; at++)
        found += memcmp(s.ptr + at, part.ptr, part.len) == 0;
    return found;
}

/* Well-formed lines of well-formed replies; how many replies. */
/* Ends of messages by BDAT: LAST, in any case. */
static size_t count_last(struct str stream)
{
    size_t found = 0;
    for (size_t i = 0; i + 4 <= stream.len; i++)
        found += str_ieq(str_sub(stream, i, 4), STR("LAST"));
    return found;
}

static size_t count_replies(struct str said)
{
    struct str line;
    size_t replies = 0;
    while (said.len > 0) {
        size_t end = str_find(said, '\n', 0);
        CHECK(end != SIZE_MAX && end > 3 && end < 512 && said.ptr[end - 1] == '\r');
        line = str_sub(said, 0, end - 1);
        said = str_sub(said, end + 1, said.len);
        for (size_t i = 0; i < line.len; i++)
            CHECK(ascii_isprint(line.ptr[i]));
        CHECK(line.ptr[0] >= '2' && line.ptr[0] <= '5' && ascii_isdigit(line.ptr[1]) &&
              ascii_isdigit(line.ptr[2]));
        CHECK(line.ptr[3] == ' ' || line.ptr[3] == '-');
        replies += line.ptr[3] == ' ';
    }
    return replies;
}

static void finish(struct session *s)
{
    smtp_server_free(s->server);
    smtp_owner_fini(&s->owner);
    buf_fini(&s->said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session whole, cut;
    if (size < 2)
        return 0;
    struct str stream = {(const char *)data + 2, size - 2};
    play(&whole, data[0], stream, stream.len + 1, 0);
    play(&cut, data[0], stream, 1 + data[1] % 16, 1 + data[1]);

    /* Neither the cuts nor the owner's haste change what is said; but what comes together with STARTTLS does.
     */
    if (!(data[0] & TLS_FLAG)) {
        CHECK(str_eq(buf_str(&whole.said), buf_str(&cut.said)));
        CHECK(whole.owner.messages == cut.owner.messages);
    }
    /* One reply for the greeting and each line, in LMTP one more for each recipient; and an end for each
     * message. */
    CHECK(count_replies(buf_str(&whole.said)) <= 1 + count(stream, STR("\r\n")) + whole.owner.accepted);
    CHECK(whole.owner.messages <= count(stream, STR("\r\n.\r\n")) + count_last(stream));
    finish(&whole);
    finish(&cut);
    return 0;
}
