#include "relay/target_instance.h"

#include <stdio.h>

static struct target_instance fixed(const struct config_server *server)
{
    struct target_instance instance = {.present = server->address.count > 0};
    if (instance.present)
        instance.address = server->address.addrs[0];
    return instance;
}

static struct target_instance recorded(const struct record_server *record)
{
    struct target_instance instance = {.generation = record->generation, .epoch = record->instance.epoch};
    if (record->instance.node.len == 0 || addr_parse_ip(record->instance.address, 0, &instance.address) < 0)
        return instance;
    instance.present = true;
    snprintf(instance.node, sizeof(instance.node), "%.*s", STR_ARG(record->instance.node));
    return instance;
}

struct target_instance target_instance_of(const struct config_server *server, const struct view *v)
{
    const struct view_server *record = view_server_find(v, str_from(server->name));
    struct target_instance instance = {0};
    if (record && record->record.instance.node.len)
        instance = recorded(&record->record);
    else if (server->kind == SERVER_EXTERNAL)
        instance = fixed(server);
    if (instance.present)
        addr_set_port(&instance.address,
                      (uint16_t)(server->protocol == SERVER_LMTP ? server->lmtp_port : server->smtp_port));
    return instance;
}

void target_instances_set(const struct config *c, struct target *const *targets, const struct view *v)
{
    for (size_t i = 0; i < c->server_count; i++) {
        struct target_instance instance = target_instance_of(&c->servers[i], v);
        target_set_instance(targets[i], &instance);
    }
}

void target_instance_watch(const struct config_server *server, const struct target_instance *instance,
                           struct monitor *m)
{
    if (!instance->present) {
        monitor_set_target(m, NULL);
        return;
    }
    struct monitor_target where;
    char expect[96];
    monitor_target_of_server(server, &instance->address, &where);
    if (server->kind == SERVER_BUILTIN) {
        snprintf(expect, sizeof(expect), "instance=%lld@%s", (long long)instance->epoch, instance->node);
        where.expect = expect;
    }
    where.epoch = instance->epoch;
    monitor_set_target(m, &where);
}
