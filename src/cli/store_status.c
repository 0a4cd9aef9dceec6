#include "cli/store_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "store/database_status.h"

/* ---- as text ---- */

static void print_part(const char *name, const json_t *part)
{
    if (json_object_get(part, "schema"))
        say_line(stdout, "%-24s %-12s %6lld %12lld %12lld %12lld %12lld  %s", name,
                 field_text(part, "health", "-"), field_number(part, "schema_version"),
                 field_number(part, "size_bytes"), field_number(part, "live_rows"),
                 field_number(part, "dead_rows"), field_number(part, "dead_bytes"),
                 field_text(part, "schema", "-"));
    else
        say_line(stdout, "%-24s %-12s %6lld %12lld %12lld %13lld  %s", name, field_text(part, "health", "-"),
                 field_number(part, "schema_version"), field_number(part, "size_bytes"),
                 field_number(part, "log_bytes"), field_number(part, "journal_bytes"),
                 field_text(part, "file", "-"));
}

static void print_heading(const json_t *network)
{
    if (json_object_get(network, "schema"))
        printf("%-24s %-12s %6s %12s %12s %12s %12s  %s\n", "PART", "HEALTH", "SCHEMA", "BYTES", "ROWS",
               "DEAD ROWS", "DEAD BYTES", "NAME");
    else
        printf("%-24s %-12s %6s %12s %12s %13s  %s\n", "PART", "HEALTH", "SCHEMA", "BYTES", "LOG BYTES",
               "JOURNAL BYTES", "FILE");
}

