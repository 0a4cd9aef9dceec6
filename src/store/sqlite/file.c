#include "store/sqlite/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/sqlite/heal.h"

#define QUEUE_NAME_MAX_BYTES 128

/* ---- its lock ---- */

int file_lock(const struct sqlite_file *f, struct lock *lock, struct err_buf *eb)
{
    int err = lock_take(lock);
    if (err != 0)
        return err_set(eb, err, "%s-lock: cannot be locked", f->path);
    err = heal_if_due(f->path, lock, eb);
    if (err != 0)
        lock_release(lock);
    return err;
}

int file_connect(struct sqlite_file *f, struct lock *lock, struct sqlite_db *db, enum sqlite_mode mode,
                 struct err_buf *eb)
{
    int err = file_lock(f, lock, eb);
    if (err != 0)
        return err;
    err = sqlite_open(db, f->path, f->schema, mode, eb);
    if (err == 0 && mode == SQLITE_TO_WRITE && f->part == PART_NETWORK)
        sqlite_network_boot(db, lock->boot_id);
    lock_release(lock);
    if (err == 0 && db->rc != SQLITE_OK) {
        err = err_set(eb, sqlite_err(db->rc), "%s: %s", f->path, sqlite3_errstr(db->rc));
        sqlite_close(db);
    }
    return err;
}

/* ---- the port ---- */

static struct sqlite_file *file_of(struct port *port)
{
    return CONTAINER_OF(port, struct sqlite_file, port);
}

static int health(struct port *port)
{
    struct sqlite_file *f = file_of(port);
    if (f->mode == PORT_READ)
        return ERR_DENIED;
    int sick = atomic_load(&f->sick);
    if (sick != 0)
        return sick;
    if (atomic_load(&f->fenced))
        return ERR_FENCED;
    return atomic_load(&f->full) ? ERR_FULL : 0;
}

static void submit(struct port *port, struct store_op *op)
{
    struct sqlite_file *f = file_of(port);
    bool write = op->type->flags & OP_WRITE;
    int refused = !write ? 0 : f->mode == PORT_READ ? ERR_DENIED : atomic_load(&f->sick);
    if (refused == 0) {
        work_give(&f->work, op);
    } else {
        port_complete(port, op, refused);
        port_drain_soon(port, 0);
    }
}

static void watch(struct port *port, bool on)
{
    work_watch(&file_of(port)->work, on);
}

static void add_size(json_t *into, const char *key, const char *path, const char *suffix)
{
    struct stat st;
    char *name = mem_asprintf("%s%s", path, suffix);
    if (stat(name, &st) == 0)
        json_object_set_new(into, key, json_integer((json_int_t)st.st_size));
    free(name);
}

struct segments {
    int64_t count, bytes;
};

static void add_segment(void *arg, uint32_t number, const struct stat *st)
{
    struct segments *all = arg;
    (void)number;
    all->count++;
    all->bytes += (int64_t)st->st_blocks * 512;
}

static void add_segments(json_t *into, const char *path)
{
    struct segments all = {0, 0};
    segment_each(path, add_segment, &all);
    json_object_set_new(into, "journal_segments", json_integer(all.count));
    json_object_set_new(into, "journal_bytes", json_integer(all.bytes)); /* on the disk, without holes */
}

static void status(struct port *port, json_t *into)
{
    struct sqlite_file *f = file_of(port);
    json_object_set_new(into, "file", json_string(f->path));
    json_object_set_new(into, "health", json_string(f->mode == PORT_READ ? "ok" : err_name(health(port))));
    json_object_set_new(into, "schema_version", json_integer(f->schema->version));
    add_size(into, "size_bytes", f->path, "");
    add_size(into, "log_bytes", f->path, "-wal");
    if (f->part == PART_QUEUE)
        add_segments(into, f->path);
}

static void close_port(struct port *port)
{
    work_stop(&file_of(port)->work);
    port_fini(port);
}

static const struct port_ops port_ops = {submit, health, watch, status, NULL, close_port};

/* ---- life ---- */

static const struct sqlite_schema *schema_of(enum part_kind part)
{
    switch (part) {
    case PART_NETWORK:
        return &sqlite_network_schema;
    case PART_QUEUE:
        return &sqlite_queue_schema;
    case PART_MAIL:
        break;
    }
    return &sqlite_mail_schema;
}

