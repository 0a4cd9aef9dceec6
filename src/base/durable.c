#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

int durable_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_from_errno(errno);
    int rc = fsync(fd), saved = errno;
    close(fd);
    errno = saved;
    if (rc == 0)
        return 0;
    return saved == ENOSPC || saved == EDQUOT ? ERR_FULL : ERR_SYNC;
}

/* A slash at the end belongs to the name. */
static size_t folder_len(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len;
}

int durable_sync_folder_of(const char *path)
{
    size_t len = folder_len(path);
    char *folder = len > 0 ? mem_strndup(path, len) : mem_strdup(".");
    int err = durable_sync(folder), saved = errno;
    free(folder);
    errno = saved;
    return err;
}
