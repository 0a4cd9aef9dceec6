/* The provisioner `process`: an instance is a process of this machine, `holdfast
 * mailbox`. See provision/README.md for what every provisioner promises.
 *
 *   process create|destroy|status  < request.json  > answer.json
 *
 * It remembers each instance by pid and start time (provision/state.h). An older
 * instance of the same server on this node is stale once a higher epoch comes:
 * it is ended before. */
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "start.h"
#include "state.h"

#define REQUEST_MAX_BYTES  (64 * 1024)
#define EXIT_FAILED        1
#define EXIT_USAGE         2
#define EXIT_AGAIN         75
#define TIMEOUT_DEFAULT_MS 30000
#define MARGIN_MS          500  /* to answer before whoever called us loses patience */
#define TERM_WAIT_MS       3000 /* sessions may end with a goodbye; nothing durable depends on it */
#define KILL_WAIT_MS       10000

struct request {
    json_t *json;
    const char *server, *node, *address, *config, *state_dir, *program;
    int64_t epoch, timeout_ms;
};

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static int read_request(struct request *r, struct err_buf *eb)
{
    static char text[REQUEST_MAX_BYTES];
    json_error_t error;
    size_t len = fread(text, 1, sizeof(text), stdin);
    r->json = json_loadb(text, len, 0, &error);
    if (!json_is_object(r->json))
        return err_set(eb, ERR_SYNTAX, "the request is no JSON object: %s", error.text);
    r->server = text_of(r->json, "server");
    r->node = text_of(r->json, "node");
    r->config = text_of(r->json, "config");
    r->state_dir = text_of(r->json, "state_dir");
    r->program = text_of(r->json, "program");
    const char *address = json_string_value(json_array_get(json_object_get(r->json, "addresses"), 0));
    r->address = address ? address : "";
    r->epoch = json_integer_value(json_object_get(r->json, "epoch"));
    r->timeout_ms = json_integer_value(json_object_get(r->json, "timeout_ms"));
    if (r->timeout_ms <= 0 || r->timeout_ms > INT_MAX)
        r->timeout_ms = TIMEOUT_DEFAULT_MS;
    if (r->server[0] == '\0' || r->node[0] == '\0' || r->state_dir[0] == '\0' || r->epoch <= 0)
        return err_set(eb, ERR_INVALID, "the request lacks server, node, state_dir or epoch");
    return 0;
}

/* ---- programs ---- */

/* HOLDFAST_BIN, what the request says, or ../holdfast from here. */
static char *program_of(const struct request *r)
{
    char self[PATH_MAX];
    const char *chosen = getenv("HOLDFAST_BIN");
    if (chosen && chosen[0])
        return mem_strdup(chosen);
    if (r->program[0])
        return mem_strdup(r->program);
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    return mem_asprintf("%s/../holdfast", dirname(self));
}

static int answer(const struct state *s, bool runs)
{
    json_t *json = json_pack("{s:s, s:I, s:I, s:I}", "status", runs ? "running" : "off", "epoch",
                             (json_int_t)s->epoch, "pid", (json_int_t)(runs ? s->pid.pid : 0), "pid_start",
                             (json_int_t)(runs ? s->pid.start : 0));
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
    return fflush(stdout) == 0 ? 0 : ERR_IO;
}

/* ---- the three verbs ---- */

static int end_process(const struct state *s, bool gently, struct err_buf *eb)
{
    int rc = ERR_TIMEOUT;
    if (s->pid.pid == 0)
        return 0;
    if (gently)
        rc = pid_end(&s->pid, SIGTERM, TERM_WAIT_MS);
    if (rc == ERR_TIMEOUT)
        rc = pid_end(&s->pid, SIGKILL, KILL_WAIT_MS);
    return rc == 0 ? 0
                   : err_set(eb, rc, "process %lld does not end: %s", (long long)s->pid.pid, err_name(rc));
}

static int start(const struct request *r, const struct state_place *place, struct state *s,
                 struct err_buf *eb)
{
    char epoch[24];
    char *program = program_of(r);
    snprintf(epoch, sizeof(epoch), "%lld", (long long)r->epoch);
    const char *const argv[] = {program,       "mailbox",    "--node",    r->node,      "--server", r->server,
                                "--epoch",     epoch,        "--address", r->address,   "-c",       r->config,
                                "--state-dir", r->state_dir, "--ready",   place->ready, NULL};
    struct start_spec spec = {argv, place, r->epoch,
                              r->timeout_ms > 2 * MARGIN_MS ? r->timeout_ms - MARGIN_MS : r->timeout_ms};
    int rc = start_instance(&spec, s, eb);
    free(program);
    return rc;
}

