#include "net/admission.h"

#include <string.h>

#include "base/mem.h"
#include "net/client_key.h"

struct admission_client {
    struct client_key key;
    int64_t session_count;
};

void admission_init(struct admission *a, int64_t sessions_max, int64_t client_max)
{
    memset(a, 0, sizeof(*a));
    list_init(&a->idle);
    map_init(&a->clients);
    admission_configure(a, sessions_max, client_max);
}

void admission_fini(struct admission *a)
{
    CHECK(a->session_count == 0 && a->clients.len == 0);
    map_fini(&a->clients);
}

void admission_configure(struct admission *a, int64_t sessions_max, int64_t client_max)
{
    CHECK(sessions_max > 0 && client_max > 0);
    a->sessions_max = sessions_max;
    a->client_max = client_max;
}

static struct admission_slot *longest_idle(const struct admission *a)
{
    return list_empty(&a->idle) ? NULL : LIST_ENTRY(a->idle.next, struct admission_slot, node);
}

enum admission_word admission_ask(const struct admission *a, const struct addr *peer, bool own,
                                  struct admission_slot **ret_idle)
{
    struct client_key key = client_key_of(peer);
    const struct admission_client *client = own ? NULL : map_find(&a->clients, client_key_str(&key));
    bool full = a->session_count >= a->sessions_max;
    struct admission_slot *idle = full ? longest_idle(a) : NULL;
    if (client && client->session_count >= a->client_max)
        return ADMISSION_CLIENT_FULL;
    if (full && !idle && !(own && a->session_count < a->sessions_max + ADMISSION_OWN_EXTRA))
        return ADMISSION_FULL;
    *ret_idle = idle;
    return ADMISSION_GRANTED;
}

static struct admission_client *client_get(struct admission *a, const struct addr *peer)
{
    struct client_key key = client_key_of(peer);
    struct admission_client *client = map_find(&a->clients, client_key_str(&key));
    if (client)
        return client;
    client = mem_zalloc(sizeof(*client));
    client->key = key;
    map_set(&a->clients, client_key_str(&key), client);
    return client;
}

void admission_enter(struct admission *a, struct admission_slot *slot, const struct addr *peer, bool own)
{
    slot->admission = a;
    slot->busy = false;
    slot->client = own ? NULL : client_get(a, peer);
    if (slot->client)
        slot->client->session_count++;
    a->session_count++;
    list_append(&a->idle, &slot->node);
}

void admission_leave(struct admission_slot *slot)
{
    struct admission *a = slot->admission;
    struct admission_client *client = slot->client;
    if (!a)
        return;
    list_remove(&slot->node);
    a->session_count--;
    if (client && --client->session_count == 0) {
        map_remove(&a->clients, client_key_str(&client->key));
        free(client);
    }
    *slot = (struct admission_slot){0};
}

void admission_set_busy(struct admission_slot *slot, bool busy)
{
    if (!slot->admission || slot->busy == busy)
        return;
    slot->busy = busy;
    list_remove(&slot->node);
    if (!busy)
        list_append(&slot->admission->idle, &slot->node);
}

void admission_touch(struct admission_slot *slot)
{
    if (!slot->admission || slot->busy)
        return;
    list_remove(&slot->node);
    list_append(&slot->admission->idle, &slot->node);
}

int64_t admission_linger_ms(struct admission_slot *slot, struct mono_time now, int64_t wanted_ms)
{
    if (!slot || !slot->admission)
        return wanted_ms;
    struct admission *a = slot->admission;
    struct mono_time *oldest = &a->lingering[a->next_lingering];
    if (mono_before(now, *oldest))
        return 0;
    *oldest = mono_add_ms(now, wanted_ms);
    a->next_lingering = (a->next_lingering + 1) % ADMISSION_LINGERING_MAX;
    return wanted_ms;
}
