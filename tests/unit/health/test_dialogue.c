#include "unit/unit.h"

#include "health/dialogue.h"

/* What the server says, what the probe says to it in all, and how it ends. */
struct row {
    const char *name;
    enum dialogue_kind kind;
    const char *expect;
    const char *server;
    const char *probe;
    enum dialogue_verdict verdict;
    const char *detail;
    enum dialogue_tls tls;
};

#define PLAIN_PART "220 m\r\n250-m\r\n250 STARTTLS\r\n"

static const struct row rows[] = {
    {"SMTP works", DIALOGUE_SMTP, "", "220 mail1 ESMTP\r\n250-mail1\r\n250 SIZE\r\n", "EHLO dns1\r\nQUIT\r\n",
     DIALOGUE_OK, "220 mail1 ESMTP"},
    {"SMTP greeting of several lines", DIALOGUE_SMTP, "", "220-mail1\r\n220 ESMTP\r\n250 mail1\r\n",
     "EHLO dns1\r\nQUIT\r\n", DIALOGUE_OK, "220-mail1"},
    {"SMTP lines may end in LF alone", DIALOGUE_SMTP, "", "220 mail1\n250 mail1\n", "EHLO dns1\r\nQUIT\r\n",
     DIALOGUE_OK, "220 mail1"},
    {"SMTP greeting 421", DIALOGUE_SMTP, "", "421 4.3.2 shutting down\r\n", "", DIALOGUE_FAILED,
     "greeting: 421 4.3.2 shutting down"},
    {"SMTP greeting 554", DIALOGUE_SMTP, "", "554 go away\r\n", "", DIALOGUE_FAILED, "greeting: 554 go away"},
    {"SMTP EHLO refused", DIALOGUE_SMTP, "", "220 mail1\r\n451 no store\r\n", "EHLO dns1\r\n",
     DIALOGUE_FAILED, "the answer to EHLO: 451 no store"},
    {"SMTP no reply at all", DIALOGUE_SMTP, "", "HTTP/1.1 400\r\n", "", DIALOGUE_FAILED,
     "not an SMTP reply: HTTP/1.1 400"},
    {"SMTP greeting under way", DIALOGUE_SMTP, "", "220-mail1\r\n220 mai", "", DIALOGUE_MORE, "220-mail1"},
    {"SMTP expected text in the EHLO answer", DIALOGUE_SMTP, "epoch=7",
     "220 m\r\n250-m\r\n250-XHOLDFAST epoch=7\r\n250 8BITMIME\r\n", "EHLO dns1\r\nQUIT\r\n", DIALOGUE_OK,
     "220 m"},
    {"SMTP another instance", DIALOGUE_SMTP, "epoch=7", "220 m epoch=6\r\n250 m\r\n", "EHLO dns1\r\n",
     DIALOGUE_FAILED, "another instance answers, this text was not seen: epoch=7"},
    {"TLS where it is required", DIALOGUE_SMTP, "", PLAIN_PART "220 go on\r\n250-m\r\n250 SIZE 9\r\n",
     "EHLO dns1\r\nSTARTTLS\r\n(TLS)EHLO dns1\r\nQUIT\r\n", DIALOGUE_OK, "220 m", DIALOGUE_TLS_REQUIRED},
    {"TLS where it is offered", DIALOGUE_LMTP, "", PLAIN_PART "220 go on\r\n250 m\r\n",
     "LHLO dns1\r\nSTARTTLS\r\n(TLS)LHLO dns1\r\nQUIT\r\n", DIALOGUE_OK, "220 m", DIALOGUE_TLS_IF_OFFERED},
    {"no TLS where it is not wanted", DIALOGUE_SMTP, "", PLAIN_PART, "EHLO dns1\r\nQUIT\r\n", DIALOGUE_OK,
     "220 m", DIALOGUE_TLS_NEVER},
    {"TLS is not offered, and required", DIALOGUE_SMTP, "", "220 m\r\n250-m\r\n250 SIZE\r\n", "EHLO dns1\r\n",
     DIALOGUE_FAILED, "the server does not offer STARTTLS, which is required", DIALOGUE_TLS_REQUIRED},
    {"TLS is not offered, and would be used", DIALOGUE_SMTP, "", "220 m\r\n250 m\r\n",
     "EHLO dns1\r\nQUIT\r\n", DIALOGUE_OK, "220 m", DIALOGUE_TLS_IF_OFFERED},
    {"STARTTLS refused, and required", DIALOGUE_SMTP, "", PLAIN_PART "454 not now\r\n",
     "EHLO dns1\r\nSTARTTLS\r\n", DIALOGUE_FAILED, "the answer to STARTTLS: 454 not now",
     DIALOGUE_TLS_REQUIRED},
    {"STARTTLS refused, and would be used", DIALOGUE_SMTP, "", PLAIN_PART "454 not now\r\n",
     "EHLO dns1\r\nSTARTTLS\r\nQUIT\r\n", DIALOGUE_OK, "220 m", DIALOGUE_TLS_IF_OFFERED},
    {"LMTP works", DIALOGUE_LMTP, "", "220 mail1\r\n250 mail1\r\n", "LHLO dns1\r\nQUIT\r\n", DIALOGUE_OK,
     "220 mail1"},
    {"IMAP works", DIALOGUE_IMAP, "", "* OK ready\r\n* CAPABILITY IMAP4rev1\r\np1 OK done\r\n",
     "p1 CAPABILITY\r\np2 LOGOUT\r\n", DIALOGUE_OK, "* OK ready"},
    {"IMAP preauth", DIALOGUE_IMAP, "", "* PREAUTH hello\r\np1 OK\r\n", "p1 CAPABILITY\r\np2 LOGOUT\r\n",
     DIALOGUE_OK, "* PREAUTH hello"},
    {"IMAP bye at once", DIALOGUE_IMAP, "", "* BYE full\r\n", "", DIALOGUE_FAILED, "greeting: * BYE full"},
    {"IMAP bye later", DIALOGUE_IMAP, "", "* OK\r\n* BYE store lost\r\n", "p1 CAPABILITY\r\n",
     DIALOGUE_FAILED, "the answer to CAPABILITY: * BYE store lost"},
    {"IMAP command refused", DIALOGUE_IMAP, "", "* OK\r\np1 NO not now\r\n", "p1 CAPABILITY\r\n",
     DIALOGUE_FAILED, "the answer to CAPABILITY: p1 NO not now"},
    {"IMAP expected text in CAPABILITY", DIALOGUE_IMAP, "XEPOCH=7",
     "* OK\r\n* CAPABILITY XEPOCH=7\r\np1 OK\r\n", "p1 CAPABILITY\r\np2 LOGOUT\r\n", DIALOGUE_OK, "* OK"},
    {"IMAP OK is a whole word", DIALOGUE_IMAP, "", "* OKAY\r\n", "", DIALOGUE_FAILED, "greeting: * OKAY"},
    {"POP3 works", DIALOGUE_POP3, "", "+OK ready\r\n+OK bye\r\n", "QUIT\r\n", DIALOGUE_OK, "+OK ready"},
    {"POP3 refuses", DIALOGUE_POP3, "", "-ERR in use\r\n", "", DIALOGUE_FAILED, "greeting: -ERR in use"},
};

