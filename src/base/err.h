/* The one list of errors. A function that can fail returns 0 or one of these,
 * and leaves its outputs (`ret_x`) untouched on failure. The human's detail
 * goes to an `err_buf` that the caller gives. Errors are named by what they
 * mean to the caller; one file per protocol maps them to reply codes. */
#ifndef HOLDFAST_BASE_ERR_H
#define HOLDFAST_BASE_ERR_H

#include "base/check.h"

enum {
    ERR_INVALID = -1,      /* the caller's or the peer's value is not acceptable */
    ERR_SYNTAX = -2,       /* text does not follow its grammar */
    ERR_LIMIT = -3,        /* a bound (size, count, depth) would be exceeded */
    ERR_NOT_FOUND = -4,    /* the thing named does not exist */
    ERR_EXISTS = -5,       /* the thing named exists already */
    ERR_CONFLICT = -6,     /* a compare-and-set lost: the record changed meanwhile */
    ERR_FENCED = -7,       /* our epoch or lease is stale: stop, do not retry */
    ERR_FULL = -8,         /* no space on the device; may pass */
    ERR_IO = -9,           /* reading or writing failed */
    ERR_SYNC = -10,        /* a sync failed: nothing of that commit is durable, and it never will be */
    ERR_UNKNOWN = -11,     /* the outcome of a commit is not known (shared engines, until settled) */
    ERR_DEGRADED = -12,    /* the durability asked for cannot be had now */
    ERR_UNAVAILABLE = -13, /* the store or the peer cannot be reached now */
    ERR_TIMEOUT = -14,
    ERR_CLOSED = -15,  /* the other side, or we, closed it */
    ERR_REFUSED = -16, /* the peer refused */
    ERR_DENIED = -17,  /* not permitted, or wrong credentials */
    ERR_BUSY = -18,    /* in use: a port, a lock, a lease that another holds */
    ERR_VERSION = -19, /* made by a newer program; this one must not touch it */
    ERR_CORRUPT = -20, /* a checksum or structure does not hold */
    ERR_UNSUPPORTED = -21,
    ERR_CANCELLED = -22,
};

/* Detail for a human: what was tried, on what, and what to do. */
struct err_buf {
    char text[512];
};

/* Formats the detail (eb may be NULL) and returns code, so that callers can
 * write `return err_set(eb, ERR_BUSY, "...")`. */
int err_set(struct err_buf *eb, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A short stable name ("not-found") for logs and JSON; "ok" for 0. */
const char *err_name(int code);

/* The nearest of the codes above for an errno value. */
int err_from_errno(int errno_value);

#endif
