/* The PostgreSQL engine: parts of a database, each a schema of it. */
#include "base/mem.h"
#include "store/postgres/part.h"

struct engine_store {
    struct store *store;
    struct loop *loop;
    char *uri, *password_file;
    bool read_only, may_be_away;
    struct store_durability durability;
    atomic_uint lost_sites; /* bits of its sites */
    struct list parts;      /* open or closing */
};

static int engine_open(struct store *s, struct loop *l, const struct store_options *options,
                       struct engine_store **ret_engine_store, struct err_buf *eb)
{
    (void)eb;
    struct engine_store *es = mem_zalloc(sizeof(*es));
    es->store = s;
    es->loop = l;
    es->uri = mem_strdup(options->path);
    es->password_file = mem_strdup(options->password_file);
    es->read_only = options->read_only;
    es->may_be_away = options->may_be_away;
    es->durability = options->durability;
    atomic_init(&es->lost_sites, 0);
    list_init(&es->parts);
    *ret_engine_store = es;
    return 0;
}

static void engine_close(struct engine_store *es)
{
    LIST_FOREACH (it, &es->parts)
        CHECK(part_reap(LIST_ENTRY(it, struct part, node), true));
    free(es->uri);
    free(es->password_file);
    free(es);
}

static int engine_port_open(struct engine_store *es, enum part_kind kind, struct str name,
                            enum port_mode mode, struct port **ret_port, struct err_buf *eb)
{
    struct part_options options = {.uri = es->uri,
                                   .password_file = es->password_file,
                                   .kind = kind,
                                   .name = name,
                                   .mode = mode,
                                   .look = es->read_only,
                                   .may_be_away = es->may_be_away,
                                   .durability = &es->durability,
                                   .lost_sites = &es->lost_sites};
    struct part *p;
    LIST_FOREACH (it, &es->parts) {
        p = LIST_ENTRY(it, struct part, node);
        if (atomic_load(&p->stop))
            part_reap(p, false);
    }
    int err = part_open(es->store, es->loop, &options, &p, eb);
    if (err != 0)
        return err;
    list_append(&es->parts, &p->node);
    *ret_port = &p->port;
    return 0;
}

static void set_lost_sites(struct engine_store *es, const struct str *sites, size_t count)
{
    unsigned lost = 0;
    for (size_t i = 0; i < es->durability.site_count; i++)
        for (size_t k = 0; k < count; k++)
            if (str_eq(sites[k], str_from(es->durability.sites[i].name)))
                lost |= 1U << i;
    atomic_store(&es->lost_sites, lost);
}

const struct engine engine_postgres = {"postgresql", engine_open, engine_close, engine_port_open,
                                       set_lost_sites};
