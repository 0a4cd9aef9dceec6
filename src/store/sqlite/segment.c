#include "store/sqlite/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define ZEROES_BYTES (1 << 20)

char *segment_path(const char *path, uint32_t number)
{
    return mem_asprintf("%s-segment-%u", path, number);
}

/* ---- making ---- */

static int fill(int fd, uint64_t bytes)
{
    char *zeroes = mem_zalloc(ZEROES_BYTES);
    int err = segment_io()->reserve(fd, bytes);
    for (uint64_t at = 0; err == 0 && at < bytes; at += ZEROES_BYTES) {
        struct iovec piece = {zeroes, bytes - at < ZEROES_BYTES ? bytes - at : ZEROES_BYTES};
        err = segment_io()->write(fd, &piece, 1, at);
    }
    free(zeroes);
    return err == 0 ? segment_io()->sync(fd) : err;
}

int segment_make(const char *path, uint32_t number, uint64_t bytes)
{
    const struct segment_io *io = segment_io();
    char *name = segment_path(path, number);
    int fd, err = io->open(name, true, &fd);
    if (err == 0) {
        err = fill(fd, bytes);
        io->close(fd);
        if (err == 0)
            err = io->sync_folder(name);
        if (err != 0 && io->remove(name) != 0)
            err = ERR_IO;
    }
    free(name);
    return err;
}

static int open_any(const char *path, uint32_t number, struct segment *ret_segment, uint64_t *ret_size)
{
    struct stat st;
    struct segment s = {.fd = -1};
    char *name = segment_path(path, number);
    int err = segment_io()->open(name, false, &s.fd);
    free(name);
    if (err == 0 && fstat(s.fd, &st) != 0) {
        err = err_from_errno(errno);
        segment_close(&s);
    }
    if (err != 0)
        return err;
    *ret_segment = s;
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

int segment_begin(const char *path, const struct segment_header *h, struct segment *ret_segment)
{
    char bytes[SEGMENT_HEADER_BYTES];
    struct segment s = {.fd = -1};
    struct iovec piece = {bytes, sizeof(bytes)};
    uint64_t size;
    int err = open_any(path, h->number, &s, &size);
    if (err != 0)
        return err;
    s.header = *h;
    s.header.size_bytes = size;
    segment_header_encode(&s.header, bytes);
    err = segment_io()->write(s.fd, &piece, 1, 0);
    if (err != 0)
        segment_close(&s);
    else
        *ret_segment = s;
    return err;
}

int segment_open(const char *path, uint32_t number, struct segment *ret_segment)
{
    char bytes[SEGMENT_HEADER_BYTES];
    struct segment s = {.fd = -1};
    uint64_t size;
    int err = open_any(path, number, &s, &size);
    if (err != 0)
        return err;
    err = segment_read(&s, 0, bytes, sizeof(bytes));
    if (err == 0)
        err = segment_header_decode((struct str){bytes, sizeof(bytes)}, &s.header);
    if (err == 0 && s.header.number != number)
        err = ERR_CORRUPT;
    if (s.header.size_bytes > size)
        s.header.size_bytes = size; /* what is there is read */
    if (err != 0)
        segment_close(&s);
    else
        *ret_segment = s;
    return err;
}

void segment_close(struct segment *s)
{
    if (s->fd >= 0)
        segment_io()->close(s->fd);
    s->fd = -1;
}

/* ---- reading ---- */

int segment_read(const struct segment *s, uint64_t at, void *data, size_t len)
{
    return segment_io()->read(s->fd, at, data, len);
}

int segment_read_once(const char *path, uint32_t number, uint64_t at, void *data, size_t len)
{
    char *name = segment_path(path, number);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    if (fd < 0)
        return errno == ENOENT ? ERR_CORRUPT : err_from_errno(errno);
    int err = segment_io()->read(fd, at, data, len);
    close(fd);
    return err;
}

/* ---- which there are ---- */

static void look_at(int folder, const char *name, const char *number_text,
                    void (*each)(void *arg, uint32_t number, const struct stat *st), void *arg)
{
    struct stat st;
    char *end;
    unsigned long number = strtoul(number_text, &end, 10);
    if (*end || number == 0 || number > UINT32_MAX || fstatat(folder, name, &st, 0) != 0)
        return;
    each(arg, (uint32_t)number, &st);
}

void segment_each(const char *path, void (*each)(void *arg, uint32_t number, const struct stat *st),
                  void *arg)
{
    const struct dirent *entry;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
    char *prefix = mem_asprintf("%s-segment-", slash ? slash + 1 : path);
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)))
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            look_at(dirfd(dir), entry->d_name, entry->d_name + strlen(prefix), each, arg);
    if (dir)
        closedir(dir);
    free(prefix);
    free(folder);
}
