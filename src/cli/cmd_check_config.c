#include <stdio.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "dns/zones.h"

/* The zones are read too: a name server that cannot load its zone would not start. */
static int check_zones(const struct context *cx)
{
    struct dns_zones *zones = NULL;
    struct err_buf eb = {""};
    if (dns_zones_load(cx->config, 1, &zones, &eb) < 0) {
        fprintf(stderr, "%s\n", eb.text);
        return EXIT_FAILED;
    }
    dns_zones_free(zones);
    return EXIT_DONE;
}

int cmd_check_config(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    context_init(&cx, "check-config");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx), {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("check-config", eb.text);
    if (args.operand_count > 0)
        return command_usage("check-config", "name the file by -c FILE");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = check_zones(&cx);
    if (status == EXIT_DONE)
        printf("%s: no findings\n", cx.config->path);
    context_fini(&cx);
    return status;
}
