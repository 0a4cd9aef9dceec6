#include "smtp/map_error.h"

struct smtp_reply smtp_reply_for_error(int err)
{
    switch (err) {
    case ERR_FULL:
        return SMTP_REPLY(452, 4, 3, 1, "Insufficient system storage, try again later");
    case ERR_LIMIT:
        return SMTP_REPLY(552, 5, 3, 4, "Message exceeds a limit of this system");
    case ERR_NOT_FOUND:
        return SMTP_REPLY(550, 5, 1, 1, "No such recipient here");
    case ERR_DENIED:
        return SMTP_REPLY(451, 4, 3, 0, "Storage does not let itself be written, try again later");
    case ERR_INVALID:
    case ERR_SYNTAX:
        return SMTP_REPLY(550, 5, 6, 0, "Message is not acceptable");
    case ERR_FENCED:
    case ERR_CLOSED:
    case ERR_VERSION:
    case ERR_CANCELLED:
        return SMTP_REPLY_UNAVAILABLE;
    case ERR_SYNC:
        return SMTP_REPLY(451, 4, 3, 0, "Message could not be made durable, try again later");
    case ERR_IO:
    case ERR_CORRUPT:
        return SMTP_REPLY(451, 4, 3, 0, "Storage failed, try again later");
    case ERR_DEGRADED:
        return SMTP_REPLY(451, 4, 3, 0, "Storage can not give the durability asked for, try again later");
    case ERR_UNKNOWN:
        return SMTP_REPLY(451, 4, 3, 0, "Storage has not confirmed the message, try again later");
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_BUSY:
        return SMTP_REPLY(451, 4, 3, 0, "Storage can not be reached, try again later");
    default:
        return SMTP_REPLY(451, 4, 3, 0, "Local error in processing, try again later");
    }
}
