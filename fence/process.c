/* A fence agent (ClusterLabs fence-agents API) for instances that are processes
 * of this machine: key=value lines on stdin.
 *
 *   action=off      kills it and waits until it is gone; 0 when it is off
 *   action=status   0: it runs, 2: it is off
 *   action=monitor  0: this agent works
 *   plug=PID:START  pid, and start time in clock ticks since boot (/proc/PID/stat, 22)
 *   pid_ns=INODE    the pid namespace that the pid is of (/proc/PID/ns/pid); refused when it is another one
 *
 * Exit 1: failed, or not understood; the reason is on stderr. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "pid.h"

#define LINE_MAX_BYTES 1024
#define LINES_MAX      100
#define GONE_WAIT_MS   10000 /* a killed process that is still there then hangs in the kernel */
#define EXIT_IS_OFF    2

struct request {
    char action[16];
    char plug[64];
    char pid_ns[24];
};

static void take(char *to, size_t size, struct str value)
{
    snprintf(to, size, "%.*s", STR_ARG(value));
}

/* Unknown keys are other agents', they are passed over. */
static void read_request(FILE *in, struct request *r)
{
    char line[LINE_MAX_BYTES];
    for (int i = 0; i < LINES_MAX && fgets(line, sizeof(line), in); i++) {
        line[strcspn(line, "\r\n")] = '\0';
        struct str value = str_from(line), key;
        if (!str_split(&value, '=', &key) || !value.ptr)
            continue;
        if (str_eq(key, STR("action")) || str_eq(key, STR("option")))
            take(r->action, sizeof(r->action), value);
        else if (str_eq(key, STR("plug")) || str_eq(key, STR("port")))
            take(r->plug, sizeof(r->plug), value);
        else if (str_eq(key, STR("pid_ns")))
            take(r->pid_ns, sizeof(r->pid_ns), value);
    }
}

static int off(const struct pid_name *name, const char *plug)
{
    int rc = pid_end(name, SIGKILL, GONE_WAIT_MS);
    if (rc == 0)
        return 0;
    fprintf(stderr, "process %s is not off: %s\n", plug, err_name(rc));
    return 1;
}

static int status(const struct pid_name *name, const char *plug)
{
    int rc = pid_look(name);
    if (rc == 0)
        return 0;
    if (rc == ERR_NOT_FOUND)
        return EXIT_IS_OFF;
    fprintf(stderr, "whether process %s runs cannot be told: %s\n", plug, err_name(rc));
    return 1;
}

/* Here the pid would be another process, or none. */
static bool is_of_elsewhere(const struct request *r)
{
    uint64_t wanted;
    return r->pid_ns[0] != '\0' &&
           (str_to_u64(str_from(r->pid_ns), INT64_MAX, &wanted) < 0 || (int64_t)wanted != pid_namespace());
}

int main(void)
{
    struct request r = {0};
    struct pid_name name;
    read_request(stdin, &r);
    if (strcmp(r.action, "monitor") == 0)
        return 0;
    if (strcmp(r.action, "off") != 0 && strcmp(r.action, "status") != 0) {
        fprintf(stderr, "action=%s: only off, status and monitor are known\n", r.action);
        return 1;
    }
    if (pid_name_parse(str_from(r.plug), &name) < 0) {
        fprintf(stderr, "plug=%s: must be PID:START\n", r.plug);
        return 1;
    }
    if (is_of_elsewhere(&r)) {
        fprintf(stderr,
                "pid_ns=%s: the instance is not of this pid namespace (%lld): run the agent in its own\n",
                r.pid_ns, (long long)pid_namespace());
        return 1;
    }
    return strcmp(r.action, "status") == 0 ? status(&name, r.plug) : off(&name, r.plug);
}
