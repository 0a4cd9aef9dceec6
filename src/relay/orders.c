#include "relay/orders.h"

#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/queue_kept.h"

struct orders {
    struct store *store;
    const struct config *config;
    struct owned *owned;
    size_t (*on_changed)(void *arg, struct queue *q, const struct queue_filter *filter);
    void *arg;
    const struct view *view; /* of the present call of orders_on_view, and until the next */
    struct store_op *read_op, *op;
    struct arena arena; /* of the order under way */
    bool busy;          /* an order is under way: one at a time */
    bool missed;        /* the network has changed meanwhile */
    bool acts;          /* op is the queue's */
    char *key;
    int64_t version;
    struct record_order order;
    json_t *args; /* what filter's texts point into */
    struct custody_id custody_id;
    struct str *domains;
    struct queue_filter filter;
    struct queue *queue;
};

#define ORDER_ARENA_MAX_BYTES (1 << 20)

/* "queue-hold", ... */
static int find_action(struct str verb, enum queue_action *ret_action)
{
    struct str prefix = STR("queue-");
    for (int action = QUEUE_ACT_HOLD; str_starts(verb, prefix) && action <= QUEUE_ACT_QUARANTINE; action++) {
        if (str_eq(str_sub(verb, prefix.len, verb.len),
                   str_from(queue_action_name((enum queue_action)action)))) {
            *ret_action = (enum queue_action)action;
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

static void release(struct orders *o)
{
    free(o->key);
    o->key = NULL;
    json_decref(o->args);
    o->args = NULL;
    free(o->domains);
    o->domains = NULL;
    arena_fini(&o->arena);
    o->busy = o->acts = false;
}

static void look(struct orders *o);

/* Nothing is under way. */
static void leave(struct orders *o)
{
    release(o);
    if (o->missed)
        look(o);
}

/* What the queue was asked has its answer. False: the queue is another's now, who finds the order as it was,
 * and goes on with it. */
static bool acted(struct orders *o, int err)
{
    bool ours = err != ERR_FENCED && err != ERR_CLOSED;
    o->op = NULL;
    o->acts = false;
    if (!ours)
        leave(o);
    return ours;
}

void orders_drop_queue(struct orders *o, const struct queue *q)
{
    if (!o->acts || o->queue != q)
        return;
    store_op_forget(o->op);
    o->op = NULL;
    leave(o);
}

static void tell_failed_write(const struct orders *o, const char *what, int err)
{
    log_event(LOG_WARNING, what, LOG_TEXT("order", o->key), LOG_TEXT("error", err_name(err)));
}

static void on_answered(void *arg, int err, size_t failed)
{
    struct orders *o = arg;
    (void)failed;
    o->op = NULL;
    if (err)
        tell_failed_write(o, "order's answer not written", err);
    leave(o);
}

/* Writes the order as it is now; tell: as an event, too. */
static void write_order(struct orders *o, bool tell, void (*on_write)(void *arg, int err, size_t failed))
{
    char *value = record_order_encode(&o->order);
    struct network_change changes[] = {
        {.type = NETWORK_PUT,
         .kind = STR("order"),
         .key = str_from(o->key),
         .value = str_from(value),
         .expect_version = o->version},
        {.type = NETWORK_EVENT, .kind = STR("order"), .key = o->order.subject, .value = str_from(value)},
    };
    o->op = network_write(store_network(o->store), changes, tell ? 2 : 1, NULL, on_write, o);
    free(value);
}

/* Takes result. tell: it is an event. */
static void answer_with(struct orders *o, int err, json_t *result, bool tell)
{
    char *text = json_dumps(result, JSON_COMPACT);
    json_decref(result);
    o->order.state = err ? STR("failed") : STR("done");
    o->order.result = str_from(text);
    write_order(o, tell, on_answered);
    free(text);
}

static void answer(struct orders *o, int err, uint64_t changed, size_t in_flight)
{
    answer_with(
        o, err,
        err ? json_pack("{s:s, s:I}", "error", err_name(err), "changed", (json_int_t)changed)
            : json_pack("{s:I, s:I}", "changed", (json_int_t)changed, "in_flight", (json_int_t)in_flight),
        true);
}

static void on_act(void *arg, int err, uint64_t changed)
{
    struct orders *o = arg;
    size_t in_flight = 0;
    if (!acted(o, err))
        return;
    if (owned_queue(o->owned, o->order.subject) == o->queue)
        in_flight = o->on_changed(o->arg, o->queue, &o->filter);
    answer(o, err, changed, in_flight);
}

static struct str text_member(const json_t *args, const char *name)
{
    const char *text = json_string_value(json_object_get(args, name));
    return text ? str_from(text) : (struct str){NULL, 0};
}

static int64_t number_member(const struct orders *o, const char *name)
{
    return json_integer_value(json_object_get(o->args, name));
}

/* The domains whose mail goes to `server` by the route. */
static size_t domains_of(const struct orders *o, struct str server, struct str *out)
{
    size_t count = 0;
    for (size_t i = 0; i < o->config->domain_count; i++) {
        const struct config_domain *d = &o->config->domains[i];
        if (str_eq(view_route_server(o->view, str_from(d->name), str_from(d->server->name)), server))
            out[count++] = str_from(d->name);
    }
    return count;
}

static int make_filter(struct orders *o)
{
    struct str id_text = text_member(o->args, "id"), server = text_member(o->args, "server");
    if (id_text.ptr && custody_id_parse(id_text, &o->custody_id) < 0)
        return ERR_SYNTAX;
    o->domains = mem_calloc(o->config->domain_count, sizeof(*o->domains));
    o->filter = (struct queue_filter){
        .sender = text_member(o->args, "sender"),
        .recipient = text_member(o->args, "recipient"),
        .domain = text_member(o->args, "domain"),
        .header_id = text_member(o->args, "message_id"),
        .reply = text_member(o->args, "reply"),
        .received_from = {number_member(o, "from_ms")},
        .received_before = {number_member(o, "before_ms")},
        .home = server,
        .domains = o->domains,
        .domain_count = server.ptr ? domains_of(o, server, o->domains) : 0,
        .custody_id = id_text.ptr ? &o->custody_id : NULL,
        .delivery_id = number_member(o, "delivery"),
        .states = (uint32_t)number_member(o, "states"),
        .limit = (size_t)number_member(o, "limit"),
    };
    return 0;
}

static void act(struct orders *o, enum queue_action action)
{
    struct str to = text_member(o->args, "to");
    if (make_filter(o) < 0) {
        answer(o, ERR_SYNTAX, 0, 0);
        return;
    }
    const struct queue_order order = {
        .action = action, .home = to, .who = o->order.who, .why = o->order.why, .key = str_from(o->key)};
    o->acts = true;
    o->op = queue_act(o->queue, &o->filter, &order, on_act, o);
}

/* ---- replay: in slices, each an order, so that whoever asks sees how far it is, and may stop: what one did
 * is an event whether somebody still waits for it or not ---- */

static void on_replay(void *arg, int err, const struct queue_replayed *done)
{
    struct orders *o = arg;
    struct queue_filter nothing = {.delivery_id = -1};
    if (!acted(o, err))
        return;
    if (!err && owned_queue(o->owned, o->order.subject) == o->queue)
        o->on_changed(o->arg, o->queue, &nothing);
    answer_with(o, err,
                err ? json_pack("{s:s}", "error", err_name(err))
                    : json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "messages", (json_int_t)done->messages,
                                "deliveries", (json_int_t)done->deliveries, "all_messages",
                                (json_int_t)done->all_messages, "all_deliveries",
                                (json_int_t)done->all_deliveries, "let_go_ms", (json_int_t)done->let_go.ms,
                                "more", done->more),
                err || !done->more || done->deliveries > 0);
}

/* The same server and time are the same replay, which goes on where it was stopped. */
static char *replay_key(const struct queue_replay *r)
{
    return mem_asprintf("replay %.*s %lld %lld", STR_ARG(r->server), (long long)r->since.ms,
                        (long long)r->until.ms);
}

static void replay(struct orders *o)
{
    int64_t limit = number_member(o, "limit");
    struct queue_replay which = {
        .server = text_member(o->args, "server"),
        .since = {number_member(o, "since_ms")},
        .until = {number_member(o, "until_ms")},
        .limit = limit > 0 ? (size_t)limit : QUEUE_REPLAY_MAX,
        .who = o->order.who,
        .why = o->order.why,
    };
    o->acts = which.server.ptr && which.until.ms > 0;
    if (!o->acts) {
        answer(o, ERR_SYNTAX, 0, 0);
        return;
    }
    char *key = replay_key(&which);
    which.key = str_from(key);
    o->op = queue_replay(o->queue, &which, on_replay, o);
    free(key);
}

static bool is_replay(const struct orders *o)
{
    return str_eq(o->order.verb, STR("queue-replay"));
}

/* It is taken. When the queue has gone meanwhile it stays so, for whoever owns the queue next. */
static void carry_out(struct orders *o)
{
    enum queue_action action;
    o->queue = owned_queue(o->owned, o->order.subject);
    if (!o->queue)
        leave(o);
    else if (find_action(o->order.verb, &action) == 0)
        act(o, action);
    else
        replay(o);
}

static void on_taken(void *arg, int err, size_t failed)
{
    struct orders *o = arg;
    (void)failed;
    o->op = NULL;
    if (err == 0) {
        o->version++;
        carry_out(o);
        return;
    }
    if (err != ERR_CONFLICT) /* else it was withdrawn */
        tell_failed_write(o, "order not taken", err);
    leave(o);
}

/* Before anything is changed: whoever gave it can withdraw it no more. */
static void take(struct orders *o)
{
    o->order.state = STR("taken");
    write_order(o, false, on_taken);
}

static void begin(struct orders *o, const struct network_record *record)
{
    enum queue_action action;
    o->busy = true;
    o->args = json_loadb(o->order.args.ptr ? o->order.args.ptr : "", o->order.args.len, 0, NULL);
    o->key = str_dup(record->key);
    o->version = record->version;
    if (!json_is_object(o->args))
        answer(o, ERR_SYNTAX, 0, 0);
    else if (!is_replay(o) && find_action(o->order.verb, &action) < 0)
        answer(o, ERR_UNSUPPORTED, 0, 0);
    else if (str_eq(o->order.state, STR("taken"))) /* by who owned the queue then, and died */
        carry_out(o);
    else
        take(o);
}

/* Whether it is an open order for a queue of ours. */
static bool is_ours(const struct orders *o)
{
    struct str target = o->order.target;
    static const char prefix[] = "relay/";
    if (!record_order_is_open(&o->order) || !str_starts(target, str_from(prefix)))
        return false;
    struct str queue = str_sub(target, sizeof(prefix) - 1, target.len);
    return str_eq(queue, o->order.subject) && owned_queue(o->owned, queue);
}

static void on_orders(void *arg, int err, const struct network_record *records, size_t count)
{
    struct orders *o = arg;
    o->read_op = NULL;
    for (size_t i = 0; !err && !o->busy && !o->read_op && i < count; i++) {
        arena_init(&o->arena, ORDER_ARENA_MAX_BYTES);
        if (record_order_decode(&o->arena, records[i].value, &o->order) == 0 && is_ours(o))
            begin(o, &records[i]);
        else
            arena_fini(&o->arena);
    }
    if (o->missed && !o->busy)
        look(o);
}

static void look(struct orders *o)
{
    o->missed = o->read_op || o->busy;
    if (!o->missed)
        o->read_op = network_read(store_network(o->store), STR("order"), (struct str){NULL, 0}, on_orders, o);
}

struct orders *orders_new(struct store *store, const struct config *config, struct owned *owned,
                          size_t (*on_changed)(void *arg, struct queue *q, const struct queue_filter *filter),
                          void *arg)
{
    struct orders *o = mem_zalloc(sizeof(*o));
    o->store = store;
    o->config = config;
    o->owned = owned;
    o->on_changed = on_changed;
    o->arg = arg;
    return o;
}

void orders_free(struct orders *o)
{
    if (o->read_op)
        store_op_forget(o->read_op);
    if (o->op)
        store_op_forget(o->op);
    if (o->busy)
        release(o);
    free(o);
}

void orders_on_view(struct orders *o, const struct view *v)
{
    o->view = v;
    look(o);
}
