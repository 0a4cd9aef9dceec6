/* Where this process runs, for the record of its node (store/presence.h): on which boot of the machine, in
 * which pid namespace, and under which supervisor. */
#ifndef HOLDFAST_RUN_ORIGIN_H
#define HOLDFAST_RUN_ORIGIN_H

#include <stdint.h>

#define ORIGIN_BOOT_ID_MAX 64 /* the kernel's is a UUID */

struct origin {
    char boot_id[ORIGIN_BOOT_ID_MAX]; /* "" when the kernel does not tell */
    int64_t pid_ns;         /* inode number: containers of one machine share its boot id, and have pids
                               of their own; 0 when not known */
    int64_t supervisor_pid; /* 0 when another supervises, as systemd */
};

void origin_init(struct origin *o);

#endif
