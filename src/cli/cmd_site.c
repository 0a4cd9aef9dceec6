#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/say.h"

#define ORDER_TIMEOUT_MS 10000

static int list(struct context *cx, bool json)
{
    struct viewer *viewer = context_view(cx);
    const struct view *v = viewer_view(viewer);
    json_t *all = json_array();
    for (size_t i = 0; i < cx->config->site_count; i++) {
        const char *name = cx->config->sites[i].name;
        const struct view_site *site = view_site_find(v, str_from(name));
        bool lost = site && site->record.lost;
        struct str who = lost ? site->record.who : STR_EMPTY;
        json_array_append_new(all, json_pack("{s:s, s:s, s:s%}", "name", name, "state", lost ? "lost" : "ok",
                                             "who", who.ptr ? who.ptr : "", who.len));
        if (!json && lost)
            say_line(stdout, "%-16s lost, by %.*s", name, STR_ARG(who));
        else if (!json)
            say_line(stdout, "%-16s ok", name);
    }
    if (json)
        context_print_json(all);
    json_decref(all);
    viewer_free(viewer);
    return EXIT_DONE;
}

static int record(struct context *cx, const char *verb, const char *site, const char *why, bool json)
{
    if (!config_site_find(cx->config, site))
        return command_usage("site", "the configuration has no site of that name");
    struct record_order order = {
        .target = STR("director"),
        .verb = strcmp(verb, "lost") == 0 ? STR("site-lost") : STR("site-back"),
        .subject = str_from(site),
        .args = STR("{}"),
        .why = str_from(why),
    };
    return context_order(cx, &order, ORDER_TIMEOUT_MS, json);
}

int cmd_site(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false;
    const char *why = "";
    context_init(&cx, "site");
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {"why", &why, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("site", eb.text);
    const char *verb = args.operand_count ? args.operands[0] : "";
    bool is_list = strcmp(verb, "list") == 0 && args.operand_count == 1;
    bool is_record = (strcmp(verb, "lost") == 0 || strcmp(verb, "back") == 0) && args.operand_count == 2;
    if (!is_list && !is_record)
        return command_usage("site", "say list, lost NAME or back NAME");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, is_list);
    if (status == EXIT_DONE)
        status = is_list ? list(&cx, json) : record(&cx, verb, args.operands[1], why, json);
    context_fini(&cx);
    return status;
}
