#include "imap/error.h"

#include <stddef.h>

#include "base/err.h"

static const struct {
    int err;
    struct imap_error error;
} table[] = {
    {ERR_NOT_FOUND, {"NONEXISTENT", "There is no such mailbox or message"}},
    {ERR_EXISTS, {"ALREADYEXISTS", "A mailbox of this name exists already"}},
    {ERR_LIMIT, {"LIMIT", "A limit of this server would be exceeded"}},
    {ERR_INVALID, {"CANNOT", "This cannot be done with that name"}},
    {ERR_SYNTAX, {"CLIENTBUG", "Not understood"}},
    {ERR_CONFLICT, {"INUSE", "Changed by another session meanwhile, try again"}},
    {ERR_BUSY, {"INUSE", "In use, try again"}},
    {ERR_DENIED, {"NOPERM", "Not permitted"}},
    {ERR_UNSUPPORTED, {"CANNOT", "Not supported"}},
    {ERR_FULL, {"UNAVAILABLE", "No space left, nothing was changed"}},
    {ERR_CORRUPT, {"CORRUPTION", "The stored message is damaged"}},
    {ERR_FENCED, {"UNAVAILABLE", "This instance was replaced by another one, connect again"}},
};

struct imap_error imap_error_for(int err)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].err == err)
            return table[i].error;
    return (struct imap_error){"UNAVAILABLE", "The mail store is not available now, nothing was changed"};
}
