/* What the contract suite of the store stands on: a store device of one engine
 * with any number of processes (stores) on it, one real loop, and blocking calls
 * whose answers are copied. For tests only. */
#ifndef HOLDFAST_TESTS_STORE_RIG_H
#define HOLDFAST_TESTS_STORE_RIG_H

#include "unit/unit.h"

#include "base/arena.h"
#include "loop/loop.h"
#include "store/memory.h"
#include "store/store.h"

struct rig {
    enum store_engine_kind engine;
    struct loop *loop;
    struct store_memory *memory; /* the memory engine's device */
    char dir[128];               /* the SQLite engine's folder */
    char uri[128];               /* the PostgreSQL engine's database */
    void (*drop)(int database);  /* of that, at the test's end */
    int database;
    struct store_durability durability; /* of processes that are opened from now on */
    struct arena arena;                 /* the answers, until the test's end */
    struct str order_key;               /* of the acts that a test gives */
    struct str header_id;               /* the Message-ID of what it has accepted */
    struct str stopped;                 /* why that is in quarantine from the start; "": it is not */
    int turns;
    struct store *store;     /* the first process */
    struct store *stores[8]; /* all of them, for the teardown of a test that failed */
    struct network *network; /* its */
};

/* For cmocka: make and remove the rig of one test. */
int rig_setup_memory(void **state);
int rig_setup_sqlite(void **state);
int rig_setup_postgres(void **state); /* a database of the program's cluster (cluster.h) */
int rig_teardown(void **state);
/* The same for a folder that is there, and stays. */
struct rig *rig_on_folder(const char *dir);
/* For a database, which drop forgets once nobody is connected. */
struct rig *rig_on_database(const char *uri, void (*drop)(int database), int database);
void rig_free(struct rig *r);

/* Another process on the same device. */
struct store *rig_open(struct rig *r);
void rig_close(struct rig *r, struct store *s);

/* An answer: what a callback got. */
struct answer {
    struct rig *rig;
    bool done;
    int err;
    int64_t number, second, third, fourth;
    struct str text;
    void *items; /* a copy of the array, in the rig's arena */
    void *more_items;
    size_t count, more_count;
    bool more;
    struct queue *queue;
};

void rig_wait(struct rig *r, const bool *done);
/* Lets the loop run for some milliseconds; fails the test after too many. */
void rig_turn(struct rig *r);
#define RIG_UNTIL(r, cond)                                                                                   \
    while (!(cond))                                                                                          \
    rig_turn(r)
struct str rig_str(struct rig *r, struct str s);
void on_plain(void *arg, int err); /* arg: struct answer */

#define ASK(r, name) struct answer name = {.rig = (r)}

/* ---- network ---- */
int lease_take(struct network *n, struct rig *r, const char *name, const char *holder, int64_t token,
               int64_t ttl_ms, struct network_lease *ret);
int record_put(struct rig *r, struct network *n, const char *kind, const char *key, const char *value,
               int64_t expect_version, const struct network_lease *guard);
struct answer records(struct rig *r, struct network *n, const char *kind, const char *key);
/* One answer of a domain's server, with bounds that remove nothing. */
int recipient_put(struct rig *r, const char *domain, const char *address, bool known, int64_t at_ms);
/* NULL: nothing is remembered. */
const struct network_recipient *recipient(struct rig *r, const char *domain, const char *address);

/* ---- queue ---- */
struct queue *own(struct rig *r, struct store *s, const char *name, const char *owner, int64_t expect_epoch,
                  int *ret_err, int64_t *ret_epoch);
struct custody_id id_of(uint64_t number);
int accept_to(struct rig *r, struct queue *q, uint64_t id, struct str body, const char *sender,
              const struct queue_recipient_in *to, size_t count, int64_t *ret_message_id);
/* Accepts a message with one recipient for each of the NULL-terminated texts. */
int accept_body(struct rig *r, struct queue *q, uint64_t id, const char *body, size_t len, const char *sender,
                const char *const *recipients, int64_t *ret_message_id);
int accept_one(struct rig *r, struct queue *q, uint64_t id, const char *recipient);
struct answer due(struct rig *r, struct queue *q, const char *domain, const char *home, int64_t after_id,
                  size_t limit);
struct answer oldest(struct rig *r, struct queue *q, const char *domain, const char *home, size_t limit);
struct answer list_rows(struct rig *r, struct queue *q, const struct queue_filter *filter);
int settle_result(struct rig *r, struct queue *q, const struct queue_result *result);
int settle(struct rig *r, struct queue *q, int64_t delivery_id, enum queue_outcome outcome,
           int64_t next_at_ms);
int act(struct rig *r, struct queue *q, const struct queue_filter *filter, enum queue_action action,
        const char *home, uint64_t *ret_changed);
/* items: struct queue_notice. */
struct answer notices(struct rig *r, struct queue *q, size_t limit);
int notices_drop(struct rig *r, struct queue *q, int64_t up_to_id);
struct answer summary(struct rig *r, struct queue *q);
/* The whole body; err is of the first read that failed. */
struct answer read_body(struct rig *r, struct body_reader *reader);
/* Writes len bytes of a pattern, as fast as the writer has room. */
struct body_writer *write_pattern(struct rig *r, struct body_writer *w, size_t len);
bool pattern_holds(struct str data);

/* ---- mail ---- */
struct mail *begin_mail(struct rig *r, struct store *s, const char *server, int64_t epoch, int *ret_err);
/* custody 0: none. */
int deliver(struct rig *r, struct mail *m, uint64_t custody, const char *body, const char *const *users);
struct mail_mailbox mailbox(struct rig *r, struct mail *m, const char *user, const char *name, int *ret_err);
struct answer changes(struct rig *r, struct mail *m, int64_t mailbox_id, uint64_t since,
                      struct mail_messages *ret);

/* ---- the suites ---- */
#define RIG_TESTS_MAX 256
struct rig_test {
    const char *name;
    void (*run)(void **state);
};
extern const struct rig_test network_tests[], recipient_tests[], queue_tests[], find_tests[], kept_tests[],
    replay_tests[], past_tests[], report_tests[], body_tests[], mail_tests[],
    together_tests[]; /* end with name NULL */

/* Runs them all for an engine, and its own (extra); the number of failures. */
int rig_run(const char *engine, int (*setup)(void **state), const struct rig_test *extra);

#endif
