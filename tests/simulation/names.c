#include "simulation/names.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define ANSWER_MIN_MS  1
#define ANSWER_SPAN_MS 60

/* Either exchangers, of which preference 0 is RFC 7505's "none", or an address. */
static const struct name {
    const char *name;
    struct resolver_mx mx[2];
    size_t mx_count;
    const char *ip;
} names[] = {
    {"elsewhere.test", {{10, "mx1.elsewhere.test"}, {20, "mx2.elsewhere.test"}}, 2, NULL},
    {"mx1.elsewhere.test", {{0, ""}}, 0, "127.6.0.1"},
    {"mx2.elsewhere.test", {{0, ""}}, 0, "127.6.0.2"},
    {"deaf.test", {{0, ""}}, 1, NULL},
};

struct names {
    struct resolver base;
    struct world *world;
    struct loop *loop;
};

struct question {
    struct resolver_question base;
    enum resolver_type type;
    char name[RESOLVER_NAME_MAX];
    void (*on_answer)(void *arg, const struct resolver_answer *answer);
    void *arg;
    struct loop_timer *timer;
    bool fails;
};

static void cancel(struct resolver_question *base)
{
    struct question *q = CONTAINER_OF(base, struct question, base);
    loop_timer_free(q->timer);
    free(q);
}

static const struct name *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

static void on_time(void *arg)
{
    struct question *q = arg;
    const struct name *n = find(q->name);
    struct resolver_answer answer = {.status = n ? RESOLVER_NO_DATA : RESOLVER_NO_NAME, .detail = ""};
    struct addr ip;
    if (q->fails) {
        answer = (struct resolver_answer){.status = RESOLVER_FAILED, .detail = "SERVFAIL"};
    } else if (n && q->type == RESOLVER_MX && n->mx_count > 0) {
        answer.status = RESOLVER_FOUND;
        answer.mx = n->mx;
        answer.mx_count = n->mx_count;
    } else if (n && q->type == RESOLVER_A && n->ip) {
        CHECK(addr_parse_ip(str_from(n->ip), 0, &ip) == 0);
        answer.status = RESOLVER_FOUND;
        answer.addrs = &ip;
        answer.addr_count = 1;
    }
    q->on_answer(q->arg, &answer);
    cancel(&q->base);
}

static struct resolver_question *ask(struct resolver *r, enum resolver_type type, const char *name,
                                     void (*on_answer)(void *arg, const struct resolver_answer *answer),
                                     void *arg)
{
    struct names *n = CONTAINER_OF(r, struct names, base);
    const struct names_faults *faults = &n->world->names_faults;
    struct question *q = mem_zalloc(sizeof(*q));
    *q = (struct question){.base = {r->ops},
                           .type = type,
                           .on_answer = on_answer,
                           .arg = arg,
                           .timer = loop_timer_new(n->loop, on_time, q),
                           .fails = faults->fail};
    snprintf(q->name, sizeof(q->name), "%s", name);
    if (faults->happened)
        ++*faults->happened;
    loop_timer_start(q->timer, ANSWER_MIN_MS + faults->slow_ms +
                                   (int64_t)sim_random_below(n->world->sim, ANSWER_SPAN_MS));
    return &q->base;
}

static void names_free(struct resolver *r)
{
    free(CONTAINER_OF(r, struct names, base));
}

static const struct resolver_ops names_ops = {.ask = ask, .cancel = cancel, .free = names_free};

struct resolver *names_resolver_new(struct world *w, struct loop *l)
{
    struct names *n = mem_zalloc(sizeof(*n));
    *n = (struct names){.base = {&names_ops}, .world = w, .loop = l};
    return &n->base;
}
