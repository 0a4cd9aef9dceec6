#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/say.h"
#include "cli/status_data.h"
#include "config/units.h"

#define ORDER_TIMEOUT "2m" /* a creation may take its timeout, twice */

static const char *const orders[] = {"switchover", "failover", "failback", "fence", "retire"};

static bool is_order(const char *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        if (strcmp(orders[i], verb) == 0)
            return true;
    return false;
}

static void print_line(const json_t *s)
{
    say_line(stdout, "%-12s %-9s %-12s %s", json_string_value(json_object_get(s, "name")),
             json_string_value(json_object_get(s, "kind")), json_string_value(json_object_get(s, "state")),
             json_string_value(json_object_get(s, "address")));
}

static void print_whole(json_t *s)
{
    const char *key;
    json_t *value;
    json_object_foreach(s, key, value)
    {
        if (json_is_integer(value))
            say_line(stdout, "%-14s %lld", key, (long long)json_integer_value(value));
        else if (json_is_string(value))
            say_line(stdout, "%-14s %s", key, json_string_value(value));
    }
}

static int look(struct context *cx, const char *name, bool json)
{
    json_t *all = status_gather(cx), *servers = json_object_get(all, "servers"), *s;
    size_t i;
    if (json && !name)
        context_print_json(servers);
    json_array_foreach(servers, i, s)
    {
        bool named = name && strcmp(json_string_value(json_object_get(s, "name")), name) == 0;
        if (named && json)
            context_print_json(s);
        else if (named)
            print_whole(s);
        else if (!name && !json)
            print_line(s);
    }
    json_decref(all);
    return EXIT_DONE;
}

static int give(struct context *cx, const char *verb, const char *name, const char *why, int64_t timeout_ms,
                bool json)
{
    struct record_order order = {
        .target = STR("director"),
        .verb = str_from(verb),
        .subject = str_from(name),
        .args = STR("{}"),
        .why = str_from(why),
    };
    return context_order(cx, &order, timeout_ms, json);
}

int cmd_server(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false;
    const char *why = "", *timeout = ORDER_TIMEOUT;
    int64_t timeout_ms;
    context_init(&cx, "server");
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {"why", &why, NULL}, {"timeout", &timeout, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("server", eb.text);
    if (units_parse_duration(str_from(timeout), &timeout_ms) < 0)
        return command_usage("server", "--timeout is a duration such as 30s or 5m");
    const char *verb = args.operand_count ? args.operands[0] : "";
    const char *name = args.operand_count > 1 ? args.operands[1] : NULL;
    bool list = strcmp(verb, "list") == 0 && !name;
    bool looks = list || (strcmp(verb, "show") == 0 && name);
    if (args.operand_count > 2 || (!looks && !(is_order(verb) && name)))
        return command_usage("server", "say list, or show|switchover|failover|failback|fence|retire NAME");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE && name && !config_server_find(cx.config, name))
        status = command_usage("server", "the configuration has no server of that name");
    if (status == EXIT_DONE)
        status = context_open_store(&cx, looks);
    if (status == EXIT_DONE)
        status = looks ? look(&cx, name, json) : give(&cx, verb, name, why, timeout_ms, json);
    context_fini(&cx);
    return status;
}
