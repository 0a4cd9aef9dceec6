/* The SQLite engine: files of a folder. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "store/sqlite/copy_mark.h"
#include "store/sqlite/file.h"

struct engine_store {
    struct store *store;
    struct loop *loop;
    char *dir;
    bool read_only;
    struct list files; /* open or closing */
};

/* Its name is in its parent, which has to be on the disk as well: also when another start made it, which may
 * have failed at that. A parent that only others may look into is theirs to have seen to. */
static int sync_name(const char *dir, bool ours)
{
    int err = durable_sync_folder_of(dir);
    return err == ERR_DENIED && !ours ? 0 : err;
}

static int make_dir(const char *dir, struct err_buf *eb)
{
    bool made = mkdir(dir, 0700) == 0;
    int err = made || errno == EEXIST ? sync_name(dir, made) : err_from_errno(errno);
    if (err != 0)
        return err_set(eb, err, "the store's folder %s cannot be made: %s", dir, strerror(errno));
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        return err_set(eb, ERR_DENIED, "the store's folder %s is not ours to write: %s", dir,
                       strerror(errno));
    return 0;
}

static int engine_open(struct store *s, struct loop *l, const struct store_options *options,
                       struct engine_store **ret_engine_store, struct err_buf *eb)
{
    int err = options->read_only ? 0 : make_dir(options->path, eb);
    if (err == 0)
        err = copy_mark_refuse(options->path, eb);
    if (err != 0)
        return err;
    struct engine_store *es = mem_zalloc(sizeof(*es));
    es->store = s;
    es->loop = l;
    es->dir = mem_strdup(options->path);
    es->read_only = options->read_only;
    list_init(&es->files);
    *ret_engine_store = es;
    return 0;
}

static bool is_closed(const struct sqlite_file *f)
{
    return f->work.event == NULL;
}

static void engine_close(struct engine_store *es)
{
    LIST_FOREACH (it, &es->files)
        CHECK(file_reap(LIST_ENTRY(it, struct sqlite_file, node), true));
    free(es->dir);
    free(es);
}

static int engine_port_open(struct engine_store *es, enum part_kind part, struct str name,
                            enum port_mode mode, struct port **ret_port, struct err_buf *eb)
{
    struct sqlite_file *f;
    LIST_FOREACH (it, &es->files) {
        f = LIST_ENTRY(it, struct sqlite_file, node);
        if (is_closed(f))
            file_reap(f, false);
    }
    int err = file_open(es->store, es->loop, es->dir, part, name, mode, es->read_only, &f, eb);
    if (err != 0)
        return err;
    list_append(&es->files, &f->node);
    *ret_port = &f->port;
    return 0;
}

const struct engine engine_sqlite = {"sqlite", engine_open, engine_close, engine_port_open, NULL};