static struct sqlite_file *file_new(struct store *s, struct loop *l, const char *dir, enum part_kind part,
                                    struct str name, enum port_mode mode, bool look)
{
    struct sqlite_file *f = mem_zalloc(sizeof(*f));
    port_init(&f->port, &port_ops, s, l);
    list_init(&f->node);
    f->part = part;
    f->mode = mode;
    f->look = look;
    f->path = mem_asprintf("%s/%s%.*s.db", dir, part == PART_QUEUE ? "queue-" : "", STR_ARG(name));
    f->schema = schema_of(part);
    f->c.lock.fd = f->r.lock.fd = -1;
    bool owner = part == PART_QUEUE && mode == PORT_WRITE;
    f->c.tx = (struct sqlite_tx){.sql = {.db = &f->c.db.db,
                                         .special = owner ? &sqlite_owner_special : &sqlite_special,
                                         .part = part,
                                         .writable = true,
                                         .garbage = true},
                                 .path = f->path,
                                 .lock = &f->c.lock};
    f->r.tx = (struct sqlite_tx){.sql = {.db = &f->r.db.db, .special = &sqlite_special, .part = part},
                                 .path = f->path,
                                 .lock = &f->r.lock};
    journal_init(&f->c.journal, f->path);
    if (part == PART_QUEUE)
        f->c.tx.journal = &f->c.journal;
    atomic_init(&f->accepted, 0);
    atomic_init(&f->applied, 0);
    atomic_init(&f->applied_message, 0);
    atomic_init(&f->fenced, part == PART_MAIL);
    atomic_init(&f->reader_must_reopen, false);
    work_init(&f->work, &f->port);
    return f;
}

static void file_free(struct sqlite_file *f)
{
    work_fini(&f->work);
    lock_close(&f->c.lock);
    lock_close(&f->r.lock);
    journal_fini(&f->c.journal);
    sql_fini(&f->c.tx.sql);
    list_remove(&f->node);
    free(f->path);
    free(f);
}

bool file_reap(struct sqlite_file *f, bool wait)
{
    pthread_t *threads[] = {&f->r.thread, &f->c.thread};
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        if (*threads[i] == 0)
            continue;
        if ((wait ? pthread_join(*threads[i], NULL) : pthread_tryjoin_np(*threads[i], NULL)) != 0)
            return false;
        *threads[i] = 0;
    }
    file_free(f);
    return true;
}

static bool name_fits(struct str name)
{
    bool fits = name.len > 0 && name.len <= QUEUE_NAME_MAX_BYTES && name.ptr[0] != '.';
    for (size_t i = 0; fits && i < name.len; i++)
        fits = ascii_isalnum(name.ptr[i]) || name.ptr[i] == '-' || name.ptr[i] == '_' || name.ptr[i] == '.';
    return fits;
}

/* What is opened before the threads run, so that its failure is the caller's. */
static int open_now(struct sqlite_file *f, struct err_buf *eb)
{
    if (f->mode == PORT_READ) {
        int err = lock_open(&f->r.lock, f->path, eb);
        return err != 0
                   ? err
                   : file_connect(f, &f->r.lock, &f->r.db, f->look ? SQLITE_TO_LOOK : SQLITE_TO_READ, eb);
    }
    return f->part == PART_QUEUE ? 0 : committer_open(f, eb);
}

static void start(pthread_t *thread, void *(*main)(void *file), struct sqlite_file *f)
{
    CHECK(pthread_create(thread, NULL, main, f) == 0);
}

int file_open(struct store *s, struct loop *l, const char *dir, enum part_kind part, struct str name,
              enum port_mode mode, bool look, struct sqlite_file **ret_file, struct err_buf *eb)
{
    if (!name_fits(name))
        return err_set(eb, ERR_INVALID, "\"%.*s\" cannot be a queue's name", STR_ARG(name));
    struct sqlite_file *f = file_new(s, l, dir, part, name, mode, look);
    int err = open_now(f, eb);
    if (err != 0) {
        port_fini(&f->port);
        file_free(f);
        return err;
    }
    start(&f->r.thread, reader_main, f);
    if (mode == PORT_WRITE)
        start(&f->c.thread, committer_main, f);
    *ret_file = f;
    return 0;
}
