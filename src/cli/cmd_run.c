#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "loop/real.h"
#include "run/supervisor.h"

static int run(struct context *cx, const char *node_name)
{
    char log_name[64] = "run";
    cx->loop = loop_real_new();
    int status;
    if (!node_name) {
        status = run_network(cx->loop, cx->config);
    } else {
        const struct config_node *node = config_node_find(cx->config, node_name);
        if (!node)
            return command_usage("run", "the configuration has no node of that name");
        snprintf(log_name, sizeof(log_name), "run@%s", node_name);
        log_set_role(log_name);
        status = run_node(cx->loop, cx->config, node);
    }
    return status;
}

int cmd_run(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    const char *node = NULL;
    context_init(&cx, "run");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx), {"node", &node, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("run", eb.text);
    if (args.operand_count > 0)
        return command_usage("run", "it takes options only; a node is named by --node");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = run(&cx, node);
    context_fini(&cx);
    return status;
}
