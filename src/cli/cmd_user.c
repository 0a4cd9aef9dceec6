#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auth/password.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/say.h"
#include "store/records.h"
#include "store/users.h"

struct user_work {
    struct context *cx;
    int err;
    bool json, exists;
    json_t *list;
    char address[512];
};

/* ---- the password: from the terminal without echo, or one line of stdin ---- */

static bool read_line(char *out, size_t size)
{
    if (!fgets(out, (int)size, stdin))
        return false;
    out[strcspn(out, "\r\n")] = '\0';
    return true;
}

static bool ask(const char *prompt, char *out, size_t size)
{
    struct termios before, quiet;
    fprintf(stderr, "%s", prompt);
    fflush(stderr);
    tcgetattr(STDIN_FILENO, &before);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    bool got = read_line(out, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fprintf(stderr, "\n");
    return got;
}

static int read_password(char *out, size_t size)
{
    char again[PASSWORD_MAX_BYTES + 2];
    if (!isatty(STDIN_FILENO)) {
        if (read_line(out, size))
            return EXIT_DONE;
        fprintf(stderr, "holdfast user: no password on stdin: give it as one line\n");
        return EXIT_USAGE;
    }
    if (!ask("Password: ", out, size) || !ask("Again: ", again, sizeof(again)))
        return EXIT_USAGE;
    int same = strcmp(out, again) == 0;
    explicit_bzero(again, sizeof(again));
    if (!same)
        fprintf(stderr, "holdfast user: the two are not the same; nothing was changed\n");
    return same ? EXIT_DONE : EXIT_USAGE;
}

static int make_verifier(char out[PASSWORD_VERIFIER_MAX])
{
    char password[PASSWORD_MAX_BYTES + 2];
    int status = read_password(password, sizeof(password));
    if (status != EXIT_DONE)
        return status;
    int err = password_hash(str_from(password), out);
    explicit_bzero(password, sizeof(password));
    if (err == 0)
        return EXIT_DONE;
    say_line(stderr, "holdfast user: a password has 1 to %d bytes", PASSWORD_MAX_BYTES);
    return EXIT_USAGE;
}

/* ---- records ---- */

static void on_users(void *arg, int err, const struct network_record *records, size_t count)
{
    struct user_work *w = arg;
    w->err = err;
    w->exists = count > 0;
    for (size_t i = 0; w->list && i < count; i++)
        json_array_append_new(w->list, json_stringn(records[i].key.ptr, records[i].key.len));
    context_done(w->cx);
}

static void read_users(struct user_work *w, struct str key)
{
    network_read(store_network(w->cx->store), STR("user"), key, on_users, w);
    context_wait(w->cx);
}

static void on_write(void *arg, int err, size_t failed)
{
    struct user_work *w = arg;
    (void)failed;
    w->err = err;
    context_done(w->cx);
}

static int wait_for_write(struct user_work *w)
{
    context_wait(w->cx);
    if (w->err == 0)
        return EXIT_DONE;
    say_line(stderr, "holdfast user: the store did not take it: %s", err_name(w->err));
    return EXIT_FAILED;
}

static int list_users(struct user_work *w)
{
    size_t i;
    json_t *address;
    w->list = json_array();
    read_users(w, (struct str){NULL, 0});
    if (w->json)
        context_print_json(w->list);
    json_array_foreach(w->list, i, address) if (!w->json) say_line(stdout, "%s", json_string_value(address));
    json_decref(w->list);
    return w->err ? EXIT_FAILED : EXIT_DONE;
}

static struct users_act act_of(const struct user_work *w)
{
    return (struct users_act){str_from(context_who()), loop_wall(w->cx->loop)};
}

static int set_password(struct user_work *w)
{
    char verifier[PASSWORD_VERIFIER_MAX];
    int status = make_verifier(verifier);
    if (status != EXIT_DONE)
        return status;
    struct record_user user = {.verifier = str_from(verifier)};
    char *value = record_user_encode(&user);
    users_put(store_network(w->cx->store), str_from(w->address), str_from(value), NETWORK_ANY_VERSION,
              act_of(w), on_write, w);
    free(value);
    return wait_for_write(w);
}

static int remove_user(struct user_work *w)
{
    users_remove(store_network(w->cx->store), str_from(w->address), act_of(w), on_write, w);
    return wait_for_write(w);
}

static int change(struct user_work *w, const char *verb)
{
    bool add = strcmp(verb, "add") == 0;
    read_users(w, str_from(w->address));
    if (add == w->exists) {
        say_line(stderr, "holdfast user: %s %s", w->address,
                 add ? "exists already: passwd changes its password" : "does not exist: add makes it");
        return EXIT_FAILED;
    }
    return strcmp(verb, "remove") == 0 ? remove_user(w) : set_password(w);
}

/* Lower case; its domain must be one of ours. */
static int take_address(struct user_work *w, const char *text, struct err_buf *eb)
{
    struct str domain = str_from(text);
    size_t at = str_find(domain, '@', 0);
    if (at == 0 || at == SIZE_MAX || domain.len >= sizeof(w->address))
        return err_set(eb, ERR_SYNTAX, "an address is local-part@domain");
    domain = str_sub(domain, at + 1, domain.len);
    if (!config_domain_find(w->cx->config, domain))
        return err_set(eb, ERR_NOT_FOUND,
                       "%s has no domain \"%.*s\": add that section, or name an address of another",
                       w->cx->config->path, STR_ARG(domain));
    snprintf(w->address, sizeof(w->address), "%s", text);
    ascii_lower_inplace(w->address, strlen(w->address));
    return 0;
}

int cmd_user(int argc, char **argv)
{
    struct context cx;
    struct user_work w = {.cx = &cx};
    struct args args;
    struct err_buf eb = {""};
    context_init(&cx, "user");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx), {"json", NULL, &w.json}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("user", eb.text);
    const char *verb = args.operand_count ? args.operands[0] : "";
    bool lists = strcmp(verb, "list") == 0 && args.operand_count == 1;
    bool changes = (strcmp(verb, "add") == 0 || strcmp(verb, "passwd") == 0 || strcmp(verb, "remove") == 0) &&
                   args.operand_count == 2;
    if (!lists && !changes)
        return command_usage("user", "say list, or add|passwd|remove ADDRESS");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE && changes && take_address(&w, args.operands[1], &eb) < 0)
        status = command_usage("user", eb.text);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, lists);
    if (status == EXIT_DONE)
        status = lists ? list_users(&w) : change(&w, verb);
    context_fini(&cx);
    return status;
}
