#include "store/sqlite/record.h"

#include <string.h>

#include "base/crc32c.h"

#define SEGMENT_MAGIC 0x6a714648U /* "HFqj" */
/* 2: an accept may tell homes. 3: and what its sender asks. 4: and its Message-ID. What is begun has this
 * version, what is read may have any before. */
#define SEGMENT_VERSION 5

#define PIECE_BYTES 24

/* accept's flags */
#define ACCEPT_EIGHT_BIT 1
#define ACCEPT_SMTPUTF8  2
#define ACCEPT_HOMES     4  /* each recipient has a third text */
#define ACCEPT_ASKS      8  /* a text ENVID of the message; each recipient has NOTIFY and a text ORCPT */
#define ACCEPT_USER      16 /* a user who had logged in sent it */
#define ACCEPT_RET_SHIFT 5  /* two bits: enum dsn_ret */
#define ACCEPT_RET_MASK  3
#define ACCEPT_HEADER_ID 128 /* a text with the Message-ID, after ENVID */
#define ACCEPT_STOPPED   256 /* a text why it is in quarantine, after that */

/* ---- numbers and texts ---- */

static void put(struct buf *out, const void *value, size_t bytes)
{
    CHECK(buf_append(out, value, bytes) == 0); /* its users bound it by what a record may hold */
}

static void put_u32(struct buf *out, uint32_t value)
{
    put(out, &value, sizeof(value));
}

static void put_u64(struct buf *out, uint64_t value)
{
    put(out, &value, sizeof(value));
}

static void put_text(struct buf *out, struct str s)
{
    put_u32(out, (uint32_t)s.len);
    put(out, s.ptr, s.len);
}

/* Takes bytes off the front; false when there are not so many. */
static bool take(struct str *from, size_t bytes, struct str *ret)
{
    if (from->len < bytes)
        return false;
    *ret = (struct str){from->ptr, bytes};
    from->ptr += bytes;
    from->len -= bytes;
    return true;
}

static bool take_value(struct str *from, void *ret, size_t bytes)
{
    struct str value;
    if (!take(from, bytes, &value))
        return false;
    memcpy(ret, value.ptr, bytes);
    return true;
}

static bool take_text(struct str *from, struct str *ret)
{
    uint32_t len;
    return take_value(from, &len, sizeof(len)) && take(from, len, ret);
}

/* ---- segments ---- */

struct segment_bytes {
    uint32_t magic, version;
    uint64_t salt, sequence, size_bytes;
    int64_t epoch;
    uint32_t number;
    uint32_t unused[4];
    uint32_t crc; /* of all before */
};
_Static_assert(sizeof(struct segment_bytes) == SEGMENT_HEADER_BYTES, "no padding");

void segment_header_encode(const struct segment_header *h, char out[SEGMENT_HEADER_BYTES])
{
    struct segment_bytes b = {.magic = SEGMENT_MAGIC,
                              .version = SEGMENT_VERSION,
                              .salt = h->salt,
                              .sequence = h->sequence,
                              .size_bytes = h->size_bytes,
                              .epoch = h->epoch,
                              .number = h->number};
    b.crc = crc32c(0, &b, offsetof(struct segment_bytes, crc));
    memcpy(out, &b, sizeof(b));
}

int segment_header_decode(struct str bytes, struct segment_header *ret_header)
{
    struct segment_bytes b;
    if (bytes.len < sizeof(b))
        return ERR_CORRUPT;
    memcpy(&b, bytes.ptr, sizeof(b));
    if (b.magic != SEGMENT_MAGIC || b.crc != crc32c(0, &b, offsetof(struct segment_bytes, crc)))
        return ERR_CORRUPT;
    if (b.version == 0 || b.version > SEGMENT_VERSION)
        return ERR_VERSION;
    *ret_header = (struct segment_header){b.salt, b.sequence, b.size_bytes, b.epoch, b.number};
    return 0;
}

/* ---- records ---- */

struct record_bytes {
    uint64_t salt, sequence;
    int64_t epoch;
    uint32_t kind, meta_bytes, body_bytes, body_crc;
    uint32_t unused;
    uint32_t crc; /* of all before, and meta */
};
_Static_assert(sizeof(struct record_bytes) == RECORD_HEADER_BYTES, "no padding");

static uint32_t record_crc(const void *header, struct str meta)
{
    return crc32c(crc32c(0, header, offsetof(struct record_bytes, crc)), meta.ptr, meta.len);
}

void record_header_encode(const struct record_header *h, struct str meta, char out[RECORD_HEADER_BYTES])
{
    struct record_bytes b = {.salt = h->salt,
                             .sequence = h->sequence,
                             .epoch = h->epoch,
                             .kind = (uint32_t)h->kind,
                             .meta_bytes = h->meta_bytes,
                             .body_bytes = h->body_bytes,
                             .body_crc = h->body_crc};
    b.crc = record_crc(&b, meta);
    memcpy(out, &b, sizeof(b));
}

