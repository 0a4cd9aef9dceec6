/* A disk that can lose its power, for SQLite and the journal's segments: a VFS over
 * the default one, and a segment_io over the real one, that keep what was written
 * and not yet synced apart. Reads see all that was
 * written, as the kernel's cache shows it. When the power goes, each write that
 * was not synced is kept, dropped or torn, as the seed decides, and the files
 * are left as a disk would have them; the process ends. For tests only.
 *
 * A sync that fails leaves the kernel's pages clean: some of what was written
 * has reached the disk, some has not, and no later sync will bring it there. */
#ifndef HOLDFAST_TESTS_CRASH_DISK_H
#define HOLDFAST_TESTS_CRASH_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct disk_plan {
    uint64_t seed;
    /* Counted from 1 over all files; 0: never. */
    uint64_t crash_at_sync;  /* the power goes in this sync: before it has an effect, or after */
    uint64_t crash_at_write; /* ... before this write */
    /* In this sync from the first one of a database itself on, that is of a checkpoint. */
    uint64_t crash_at_checkpoint;
    uint64_t fail_sync_at;    /* this sync fails with an I/O error, ... */
    uint64_t fail_sync_count; /* ... and the next ones, so many in all (0 is 1) */
    bool fail_checkpoint;     /* the first sync of a database itself fails, not its log's */
    bool full;                /* no file can grow */
    bool no_segments;         /* no segment can be made, as a large file when some pages are still free */
    bool log_only;            /* count syncs of write-ahead logs and segments only */
    bool never_sync;          /* connections run with synchronous=OFF whatever they ask for */
    bool never_sync_journal;  /* syncs of segments do nothing */
    const char *image_dir;    /* where the files are left when the power goes: those that were opened, over
                                 what is there */
};

/* Makes it the default VFS and the segment_io of this process, once, before they are used. */
void disk_install(void);
/* Takes effect at once; the counts begin anew. */
void disk_set_plan(const struct disk_plan *plan);
uint64_t disk_syncs(void); /* since then */
uint64_t disk_writes(void);
uint64_t disk_injected(void); /* failures that were played */
/* The power goes now; does not return. Exit status DISK_POWER_LOST. */
void disk_lose_power(void) __attribute__((noreturn));

#define DISK_POWER_LOST 42

#endif
