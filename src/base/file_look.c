#include "base/file_look.h"

#include <sys/stat.h>

#include "base/time.h"

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

struct file_look file_look_at(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return (struct file_look){.there = false};
    return (struct file_look){.there = true,
                              .device = st.st_dev,
                              .inode = st.st_ino,
                              .size_bytes = (uint64_t)st.st_size,
                              .modified_ns = ns_of(st.st_mtim),
                              .changed_ns = ns_of(st.st_ctim)};
}

bool file_look_same(const struct file_look *a, const struct file_look *b)
{
    return a->there == b->there && a->device == b->device && a->inode == b->inode &&
           a->size_bytes == b->size_bytes && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns;
}

bool file_state_look(struct file_state *s, const struct file_look *now)
{
    bool at_rest = file_look_same(&s->last, now);
    s->last = *now;
    if (!at_rest || file_look_same(&s->read, now))
        return false;
    s->read = *now;
    return true;
}
