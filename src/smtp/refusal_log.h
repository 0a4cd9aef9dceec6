/* The log line of what a server session refused: for the owners of sessions, as their `refused`. */
#ifndef HOLDFAST_SMTP_REFUSAL_LOG_H
#define HOLDFAST_SMTP_REFUSAL_LOG_H

#include "net/log_limit.h"
#include "smtp/server.h"

/* One line, unless this client (its IP address) had too many in this second. */
void smtp_refusal_log(struct log_limit *limit, const struct smtp_server *s, const char *client,
                      const struct smtp_refusal *refusal);

/* The same for `tls_failed`. */
void smtp_tls_failure_log(struct log_limit *limit, const struct smtp_server *s, const char *client,
                          const char *detail);

#endif
