#include "relay/list_watch.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

struct list_watch {
    const struct config *config;
    struct recipients *recipients;
    struct list_state *states; /* by the domain's place in the configuration */
    struct loop_timer *timer;
};

static bool same(const struct list_look *a, const struct list_look *b)
{
    return a->there == b->there && a->device == b->device && a->inode == b->inode &&
           a->size_bytes == b->size_bytes && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns;
}

bool list_state_look(struct list_state *s, const struct list_look *now)
{
    bool at_rest = same(&s->last, now);
    s->last = *now;
    if (!at_rest || same(&s->read, now))
        return false;
    s->read = *now;
    return true;
}

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static struct list_look look_at(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return (struct list_look){.there = false};
    return (struct list_look){.there = true,
                              .device = st.st_dev,
                              .inode = st.st_ino,
                              .size_bytes = (uint64_t)st.st_size,
                              .modified_ns = ns_of(st.st_mtim),
                              .changed_ns = ns_of(st.st_ctim)};
}

static void read_list(struct list_watch *w, const struct config_domain *domain)
{
    struct err_buf eb = {""};
    size_t count = 0;
    if (recipients_reload_list(w->recipients, domain, &count, &eb) < 0)
        log_event(LOG_WARNING, "recipients' list not read, the old one is used",
                  LOG_TEXT("domain", domain->name), LOG_TEXT("detail", eb.text));
    else
        log_event(LOG_INFO, "recipients' list read", LOG_TEXT("domain", domain->name),
                  LOG_I64("addresses", (int64_t)count));
}

static void on_timer(void *arg)
{
    struct list_watch *w = arg;
    for (size_t i = 0; i < w->config->domain_count; i++) {
        const struct config_domain *domain = &w->config->domains[i];
        if (domain->recipients != RECIPIENTS_LIST)
            continue;
        struct list_look now = look_at(domain->recipients_file);
        if (list_state_look(&w->states[i], &now))
            read_list(w, domain);
    }
    loop_timer_start(w->timer, LIST_WATCH_MS);
}

struct list_watch *list_watch_new(struct loop *l, const struct config *config, struct recipients *r)
{
    struct list_watch *w = mem_zalloc(sizeof(*w));
    w->config = config;
    w->recipients = r;
    w->states = mem_calloc(config->domain_count, sizeof(*w->states));
    for (size_t i = 0; i < config->domain_count; i++) {
        if (config->domains[i].recipients != RECIPIENTS_LIST)
            continue;
        w->states[i].read = w->states[i].last = look_at(config->domains[i].recipients_file);
    }
    w->timer = loop_timer_new(l, on_timer, w);
    loop_timer_start(w->timer, LIST_WATCH_MS);
    return w;
}

void list_watch_free(struct list_watch *w)
{
    if (!w)
        return;
    loop_timer_free(w->timer);
    free(w->states);
    free(w);
}
