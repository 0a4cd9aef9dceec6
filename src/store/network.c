#include "store/network.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "store/front.h"
#include "store/network_op.h"

#define EVENTS_MAX 10000 /* a call; a page shows far fewer */

struct network_watch {
    struct watcher watcher;
};

struct network {
    struct port *port;
    struct watchers watchers;
};

/* ---- leases ---- */

static void finish_lease_take(struct store_op *op)
{
    struct op_lease_take *o = (struct op_lease_take *)op;
    void (*cb)(void *, int, const struct network_lease *) =
        (void (*)(void *, int, const struct network_lease *))op->callback;
    bool known = op->err == 0 || op->err == ERR_BUSY;
    cb(op->arg, op->err, known ? &o->ret_current : NULL);
}

static const struct op_type lease_take_type = {OP_lease_take, OP_WRITE | OP_PASSING,
                                               sizeof(struct op_lease_take), finish_lease_take, NULL};

struct store_op *network_lease_take(struct network *n, struct str name, struct str holder, int64_t token,
                                    int64_t ttl_ms,
                                    void (*on_take)(void *arg, int err, const struct network_lease *current),
                                    void *arg)
{
    struct op_lease_take *o = op_new(n->port, &lease_take_type, (op_callback)on_take, arg);
    o->name = op_str(&o->op, name);
    o->holder = op_str(&o->op, holder);
    o->token = token;
    o->ttl_ms = ttl_ms;
    if (!utf8_is_text(name) || !utf8_is_text(holder))
        return op_submit_failed(&o->op, ERR_INVALID);
    return op_submit(&o->op);
}

static const struct op_type lease_release_type = {OP_lease_release, OP_WRITE | OP_PASSING,
                                                  sizeof(struct op_lease_release), front_finish_plain, NULL};

struct store_op *network_lease_release(struct network *n, struct str name, struct str holder, int64_t token,
                                       void (*on_release)(void *arg, int err), void *arg)
{
    struct op_lease_release *o = op_new(n->port, &lease_release_type, (op_callback)on_release, arg);
    o->name = op_str(&o->op, name);
    o->holder = op_str(&o->op, holder);
    o->token = token;
    return op_submit(&o->op);
}

/* ---- records ---- */

static void finish_record_read(struct store_op *op)
{
    struct op_record_read *o = (struct op_record_read *)op;
    ((void (*)(void *, int, const struct network_record *, size_t))op->callback)(
        op->arg, op->err, o->ret_records, o->ret_count);
}

static const struct op_type record_read_type = {OP_record_read, 0, sizeof(struct op_record_read),
                                                finish_record_read, NULL};

struct store_op *network_read(struct network *n, struct str kind, struct str key,
                              void (*on_read)(void *arg, int err, const struct network_record *records,
                                              size_t count),
                              void *arg)
{
    struct op_record_read *o = op_new(n->port, &record_read_type, (op_callback)on_read, arg);
    o->kind = op_str(&o->op, kind);
    o->key = op_str(&o->op, key);
    if (!utf8_is_text(kind) || !utf8_is_text(key))
        return op_submit_failed(&o->op, ERR_INVALID);
    return op_submit(&o->op);
}

static void finish_look(struct store_op *op)
{
    const struct op_look *o = (struct op_look *)op;
    struct network_sight seen = {o->ret_records, o->ret_record_count, o->ret_leases, o->ret_lease_count};
    ((void (*)(void *, int, const struct network_sight *))op->callback)(op->arg, op->err, &seen);
}

static const struct op_type look_type = {OP_look, 0, sizeof(struct op_look), finish_look, NULL};

struct store_op *network_look(struct network *n, const struct str *kinds, size_t kind_count,
                              void (*on_look)(void *arg, int err, const struct network_sight *seen),
                              void *arg)
{
    struct op_look *o = op_new(n->port, &look_type, (op_callback)on_look, arg);
    CHECK(kind_count <= NETWORK_LOOK_KINDS_MAX);
    for (; o->kind_count < kind_count; o->kind_count++) {
        o->kinds[o->kind_count] = op_str(&o->op, kinds[o->kind_count]);
        if (!utf8_is_text(kinds[o->kind_count]))
            return op_submit_failed(&o->op, ERR_INVALID);
    }
    return op_submit(&o->op);
}

