/* A blocking connection of lines: what the demo's clients (SMTP, IMAP, POP3)
 * speak over. It shares no code with the servers' side. Every wait is bounded by
 * a time, every line and block by a size. For one thread at a time. */
#ifndef HOLDFAST_CLI_DEMO_LINK_H
#define HOLDFAST_CLI_DEMO_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"

#define DEMO_LINK_WAIT_MS    5000 /* for the other side's next bytes: a commit or a login takes a fraction */
#define DEMO_LINK_LINE_MAX   (64u << 10)
#define DEMO_LINK_UNREAD_MAX (256u << 10)

struct demo_link {
    int fd; /* -1: closed */
    struct buf unread;
    size_t line_len; /* of the line handed out, to be dropped by the next call */
};

/* ERR_REFUSED (nobody listens), ERR_TIMEOUT, ERR_UNAVAILABLE; eb says the
 * address. To be closed after success only. */
int demo_link_open(struct demo_link *l, const struct addr *to, struct err_buf *eb) MUST_USE;
void demo_link_close(struct demo_link *l);

/* Sends all of it. ERR_CLOSED, ERR_TIMEOUT. */
int demo_link_send(struct demo_link *l, struct str data) MUST_USE;
int demo_link_sendf(struct demo_link *l, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;
/* The next line without its CRLF, valid until the next call. ERR_CLOSED,
 * ERR_TIMEOUT, ERR_LIMIT. */
int demo_link_line(struct demo_link *l, struct str *ret_line) MUST_USE;
/* Appends the next len bytes to out. As above; ERR_LIMIT: out is full. */
int demo_link_bytes(struct demo_link *l, size_t len, struct buf *out) MUST_USE;

/* What stands behind "instance=" in a greeting: "3@west1"; the epoch, or 0 when
 * it names none. */
int64_t demo_link_epoch(struct str greeting);

#endif
