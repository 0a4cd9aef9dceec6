#include <string.h>

#include "base/mem.h"
#include "store/memory/device.h"
#include "store/network_op.h"

static struct mono_time device_now(const struct memory_tx *tx)
{
    return tx->device->clock(tx->device->clock_arg);
}

/* ---- leases ---- */

static void show_lease(struct memory_tx *tx, struct store_op *op, const struct memory_lease *lease,
                       struct network_lease *out)
{
    out->name = op_str(op, lease->name);
    out->holder = op_str(op, lease->holder);
    out->token = lease->token;
    out->remaining_ms = mono_diff_ms(lease->expires, device_now(tx));
}

static struct memory_lease *lease_of(struct memory_network *n, struct str name)
{
    struct memory_lease *lease = map_find(&n->leases, name);
    if (!lease) {
        lease = mem_zalloc(sizeof(*lease));
        lease->name = str_keep(name);
        map_set(&n->leases, name, lease);
    }
    return lease;
}

static bool lease_runs(struct memory_tx *tx, const struct memory_lease *lease)
{
    return lease && mono_before(device_now(tx), lease->expires);
}

static bool lease_held_by(struct memory_tx *tx, struct str name, struct str holder, int64_t token)
{
    const struct memory_lease *lease = map_find(&tx->device->network.leases, name);
    return lease_runs(tx, lease) && str_eq(lease->holder, holder) && lease->token == token;
}

int memory_lease_take(struct memory_tx *tx, struct store_op *op)
{
    struct op_lease_take *o = (struct op_lease_take *)op;
    struct memory_lease *lease = lease_of(&tx->device->network, o->name);
    bool runs = lease_runs(tx, lease), same_holder = str_eq(lease->holder, o->holder);
    bool stale = o->token != 0 && (o->token != lease->token || !same_holder);
    if (stale || (runs && !same_holder)) {
        show_lease(tx, op, lease, &o->ret_current);
        return ERR_BUSY;
    }
    if (!runs || o->token == 0)
        lease->token++;
    str_replace(&lease->holder, o->holder);
    lease->expires = mono_add_ms(device_now(tx), o->ttl_ms);
    show_lease(tx, op, lease, &o->ret_current);
    return 0;
}

int memory_lease_release(struct memory_tx *tx, struct store_op *op)
{
    struct op_lease_release *o = (struct op_lease_release *)op;
    struct memory_lease *lease = map_find(&tx->device->network.leases, o->name);
    if (!lease || lease->token != o->token || !str_eq(lease->holder, o->holder))
        return ERR_FENCED;
    lease->expires = device_now(tx);
    return 0;
}

static int lease_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct network_lease *)a)->name, ((const struct network_lease *)b)->name);
}

static void look_at_leases(struct memory_tx *tx, struct op_look *o)
{
    struct map *leases = &tx->device->network.leases;
    o->ret_leases = op_alloc(&o->op, leases->len * sizeof(*o->ret_leases));
    for (struct map_entry *e = leases->first; e; e = e->next)
        if (((struct memory_lease *)e->value)->token > 0)
            show_lease(tx, &o->op, e->value, &o->ret_leases[o->ret_lease_count++]);
    qsort(o->ret_leases, o->ret_lease_count, sizeof(*o->ret_leases), lease_cmp);
}

/* ---- records ---- */

static struct str record_key(struct store_op *op, struct str kind, struct str key)
{
    struct str joined = {NULL, kind.len + 1 + key.len};
    char *text = op_alloc(op, joined.len);
    memcpy(text, kind.ptr, kind.len);
    memcpy(text + kind.len + 1, key.ptr, key.len);
    joined.ptr = text;
    return joined;
}

static struct memory_record *record_find(struct memory_tx *tx, struct store_op *op, struct str kind,
                                         struct str key)
{
    return map_find(&tx->device->network.records, record_key(op, kind, key));
}

static int record_cmp(const void *a, const void *b)
{
    const struct network_record *left = a, *right = b;
    int kinds = str_cmp(left->kind, right->kind);
    return kinds != 0 ? kinds : str_cmp(left->key, right->key);
}

static struct network_record show_record(struct memory_tx *tx, struct store_op *op,
                                         const struct memory_record *r)
{
    return (struct network_record){op_str(op, r->kind), op_str(op, r->key), op_str(op, r->value), r->version,
                                   mono_diff_ms(device_now(tx), r->written)};
}

