#include "pop3/error.h"

#include "base/err.h"

const char *pop3_error_text(int err)
{
    switch (err) {
    case ERR_DENIED:
        return "[AUTH] User or password is wrong";
    case ERR_NOT_FOUND:
        return "This message is not there any more";
    case ERR_CORRUPT:
        return "[SYS/PERM] The stored message is damaged";
    case ERR_FENCED:
        return "[SYS/TEMP] This instance was replaced by another one, connect again";
    default:
        return "[SYS/TEMP] The mail store is not available now, nothing was changed";
    }
}
