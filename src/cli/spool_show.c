#include "cli/spool_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/say.h"

struct look {
    struct context *cx;
    int err;
    uint64_t waiting; /* deliveries */
};

static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct look *l = arg;
    l->err = err;
    for (size_t i = 0; !err && i < count; i++)
        l->waiting += counts[i].waiting + counts[i].held + counts[i].quarantined;
    context_done(l->cx);
}

static int count(struct look *l, struct store *spool, const char *name, struct err_buf *eb)
{
    struct queue *q;
    int err = store_queue_read(spool, str_from(name), &q, eb);
    if (err == ERR_NOT_FOUND)
        return 0; /* it has never taken anything */
    if (err)
        return err;
    queue_summary(q, on_summary, l);
    context_wait(l->cx);
    queue_close(q);
    return l->err ? err_set(eb, l->err, "%s", err_name(l->err)) : 0;
}

static void show_one(struct context *cx, const struct config_relay *relay, const char *path)
{
    struct look l = {.cx = cx};
    struct err_buf eb = {""};
    struct store_options options = {.engine = STORE_ENGINE_SQLITE, .path = path, .read_only = true};
    struct store *spool = NULL;
    int err = store_open(cx->loop, &options, &spool, &eb);
    if (!err)
        err = count(&l, spool, relay->name, &eb);
    if (err)
        say_line(stdout, "the spool of %s cannot be read: %s", relay->name, eb.text);
    else if (l.waiting > 0)
        say_line(stdout, "%llu in the spool of %s, to be handed over to its queue when the store is back",
                 (unsigned long long)l.waiting, relay->name);
    store_close(spool);
}

void spool_show(struct context *cx)
{
    for (size_t i = 0; i < cx->config->relay_count; i++) {
        char *path = config_spool_path(cx->config, &cx->config->relays[i]);
        if (access(path, F_OK) == 0)
            show_one(cx, &cx->config->relays[i], path);
        free(path);
    }
}
