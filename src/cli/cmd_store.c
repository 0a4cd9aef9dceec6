#include <string.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/store_copy.h"
#include "cli/store_status.h"

int cmd_store(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false;
    const char *password_file = NULL;
    context_init(&cx, "store");
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {"password-file", &password_file, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("store", eb.text);
    bool copies = args.operand_count == 2 && strcmp(args.operands[0], "copy") == 0;
    bool shows = args.operand_count == 1 && strcmp(args.operands[0], "status") == 0;
    if (!copies && (!shows || password_file))
        return command_usage("store", "say status, or copy FOLDER, or copy URL");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = copies ? store_copy_command(&cx, args.operands[1], password_file, json)
                        : store_status_command(&cx, json);
    context_fini(&cx);
    return status;
}
