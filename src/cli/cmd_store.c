#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/field.h"
#include "cli/say.h"
#include "store/copy.h"

/* ---- status ---- */

static void print_part(const char *name, const json_t *part)
{
    say_line(stdout, "%-24s %-12s %6lld %12lld %12lld %13lld  %s", name, field_text(part, "health", "-"),
             field_number(part, "schema_version"), field_number(part, "size_bytes"),
             field_number(part, "log_bytes"), field_number(part, "journal_bytes"),
             field_text(part, "file", "-"));
}

static void print_parts(const json_t *all)
{
    const char *name;
    json_t *part;
    char title[160];
    printf("engine: %s\n%-24s %-12s %6s %12s %12s %13s  %s\n", field_text(all, "engine", "-"), "PART",
           "HEALTH", "SCHEMA", "BYTES", "LOG BYTES", "JOURNAL BYTES", "FILE");
    print_part("network", json_object_get(all, "network"));
    if (json_object_get(all, "mail"))
        print_part("mail", json_object_get(all, "mail"));
    json_object_foreach(json_object_get(all, "queues"), name, part)
    {
        bool removed = json_is_true(json_object_get(part, "relay_removed"));
        snprintf(title, sizeof(title), "queue %s%s", name, removed ? " (removed)" : "");
        print_part(title, part);
    }
}

static int open_mail(struct context *cx)
{
    struct mail *mail;
    struct err_buf eb = {""};
    int err = store_mail(cx->store, &mail, &eb);
    if (err == 0 || err == ERR_NOT_FOUND)
        return EXIT_DONE;
    say_line(stderr, "holdfast store: the mail part cannot be read: %s", eb.text);
    return EXIT_FAILED;
}

static void mark_removed(json_t *queues, const struct queue_names *names)
{
    const char *name;
    json_t *part;
    json_object_foreach(queues, name, part)
        json_object_set_new(part, "relay_removed", json_boolean(queue_names_is_removed(names, name)));
}

/* A part is in the status once it was opened; one that was never made is not. */
static int show(struct context *cx, bool json)
{
    struct queue_names names;
    context_queue_names(cx, &names);
    struct queue **queues = mem_calloc(names.count + 1, sizeof(struct queue *));
    int worst = open_mail(cx);
    for (size_t i = 0; i < names.count; i++)
        queues[i] = context_open_queue(cx, names.items[i], &worst);
    char *all_text = store_status_json(cx->store);
    json_t *all = json_loads(all_text, 0, NULL);
    mark_removed(json_object_get(all, "queues"), &names);
    if (json)
        context_print_json(all);
    else
        print_parts(all);
    json_decref(all);
    free(all_text);
    for (size_t i = 0; i < names.count; i++)
        if (queues[i])
            queue_close(queues[i]);
    free(queues);
    queue_names_fini(&names);
    return worst;
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
        fprintf(stderr, "\r%-32s %lld of %lld MiB %-8s ", p->file, (long long)(p->done_bytes >> 20),
                (long long)(p->total_bytes >> 20), p->doing);
    return !stopped;
}

static int copy(const struct context *cx, const char *to, bool json)
{
    struct err_buf eb = {""};
    struct store_copied copied = {0};
    bool quiet = json || !isatty(STDERR_FILENO);
    if (cx->config->store_engine != STORE_SQLITE) {
        say_line(stderr,
                 "holdfast store: copy is for a store of SQLite; of a PostgreSQL database pg_basebackup and "
                 "pg_dump make copies");
        return EXIT_FAILED;
    }
    struct sigaction act = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    int err = store_copy(cx->config->store_path, to, on_progress, &quiet, &copied, &eb);
    if (!quiet)
        fprintf(stderr, "\n");
    if (err < 0) {
        say_line(stderr, "holdfast store: %s", eb.text);
        return EXIT_FAILED;
    }
    if (json)
        say_line(stdout, "{\"files\": %zu, \"pieces\": %llu}", copied.files,
                 (unsigned long long)copied.pieces);
    else
        say_line(stdout, "%zu files copied to %s and verified: %llu pieces of messages read", copied.files,
                 to, (unsigned long long)copied.pieces);
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
