#include "director/program.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#define OUTPUT_MAX_BYTES (64 * 1024) /* an answer has a few hundred bytes */
#define TEXT_MAX_BYTES   400         /* of stderr, for the human */
#define EXIT_FAILED      (-1)

struct program {
    struct loop *loop;
    bool answers; /* on stdout */
    char *name;
    struct loop_process *process;
    struct loop_timer *timer; /* a failure before anything could be started */
    char *failure;
    struct arena arena;
    void (*on_end)(void *arg, const struct order_result *result);
    void *arg;
};

/* ---- finding ---- */

/* Beside the program, in the tree that it was built in, or installed. */
static const char *const places[] = {"", "/../..", "/../libexec/holdfast", "/../lib/holdfast"};

int program_find(const char *self, const char *kind, struct str name, char **ret_path)
{
    if (name.len > 0 && name.ptr[0] == '/') {
        *ret_path = str_dup(name);
        return 0;
    }
    if (name.len == 0 || str_find(name, '/', 0) != SIZE_MAX)
        return ERR_INVALID;
    const char *slash = strrchr(self, '/');
    int folder_len = slash ? (int)(slash - self) : 1;
    const char *folder = slash ? self : ".";
    char *first = NULL;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char *path = mem_asprintf("%.*s%s/%s/%.*s", folder_len, folder, places[i], kind, STR_ARG(name));
        if (access(path, X_OK) == 0) {
            free(first);
            *ret_path = path;
            return 0;
        }
        if (first)
            free(path);
        else
            first = path;
    }
    *ret_path = first;
    return 0;
}

/* ---- what it is told ---- */

static json_t *text(struct str s)
{
    json_t *json = json_stringn(s.ptr ? s.ptr : "", s.len);
    return json ? json : json_string("");
}

static json_t *ports(const struct config_server *s)
{
    const struct {
        const char *name;
        int64_t port;
    } all[] = {{"smtp", s->smtp_port},   {"lmtp", s->lmtp_port},  {"submission", s->submission_port},
               {"imap", s->imap_port},   {"pop3", s->pop3_port},  {"submissions", s->submissions_port},
               {"imaps", s->imaps_port}, {"pop3s", s->pop3s_port}};
    json_t *json = json_object();
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].port > 0)
            json_object_set_new(json, all[i].name, json_integer(all[i].port));
    return json;
}

static char *provisioner_input(const struct program_options *o, const struct order_args *args)
{
    char *name = str_dup(args->server);
    const struct config_server *s = config_server_find(o->config, name);
    char *instance = mem_asprintf("%s@%lld", name, (long long)args->epoch);
    json_t *addresses = json_array(), *json = json_object();
    json_array_append_new(addresses, text(args->address));
    json_object_set_new(json, "server", text(args->server));
    json_object_set_new(json, "instance", json_string(instance));
    json_object_set_new(json, "epoch", json_integer(args->epoch));
    json_object_set_new(json, "site", text(args->site));
    json_object_set_new(json, "node", text(args->node));
    json_object_set_new(json, "addresses", addresses);
    json_object_set_new(json, "ports", s ? ports(s) : json_object());
    json_object_set_new(json, "hostname", json_string(s ? s->hostname : ""));
    json_object_set_new(json, "config", json_string(o->config->path));
    json_object_set_new(json, "state_dir", json_string(o->config->state_dir));
    json_object_set_new(json, "program", json_string(o->self));
    json_object_set_new(json, "timeout_ms", json_integer(args->timeout_ms));
    char *out = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    free(instance);
    free(name);
    return out;
}

static char *site_fence_input(const struct order_args *args)
{
    return mem_asprintf("action=off\nplug=%.*s\n", STR_ARG(args->site));
}

static char *fence_input(const struct order_args *args)
{
    if (args->pid > 0 && args->pid_ns > 0)
        return mem_asprintf("action=off\nplug=%lld:%lld\npid_ns=%lld\n", (long long)args->pid,
                            (long long)args->pid_start, (long long)args->pid_ns);
    if (args->pid > 0)
        return mem_asprintf("action=off\nplug=%lld:%lld\n", (long long)args->pid, (long long)args->pid_start);
    return mem_asprintf("action=off\nplug=%.*s\n", STR_ARG(args->address));
}

/* ---- what it answers ---- */