int record_header_decode(struct str bytes, struct record_header *ret_header)
{
    struct record_bytes b;
    if (bytes.len < sizeof(b))
        return ERR_CORRUPT;
    memcpy(&b, bytes.ptr, sizeof(b));
    if (b.kind < RECORD_CHUNK || b.kind > RECORD_NEXT)
        return ERR_CORRUPT;
    *ret_header = (struct record_header){.salt = b.salt,
                                         .sequence = b.sequence,
                                         .epoch = b.epoch,
                                         .kind = (enum record_kind)b.kind,
                                         .meta_bytes = b.meta_bytes,
                                         .body_bytes = b.body_bytes,
                                         .body_crc = b.body_crc};
    return 0;
}

bool record_holds(struct str header, struct str meta)
{
    uint32_t crc;
    if (header.len < RECORD_HEADER_BYTES)
        return false;
    memcpy(&crc, header.ptr + offsetof(struct record_bytes, crc), sizeof(crc));
    return crc == record_crc(header.ptr, meta);
}

/* ---- accept ---- */

struct accept_bytes {
    int64_t message_id, first_delivery;
    uint64_t size_bytes;
    int64_t received_ms;
    uint8_t custody_id[CUSTODY_ID_BYTES];
    uint32_t flags, piece_count, recipient_count, unused;
};

static bool have_homes(const struct queue_recipient_in *recipients, uint32_t count)
{
    while (count-- > 0)
        if (recipients[count].home.len > 0)
            return true;
    return false;
}

static bool asks(const struct queue_recipient_in *r)
{
    return r->dsn.notify != 0 || r->dsn.orcpt.len > 0;
}

static bool any_asks(const struct queue_message_in *m, const struct queue_recipient_in *recipients,
                     uint32_t count)
{
    bool any = m->dsn.envid.len > 0;
    while (count-- > 0 && !any)
        any = asks(&recipients[count]);
    return any;
}

static uint32_t accept_flags(const struct record_accept *a, const struct queue_recipient_in *recipients)
{
    const struct queue_message_in *m = &a->message;
    return (m->eight_bit ? ACCEPT_EIGHT_BIT : 0) | (m->smtputf8 ? ACCEPT_SMTPUTF8 : 0) |
           (have_homes(recipients, a->recipient_count) ? ACCEPT_HOMES : 0) |
           (any_asks(m, recipients, a->recipient_count) ? ACCEPT_ASKS : 0) |
           (m->authenticated ? ACCEPT_USER : 0) | (m->header_id.len > 0 ? ACCEPT_HEADER_ID : 0) |
           (m->stopped.len > 0 ? ACCEPT_STOPPED : 0) | (uint32_t)m->dsn.ret << ACCEPT_RET_SHIFT;
}

static void put_recipient(struct buf *out, const struct queue_recipient_in *r, uint32_t flags)
{
    put_text(out, r->address);
    put_text(out, r->domain);
    if (flags & ACCEPT_HOMES)
        put_text(out, r->home);
    if (flags & ACCEPT_ASKS) {
        put_u32(out, r->dsn.notify);
        put_text(out, r->dsn.orcpt);
    }
}

void record_accept_encode(struct buf *out, const struct record_accept *a, const struct record_piece *pieces,
                          const struct queue_recipient_in *recipients)
{
    const struct queue_message_in *m = &a->message;
    uint32_t flags = accept_flags(a, recipients);
    struct accept_bytes b = {.message_id = a->message_id,
                             .first_delivery = a->first_delivery,
                             .size_bytes = a->size_bytes,
                             .received_ms = m->received_at.ms,
                             .flags = flags,
                             .piece_count = a->piece_count,
                             .recipient_count = a->recipient_count};
    memcpy(b.custody_id, m->custody_id.bytes, sizeof(b.custody_id));
    put(out, &b, sizeof(b));
    put_text(out, m->reverse_path);
    put_text(out, m->helo);
    put_text(out, m->client);
    if (flags & ACCEPT_ASKS)
        put_text(out, m->dsn.envid);
    if (flags & ACCEPT_HEADER_ID)
        put_text(out, m->header_id);
    if (flags & ACCEPT_STOPPED)
        put_text(out, m->stopped);
    for (uint32_t i = 0; i < a->piece_count; i++) {
        put_u32(out, pieces[i].segment);
        put_u32(out, pieces[i].lead);
        put_u64(out, pieces[i].at);
        put_u32(out, pieces[i].bytes);
        put_u32(out, pieces[i].crc);
    }
    for (uint32_t i = 0; i < a->recipient_count; i++)
        put_recipient(out, &recipients[i], flags);
}