/* Of the text that a server sends now: it waits for its turn. */
static size_t piece_len(const char *text, size_t step)
{
    const char *lf = strchr(text, '\n');
    size_t len = lf ? (size_t)(lf + 1 - text) : strlen(text);
    return len < step ? len : step;
}

/* In pieces of `step` bytes: where the network cuts must not matter. */
static void play_in_steps(const struct row *r, size_t step)
{
    struct dialogue d;
    struct buf out;
    enum dialogue_verdict verdict = DIALOGUE_MORE;
    dialogue_init(&d, r->kind, r->tls, "dns1", r->expect);
    buf_init(&out, 1024);
    for (const char *at = r->server; *at && verdict == DIALOGUE_MORE; at += piece_len(at, step)) {
        verdict = dialogue_feed(&d, at, piece_len(at, step), &out);
        if (verdict == DIALOGUE_HANDSHAKE) {
            buf_append_text(&out, "(TLS)");
            dialogue_tls_started(&d, &out);
            verdict = DIALOGUE_MORE;
        }
    }
    assert_int_equal(verdict, r->verdict);
    assert_str(buf_str(&out), r->probe);
    assert_string_equal(d.detail, r->detail);
    buf_fini(&out);
}

static void play(void **state)
{
    const struct row *r = *state;
    play_in_steps(r, 1);
    play_in_steps(r, 7);
    play_in_steps(r, 10000);
}