/* The end of what it said, on one line. */
static struct str last_words(struct arena *a, struct str said)
{
    said = str_trim(said);
    while (said.len > 0 && said.ptr[said.len - 1] == '\n')
        said.len--;
    if (said.len > TEXT_MAX_BYTES)
        said = str_sub(said, said.len - TEXT_MAX_BYTES, TEXT_MAX_BYTES);
    char *copy = arena_strdup(a, said);
    for (char *c = copy; c && *c; c++)
        if (!ascii_isprint(*c))
            *c = ' ';
    return str_from(copy);
}

static int read_answer(struct str output, struct order_result *result)
{
    json_t *json = json_loadb(output.ptr ? output.ptr : "", output.len, JSON_DISABLE_EOF_CHECK, NULL);
    bool understood = json_is_object(json);
    result->pid = json_integer_value(json_object_get(json, "pid"));
    result->pid_start = json_integer_value(json_object_get(json, "pid_start"));
    const char *status = json_string_value(json_object_get(json, "status"));
    result->off = status && strcmp(status, "off") == 0;
    json_decref(json);
    return understood ? 0 : ERR_SYNTAX;
}

static void on_process_end(void *arg, const struct loop_process_result *ended)
{
    struct program *p = arg;
    struct order_result result = {.exit_status = ended->exit_status,
                                  .text = last_words(&p->arena, ended->error_output)};
    if (ended->err) {
        result.exit_status = EXIT_FAILED;
        result.text = str_from(ended->err == ERR_TIMEOUT ? "it was not done in time" : err_name(ended->err));
    } else if (ended->signal) {
        result.exit_status = EXIT_FAILED;
        result.text = STR("it was killed by a signal");
    } else if (ended->exit_status == 0 && p->answers && read_answer(ended->output, &result) < 0) {
        result.exit_status = EXIT_FAILED;
        result.text = STR("its answer is no JSON object");
    }
    log_event(result.exit_status == 0 ? LOG_INFO : LOG_WARNING, "program ended", LOG_TEXT("program", p->name),
              LOG_I64("status", result.exit_status), LOG_STR("said", result.text));
    p->on_end(p->arg, &result);
}

static void on_failure(void *arg)
{
    struct program *p = arg;
    struct order_result result = {.exit_status = EXIT_FAILED, .text = str_from(p->failure)};
    p->on_end(p->arg, &result);
}

/* ---- running ---- */

static void spawn(struct program *p, const struct program_options *o, const char *path, const char *verb,
                  const char *input, int64_t timeout_ms)
{
    const char *const argv[] = {path, verb, NULL};
    struct loop_process_spec spec = {
        .argv = argv,
        .input = str_from(input),
        .keep_capabilities = verb && strcmp(verb, ORDER_CREATE) == 0, /* an instance binds ports below 1024 */
        .inherit_fds = &o->lifeline_fd,
        .inherit_count = o->lifeline_fd >= 0 ? 1 : 0,
        .output_max = OUTPUT_MAX_BYTES,
        .timeout_ms = timeout_ms,
    };
    p->process = loop_process_spawn(p->loop, &spec, on_process_end, p);
}

struct program *program_run(struct loop *l, const struct program_options *options, const char *verb,
                            const struct order_args *args,
                            void (*on_end)(void *arg, const struct order_result *result), void *arg)
{
    bool of_site = strcmp(verb, ORDER_FENCE_SITE) == 0;
    bool fences = of_site || strcmp(verb, ORDER_FENCE) == 0;
    struct program *p = mem_zalloc(sizeof(*p));
    char *path;
    *p = (struct program){.loop = l, .on_end = on_end, .arg = arg};
    p->answers = strcmp(verb, ORDER_CREATE) == 0 || strcmp(verb, PROGRAM_STATUS) == 0;
    p->name = str_dup(args->program);
    arena_init(&p->arena, 4 * TEXT_MAX_BYTES + OUTPUT_MAX_BYTES);
    if (program_find(options->self, fences ? "fence" : "provision", args->program, &path) < 0) {
        p->failure = mem_asprintf("%s: neither a name nor an absolute path", p->name);
        p->timer = loop_timer_new(l, on_failure, p);
        loop_timer_start(p->timer, 0);
        return p;
    }
    char *input = of_site  ? site_fence_input(args)
                  : fences ? fence_input(args)
                           : provisioner_input(options, args);
    spawn(p, options, path, fences ? NULL : verb, input, args->timeout_ms);
    free(input);
    free(path);
    return p;
}

void program_free(struct program *p)
{
    if (!p)
        return;
    loop_process_free(p->process);
    loop_timer_free(p->timer);
    arena_fini(&p->arena);
    free(p->failure);
    free(p->name);
    free(p);
}
