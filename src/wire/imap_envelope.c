#include "wire/imap_structure.h"
#include "wire/imap_write.h"
#include "wire/mime_address.h"

#define ADDRESSES_MAX_BYTES (4 * MIME_FIELD_MAX_BYTES + MIME_ADDRESSES_MAX * sizeof(struct mime_address))

static void write_addresses(struct buf *out, struct str value)
{
    struct arena arena;
    arena_init(&arena, ADDRESSES_MAX_BYTES);
    struct mime_address *address = value.ptr ? mime_addresses_parse(value, &arena) : NULL;
    buf_append_text(out, address ? "(" : "NIL");
    bool any = address != NULL;
    for (; address; address = address->next) {
        buf_append_char(out, '(');
        imap_write_nstring(out, address->name);
        buf_append_char(out, ' ');
        imap_write_nstring(out, address->route);
        buf_append_char(out, ' ');
        imap_write_nstring(out, address->mailbox);
        buf_append_char(out, ' ');
        imap_write_nstring(out, address->host);
        buf_append_char(out, ')');
    }
    if (any)
        buf_append_char(out, ')');
    arena_fini(&arena);
}

void imap_write_envelope(struct buf *out, const struct mime_envelope *e)
{
    static const struct mime_envelope none;
    if (!e)
        e = &none;
    /* RFC 3501 7.4.2: an absent or empty Sender or Reply-To is the From. */
    struct str sender = e->sender.len > 0 ? e->sender : e->from;
    struct str reply_to = e->reply_to.len > 0 ? e->reply_to : e->from;
    buf_append_char(out, '(');
    imap_write_nstring(out, e->date);
    buf_append_char(out, ' ');
    imap_write_nstring(out, e->subject);
    const struct str lists[] = {e->from, sender, reply_to, e->to, e->cc, e->bcc};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        buf_append_char(out, ' ');
        write_addresses(out, lists[i]);
    }
    buf_append_char(out, ' ');
    imap_write_nstring(out, e->in_reply_to);
    buf_append_char(out, ' ');
    imap_write_nstring(out, e->message_id);
    buf_append_char(out, ')');
}