static enum dialogue_verdict flood(const char *piece, size_t *ret_bytes)
{
    struct dialogue d;
    struct buf out;
    enum dialogue_verdict verdict = DIALOGUE_MORE;
    dialogue_init(&d, DIALOGUE_SMTP, DIALOGUE_TLS_NEVER, "dns1", "");
    buf_init(&out, 1024);
    for (*ret_bytes = 0; verdict == DIALOGUE_MORE && *ret_bytes < 1000000; *ret_bytes += strlen(piece))
        verdict = dialogue_feed(&d, piece, strlen(piece), &out);
    buf_fini(&out);
    return verdict;
}

static void endless_replies_are_cut_off(void **state)
{
    (void)state;
    size_t bytes;
    assert_int_equal(flood("220-more\r\n", &bytes), DIALOGUE_FAILED);
    assert_in_range(bytes, DIALOGUE_TOTAL_MAX, DIALOGUE_TOTAL_MAX + 10);
    assert_int_equal(flood("220-one endless line", &bytes), DIALOGUE_FAILED);
    assert_in_range(bytes, DIALOGUE_TOTAL_MAX, DIALOGUE_TOTAL_MAX + 20);
}

/* What comes before its question was put there by somebody, and behind STARTTLS' answer it would count as
 * said under TLS. */
static void answers_before_their_questions_fail(void **state)
{
    static const struct {
        enum dialogue_kind kind;
        const char *turns[4], *fails;
    } cases[] = {
        {DIALOGUE_SMTP, {NULL}, "220 m\r\n250 m\r\n"},
        {DIALOGUE_LMTP, {NULL}, "220 m\r\n2"},
        {DIALOGUE_POP3, {NULL}, "+OK\r\n+OK\r\n"},
        {DIALOGUE_SMTP, {"220 m\r\n"}, "250 STARTTLS\r\n220 go on\r\n"},
        {DIALOGUE_SMTP, {"220 m\r\n", "250 STARTTLS\r\n"}, "220 go on\r\n250 m\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue d;
        struct buf out;
        dialogue_init(&d, cases[i].kind, DIALOGUE_TLS_REQUIRED, "dns1", "");
        buf_init(&out, 1024);
        for (const char *const *turn = cases[i].turns; *turn; turn++)
            assert_int_equal(dialogue_feed(&d, *turn, strlen(*turn), &out), DIALOGUE_MORE);
        assert_int_equal(dialogue_feed(&d, cases[i].fails, strlen(cases[i].fails), &out), DIALOGUE_FAILED);
        assert_string_equal(d.detail, "the server answers what it was not asked yet");
        buf_fini(&out);
    }
}

static void only_what_is_said_under_tls_counts_as_that(void **state)
{
    static const char *const turns[] = {"220 m\r\n", "250-SMTPUTF8\r\n250-SIZE 1\r\n250 STARTTLS\r\n",
                                        "220 go on\r\n", "250 SIZE 5000\r\n"};
    struct dialogue d;
    struct buf out;
    (void)state;
    dialogue_init(&d, DIALOGUE_SMTP, DIALOGUE_TLS_REQUIRED, "dns1", "");
    buf_init(&out, 1024);
    for (size_t i = 0; i < ARRAY_LEN(turns); i++)
        if (dialogue_feed(&d, turns[i], strlen(turns[i]), &out) == DIALOGUE_HANDSHAKE)
            dialogue_tls_started(&d, &out);
    assert_true(d.offers.known && d.offers.tls && !d.offers.smtputf8);
    assert_int_equal(d.offers.size_max_bytes, 5000);
    buf_fini(&out);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(rows) + 3] = {
        cmocka_unit_test(endless_replies_are_cut_off), cmocka_unit_test(answers_before_their_questions_fail),
        cmocka_unit_test(only_what_is_said_under_tls_counts_as_that)};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tests[3 + i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = play, .initial_state = (void *)(uintptr_t)&rows[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
