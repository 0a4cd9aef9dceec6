#include "relay/report_text.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "relay/expired.h"
#include "smtp/idn.h"
#include "wire/dsn.h"

static const struct {
    enum dsn_action action;
    const char *word, *status; /* where the reply says none */
} kinds[] = {
    [QUEUE_OWES_FAILED] = {DSN_FAILED, "failed", "4.4.7"}, /* RFC 3463 3.5: the time has expired */
    [QUEUE_OWES_DELIVERED] = {DSN_DELIVERED, "delivered", "2.0.0"},
    [QUEUE_OWES_RELAYED] = {DSN_RELAYED, "relayed", "2.0.0"},
    [QUEUE_OWES_DELAYED] = {DSN_DELAYED, "delayed", "4.4.1"}, /* no answer from the host */
};

const char *report_word(enum queue_owes kind)
{
    return kinds[kind].word;
}

/* ---- where it goes ---- */

void report_place_of(struct str reverse_path, const struct config *config, struct report_place *ret_place)
{
    size_t at = reverse_path.len;
    while (at > 0 && reverse_path.ptr[at - 1] != '@')
        at--;
    struct str domain = str_sub(reverse_path, at, IDN_NAME_MAX);
    if (idn_to_ascii(domain, ret_place->domain) != 0) { /* then nobody is found there */
        memcpy(ret_place->domain, domain.ptr, domain.len);
        ret_place->domain[domain.len] = '\0';
    }
    bool ours = config_domain_find(config, str_from(ret_place->domain)) != NULL;
    ret_place->home = ours ? STR_EMPTY : STR(QUEUE_HOME_OUTSIDE);
}

/* ---- what is sent back ---- */

static bool is_whole(const struct queue_owed *owed)
{
    return owed->kind == QUEUE_OWES_FAILED && owed->delivery.envelope.ret == DSN_RET_FULL &&
           owed->delivery.size_bytes <= REPORT_CONTENT_MAX;
}

size_t report_content_bytes(const struct queue_owed *owed)
{
    return is_whole(owed) ? REPORT_CONTENT_MAX : REPORT_HEADER_MAX;
}

/* ---- the text ---- */

/* RFC 6533: who has an address in ASCII may have a server that takes no other mail. */
bool report_smtputf8(const struct queue_owed *owed)
{
    return !str_is_ascii(owed->delivery.reverse_path);
}

/* A delay is nothing final, whatever was said last. */
static struct str status_of(enum queue_owes kind, struct str reply)
{
    struct str otherwise = str_from(kinds[kind].status);
    bool transient = reply.len > 0 && reply.ptr[0] == '4';
    return kind == QUEUE_OWES_DELAYED && !transient ? otherwise : dsn_status_of(reply, otherwise);
}

/* When that was, neither a delay knows nor what expired. */
static struct wall_time last_attempt(const struct queue_owed *owed, bool expired)
{
    const struct wall_time never = {0};
    return expired || owed->kind == QUEUE_OWES_DELAYED ? never : owed->at;
}

/* Of one that was given up for its age, now or before an operator released it, the last word is told. */
static struct dsn_recipient recipient_of(const struct queue_owed *owed, const struct report_text_options *o)
{
    const struct queue_delivery *d = &owed->delivery;
    struct str reply = owed->reply;
    bool expired = expired_parse(owed->reply, &reply) && owed->kind == QUEUE_OWES_FAILED;
    return (struct dsn_recipient){.address = d->recipient,
                                  .orcpt = d->request.orcpt,
                                  .status = status_of(owed->kind, expired ? STR_EMPTY : reply),
                                  .reply = reply,
                                  .expired = expired,
                                  .remote_mta = owed->host,
                                  .at = last_attempt(owed, expired),
                                  .until = {d->waits_since.ms + o->relay->expire_ms}};
}

bool report_text(struct buf *out, const struct queue_owed *owed, size_t count,
                 const struct report_text_options *o)
{
    struct dsn_recipient *recipients = mem_calloc(count, sizeof(*recipients));
    const struct queue_delivery *d = &owed[0].delivery;
    bool whole = is_whole(&owed[0]);
    for (size_t i = 0; i < count; i++)
        recipients[i] = recipient_of(&owed[i], o);
    struct dsn_message m = {.action = kinds[owed[0].kind].action,
                            .hostname = str_from(o->relay->hostname),
                            .to = d->reverse_path,
                            .id = o->id,
                            .about = &d->custody_id,
                            .envid = d->envelope.envid,
                            .at = o->now,
                            .received_at = d->received_at,
                            .smtputf8 = report_smtputf8(owed),
                            .content_smtputf8 = d->smtputf8,
                            .recipients = recipients,
                            .recipient_count = count,
                            .content = whole ? o->content : dsn_header_of(o->content, REPORT_HEADER_MAX),
                            .whole = whole};
    bool eight_bit = dsn_message_eight_bit(&m);
    dsn_message_format(out, &m);
    free(recipients);
    return eight_bit;
}