static bool take_request(struct str *from, struct dsn_request *ret)
{
    uint32_t notify;
    if (!take_value(from, &notify, sizeof(notify)) || !take_text(from, &ret->orcpt))
        return false;
    ret->notify = notify;
    return true;
}

static bool take_recipient(struct str *from, uint32_t flags, struct queue_recipient_in *ret)
{
    *ret = (struct queue_recipient_in){.home = STR_EMPTY, .dsn.orcpt = STR_EMPTY};
    return take_text(from, &ret->address) && take_text(from, &ret->domain) &&
           (!(flags & ACCEPT_HOMES) || take_text(from, &ret->home)) &&
           (!(flags & ACCEPT_ASKS) || take_request(from, &ret->dsn));
}

/* One form for one thing: who tells homes has one, who tells what is asked asks. */
static bool recipients_hold(struct str recipients, const struct accept_bytes *b,
                            const struct queue_message_in *m)
{
    struct queue_recipient_in r;
    bool home = false, ask = m->dsn.envid.len > 0;
    for (uint32_t i = 0; i < b->recipient_count; i++) {
        if (!take_recipient(&recipients, b->flags, &r))
            return false;
        home |= r.home.len > 0;
        ask |= asks(&r);
    }
    return recipients.len == 0 && home == !!(b->flags & ACCEPT_HOMES) && ask == !!(b->flags & ACCEPT_ASKS);
}

/* A text that is there only with this flag. */
static bool take_if(struct str *from, uint32_t flags, uint32_t flag, struct str *ret)
{
    *ret = STR_EMPTY;
    return !(flags & flag) || take_text(from, ret);
}

int record_accept_decode(struct str meta, struct record_accept *ret_accept)
{
    struct accept_bytes b;
    struct record_accept a = {0};
    struct queue_message_in *m = &a.message;
    if (!take_value(&meta, &b, sizeof(b)) || !take_text(&meta, &m->reverse_path) ||
        !take_text(&meta, &m->helo) || !take_text(&meta, &m->client) ||
        !take_if(&meta, b.flags, ACCEPT_ASKS, &m->dsn.envid) ||
        !take_if(&meta, b.flags, ACCEPT_HEADER_ID, &m->header_id) ||
        (m->header_id.len > 0) != !!(b.flags & ACCEPT_HEADER_ID) ||
        !take_if(&meta, b.flags, ACCEPT_STOPPED, &m->stopped) ||
        (m->stopped.len > 0) != !!(b.flags & ACCEPT_STOPPED) ||
        !take(&meta, (size_t)b.piece_count * PIECE_BYTES, &a.pieces) || !recipients_hold(meta, &b, m))
        return ERR_CORRUPT;
    a.flags = b.flags;
    a.recipients = meta;
    a.message_id = b.message_id;
    a.first_delivery = b.first_delivery;
    a.size_bytes = b.size_bytes;
    a.piece_count = b.piece_count;
    a.recipient_count = b.recipient_count;
    m->received_at.ms = b.received_ms;
    m->eight_bit = b.flags & ACCEPT_EIGHT_BIT;
    m->smtputf8 = b.flags & ACCEPT_SMTPUTF8;
    m->authenticated = b.flags & ACCEPT_USER;
    m->dsn.ret = (enum dsn_ret)(b.flags >> ACCEPT_RET_SHIFT & ACCEPT_RET_MASK);
    memcpy(m->custody_id.bytes, b.custody_id, sizeof(b.custody_id));
    *ret_accept = a;
    return 0;
}

struct record_piece record_next_piece(struct str *pieces)
{
    struct record_piece p;
    bool there = take_value(pieces, &p.segment, 4) && take_value(pieces, &p.lead, 4) &&
                 take_value(pieces, &p.at, 8) && take_value(pieces, &p.bytes, 4) &&
                 take_value(pieces, &p.crc, 4);
    CHECK(there);
    return p;
}

struct queue_recipient_in record_next_recipient(struct record_accept *a)
{
    struct queue_recipient_in r;
    bool there = take_recipient(&a->recipients, a->flags, &r);
    CHECK(there);
    return r;
}

/* ---- next ---- */

void record_next_encode(struct buf *out, const struct record_next *next)
{
    put_u32(out, next->segment);
    put_u64(out, next->salt);
}

int record_next_decode(struct str meta, struct record_next *ret_next)
{
    struct record_next next;
    if (!take_value(&meta, &next.segment, 4) || !take_value(&meta, &next.salt, 8) || meta.len != 0)
        return ERR_CORRUPT;
    *ret_next = next;
    return 0;
}
