/* Questions to the public DNS, asked by the relay for mail that leaves the
 * network. A seam: resolver_unbound_new gives the real one, tests give theirs.
 *
 * Threads: the loop's. Nothing here survives a crash. */
#ifndef HOLDFAST_RESOLVER_RESOLVER_H
#define HOLDFAST_RESOLVER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "loop/loop.h"

#define RESOLVER_RECORDS_MAX 64  /* of one answer; more are left out */
#define RESOLVER_NAME_MAX    256 /* a host name as text, with NUL */

struct resolver;

enum resolver_type { RESOLVER_MX, RESOLVER_A, RESOLVER_AAAA };

enum resolver_status {
    RESOLVER_FOUND,
    RESOLVER_NO_DATA, /* the name is there, and has no such record */
    RESOLVER_NO_NAME, /* NXDOMAIN */
    RESOLVER_FAILED,  /* not known now: no answer, SERVFAIL, or an answer that does not validate */
};

struct resolver_mx {
    uint16_t preference;
    char host[RESOLVER_NAME_MAX]; /* lower case, without the final dot; "" is the root (RFC 7505) */
};

struct resolver_answer {
    enum resolver_status status;
    const char *detail; /* of RESOLVER_FAILED, for a human; else "" */
    const struct resolver_mx *mx;
    size_t mx_count;          /* an MX whose host is no host name is left out */
    const struct addr *addrs; /* port 0 */
    size_t addr_count;
};

struct resolver_question; /* under way */

/* What a resolver gives; each object begins with the struct of its name. */
struct resolver_ops {
    struct resolver_question *(*ask)(struct resolver *r, enum resolver_type type, const char *name,
                                     void (*on_answer)(void *arg, const struct resolver_answer *answer),
                                     void *arg);
    void (*cancel)(struct resolver_question *q);
    void (*free)(struct resolver *r);
};
struct resolver {
    const struct resolver_ops *ops;
};
struct resolver_question {
    const struct resolver_ops *ops;
};

/* on_answer fires once, not from inside this call, and the question is then
 * gone; answer is valid during the call. name: without the final dot. */
static inline struct resolver_question *
resolver_ask(struct resolver *r, enum resolver_type type, const char *name,
             void (*on_answer)(void *arg, const struct resolver_answer *answer), void *arg)
{
    return r->ops->ask(r, type, name, on_answer, arg);
}

/* No callback any more. NULL is allowed. */
static inline void resolver_cancel(struct resolver_question *q)
{
    if (q)
        q->ops->cancel(q);
}

/* All questions must have been answered or cancelled. NULL is allowed. */
static inline void resolver_free(struct resolver *r)
{
    if (r)
        r->ops->free(r);
}

struct resolver_options {
    const struct addr *forwarders; /* recursive servers that are asked; none: those of /etc/resolv.conf */
    size_t forwarder_count;
    const char *trust_anchor; /* a file with the root's DNSKEY or DS records: answers are validated; "": they
                                 are not */
};

/* libunbound on a real loop. ERR_NOT_FOUND, ERR_INVALID and the like: an option does not hold; eb says it. */
int resolver_unbound_new(struct loop *l, const struct resolver_options *options,
                         struct resolver **ret_resolver, struct err_buf *eb) MUST_USE;

#endif
