/* Inside the PostgreSQL engine: which copies other sites have of what a server
 * has committed, and what that allows. Pure: what was seen, and when, is given.
 *
 * A copy counts when its standby is in another site than the server, replicates
 * synchronously and has flushed, and all others that replicate synchronously have
 * flushed as much: a failover of the database's own may go to any of these, and to
 * no other. */
#ifndef HOLDFAST_STORE_POSTGRES_COPIES_H
#define HOLDFAST_STORE_POSTGRES_COPIES_H

#include "base/time.h"
#include "store/store.h"

#define COPIES_WHY_MAX STORE_WHY_MAX

struct copies_standby {
    const char *name, *address; /* application_name, client_addr; "" when not told */
    bool synchronous;
    bool tells;       /* what it has flushed can be seen */
    uint64_t flushed; /* a position in the server's log */
};

struct copies_look {
    struct mono_time at;
    uint64_t written;   /* the server's own position */
    const char *server; /* its own address; "" or NULL: it has none, or does not tell */
    const struct copies_standby *standbys;
    size_t count;
};

/* The oldest write without a copy. */
struct copies_wait {
    uint64_t position;
    struct mono_time since;
};

struct copies {
    const struct store_durability *wanted;
    int primary;                    /* the site of the server; -1: in none that is known */
    char primary_name[64];          /* for `why` */
    enum store_copies state;        /* store/store.h */
    uint64_t flushed;               /* STORE_COPIES_FLOW: up to here another site has it */
    struct mono_time patient_until; /* copies flowed just now: what takes no custody waits, too */
    bool patient;                   /* ... still, at the last look */
    uint64_t behind;                /* it stood still: it flows again once this is flushed; 0: it did not */
    char why[COPIES_WHY_MAX];       /* what is missing, and what to do; or which sites are lost; else "" */
    /* At the last look, bits of sites; seen 0: not known. Whatever is recorded as lost: */
    unsigned seen;    /* where a database is connected, the primary's own among them */
    unsigned copying; /* of the others: where a standby replicates synchronously */
};

void copies_init(struct copies *c, const struct store_durability *wanted);
/* Connected to a server, which the URL and its address name so (NULLs are passed over). Nothing is known of
 * its copies yet. */
void copies_connected(struct copies *c, const char *const *names, size_t count);
/* lost: bits of sites. oldest may be NULL. */
void copies_see(struct copies *c, const struct copies_look *look, unsigned lost,
                const struct copies_wait *oldest);
/* The server does not say. */
void copies_blind(struct copies *c, const char *why);
/* The same for others. */
void copies_tell(const struct copies *c, struct store_copies_told *ret_told);
/* Whether a write that ends at `position` (0: not known yet) may be told of. */
bool copies_allow(const struct copies *c, uint64_t position, bool takes_custody);

#endif
