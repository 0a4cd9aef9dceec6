#include "relay/directory_copy.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

#define KIND STR("user")

struct directory_copy {
    struct network *spool;
    struct recipients *recipients;
    struct store_op *op;
    struct loop_timer *timer;
    bool read;   /* kept is as the spool has it */
    bool wanted; /* directory_copy_use */
    bool behind; /* a directory came, of which not all was compared yet: */
    bool compares_kept;
    const struct map_entry *next;                      /* of the directory; then of kept */
    struct map kept;                                   /* address -> &mark */
    struct network_change changes[COPY_USERS_AT_ONCE]; /* of the write under way; keys are ours */
    size_t count;
    bool failed; /* as was logged */
};

static char mark; /* what a set's keys map to */

static void step(struct directory_copy *c);

static void note_failure(struct directory_copy *c, int err)
{
    if (!c->failed)
        log_event(
            LOG_WARNING, "the spool does not keep whom this relay knows", LOG_TEXT("error", err_name(err)),
            LOG_TEXT("todo", "see to the disk of its state folder: a start without the store would take "
                             "no mail for who came since; it is tried again by itself"));
    c->failed = true;
    loop_timer_start(c->timer, COPY_RETRY_MS);
}

/* ---- writing ---- */

static void add_change(struct directory_copy *c, bool put, struct str address)
{
    c->changes[c->count++] = (struct network_change){.type = put ? NETWORK_PUT : NETWORK_DELETE,
                                                     .kind = KIND,
                                                     .key = str_from(str_dup(address)),
                                                     .value = STR("{}"),
                                                     .expect_version = NETWORK_ANY_VERSION};
}

/* Those of c->next and after that `other` does not have. */
static void compare(struct directory_copy *c, const struct map *other, bool put)
{
    for (; c->next && c->count < COPY_USERS_AT_ONCE; c->next = c->next->next)
        if (!map_find(other, c->next->key))
            add_change(c, put, c->next->key);
}

/* Who came first, then who went. */
static void gather(struct directory_copy *c)
{
    if (!c->compares_kept) {
        compare(c, &c->kept, true);
        if (c->count > 0)
            return;
        c->compares_kept = true;
        c->next = c->kept.first;
    }
    compare(c, &c->recipients->directory, false);
}

static void end_write(struct directory_copy *c, bool done)
{
    for (size_t i = 0; i < c->count; i++) {
        struct network_change *change = &c->changes[i];
        if (done && change->type == NETWORK_PUT)
            map_set(&c->kept, change->key, &mark);
        else if (done)
            map_remove(&c->kept, change->key);
        free((void *)(uintptr_t)change->key.ptr);
    }
    c->count = 0;
}

static void on_written(void *arg, int err, size_t failed)
{
    struct directory_copy *c = arg;
    (void)failed;
    c->op = NULL;
    end_write(c, err == 0);
    if (err != 0) {
        note_failure(c, err);
        return;
    }
    c->failed = false;
    step(c);
}

static void step(struct directory_copy *c)
{
    if (!c->read || !c->behind || c->op)
        return;
    gather(c);
    c->behind = c->count > 0;
    if (c->behind)
        c->op = network_write(c->spool, c->changes, c->count, NULL, on_written, c);
}

void directory_copy_update(struct directory_copy *c)
{
    c->behind = true;
    c->compares_kept = false;
    c->next = c->recipients->directory.first;
    step(c);
}

/* ---- reading ---- */

static void fill_directory(struct directory_copy *c)
{
    if (!c->read || !c->wanted || c->recipients->directory_known || c->kept.len == 0)
        return;
    recipients_directory_begin(c->recipients);
    for (const struct map_entry *e = c->kept.first; e; e = e->next)
        recipients_directory_add(c->recipients, e->key);
    recipients_directory_end(c->recipients);
    log_event(LOG_INFO, "known are, until the store answers, those of its last answer",
              LOG_I64("users", (int64_t)c->kept.len));
}

void directory_copy_use(struct directory_copy *c)
{
    c->wanted = true;
    fill_directory(c);
}

static void on_read(void *arg, int err, const struct network_record *records, size_t count)
{
    struct directory_copy *c = arg;
    c->op = NULL;
    if (err != 0) {
        note_failure(c, err);
        return;
    }
    for (size_t i = 0; i < count; i++)
        map_set(&c->kept, records[i].key, &mark);
    c->read = true;
    c->failed = false;
    fill_directory(c);
    step(c);
}

/* ---- life ---- */

static void try_again(void *arg)
{
    struct directory_copy *c = arg;
    if (!c->read)
        c->op = network_read(c->spool, KIND, (struct str){NULL, 0}, on_read, c);
    else if (c->behind && !c->op)
        directory_copy_update(c);
}

struct directory_copy *directory_copy_new(struct loop *l, struct network *spool, struct recipients *r)
{
    struct directory_copy *c = mem_zalloc(sizeof(*c));
    c->spool = spool;
    c->recipients = r;
    map_init(&c->kept);
    c->timer = loop_timer_new(l, try_again, c);
    try_again(c);
    return c;
}

void directory_copy_free(struct directory_copy *c)
{
    if (!c)
        return;
    if (c->op)
        store_op_forget(c->op);
    end_write(c, false);
    loop_timer_free(c->timer);
    map_fini(&c->kept);
    free(c);
}
