#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

int err_set(struct err_buf *eb, int code, const char *fmt, ...)
{
    if (eb) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(eb->text, sizeof(eb->text), fmt, args);
        va_end(args);
    }
    return code;
}

const char *err_name(int code)
{
    static const char *const names[] = {
        [0] = "ok",
        [-ERR_INVALID] = "invalid",
        [-ERR_SYNTAX] = "syntax",
        [-ERR_LIMIT] = "limit",
        [-ERR_NOT_FOUND] = "not-found",
        [-ERR_EXISTS] = "exists",
        [-ERR_CONFLICT] = "conflict",
        [-ERR_FENCED] = "fenced",
        [-ERR_FULL] = "full",
        [-ERR_IO] = "io",
        [-ERR_SYNC] = "sync",
        [-ERR_UNKNOWN] = "unknown-outcome",
        [-ERR_DEGRADED] = "degraded",
        [-ERR_UNAVAILABLE] = "unavailable",
        [-ERR_TIMEOUT] = "timeout",
        [-ERR_CLOSED] = "closed",
        [-ERR_REFUSED] = "refused",
        [-ERR_DENIED] = "denied",
        [-ERR_BUSY] = "busy",
        [-ERR_VERSION] = "version",
        [-ERR_CORRUPT] = "corrupt",
        [-ERR_UNSUPPORTED] = "unsupported",
        [-ERR_CANCELLED] = "cancelled",
    };
    int index = -code;
    if (index < 0 || (size_t)index >= ARRAY_LEN(names))
        return "error";
    return names[index];
}

int err_from_errno(int errno_value)
{
    switch (errno_value) {
    case 0:
        return 0;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case EADDRINUSE:
    case EBUSY:
    case EAGAIN:
        return ERR_BUSY;
    case ECONNREFUSED:
        return ERR_REFUSED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
        return ERR_CLOSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        return ERR_UNAVAILABLE;
    case ECANCELED:
        return ERR_CANCELLED;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}
