/* What a probe says to a server and what it wants to hear: the greeting and one
 * harmless command, then a goodbye. Pure: bytes in, bytes to send and a verdict
 * out. For the probe and its tests.
 *
 *   SMTP, LMTP  220 greeting, EHLO (LHLO) answered 250, QUIT    RFC 5321 3.1, RFC 2033 4.1
 *               before QUIT, where TLS is wanted: STARTTLS answered 220, EHLO again    RFC 3207
 *   IMAP        * OK or * PREAUTH, CAPABILITY, LOGOUT           RFC 3501 6.1
 *   POP3        +OK, QUIT answered +OK                          RFC 1939 4
 *
 * No mail transaction is begun. What the server sends is bounded; text beyond a
 * line's bound is passed over. An answer that comes in one piece with what comes
 * before its question is a failure (but in IMAP, where a server may speak at any
 * time): somebody puts words into the session. */
#ifndef HOLDFAST_HEALTH_DIALOGUE_H
#define HOLDFAST_HEALTH_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "wire/smtp_offers.h"

#define DIALOGUE_LINE_MAX   1024 /* twice RFC 5321 4.5.3.1.5; CAPABILITY lines are longer than SMTP's */
#define DIALOGUE_TOTAL_MAX  (16 * 1024) /* an EHLO answer has a few hundred bytes */
#define DIALOGUE_DETAIL_MAX 192

enum dialogue_kind { DIALOGUE_SMTP, DIALOGUE_LMTP, DIALOGUE_IMAP, DIALOGUE_POP3 };
/* HANDSHAKE: the caller makes it, then dialogue_tls_started. */
enum dialogue_verdict { DIALOGUE_MORE, DIALOGUE_HANDSHAKE, DIALOGUE_OK, DIALOGUE_FAILED };
/* IF_OFFERED: and the server works also where it refuses. */
enum dialogue_tls { DIALOGUE_TLS_NEVER, DIALOGUE_TLS_IF_OFFERED, DIALOGUE_TLS_REQUIRED };

struct dialogue {
    enum dialogue_kind kind;
    enum { DIALOGUE_GREETING, DIALOGUE_COMMAND, DIALOGUE_STARTTLS } step;
    enum dialogue_tls tls; /* of SMTP and LMTP */
    bool tls_offered;
    const char *helo;   /* our name in EHLO; not owned */
    const char *expect; /* text that some line must contain, or ""; not owned */
    bool expect_seen;
    struct smtp_offers offers; /* of SMTP and LMTP, after DIALOGUE_OK */
    size_t total_bytes;
    size_t line_len;
    char line[DIALOGUE_LINE_MAX];
    char detail[DIALOGUE_DETAIL_MAX]; /* after a verdict: the greeting's first line, or what was wrong; raw */
};

/* helo and expect (NULL is "") must outlive d. */
void dialogue_init(struct dialogue *d, enum dialogue_kind kind, enum dialogue_tls tls, const char *helo,
                   const char *expect);
/* After HANDSHAKE: what was offered in plain text is forgotten (RFC 3207 4.2). Appends EHLO to out. */
void dialogue_tls_started(struct dialogue *d, struct buf *out);
/* Takes what the server sent and appends to out what to send now (with OK: the
 * goodbye). After OK or FAILED it must not be fed again, after HANDSHAKE not in plain text. */
enum dialogue_verdict dialogue_feed(struct dialogue *d, const char *data, size_t len, struct buf *out);
/* What the server still owed, for a timeout's or a lost connection's text. */
const char *dialogue_waiting_for(const struct dialogue *d);

#endif
