#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"

static bool is_file_name(const char *name)
{
    if (name[0] == '\0' || name[0] == '.')
        return false;
    for (const char *c = name; *c; c++)
        if (!ascii_isprint(*c) || *c == '/')
            return false;
    return true;
}

static int make_dir(const char *path, struct err_buf *eb)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return err_set(eb, err_from_errno(errno), "cannot make the folder %s: %m", path);
}

int state_place_open(struct state_place *p, const char *state_dir, const char *server, const char *node,
                     struct err_buf *eb)
{
    *p = (struct state_place){.lock_fd = -1};
    if (!is_file_name(server) || !is_file_name(node))
        return err_set(eb, ERR_INVALID, "server \"%s\" or node \"%s\" is no name", server, node);
    char *logs = mem_asprintf("%s/log", state_dir), *lock;
    p->dir = mem_asprintf("%s/instances", state_dir);
    p->json = mem_asprintf("%s/%s@%s.json", p->dir, server, node);
    p->ready = mem_asprintf("%s/%s@%s.ready", p->dir, server, node);
    p->log = mem_asprintf("%s/%s@%s.log", logs, server, node);
    lock = mem_asprintf("%s/%s@%s.lock", p->dir, server, node);
    int rc = make_dir(state_dir, eb);
    if (rc == 0)
        rc = make_dir(p->dir, eb);
    if (rc == 0)
        rc = make_dir(logs, eb);
    if (rc == 0) {
        p->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (p->lock_fd < 0 || flock(p->lock_fd, LOCK_EX) != 0)
            rc = err_set(eb, err_from_errno(errno), "cannot lock %s: %m", lock);
    }
    free(lock);
    free(logs);
    if (rc < 0)
        state_place_close(p);
    return rc;
}

void state_place_close(struct state_place *p)
{
    if (p->lock_fd >= 0)
        close(p->lock_fd);
    free(p->dir);
    free(p->json);
    free(p->ready);
    free(p->log);
    *p = (struct state_place){.lock_fd = -1};
}

int state_read(const struct state_place *p, struct state *ret_state, struct err_buf *eb)
{
    json_error_t error;
    struct state s = {0};
    if (access(p->json, F_OK) != 0 && errno == ENOENT) {
        *ret_state = s;
        return 0;
    }
    json_t *json = json_load_file(p->json, 0, &error);
    if (!json_is_object(json)) {
        json_decref(json);
        return err_set(eb, ERR_CORRUPT, "%s: %s", p->json, error.text);
    }
    s.epoch = json_integer_value(json_object_get(json, "epoch"));
    s.pid.pid = json_integer_value(json_object_get(json, "pid"));
    s.pid.start = json_integer_value(json_object_get(json, "pid_start"));
    s.ready = json_is_true(json_object_get(json, "ready"));
    s.off = json_is_true(json_object_get(json, "off"));
    json_decref(json);
    *ret_state = s;
    return 0;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_from_errno(errno);
    size_t len = strlen(text);
    bool good = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    int errno_value = errno;
    close(fd);
    return good ? 0 : errno_value ? err_from_errno(errno_value) : ERR_IO;
}

int state_write(const struct state_place *p, const struct state *s, struct err_buf *eb)
{
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:b, s:b}", "epoch", (json_int_t)s->epoch, "pid", (json_int_t)s->pid.pid,
                  "pid_start", (json_int_t)s->pid.start, "ready", s->ready, "off", s->off);
    char *text = json_dumps(json, JSON_COMPACT);
    char *fresh = mem_asprintf("%s.new", p->json);
    int rc = write_file(fresh, text);
    if (rc == 0 && rename(fresh, p->json) != 0)
        rc = err_from_errno(errno);
    if (rc == 0)
        rc = durable_sync_folder_of(p->json);
    if (rc < 0)
        (void)err_set(eb, rc, "cannot write %s: %s", p->json, err_name(rc));
    free(fresh);
    free(text);
    json_decref(json);
    return rc;
}
