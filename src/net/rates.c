#include "net/rates.h"

#include <string.h>

#include "base/mem.h"
#include "net/client_key.h"

struct rates_client {
    struct list node;
    struct client_key key;
    struct rate_bucket buckets[RATES_KINDS];
};

void rates_init(struct rates *r, const struct rates_limits *limits)
{
    memset(r, 0, sizeof(*r));
    map_init(&r->clients);
    list_init(&r->calm);
    list_init(&r->over);
    rates_configure(r, limits);
}

static void forget(struct rates *r, struct rates_client *c)
{
    map_remove(&r->clients, client_key_str(&c->key));
    list_remove(&c->node);
    free(c);
}

static struct rates_client *first_of(const struct list *clients)
{
    return list_empty(clients) ? NULL : LIST_ENTRY(clients->next, struct rates_client, node);
}

static void forget_down_to(struct rates *r, int64_t count)
{
    while ((int64_t)r->clients.len > count)
        forget(r, list_empty(&r->calm) ? first_of(&r->over) : first_of(&r->calm));
}

void rates_fini(struct rates *r)
{
    forget_down_to(r, 0);
    map_fini(&r->clients);
}

void rates_configure(struct rates *r, const struct rates_limits *limits)
{
    CHECK(limits->clients_max > 0);
    r->limits = *limits;
    forget_down_to(r, limits->clients_max);
}

/* ---- one client ---- */

static bool is_over(const struct rates *r, const struct rates_client *c, struct mono_time now)
{
    for (size_t i = 0; i < RATES_KINDS; i++)
        if (rate_wait_ms(&r->limits.of_client[i], &c->buckets[i], now) > 0)
            return true;
    return false;
}

/* To the end of the list that it belongs to now. */
static void place(struct rates *r, struct rates_client *c, struct mono_time now)
{
    list_remove(&c->node);
    list_append(is_over(r, c, now) ? &r->over : &r->calm, &c->node);
}

static struct rates_client *client_find(const struct rates *r, const struct addr *client)
{
    struct client_key key = client_key_of(client);
    return map_find(&r->clients, client_key_str(&key));
}

/* Looks at one of those that were over a limit, so that each is looked at in its turn, whoever comes. */
static bool make_room(struct rates *r, struct mono_time now)
{
    if ((int64_t)r->clients.len < r->limits.clients_max)
        return true;
    struct rates_client *was_over = first_of(&r->over);
    if (was_over)
        place(r, was_over, now);
    struct rates_client *idle = first_of(&r->calm);
    if (idle)
        forget(r, idle);
    return idle;
}

/* NULL: he is not counted for himself. */
static struct rates_client *client_get(struct rates *r, enum rates_kind kind, const struct addr *client,
                                       struct mono_time now)
{
    if (r->limits.of_client[kind].count == 0)
        return NULL;
    struct rates_client *c = client_find(r, client);
    if (c || !make_room(r, now))
        return c;
    c = mem_zalloc(sizeof(*c));
    c->key = client_key_of(client);
    list_append(&r->calm, &c->node);
    map_set(&r->clients, client_key_str(&c->key), c);
    return c;
}

/* ---- what is asked ---- */

static struct rates_answer answer_to(const struct rates *r, enum rates_kind kind,
                                     const struct rates_client *c, struct mono_time now)
{
    const struct rate *mine = &r->limits.of_client[kind], *all = &r->limits.of_all[kind];
    int64_t wait_ms = c ? rate_wait_ms(mine, &c->buckets[kind], now) : 0;
    if (wait_ms > 0)
        return (struct rates_answer){RATES_CLIENT_OVER, *mine, wait_ms};
    wait_ms = rate_wait_ms(all, &r->all[kind], now);
    if (wait_ms > 0)
        return (struct rates_answer){RATES_ALL_OVER, *all, wait_ms};
    return (struct rates_answer){.word = RATES_GRANTED};
}

struct rates_answer rates_ask(const struct rates *r, enum rates_kind kind, const struct addr *client,
                              struct mono_time now)
{
    return answer_to(r, kind, client_find(r, client), now);
}

struct rates_answer rates_take(struct rates *r, enum rates_kind kind, const struct addr *client,
                               struct mono_time now)
{
    struct rates_client *c = client_get(r, kind, client, now);
    struct rates_answer answer = answer_to(r, kind, c, now);
    if (answer.word == RATES_GRANTED) {
        rate_take(&r->limits.of_all[kind], &r->all[kind], now);
        if (c)
            rate_take(&r->limits.of_client[kind], &c->buckets[kind], now);
    }
    if (c)
        place(r, c, now);
    return answer;
}