static int unknown(const struct state *s, int rc, struct err_buf *eb)
{
    return err_set(eb, rc, "whether process %lld runs cannot be told: %s", (long long)s->pid.pid,
                   err_name(rc));
}

static int create(const struct request *r, const struct state_place *place, struct err_buf *eb)
{
    struct state s;
    int rc = state_read(place, &s, eb);
    if (rc < 0)
        return rc;
    if (r->epoch < s.epoch)
        return err_set(eb, ERR_FENCED, "epoch %lld is stale: %lld was seen here", (long long)r->epoch,
                       (long long)s.epoch);
    if (r->epoch == s.epoch && s.off)
        return err_set(eb, ERR_FENCED, "epoch %lld was destroyed here", (long long)r->epoch);
    rc = pid_look(&s.pid);
    if (rc != 0 && rc != ERR_NOT_FOUND)
        return unknown(&s, rc, eb);
    bool runs = rc == 0;
    if (r->epoch == s.epoch && s.ready && runs)
        return answer(&s, true);
    if (r->epoch == s.epoch && s.ready)
        return err_set(eb, ERR_CLOSED, "epoch %lld ran here and has ended", (long long)r->epoch);
    rc = end_process(&s, false, eb); /* stale, or of a creation that was interrupted */
    if (rc == 0)
        rc = start(r, place, &s, eb);
    return rc == 0 ? answer(&s, true) : rc;
}

static int destroy(const struct request *r, const struct state_place *place, struct err_buf *eb)
{
    struct state s;
    int rc = state_read(place, &s, eb);
    if (rc < 0)
        return rc;
    if (s.epoch <= r->epoch) { /* a higher one has ended it already */
        rc = end_process(&s, s.epoch == r->epoch, eb);
        if (rc < 0)
            return rc;
        s = (struct state){.epoch = r->epoch, .off = true};
        rc = state_write(place, &s, eb);
    }
    return rc == 0 ? answer(&s, false) : rc;
}

/* Of the epoch that is asked about; of one that was not seen here, nothing runs. */
static int status(const struct request *r, const struct state_place *place, struct err_buf *eb)
{
    struct state s;
    int rc = state_read(place, &s, eb);
    if (rc < 0)
        return rc;
    rc = s.epoch == r->epoch ? pid_look(&s.pid) : ERR_NOT_FOUND;
    return rc == 0 || rc == ERR_NOT_FOUND ? answer(&s, rc == 0) : unknown(&s, rc, eb);
}

static int carry_out(const char *verb, const struct request *r, struct err_buf *eb)
{
    struct state_place place;
    int rc = state_place_open(&place, r->state_dir, r->server, r->node, eb);
    if (rc < 0)
        return rc;
    if (strcmp(verb, "create") == 0)
        rc = create(r, &place, eb);
    else if (strcmp(verb, "destroy") == 0)
        rc = destroy(r, &place, eb);
    else
        rc = status(r, &place, eb);
    state_place_close(&place);
    return rc;
}

/* Looked at before anything is opened that could get its number. */
static void drop_absent_lifeline(void)
{
    uint64_t fd;
    struct str number = str_from(getenv(START_LIFELINE_ENV));
    if (str_to_u64(number, INT32_MAX, &fd) < 0 || fcntl((int)fd, F_GETFD) < 0)
        unsetenv(START_LIFELINE_ENV);
}

int main(int argc, char **argv)
{
    drop_absent_lifeline();
    struct request r = {0};
    struct err_buf eb = {""};
    const char *verb = argc == 2 ? argv[1] : "";
    if (strcmp(verb, "create") != 0 && strcmp(verb, "destroy") != 0 && strcmp(verb, "status") != 0) {
        fprintf(stderr, "usage: %s create|destroy|status < request.json\n", argv[0]);
        return EXIT_USAGE;
    }
    int rc = read_request(&r, &eb);
    if (rc == 0)
        rc = carry_out(verb, &r, &eb);
    json_decref(r.json);
    if (rc == 0)
        return 0;
    fprintf(stderr, "%s\n", eb.text);
    return rc == ERR_UNAVAILABLE || rc == ERR_BUSY ? EXIT_AGAIN : EXIT_FAILED;
}
