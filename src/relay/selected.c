#include "relay/selected.h"

#include <string.h>

static bool message_selected(const struct transaction *t, const struct queue_filter *f)
{
    return (!f->sender.ptr || str_ieq(f->sender, str_from(t->reverse_path))) &&
           (!f->header_id.ptr || str_eq(f->header_id, str_from(t->header_id))) &&
           t->received_at.ms >= f->received_from.ms &&
           (f->received_before.ms == 0 || t->received_at.ms < f->received_before.ms) &&
           (!f->custody_id || custody_id_eq(f->custody_id, &t->custody_id));
}

static bool recipient_selected(const struct transaction_recipient *r, const struct queue_filter *f)
{
    const char *at = strrchr(r->address, '@');
    return (!f->recipient.ptr || str_ieq(f->recipient, str_from(r->address))) &&
           (!f->reply.ptr || str_ihas(str_from(r->last_reply), f->reply)) &&
           (!f->domain.ptr || (at && str_ieq(f->domain, str_from(at + 1)))) &&
           (f->delivery_id == 0 || f->delivery_id == r->delivery_id);
}

size_t selected_recipients(const struct transaction *t, const struct queue_filter *f)
{
    size_t count = 0;
    for (size_t i = 0; message_selected(t, f) && i < t->recipient_count; i++)
        count += recipient_selected(&t->recipients[i], f);
    return count;
}
