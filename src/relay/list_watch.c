#include "relay/list_watch.h"

#include "base/file_look.h"
#include "base/log.h"
#include "base/mem.h"

struct list_watch {
    const struct config *config;
    struct recipients *recipients;
    struct file_state *states; /* by the domain's place in the configuration */
    struct loop_timer *timer;
};

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
        struct file_look now = file_look_at(domain->recipients_file);
        if (file_state_look(&w->states[i], &now))
            read_list(w, domain);
    }
    loop_timer_start(w->timer, FILE_LOOK_MS);
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
        w->states[i].read = w->states[i].last = file_look_at(config->domains[i].recipients_file);
    }
    w->timer = loop_timer_new(l, on_timer, w);
    loop_timer_start(w->timer, FILE_LOOK_MS);
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
