#include "store/postgres/part.h"

#include <string.h>

#include "base/mem.h"
#include "store/postgres/tables.h"

#define NAME_MAX_BYTES 63 /* of the server's names */

/* ---- the port ---- */

static struct part *part_of(struct port *port)
{
    return CONTAINER_OF(port, struct part, port);
}

static int health(struct port *port)
{
    struct part *p = part_of(port);
    if (p->mode == PORT_READ)
        return ERR_DENIED;
    int sick = atomic_load(&p->sick);
    if (sick != 0)
        return sick;
    if (atomic_load(&p->fenced))
        return ERR_FENCED;
    if (atomic_load(&p->full))
        return ERR_FULL;
    return atomic_load(&p->degraded) ? ERR_DEGRADED : 0;
}

static int refusal(struct part *p, const struct store_op *op)
{
    if (!(op->type->flags & OP_WRITE))
        return 0;
    if (p->mode == PORT_READ)
        return ERR_DENIED;
    int sick = atomic_load(&p->sick);
    return sick == 0 && op_takes_custody(op) && atomic_load(&p->degraded) ? ERR_DEGRADED : sick;
}

static void submit(struct port *port, struct store_op *op)
{
    struct part *p = part_of(port);
    int refused = refusal(p, op);
    if (refused == 0) {
        work_give(&p->work, op);
    } else {
        port_complete(port, op, refused);
        port_drain_soon(port, 0);
    }
}

static void watch(struct port *port, bool on)
{
    work_watch(&part_of(port)->work, on);
}

static void status_of_copies(struct part *p, json_t *into)
{
    pthread_mutex_lock(&p->copies_mutex);
    json_object_set_new(into, "durability", json_string(store_copies_name(p->copies.state)));
    if (p->copies.why[0])
        json_object_set_new(into, "durability_detail", json_string(p->copies.why));
    pthread_mutex_unlock(&p->copies_mutex);
}

static void copies(struct port *port, struct store_copies_told *ret_told)
{
    struct part *p = part_of(port);
    pthread_mutex_lock(&p->copies_mutex);
    *ret_told = p->copies;
    pthread_mutex_unlock(&p->copies_mutex);
    if (atomic_load(&p->sick) == ERR_UNAVAILABLE) /* that is of before */
        ret_told->seen[0] = ret_told->copying[0] = '\0';
}

static void status(struct port *port, json_t *into)
{
    struct part *p = part_of(port);
    if (p->mode == PORT_WRITE)
        status_of_copies(p, into);
    json_object_set_new(into, "schema", json_string(p->name));
    json_object_set_new(into, "health", json_string(p->mode == PORT_READ ? "ok" : err_name(health(port))));
    json_object_set_new(into, "schema_version", json_integer(p->r.pg.options.schema->version));
}

static void close_port(struct port *port)
{
    struct part *p = part_of(port);
    atomic_store(&p->stop, true);
    work_stop(&p->work);
    port_fini(port);
}

static const struct port_ops port_ops = {.submit = submit,
                                         .health = health,
                                         .watch = watch,
                                         .status = status,
                                         .copies = copies,
                                         .close = close_port};

/* ---- life ---- */

static const struct pg_schema *schema_of(enum part_kind kind)
{
    switch (kind) {
    case PART_NETWORK:
        return &pg_network_schema;
    case PART_QUEUE:
        return &pg_queue_schema;
    case PART_MAIL:
        break;
    }
    return &pg_mail_schema;
}

static char *name_of(const struct part_options *o)
{
    if (o->kind == PART_QUEUE)
        return mem_asprintf(PG_QUEUE "%.*s", STR_ARG(o->name));
    return mem_strdup(o->kind == PART_MAIL ? PG_MAIL : PG_NETWORK);
}

static const struct sql_special special; /* all is rows */

/* Who waits for longer ends who stands still (pg_rollback): in the network's part within a lease. */
static int lock_wait_ms(enum part_kind kind)
{
    return kind == PART_NETWORK ? 1000 : 3000;
}

