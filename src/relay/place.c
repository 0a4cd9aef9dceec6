#include "relay/place.h"

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

struct target_instance place_of(const struct config_server *server, const struct view *v)
{
    const struct view_server *record = view_server_find(v, str_from(server->name));
    struct target_instance instance = {0};
    if (record && record->record.instance.node.len)
        instance = recorded(&record->record);
    else if (server->kind == SERVER_EXTERNAL)
        instance = fixed(server);
    int64_t port = server->protocol == SERVER_LMTP ? server->lmtp_port : server->smtp_port;
    if (instance.present)
        addr_set_port(&instance.address, (uint16_t)port);
    return instance;
}

void place_watch(const struct config_server *server, const struct target_instance *instance,
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
