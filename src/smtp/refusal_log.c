#include "smtp/refusal_log.h"

#include "base/log.h"

void smtp_refusal_log(struct log_limit *limit, const struct smtp_server *s, const char *client,
                      const struct smtp_refusal *refusal)
{
    char reply[SMTP_REPLY_TEXT_MAX];
    if (!log_limit_may(limit, client))
        return;
    smtp_reply_describe(refusal->reply, reply, sizeof(reply));
    struct log_field fields[LOG_FIELDS_MAX + 1] = {LOG_TEXT("stage", refusal->stage),
                                                   LOG_TEXT("client", client)};
    size_t count = 2;
    if (smtp_server_helo(s).len > 0)
        fields[count++] = LOG_STR("helo", smtp_server_helo(s));
    if (smtp_server_user(s).len > 0)
        fields[count++] = LOG_STR("user", smtp_server_user(s));
    if (refusal->sender.ptr)
        fields[count++] = LOG_STR("sender", refusal->sender);
    if (refusal->recipient.ptr)
        fields[count++] = LOG_STR("recipient", refusal->recipient);
    fields[count] = LOG_TEXT("reply", reply);
    log_fields(LOG_INFO, "refused", fields);
}

void smtp_tls_failure_log(struct log_limit *limit, const struct smtp_server *s, const char *client,
                          const char *detail)
{
    if (log_limit_may(limit, client))
        log_event(LOG_INFO, "TLS not established", LOG_TEXT("client", client),
                  LOG_STR("helo", smtp_server_helo(s)), LOG_TEXT("detail", detail));
}
