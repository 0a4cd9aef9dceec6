/* The storage device that relays and messaging servers share: opens the engine
 * that the configuration names and gives the three contracts (network.h,
 * queue.h, mail.h). One store per process; threads of its own inside.
 *
 * SQLite: network.db, mail.db and queue-NAME.db in the store's folder, each
 * with one committer thread (group commit) and one reader thread per process
 * that uses it. PostgreSQL: a database that machines of several sites reach; a
 * schema of it for each part. memory: for the simulator and unit tests
 * (store/memory.h). */
#ifndef HOLDFAST_STORE_STORE_H
#define HOLDFAST_STORE_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "loop/loop.h"
#include "store/copies.h"
#include "store/mail.h"
#include "store/network.h"
#include "store/queue.h"

struct store;

enum store_engine_kind { STORE_ENGINE_SQLITE, STORE_ENGINE_POSTGRES, STORE_ENGINE_MEMORY };

/* A site with databases; each of their names as config/config.h has it. */
struct store_site {
    const char *name;
    const char *const *databases;
    size_t database_count;
};

/* PostgreSQL: what success of a write means. */
struct store_durability {
    bool replicated;            /* a database in another site than the primary's has flushed it, too */
    bool accept_degraded;       /* mail is taken without that, else ERR_DEGRADED */
    int64_t standby_timeout_ms; /* of a copy that stands still */
    struct store_site sites[STORE_SITES_MAX];
    size_t site_count;
};

/* A store that is silent is tried again and again by each process: who lives has reached it so long after it
 * has answered another one, also over a connection that broke without a word (store/postgres/pg.h). */
#define STORE_RETURN_MS 10000

struct store_options {
    enum store_engine_kind engine;
    const char *path;            /* SQLite: the folder, made when missing (mode 0700); PostgreSQL: the URI */
    const char *password_file;   /* PostgreSQL: its first line is the password; NULL: none is needed */
    struct store_memory *memory; /* memory: the device that the processes share */
    bool read_only;              /* the CLI looking; nothing is made */
    bool may_be_away;            /* PostgreSQL: opened also when no server lets us in, which is tried on */
    struct store_durability durability; /* its texts outlive the store */
};

/* Opens and, where needed, migrates the network part; mail and queues are
 * opened at their first use. ERR_VERSION: made by a newer program. ERR_DENIED:
 * folder not writable. eb says what was tried and what to do. */
int store_open(struct loop *l, const struct store_options *options, struct store **ret_store,
               struct err_buf *eb) MUST_USE;
/* Waits for commits under way; no callback fires after. Queues must be closed. */
void store_close(struct store *s);

/* The network part cannot be reached now: what is asked of it fails with ERR_UNAVAILABLE. */
bool store_is_away(const struct store *s);

struct network *store_network(struct store *s);

/* Which sites are recorded as lost: no copies are waited for that could be there only. By name; replaces what
 * was told before. */
void store_set_lost_sites(struct store *s, const struct str *sites, size_t count);

/* The mail part, opened at the first call. */
int store_mail(struct store *s, struct mail **ret_mail, struct err_buf *eb) MUST_USE;

/* Opens queue `name` as its owner with the next epoch, taken by compare-and-set
 * from expect_epoch (the epoch in the queue's record; 0: a new queue). owner is
 * the node's name. After that every older owner is fenced. ERR_CONFLICT: the
 * epoch is another one: *current_epoch tells. */
struct store_op *store_queue_own(struct store *s, struct str name, struct str owner, int64_t expect_epoch,
                                 void (*on_own)(void *arg, int err, struct queue *q, int64_t current_epoch),
                                 void *arg);
/* Why the last store_queue_own failed that has answered: what was tried, on what, and what to do; "" when
 * there is no more to say than its error. Valid until the next one answers. */
const char *store_queue_own_detail(const struct store *s);
/* Opens it for reading. ERR_NOT_FOUND. */
int store_queue_read(struct store *s, struct str name, struct queue **ret_queue, struct err_buf *eb) MUST_USE;

/* What `holdfast store status` shows, as one JSON object for free(). */
char *store_status_json(struct store *s);

#endif
