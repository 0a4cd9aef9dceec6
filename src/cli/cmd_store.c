#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "store/copy.h"

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

/* ---- copy ---- */

static volatile sig_atomic_t stopped;

static void on_interrupt(int signum)
{
    (void)signum;
    stopped = 1;
}

static bool on_progress(void *arg, const struct store_copy_progress *p)
{
    const bool *quiet = arg;
    if (!*quiet)
        fprintf(stderr, "\r%-32s %lld of %lld MiB ", p->file, (long long)(p->done_bytes >> 20),
                (long long)(p->total_bytes >> 20));
    return !stopped;
}

static int copy(const struct context *cx, const char *to, bool json)
{
    struct err_buf eb = {""};
    size_t files = 0;
    bool quiet = json || !isatty(STDERR_FILENO);
    struct sigaction act = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    int err = store_copy(cx->config->store_path, to, on_progress, &quiet, &files, &eb);
    if (!quiet)
        fprintf(stderr, "\n");
    if (err < 0) {
        fprintf(stderr, "holdfast store: %s\n", eb.text);
        return EXIT_FAILED;
    }
    if (json)
        printf("{\"files\": %zu}\n", files);
    else
        printf("%zu files copied to %s and verified\n", files, to);
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
    bool copies = args.operand_count == 2 && strcmp(args.operands[0], "copy") == 0;
    bool shows = args.operand_count == 1 && strcmp(args.operands[0], "status") == 0;
    if (!copies && !shows)
        return command_usage("store", "say status, or copy FOLDER");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE && shows)
        status = context_open_store(&cx, true);
    if (status == EXIT_DONE)
        status = copies ? copy(&cx, args.operands[1], json) : show(&cx, json);
    context_fini(&cx);
    return status;
}