static void finish_record_write(struct store_op *op)
{
    struct op_record_write *o = (struct op_record_write *)op;
    ((void (*)(void *, int, size_t))op->callback)(op->arg, op->err, o->ret_failed);
}

static const struct op_type record_write_type = {OP_record_write, OP_WRITE, sizeof(struct op_record_write),
                                                 finish_record_write, NULL};

static struct network_change *copy_changes(struct store_op *op, const struct network_change *changes,
                                           size_t count)
{
    struct network_change *copy = op_alloc(op, count * sizeof(*copy));
    for (size_t i = 0; i < count; i++) {
        copy[i] = changes[i];
        copy[i].kind = op_str(op, changes[i].kind);
        copy[i].key = op_str(op, changes[i].key);
        copy[i].value = op_str(op, changes[i].value);
    }
    return copy;
}

static bool same_record(const struct network_change *a, const struct network_change *b)
{
    return a->type != NETWORK_EVENT && b->type != NETWORK_EVENT && str_eq(a->kind, b->kind) &&
           str_eq(a->key, b->key);
}

static bool has_key(const struct network_change *c)
{
    return c->type == NETWORK_EVENT || (utf8_is_text(c->kind) && utf8_is_text(c->key));
}

/* The index of a change that cannot be: without a key, or its record occurred before. Or count. */
static size_t find_invalid(const struct network_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!has_key(&changes[i]))
            return i;
        for (size_t k = 0; k < i; k++)
            if (same_record(&changes[i], &changes[k]))
                return i;
    }
    return count;
}

static struct network_lease *copy_guard(struct store_op *op, const struct network_lease *guard)
{
    struct network_lease *copy = op_alloc(op, sizeof(*copy));
    *copy = *guard;
    copy->name = op_str(op, guard->name);
    copy->holder = op_str(op, guard->holder);
    return copy;
}

struct store_op *network_write(struct network *n, const struct network_change *changes, size_t count,
                               const struct network_lease *guard,
                               void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    struct op_record_write *o = op_new(n->port, &record_write_type, (op_callback)on_write, arg);
    o->ret_failed = find_invalid(changes, count);
    if (o->ret_failed < count)
        return op_submit_failed(&o->op, ERR_INVALID);
    o->ret_failed = 0;
    o->changes = copy_changes(&o->op, changes, count);
    o->count = count;
    o->guard = guard ? copy_guard(&o->op, guard) : NULL;
    o->at = loop_wall(n->port->loop);
    return op_submit(&o->op);
}

/* ---- events ---- */

static void finish_event_list(struct store_op *op)
{
    struct op_event_list *o = (struct op_event_list *)op;
    ((void (*)(void *, int, const struct network_event *, size_t))op->callback)(op->arg, op->err,
                                                                                o->ret_events, o->ret_count);
}

static const struct op_type event_list_type = {OP_event_list, 0, sizeof(struct op_event_list),
                                               finish_event_list, NULL};

struct store_op *network_events(struct network *n, int64_t after_id, size_t limit,
                                void (*on_events)(void *arg, int err, const struct network_event *events,
                                                  size_t count),
                                void *arg)
{
    struct op_event_list *o = op_new(n->port, &event_list_type, (op_callback)on_events, arg);
    o->after_id = after_id;
    o->limit = limit < EVENTS_MAX ? limit : EVENTS_MAX;
    return op_submit(&o->op);
}

static void finish_event_prune(struct store_op *op)
{
    ((void (*)(void *, int, size_t))op->callback)(op->arg, op->err,
                                                  ((struct op_event_prune *)op)->ret_removed);
}

static const struct op_type event_prune_type = {OP_event_prune, OP_WRITE | OP_PASSING,
                                                sizeof(struct op_event_prune), finish_event_prune, NULL};