int memory_record_read(struct memory_tx *tx, struct store_op *op)
{
    struct op_record_read *o = (struct op_record_read *)op;
    for (struct map_entry *e = tx->device->network.records.first; e; e = e->next) {
        const struct memory_record *r = e->value;
        if (!str_eq(r->kind, o->kind) || (o->key.ptr && !str_eq(r->key, o->key)))
            continue;
        o->ret_records = op_array_grow(op, o->ret_records, o->ret_count, sizeof(*o->ret_records));
        o->ret_records[o->ret_count++] = show_record(tx, op, r);
    }
    if (o->ret_count > 1)
        qsort(o->ret_records, o->ret_count, sizeof(*o->ret_records), record_cmp);
    return 0;
}

static bool is_asked_for(const struct op_look *o, struct str kind)
{
    for (size_t i = 0; i < o->kind_count; i++)
        if (str_eq(o->kinds[i], kind))
            return true;
    return false;
}

int memory_look(struct memory_tx *tx, struct store_op *op)
{
    struct op_look *o = (struct op_look *)op;
    for (struct map_entry *e = tx->device->network.records.first; e; e = e->next) {
        const struct memory_record *r = e->value;
        if (!is_asked_for(o, r->kind))
            continue;
        o->ret_records = op_array_grow(op, o->ret_records, o->ret_record_count, sizeof(*o->ret_records));
        o->ret_records[o->ret_record_count++] = show_record(tx, op, r);
    }
    if (o->ret_record_count > 1)
        qsort(o->ret_records, o->ret_record_count, sizeof(*o->ret_records), record_cmp);
    look_at_leases(tx, o);
    return 0;
}

static void record_put(struct memory_tx *tx, struct store_op *op, const struct network_change *change)
{
    struct memory_record *r = record_find(tx, op, change->kind, change->key);
    if (!r) {
        r = mem_zalloc(sizeof(*r));
        r->kind = str_keep(change->kind);
        r->key = str_keep(change->key);
        map_set(&tx->device->network.records, record_key(op, change->kind, change->key), r);
    }
    str_replace(&r->value, change->value);
    r->version++;
    r->written = device_now(tx);
}

static void record_free(struct memory_record *r)
{
    if (!r)
        return;
    str_drop(&r->kind);
    str_drop(&r->key);
    str_drop(&r->value);
    free(r);
}

static void event_add(struct memory_tx *tx, const struct network_change *change, struct wall_time at)
{
    struct network_event *event = mem_zalloc(sizeof(*event));
    *event = (struct network_event){.at = at,
                                    .kind = str_keep(change->kind),
                                    .subject = str_keep(change->key),
                                    .detail = str_keep(change->value)};
    event->id = table_add(&tx->device->network.events, event);
}

static void event_free(void *arg)
{
    struct network_event *event = arg;
    str_drop(&event->kind);
    str_drop(&event->subject);
    str_drop(&event->detail);
    free(event);
}

static bool change_fits(struct memory_tx *tx, struct store_op *op, const struct network_change *change)
{
    const struct memory_record *r = record_find(tx, op, change->kind, change->key);
    return change->type == NETWORK_EVENT || change->expect_version == NETWORK_ANY_VERSION ||
           change->expect_version == (r ? r->version : NETWORK_ABSENT);
}

int memory_record_write(struct memory_tx *tx, struct store_op *op)
{
    struct op_record_write *o = (struct op_record_write *)op;
    if (o->guard && !tx->device->faults.mutant_no_lease_guard &&
        !lease_held_by(tx, o->guard->name, o->guard->holder, o->guard->token))
        return ERR_FENCED;
    for (o->ret_failed = 0; o->ret_failed < o->count; o->ret_failed++)
        if (!change_fits(tx, op, &o->changes[o->ret_failed]))
            return ERR_CONFLICT;
    for (size_t i = 0; i < o->count; i++) {
        const struct network_change *change = &o->changes[i];
        if (change->type == NETWORK_PUT)
            record_put(tx, op, change);
        else if (change->type == NETWORK_EVENT)
            event_add(tx, change, o->at);
        else
            record_free(map_remove(&tx->device->network.records, record_key(op, change->kind, change->key)));
    }
    return 0;
}

/* ---- events ---- */

int memory_event_list(struct memory_tx *tx, struct store_op *op)
{
    struct op_event_list *o = (struct op_event_list *)op;
    const struct table *events = &tx->device->network.events;
    size_t first = o->after_id < 0 ? 0 : (size_t)o->after_id;
    if (o->after_id < 0 && events->count > o->limit)
        first = events->count - o->limit;
    for (size_t i = first; i < events->count && o->ret_count < o->limit; i++) {
        const struct network_event *event = events->items[i];
        if (!event)
            continue;
        o->ret_events = op_array_grow(op, o->ret_events, o->ret_count, sizeof(*o->ret_events));
        o->ret_events[o->ret_count++] =
            (struct network_event){event->id, event->at, op_str(op, event->kind), op_str(op, event->subject),
                                   op_str(op, event->detail)};
    }
    return 0;
}

