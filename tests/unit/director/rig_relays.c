/* Relays, as far as directors know of them: what each observes of each server. */
#include <stdio.h>

#include "rig_parts.h"
#include "unit/unit.h"

#define OBSERVE_MS 200  /* between a relay's observations */
#define TELL_MS    1000 /* between its records of them while nothing changes */
#define INVOKE_MS  1000 /* of being down, until a relay asks for another */

static bool answers_probes(struct rig *r, int server, const struct record_instance *instance)
{
    for (size_t k = 0; k < r->instance_count; k++) {
        const struct rig_instance *i = &r->instances[k];
        if (i->serves && i->server == server && i->epoch == instance->epoch &&
            str_eq(str_from(i->address), instance->address))
            return true;
    }
    return false;
}

static void on_observed(void *arg, int err, size_t failed)
{
    (void)arg;
    (void)err;
    (void)failed;
}

static void write_observation(struct rig_node *n, int server, const struct record_observation *o)
{
    char key[32];
    snprintf(key, sizeof(key), "%s/%s", n->config->name, n->rig->config.servers[server].name);
    char *json = record_observation_encode(o);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("observation"),
                                    .key = str_from(key),
                                    .value = str_from(json),
                                    .expect_version = NETWORK_ANY_VERSION};
    network_write(store_network(n->relay_process.store), &change, 1, NULL, on_observed, NULL);
    free(json);
}

static struct record_observation look(struct rig_node *n, int server)
{
    struct rig_place *p = &n->places[server];
    struct record_server record = rig_record_of(n->rig, server);
    struct mono_time now = loop_now(n->relay_process.loop);
    struct record_observation o = {.state = STR("unknown"), .detail = STR_EMPTY};
    if (record.instance.address.len == 0)
        return o;
    bool good = n->blind || answers_probes(n->rig, server, &record.instance);
    if (good)
        p->down_since.ns = 0;
    else if (p->down_since.ns == 0)
        p->down_since = now;
    o.state = good ? STR("operational") : STR("inoperable");
    o.epoch = record.instance.epoch;
    o.down_for_ms = good ? 0 : mono_diff_ms(now, p->down_since);
    o.invoke = !good && o.down_for_ms >= INVOKE_MS;
    return o;
}

static void observe(struct rig_node *n, int server)
{
    struct rig_place *p = &n->places[server];
    struct mono_time now = loop_now(n->relay_process.loop);
    struct record_observation o = look(n, server);
    bool anew = o.epoch != p->told_epoch || o.invoke != p->told_invoke || !str_eq(o.state, p->told_state);
    if (!anew && mono_diff_ms(now, p->told_at) < TELL_MS)
        return;
    p->told_epoch = o.epoch;
    p->told_invoke = o.invoke;
    p->told_state = o.state;
    p->told_at = now;
    write_observation(n, server, &o);
}

static void on_timer(void *arg)
{
    struct rig_node *n = arg;
    loop_timer_start(n->relay_timer, OBSERVE_MS);
    for (size_t i = 0; i < n->rig->config.server_count; i++)
        observe(n, (int)i);
}

static const struct config_relay *relay_of(const struct rig_node *n)
{
    return config_relay_of_node(&n->rig->config, n->config);
}

void rig_relay_start(struct rig_node *n)
{
    for (int i = 0; i < RIG_SERVERS; i++)
        n->places[i].told_state = STR_EMPTY;
    rig_process_start(n->rig, &n->relay_process, n->config->name, "relay");
    n->relay_timer = loop_timer_new(n->relay_process.loop, on_timer, n);
    n->relay_presence = presence_new(n->relay_process.loop, store_network(n->relay_process.store),
                                     &(struct presence_options){.kind = PRESENCE_RELAY,
                                                                .name = relay_of(n)->name,
                                                                .node = n->config->name,
                                                                .site = n->config->site->name,
                                                                .lease_ms = RIG_LEASE_MS,
                                                                .boot_id = n->config->name});
    loop_timer_start(n->relay_timer, 1);
}

void rig_relay_kill(struct rig_node *n)
{
    if (!n->relay_process.loop)
        return;
    sim_loop_kill(n->relay_process.loop);
    loop_timer_free(n->relay_timer);
    presence_free(n->relay_presence);
    rig_process_end(&n->relay_process);
}
