#include "store/store.h"

#include "base/mem.h"
#include "store/front.h"

struct store {
    struct loop *loop;
    bool read_only;
    const struct engine *engine;
    struct engine_store *engine_store;
    struct network *network;
    struct mail *mail; /* NULL before its first use */
    struct list queues;
    struct err_buf own_detail;
};

void front_finish_plain(struct store_op *op)
{
    ((void (*)(void *, int))op->callback)(op->arg, op->err);
}

static enum port_mode port_mode_of(const struct store *s)
{
    return s->read_only ? PORT_READ : PORT_WRITE;
}

static const struct engine *const engines[] = {[STORE_ENGINE_SQLITE] = &engine_sqlite,
                                               [STORE_ENGINE_POSTGRES] = &engine_postgres,
                                               [STORE_ENGINE_MEMORY] = &engine_memory};

int store_open(struct loop *l, const struct store_options *options, struct store **ret_store,
               struct err_buf *eb)
{
    struct store *s = mem_zalloc(sizeof(*s));
    struct port *p;
    s->loop = l;
    list_init(&s->queues);
    s->read_only = options->read_only;
    s->engine = engines[options->engine];
    int err = s->engine->open(s, l, options, &s->engine_store, eb);
    if (err == 0) {
        err = s->engine->port_open(s->engine_store, PART_NETWORK, STR("network"), port_mode_of(s), &p, eb);
        if (err != 0)
            s->engine->close(s->engine_store);
    }
    if (err != 0) {
        free(s);
        return err;
    }
    s->network = network_new(p);
    *ret_store = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    while (!list_empty(&s->queues))
        queue_close(queue_from_node(s->queues.next));
    if (s->mail)
        mail_free(s->mail);
    network_free(s->network);
    s->engine->close(s->engine_store);
    free(s);
}

struct engine_store *engine_store_of(struct store *s)
{
    return s->engine_store;
}

bool store_is_away(const struct store *s)
{
    struct port *p = network_port(s->network);
    return p->ops->health(p) == ERR_UNAVAILABLE;
}

struct network *store_network(struct store *s)
{
    return s->network;
}

const char *store_copies_name(enum store_copies copies)
{
    static const char *const names[] = {[STORE_COPIES_LOCAL] = "local",
                                        [STORE_COPIES_FLOW] = "replicated",
                                        [STORE_COPIES_MISSING] = "degraded"};
    return names[copies];
}

void store_set_lost_sites(struct store *s, const struct str *sites, size_t count)
{
    if (s->engine->set_lost_sites)
        s->engine->set_lost_sites(s->engine_store, sites, count);
}

int store_mail(struct store *s, struct mail **ret_mail, struct err_buf *eb)
{
    struct port *p;
    if (!s->mail) {
        int err = s->engine->port_open(s->engine_store, PART_MAIL, STR("mail"), port_mode_of(s), &p, eb);
        if (err != 0)
            return err;
        s->mail = mail_new(p);
    }
    *ret_mail = s->mail;
    return 0;
}

struct store_op *store_queue_own(struct store *s, struct str name, struct str owner, int64_t expect_epoch,
                                 void (*on_own)(void *arg, int err, struct queue *q, int64_t current_epoch),
                                 void *arg)
{
    struct port *p;
    int err = s->read_only
                  ? ERR_DENIED
                  : s->engine->port_open(s->engine_store, PART_QUEUE, name, PORT_WRITE, &p, &s->own_detail);
    if (err != 0)
        return queue_own_refused(network_port(s->network), err, on_own, arg);
    return queue_own(queue_new(p, name, &s->queues), owner, expect_epoch, &s->own_detail, on_own, arg);
}

const char *store_queue_own_detail(const struct store *s)
{
    return s->own_detail.text;
}

int store_queue_read(struct store *s, struct str name, struct queue **ret_queue, struct err_buf *eb)
{
    struct port *p;
    int err = s->engine->port_open(s->engine_store, PART_QUEUE, name, PORT_READ, &p, eb);
    if (err != 0)
        return err;
    *ret_queue = queue_new(p, name, &s->queues);
    return 0;
}

static json_t *status_of(struct port *p)
{
    json_t *part = json_object();
    p->ops->status(p, part);
    return part;
}

char *store_status_json(struct store *s)
{
    json_t *all = json_object(), *queues = json_object();
    json_object_set_new(all, "engine", json_string(s->engine->name));
    json_object_set_new(all, "network", status_of(network_port(s->network)));
    if (s->mail)
        json_object_set_new(all, "mail", status_of(mail_port(s->mail)));
    LIST_FOREACH (it, &s->queues) {
        struct queue *q = queue_from_node(it);
        json_object_set_new(queues, queue_name(q), status_of(queue_port(q)));
    }
    json_object_set_new(all, "queues", queues);
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}
