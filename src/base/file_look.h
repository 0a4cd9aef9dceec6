/* How a file looks from outside, so that a change of it is seen by stat alone: for what is read again without
 * a signal (recipients' lists, certificates). It may be replaced, lie behind a symlink or on a file system
 * without notices. Nothing of it survives a crash. */
#ifndef HOLDFAST_BASE_FILE_LOOK_H
#define HOLDFAST_BASE_FILE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#define FILE_LOOK_MS 1000 /* between two looks; what was changed waits two */

/* Two looks that are equal saw the same content. */
struct file_look {
    bool there;
    uint64_t device, inode, size_bytes;
    int64_t modified_ns, changed_ns;
};

struct file_look file_look_at(const char *path);
bool file_look_same(const struct file_look *a, const struct file_look *b);

/* ---- the decision, pure ---- */

struct file_state {
    struct file_look read, last; /* as it was when it was read, and at the last look */
};

/* Whether it is to be read now: it has changed since it was read, and is at rest since the last look, so that
 * nobody writes it just now. Then it counts as read, whatever comes of it. */
bool file_state_look(struct file_state *s, const struct file_look *now);

#endif
