#include "cli/store_copy.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "config/postgres_url.h"
#include "loop/real.h"
#include "store/copy.h"
#include "store/transfer.h"

static volatile sig_atomic_t stopped;

static void on_interrupt(int signum)
{
    (void)signum;
    stopped = 1;
}

static void listen_to_signals(void)
{
    struct sigaction act = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

static int failed(int err, const struct err_buf *eb)
{
    say_line(stderr, "holdfast store: %s", eb->text);
    return err == ERR_BUSY || err == ERR_UNAVAILABLE ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

/* ---- to a folder ---- */

static bool on_bytes(void *arg, const struct store_copy_progress *p)
{
    const bool *quiet = arg;
    if (!*quiet)
        fprintf(stderr, "\r%-32s %lld of %lld MiB %-8s ", p->file, (long long)(p->done_bytes >> 20),
                (long long)(p->total_bytes >> 20), p->doing);
    return !stopped;
}

static int copy_to_folder(const struct context *cx, const char *to, bool json)
{
    struct err_buf eb = {""};
    struct store_copied copied = {0};
    bool quiet = json || !isatty(STDERR_FILENO);
    int err = store_copy(cx->config->store_path, to, on_bytes, &quiet, &copied, &eb);
    if (!quiet)
        fprintf(stderr, "\n");
    if (err < 0)
        return failed(err, &eb);
    if (json)
        say_line(stdout, "{\"files\": %zu, \"pieces\": %llu}", copied.files,
                 (unsigned long long)copied.pieces);
    else
        say_line(stdout, "%zu files copied to %s and verified: %llu pieces of messages read", copied.files,
                 to, (unsigned long long)copied.pieces);
    return EXIT_DONE;
}

/* ---- into a database ---- */

static bool on_rows(void *arg, const struct store_transfer_progress *p)
{
    const bool *quiet = arg;
    if (!*quiet)
        fprintf(stderr, "\r%-24s %-16s %lld of %lld rows %-8s ", p->part, p->table, (long long)p->done_rows,
                (long long)p->total_rows, p->doing);
    return !stopped;
}

static void print_json(const struct store_transferred *t)
{
    json_t *all = json_object(), *tables = json_array();
    char hash[40];
    for (size_t i = 0; i < t->count; i++) {
        const struct store_transferred_table *table = &t->tables[i];
        snprintf(hash, sizeof(hash), "%016llx%016llx", (unsigned long long)table->hash[0],
                 (unsigned long long)table->hash[1]);
        json_array_append_new(tables, json_pack("{s:s, s:s, s:I, s:s}", "part", table->part, "table",
                                                table->name, "rows", (json_int_t)table->rows, "hash", hash));
    }
    json_object_set_new(all, "rows", json_integer((json_int_t)t->rows));
    json_object_set_new(all, "resumed_rows", json_integer((json_int_t)t->resumed_rows));
    json_object_set_new(all, "body_bytes", json_integer((json_int_t)t->body_bytes));
    json_object_set_new(all, "texts_made_fit", json_integer((json_int_t)t->texts_made_fit));
    json_object_set_new(all, "tables", tables);
    context_print_json(all);
    json_decref(all);
}

static void print_text(const struct store_transferred *t)
{
    if (t->resumed_rows > 0)
        say_line(stdout, "%lld rows were there already, from an earlier try", (long long)t->resumed_rows);
    if (t->texts_made_fit > 0)
        say_line(
            stdout,
            "%lld texts had bytes that are no UTF-8, which the database does not take: each such byte is "
            "a ? now",
            (long long)t->texts_made_fit);
    say_line(stdout,
             "%lld rows of %zu tables copied, read back and found the same, %lld MiB of messages among them. "
             "Now name the database as the store's url on all nodes, and start none on the old store again",
             (long long)t->rows, t->count, (long long)(t->body_bytes >> 20));
}

static int copy_to_database(struct context *cx, const char *uri, const char *password_file, bool json)
{
    struct err_buf eb = {""};
    struct store_transferred done = {0};
    bool quiet = json || !isatty(STDERR_FILENO);
    if (postgres_url_check(uri, &eb) < 0) {
        say_line(stderr, "holdfast store: the database's url %s", eb.text);
        return EXIT_USAGE;
    }
    if (owner_become(cx) != EXIT_DONE)
        return EXIT_FAILED;
    cx->loop = loop_real_new();
    struct store_transfer what = {cx->loop, cx->config->store_path, uri, password_file};
    int err = store_transfer(&what, on_rows, &quiet, &done, &eb);
    if (!quiet)
        fprintf(stderr, "\n");
    if (err < 0)
        return failed(err, &eb);
    if (json)
        print_json(&done);
    else
        print_text(&done);
    store_transferred_fini(&done);
    return EXIT_DONE;
}

/* ---- either ---- */

int store_copy_command(struct context *cx, const char *to, const char *password_file, bool json)
{
    bool is_url = str_starts(str_from(to), STR("postgresql:"));
    if (cx->config->store_engine != STORE_SQLITE) {
        say_line(stderr,
                 "holdfast store: copy is for a store of SQLite; of a PostgreSQL database pg_basebackup and "
                 "pg_dump make copies");
        return EXIT_FAILED;
    }
    if (password_file && !is_url)
        return command_usage("store", "--password-file is for a database's url");
    listen_to_signals();
    return is_url ? copy_to_database(cx, to, password_file, json) : copy_to_folder(cx, to, json);
}