static struct part *part_new(struct store *s, struct loop *l, const struct part_options *o)
{
    struct part *p = mem_zalloc(sizeof(*p));
    struct pg_options options = {
        .uri = o->uri, .password_file = o->password_file, .schema = schema_of(o->kind), .stop = &p->stop};
    port_init(&p->port, &port_ops, s, l);
    list_init(&p->node);
    p->kind = o->kind;
    p->mode = o->mode;
    p->may_be_away = o->may_be_away;
    options.part = p->name = name_of(o);
    atomic_init(&p->stop, false);
    atomic_init(&p->reader_must_reopen, false);
    atomic_init(&p->sick, 0);
    atomic_init(&p->fenced, o->kind == PART_MAIL);
    atomic_init(&p->full, false);
    atomic_init(&p->degraded, false);
    p->lost_sites = o->lost_sites;
    pthread_mutex_init(&p->copies_mutex, NULL);
    untold_init(&p->w.untold, o->durability, o->kind != PART_NETWORK);
    copies_tell(&p->w.untold.copies, &p->copies);
    list_init(&p->w.answered);
    options.lock_wait_ms = lock_wait_ms(o->kind);
    options.sees_to_copies = o->durability->replicated;
    options.mode = PG_WRITE;
    pg_init(&p->w.pg, &options);
    options.mode = o->look ? PG_LOOK : PG_READ;
    pg_init(&p->r.pg, &options);
    p->w.tx = (struct sql_tx){
        .db = &p->w.pg.db, .special = &special, .part = o->kind, .writable = true, .garbage = true};
    p->r.tx = (struct sql_tx){.db = &p->r.pg.db, .special = &special, .part = o->kind};
    loop_random(l, p->w.mark, sizeof(p->w.mark));
    work_init(&p->work, &p->port);
    return p;
}

static void part_free(struct part *p)
{
    work_fini(&p->work);
    pthread_mutex_destroy(&p->copies_mutex);
    sql_fini(&p->w.tx);
    pg_fini(&p->w.pg);
    pg_fini(&p->r.pg);
    list_remove(&p->node);
    free(p->name);
    free(p);
}

bool part_reap(struct part *p, bool wait)
{
    pthread_t *threads[] = {&p->r.thread, &p->w.thread};
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        if (*threads[i] == 0)
            continue;
        if ((wait ? pthread_join(*threads[i], NULL) : pthread_tryjoin_np(*threads[i], NULL)) != 0)
            return false;
        *threads[i] = 0;
    }
    part_free(p);
    return true;
}

/* What is opened before the threads run, so that its failure is the caller's. */
static int open_now(struct part *p, struct err_buf *eb)
{
    struct pg *pg = p->mode == PORT_READ ? &p->r.pg : &p->w.pg;
    int err = 0;
    if (strlen(p->name) > NAME_MAX_BYTES)
        return err_set(eb, ERR_INVALID,
                       "\"%s\" is too long for a queue's name in this store: %d bytes at most", p->name,
                       (int)(NAME_MAX_BYTES - strlen(PG_QUEUE)));
    if (p->mode == PORT_READ)
        err = pg_open(pg);
    else if (p->kind != PART_QUEUE)
        err = writer_open_first(p);
    if (err == ERR_UNAVAILABLE && p->may_be_away && p->mode == PORT_WRITE) {
        writer_begin_away(p);
        err = 0;
    }
    if (err != 0)
        *eb = pg->detail;
    return err;
}

static void start(pthread_t *thread, void *(*main)(void *part), struct part *p)
{
    CHECK(pthread_create(thread, NULL, main, p) == 0);
}

int part_open(struct store *s, struct loop *l, const struct part_options *options, struct part **ret_part,
              struct err_buf *eb)
{
    struct part *p = part_new(s, l, options);
    int err = open_now(p, eb);
    if (err != 0) {
        port_fini(&p->port);
        part_free(p);
        return err;
    }
    start(&p->r.thread, part_reader_main, p);
    if (p->mode == PORT_WRITE)
        start(&p->w.thread, part_writer_main, p);
    *ret_part = p;
    return 0;
}
