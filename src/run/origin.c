#include "run/origin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "run/supervisor.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static void read_boot_id(char out[ORIGIN_BOOT_ID_MAX])
{
    int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, out, ORIGIN_BOOT_ID_MAX - 1) : 0;
    if (fd >= 0)
        close(fd);
    out[len > 0 ? len : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

void origin_init(struct origin *o)
{
    uint64_t pid = 0;
    *o = (struct origin){.boot_id = ""};
    struct stat st;
    read_boot_id(o->boot_id);
    o->pid_ns = stat("/proc/self/ns/pid", &st) == 0 ? (int64_t)st.st_ino : 0;
    if (str_to_u64(str_from(getenv(SUPERVISOR_PID_ENV)), INT32_MAX, &pid) == 0)
        o->supervisor_pid = (int64_t)pid;
}