int memory_event_prune(struct memory_tx *tx, struct store_op *op)
{
    struct op_event_prune *o = (struct op_event_prune *)op;
    struct table *events = &tx->device->network.events;
    size_t seen = 0;
    if (o->guard && !lease_held_by(tx, o->guard->name, o->guard->holder, o->guard->token))
        return ERR_FENCED;
    for (size_t i = 0; i < events->count && seen < o->limit; i++) {
        struct network_event *event = events->items[i];
        if (!event)
            continue;
        seen++;
        if (event->at.ms >= o->before.ms && event->id > (int64_t)events->count - o->keep)
            continue;
        event_free(event);
        events->items[i] = NULL;
        o->ret_removed++;
    }
    return 0;
}

/* ---- recipients ---- */

int memory_recipient_find(struct memory_tx *tx, struct store_op *op)
{
    struct op_recipient_find *o = (struct op_recipient_find *)op;
    const struct memory_recipient *r =
        map_find(&tx->device->network.recipients, record_key(op, o->domain, o->address));
    if (r) {
        o->ret_found = op_alloc(op, sizeof(*o->ret_found));
        *o->ret_found = (struct network_recipient){o->address, r->known, r->at};
    }
    return 0;
}

static void recipient_free(struct memory_recipient *r)
{
    str_drop(&r->domain);
    free(r);
}

static void recipient_put(struct memory_tx *tx, struct op_recipients_put *o,
                          const struct network_recipient *answer)
{
    struct str key = record_key(&o->op, o->domain, answer->address);
    struct memory_recipient *r = map_find(&tx->device->network.recipients, key);
    if (r && answer->at.ms < r->at.ms)
        return;
    if (!r) {
        r = mem_zalloc(sizeof(*r));
        r->domain = str_keep(o->domain);
        map_set(&tx->device->network.recipients, key, r);
    }
    r->known = answer->known;
    r->at = answer->at;
}

/* The oldest of a domain that are known, or unknown, and how many they are. */
static struct map_entry *recipient_oldest(const struct map *recipients, struct str domain, bool known,
                                          int64_t *ret_count)
{
    struct map_entry *oldest = NULL;
    *ret_count = 0;
    for (struct map_entry *e = recipients->first; e; e = e->next) {
        const struct memory_recipient *r = e->value, *than = oldest ? oldest->value : NULL;
        if (r->known != known || !str_eq(r->domain, domain))
            continue;
        ++*ret_count;
        if (!than || r->at.ms < than->at.ms)
            oldest = e;
    }
    return oldest;
}

static void recipients_trim(struct map *recipients, struct str domain, bool known, int64_t max,
                            struct wall_time since)
{
    for (int removed = 0; removed < RECIPIENTS_REMOVED_MAX; removed++) {
        int64_t count;
        struct map_entry *oldest = recipient_oldest(recipients, domain, known, &count);
        if (!oldest || (count <= max && ((const struct memory_recipient *)oldest->value)->at.ms >= since.ms))
            return;
        recipient_free(map_remove(recipients, oldest->key));
    }
}

int memory_recipients_put(struct memory_tx *tx, struct store_op *op)
{
    struct op_recipients_put *o = (struct op_recipients_put *)op;
    struct map *recipients = &tx->device->network.recipients;
    for (size_t i = 0; i < o->count; i++)
        recipient_put(tx, o, &o->answers[i]);
    recipients_trim(recipients, o->domain, true, o->bounds.known_max, o->bounds.known_since);
    recipients_trim(recipients, o->domain, false, o->bounds.unknown_max, o->bounds.unknown_since);
    return 0;
}

void memory_network_fini(struct memory_network *n)
{
    for (struct map_entry *e = n->leases.first; e; e = e->next) {
        struct memory_lease *lease = e->value;
        str_drop(&lease->name);
        str_drop(&lease->holder);
        free(lease);
    }
    for (struct map_entry *e = n->records.first; e; e = e->next)
        record_free(e->value);
    for (struct map_entry *e = n->recipients.first; e; e = e->next)
        recipient_free(e->value);
    map_fini(&n->recipients);
    map_fini(&n->leases);
    map_fini(&n->records);
    table_fini(&n->events, event_free);
}