static void print_parts(const json_t *all)
{
    const char *name;
    json_t *part;
    char title[160];
    if (!json_object_get(all, "network"))
        return;
    print_heading(json_object_get(all, "network"));
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

static void print_server(const json_t *server)
{
    if (!json_is_object(server))
        return;
    bool primary = json_is_true(json_object_get(server, "primary"));
    say_line(stdout, "server: PostgreSQL %s, %s, timeline %lld", field_text(server, "version", "?"),
             primary ? "primary" : "a standby, which takes no writes", field_number(server, "timeline"));
    say_line(
        stdout, "database: %s, %lld bytes, as role %s; commits wait for: %s",
        field_text(server, "database", "?"), field_number(server, "size_bytes"),
        field_text(server, "role", "?"),
        field_text(server, "synchronous_standby_names", "no standby (synchronous_standby_names is empty)"));
}

static void print_behind(const json_t *standby, const char *what)
{
    char bytes[64], ms[64];
    snprintf(bytes, sizeof(bytes), "%s_behind_bytes", what);
    snprintf(ms, sizeof(ms), "%s_behind_ms", what);
    say(stdout, " %s %lld bytes", what, field_number(standby, bytes));
    if (json_is_integer(json_object_get(standby, ms)))
        say(stdout, " (%lld ms)", field_number(standby, ms));
}

static void print_standby(const json_t *standby)
{
    say(stdout, "standby %s at %s: %s, %s; behind:", field_text(standby, "name", "?"),
        field_text(standby, "address", "a local socket"), field_text(standby, "state", "?"),
        field_text(standby, "sync_state", "?"));
    print_behind(standby, "write");
    print_behind(standby, "flush");
    print_behind(standby, "replay");
    printf("\n");
}

static void print_standbys(const json_t *database)
{
    const json_t *server = json_object_get(database, "server");
    const json_t *standbys = json_object_get(database, "standbys");
    size_t i;
    json_t *standby;
    if (json_is_false(json_object_get(server, "sees_standbys")))
        say_line(stdout,
                 "standbys: role %s may not see them: as a superuser of the database, GRANT pg_monitor TO it",
                 field_text(server, "role", "?"));
    else if (json_is_array(standbys) && json_array_size(standbys) == 0)
        say_line(stdout, "standbys: none");
    json_array_foreach(standbys, i, standby)
    {
        print_standby(standby);
    }
}

static void print_database(const json_t *database)
{
    size_t i;
    json_t *problem;
    if (!database)
        return;
    print_server(json_object_get(database, "server"));
    print_standbys(database);
    json_array_foreach(json_object_get(database, "problems"), i, problem)
    {
        say_line(stderr, "holdfast store: the server did not tell: %s", json_string_value(problem));
    }
}

/* ---- what there is ---- */

static int open_mail(struct context *cx)
{
    struct mail *mail;
    struct err_buf eb = {""};
    int err = store_mail(cx->store, &mail, &eb);
    if (err == 0 || err == ERR_NOT_FOUND)
        return EXIT_DONE;
    say_line(stderr, "holdfast store: the mail part cannot be read: %s", eb.text);
    return err == ERR_BUSY || err == ERR_UNAVAILABLE ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

static void mark_removed(json_t *queues, const struct queue_names *names)
{
    const char *name;
    json_t *part;
    json_object_foreach(queues, name, part)
        json_object_set_new(part, "relay_removed", json_boolean(queue_names_is_removed(names, name)));
}

/* A part is in the status once it was opened; one that was never made is not. */
static json_t *parts_of(struct context *cx, int *worst)
{
    struct queue_names names;
    context_queue_names(cx, &names);
    struct queue **queues = mem_calloc(names.count + 1, sizeof(struct queue *));
    *worst = open_mail(cx);
    for (size_t i = 0; i < names.count; i++)
        queues[i] = context_open_queue(cx, names.items[i], worst);
    char *all_text = store_status_json(cx->store);
    json_t *all = json_loads(all_text, 0, NULL);
    mark_removed(json_object_get(all, "queues"), &names);
    free(all_text);
    for (size_t i = 0; i < names.count; i++)
        if (queues[i])
            queue_close(queues[i]);
    free(queues);
    queue_names_fini(&names);
    return all;
}

/* ---- the database ---- */

/* NULL: it is none, or none of its servers answers: then *status is not EXIT_DONE. */
static json_t *database_of(struct context *cx, int *status)
{
    struct err_buf eb = {""};
    char *text = NULL;
    *status = EXIT_DONE;
    if (cx->config->store_engine != STORE_POSTGRESQL)
        return NULL;
    if (owner_become(cx) != EXIT_DONE) {
        *status = EXIT_FAILED;
        return NULL;
    }
    struct store_options options = context_store_options(cx->config, true);
    int err = store_database_status(&options, &text, &eb);
    json_t *database = err == 0 ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (err == 0)
        return database;
    *status = err == ERR_UNAVAILABLE ? EXIT_TRY_AGAIN : EXIT_FAILED;
    say_line(stderr, "holdfast store: %s", eb.text);
    if (err == ERR_UNAVAILABLE)
        say_line(stderr,
                 "No server of the store's url answers: start one, or look at the network in between; "
                 "then try again. What was accepted is in the database");
    return NULL;
}

static void add_sizes(json_t *part, const json_t *sizes)
{
    static const char *const names[] = {"size_bytes", "live_rows", "dead_rows", "dead_bytes"};
    const char *schema = json_string_value(json_object_get(part, "schema"));
    size_t i;
    json_t *of;
    json_array_foreach(sizes, i, of)
    {
        const char *name = json_string_value(json_object_get(of, "part"));
        if (!schema || !name || strcmp(name, schema) != 0)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            json_object_set(part, names[k], json_object_get(of, names[k]));
    }
}

static void add_database(json_t *all, json_t *database)
{
    const json_t *sizes = json_object_get(database, "parts");
    const char *name;
    json_t *part;
    add_sizes(json_object_get(all, "network"), sizes);
    add_sizes(json_object_get(all, "mail"), sizes);
    json_object_foreach(json_object_get(all, "queues"), name, part) add_sizes(part, sizes);
    json_object_del(database, "parts");
    json_object_set_new(all, "database", database);
}

/* ---- the command ---- */

int store_status_command(struct context *cx, bool json)
{
    int status;
    json_t *all = NULL, *database = database_of(cx, &status);
    if (status == EXIT_DONE)
        status = context_open_store(cx, true);
    if (status == EXIT_DONE)
        all = parts_of(cx, &status);
    else if (database)
        all = json_pack("{s:s}", "engine", "postgresql"); /* a server answers, but none takes writes */
    if (all && database)
        add_database(all, database);
    if (all && json) {
        context_print_json(all);
    } else if (all) {
        printf("engine: %s\n", field_text(all, "engine", "-"));
        print_database(database);
        print_parts(all);
    }
    json_decref(all);
    return status;
}
