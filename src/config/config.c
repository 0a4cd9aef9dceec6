#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/build.h"
#include "config/config_owner.h"
#include "config/findings.h"
#include "config/rules.h"

static const char *keep(struct arena *arena, const char *text)
{
    const char *copy = arena_strdup(arena, str_from(text));
    CHECK(copy);
    return copy;
}

static const char *make_absolute(struct arena *arena, const char *path)
{
    if (path[0] == '/')
        return keep(arena, path);
    char *cwd = getcwd(NULL, 0);
    char *joined = mem_asprintf("%s/%s", cwd ? cwd : "", path);
    const char *kept = keep(arena, joined);
    free(joined);
    free(cwd);
    return kept;
}

static const char *folder_of(struct arena *arena, const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path);
    const char *dir = arena_strdup(arena, (struct str){path, len > 0 ? len : 1});
    CHECK(dir);
    return dir;
}

static struct config *new_config(const char *path, const char *state_dir)
{
    struct config_owner *owner = mem_zalloc(sizeof(*owner));
    arena_init(&owner->arena, TREE_ARENA_MAX_BYTES);
    struct config *c = tree_alloc(&owner->arena, sizeof(*c));
    c->owner = owner;
    c->path = make_absolute(&owner->arena, path);
    c->dir = folder_of(&owner->arena, c->path);
    c->state_dir = make_absolute(&owner->arena, state_dir);
    c->store_path = "";
    return c;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    struct config_owner *owner = c->owner;
    arena_fini(&owner->arena);
    free(owner);
}

static void check(struct config *c, struct config_findings *findings)
{
    struct config_owner *owner = c->owner;
    struct build b = {.arena = &owner->arena, .config = c, .root = owner->root, .findings = findings};
    build_config(&b);
    rules_check(&b);
    map_fini(&b.titled);
    findings_sort(findings);
}

int config_parse(struct str text, const char *path, const char *state_dir, struct config **ret_config,
                 struct config_findings *ret_findings)
{
    struct config *c = new_config(path, state_dir);
    struct config_owner *owner = c->owner;
    struct err_buf eb;
    int line = 0;
    findings_init(ret_findings, path);
    if (tree_parse(text, &owner->arena, &owner->root, &line, &eb) < 0)
        findings_add(ret_findings, line, "%s", eb.text);
    else
        check(c, ret_findings);
    if (ret_findings->count > 0) {
        config_free(c);
        return ERR_INVALID;
    }
    *ret_config = c;
    return 0;
}

static int fill(int fd, struct buf *text)
{
    for (;;) {
        char *place = buf_reserve(text, 1);
        if (!place)
            return 0; /* too large: the parser says so */
        size_t room = text->cap_max - text->len < 16384 ? text->cap_max - text->len : 16384;
        place = buf_reserve(text, room);
        ssize_t got = read(fd, place, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        buf_commit(text, (size_t)got);
    }
}

/* 0 or an errno. */
static int read_file(const char *path, struct buf *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fill(fd, text);
    close(fd);
    return error;
}

int config_load(const char *path, const char *state_dir, struct config **ret_config,
                struct config_findings *ret_findings)
{
    struct buf text;
    buf_init(&text, TREE_FILE_MAX_BYTES + 1);
    int err, error = read_file(path, &text);
    if (error == 0) {
        err = config_parse(buf_str(&text), path, state_dir, ret_config, ret_findings);
    } else {
        findings_init(ret_findings, path);
        findings_add(ret_findings, 0, "cannot be read: %s; name another file with -c", strerror(error));
        err = err_from_errno(error);
    }
    buf_fini(&text);
    return err;
}
