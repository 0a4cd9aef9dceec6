#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/context.h"

static int show(struct context *cx, bool json)
{
    char *text = store_status_json(cx->store);
    json_t *value = json_loads(text, 0, NULL), *member;
    const char *key;
    free(text);
    if (json)
        context_print_json(value);
    json_object_foreach(value, key, member)
    {
        char *shown = json_dumps(member, JSON_ENCODE_ANY | JSON_COMPACT);
        if (!json)
            printf("%-16s %s\n", key, shown);
        free(shown);
    }
    json_decref(value);
    return EXIT_DONE;
}

int cmd_store(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false;
    context_init(&cx, "store");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("store", eb.text);
    if (args.operand_count != 1 || strcmp(args.operands[0], "status") != 0)
        return command_usage("store", "say status");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, true);
    if (status == EXIT_DONE)
        status = show(&cx, json);
    context_fini(&cx);
    return status;
}
