/* The one place where our errors (base/err.h) become SMTP replies. For owners
 * of server sessions: the answer to a MAIL, RCPT, DATA or message that our own
 * side could not serve. Never a 2yz. */
#ifndef HOLDFAST_SMTP_MAP_ERROR_H
#define HOLDFAST_SMTP_MAP_ERROR_H

#include "smtp/reply.h"

/* err < 0. Static text.
 *   FULL                                   452 4.3.1
 *   SYNC IO UNAVAILABLE DENIED DEGRADED UNKNOWN TIMEOUT BUSY CORRUPT ...   451 4.3.0
 *   FENCED CLOSED VERSION CANCELLED        421 4.3.2 (the session ends)
 *   LIMIT                                  552 5.3.4
 *   NOT_FOUND                              550 5.1.1
 *   INVALID SYNTAX                         550 5.6.0 */
struct smtp_reply smtp_reply_for_error(int err);

#endif