struct store_op *network_events_prune(struct network *n, int64_t keep, struct wall_time before, size_t limit,
                                      const struct network_lease *guard,
                                      void (*on_prune)(void *arg, int err, size_t removed), void *arg)
{
    struct op_event_prune *o = op_new(n->port, &event_prune_type, (op_callback)on_prune, arg);
    o->keep = keep;
    o->before = before;
    o->limit = limit < EVENTS_MAX ? limit : EVENTS_MAX;
    o->guard = guard ? copy_guard(&o->op, guard) : NULL;
    return op_submit(&o->op);
}

/* ---- recipients ---- */

static void finish_recipient_find(struct store_op *op)
{
    ((void (*)(void *, int, const struct network_recipient *))op->callback)(
        op->arg, op->err, op->err ? NULL : ((struct op_recipient_find *)op)->ret_found);
}

static const struct op_type recipient_find_type = {OP_recipient_find, 0, sizeof(struct op_recipient_find),
                                                   finish_recipient_find, NULL};

struct store_op *
network_recipient_find(struct network *n, struct str domain, struct str address,
                       void (*on_found)(void *arg, int err, const struct network_recipient *found), void *arg)
{
    struct op_recipient_find *o = op_new(n->port, &recipient_find_type, (op_callback)on_found, arg);
    o->domain = op_str(&o->op, domain);
    o->address = op_str(&o->op, address);
    if (!utf8_is_text(domain) || !utf8_is_text(address))
        return op_submit_failed(&o->op, ERR_INVALID);
    return op_submit(&o->op);
}

static const struct op_type recipients_put_type = {
    OP_recipients_put, OP_WRITE | OP_PASSING, sizeof(struct op_recipients_put), front_finish_plain, NULL};

struct store_op *network_recipients_put(struct network *n, struct str domain,
                                        const struct network_recipient *answers, size_t count,
                                        const struct network_recipient_bounds *bounds,
                                        void (*on_put)(void *arg, int err), void *arg)
{
    struct op_recipients_put *o = op_new(n->port, &recipients_put_type, (op_callback)on_put, arg);
    o->domain = op_str(&o->op, domain);
    o->answers = op_alloc(&o->op, count * sizeof(*answers));
    for (size_t i = 0; i < count; i++) {
        if (!utf8_is_text(answers[i].address))
            continue;
        o->answers[o->count] = answers[i];
        o->answers[o->count++].address = op_str(&o->op, answers[i].address);
    }
    o->bounds = *bounds;
    if (!utf8_is_text(domain))
        return op_submit_failed(&o->op, ERR_INVALID);
    return op_submit(&o->op);
}

/* ---- watching ---- */

static void on_notice(void *arg)
{
    struct network *n = arg;
    watchers_tell(&n->watchers, 0);
}

struct network_watch *network_watch_new(struct network *n, void (*on_change)(void *arg), void *arg)
{
    struct network_watch *w = mem_zalloc(sizeof(*w));
    w->watcher.on_change = on_change;
    w->watcher.arg = arg;
    if (watchers_empty(&n->watchers))
        n->port->ops->watch(n->port, true);
    watchers_add(&n->watchers, &w->watcher);
    return w;
}

void network_watch_free(struct network_watch *w)
{
    if (!w)
        return;
    struct network *n = w->watcher.list ? CONTAINER_OF(w->watcher.list, struct network, watchers) : NULL;
    watchers_remove(&w->watcher);
    if (n && watchers_empty(&n->watchers))
        n->port->ops->watch(n->port, false);
    free(w);
}

/* ---- life ---- */

struct network *network_new(struct port *p)
{
    struct network *n = mem_zalloc(sizeof(*n));
    n->port = p;
    watchers_init(&n->watchers);
    p->front = n;
    p->on_notice = on_notice;
    return n;
}

struct port *network_port(struct network *n)
{
    return n->port;
}

void network_free(struct network *n)
{
    watchers_fini(&n->watchers);
    port_close(n->port);
    free(n);
}
