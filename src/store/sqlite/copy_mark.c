#include "store/sqlite/copy_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"

static char *path_of(const char *folder)
{
    return mem_asprintf("%s/copy-not-whole", folder);
}

bool copy_mark_is_there(const char *folder)
{
    char *path = path_of(folder);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

int copy_mark_refuse(const char *folder, struct err_buf *eb)
{
    if (!copy_mark_is_there(folder))
        return 0;
    return err_set(
        eb, ERR_BUSY,
        "%s holds half a copy of a store: `holdfast store copy` into it, as it was begun, makes it "
        "whole",
        folder);
}

int copy_mark_make(const char *folder, struct err_buf *eb)
{
    char *path = path_of(folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int err = fd < 0 ? err_from_errno(errno) : 0;
    if (fd >= 0)
        close(fd);
    if (err == 0)
        err = durable_sync_folder_of(path);
    if (err != 0)
        err_set(eb, err, "%s cannot be made durable: %s", path, strerror(errno));
    free(path);
    return err;
}

int copy_mark_remove(const char *folder, struct err_buf *eb)
{
    char *path = path_of(folder);
    int err = unlink(path) == 0 || errno == ENOENT ? durable_sync_folder_of(path) : err_from_errno(errno);
    if (err != 0)
        err_set(eb, err, "%s cannot be removed for good: %s", path, strerror(errno));
    free(path);
    return err;
}
