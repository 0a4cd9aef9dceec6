#include "store/transfer/stream.h"

#include <string.h>

/* ---- what there is ---- */

/* Of another engine's clock, or of another boot: all leases have run out, records are of unknown age. Tokens
 * go on from where they were. */
#define PAST "-1"

/* Chunks have body << 16 | number; those of bodies that nobody uses stay behind. */
#define BODY_COLUMNS  "id,refs,writer,size_bytes,chunk_bytes"
#define CHUNK_COLUMNS "id,crc,data"
#define OF_A_BODY     "WHERE EXISTS (SELECT 1 FROM body b WHERE b.id = chunk.id >> 16 AND b.refs > 0)"
#define HAS_PIECES                                                                                           \
    "WHERE body_id = 0 AND EXISTS (SELECT 1 FROM piece p WHERE p.id >= message.id << 16"                     \
    " AND p.id < (message.id + 1) << 16)"

#define BODY_STREAMS(where_body, where_chunk)                                                                \
    {.name = "body",                                                                                         \
     .table = "body",                                                                                        \
     .columns = BODY_COLUMNS,                                                                                \
     .types = "iiiii",                                                                                       \
     .from = "id,refs,0,size_bytes,chunk_bytes",                                                             \
     .source = "body",                                                                                       \
     .source_where = "WHERE refs > 0",                                                                       \
     .where = where_body,                                                                                    \
     .order = "id"},                                                                                         \
    {                                                                                                        \
        .name = "chunk", .table = "chunk", .columns = CHUNK_COLUMNS, .types = "iib", .source = "chunk",      \
        .source_where = OF_A_BODY, .where = where_chunk, .order = "id"                                       \
    }

#define TABLE(name_, columns_, types_, order_)                                                               \
    .name = name_, .table = name_, .source = name_, .source_where = "", .where = "", .columns = columns_,    \
    .types = types_, .order = order_

static const struct stream network_streams[] = {
    {TABLE("lease", "name,holder,token,expires_ms", "ttii", "name"), .from = "name,holder,token," PAST},
    {TABLE("record", "kind,key,value,version,written_ms", "tttii", "kind,key"),
     .from = "kind,key,value,version," PAST},
    {TABLE("event", "id,at_ms,kind,subject,detail", "iittt", "id")},
    {TABLE("recipient", "domain,address,known,at_ms", "ttii", "domain,address")},
    {TABLE("recipient_count", "domain,known,count", "tii", "domain,known")},
};

static const struct stream mail_streams[] = {
    BODY_STREAMS("", ""),
    {TABLE("instance", "id,server,epoch", "iti", "id")},
    {.name = "user",
     .table = "\"user\"",
     .source = "user",
     .source_where = "",
     .where = "",
     .columns = "id,address,uid_validity",
     .types = "iti",
     .order = "id"},
    {TABLE("mailbox",
           "id,user_id,name,uid_validity,uid_next,modseq,recent_from,messages,unseen,subscribed,selectable",
           "intiiiiiiii", "id")},
    {TABLE("message", "mailbox_id,uid,modseq,flags,keywords,date_ms,size_bytes,body_id", "iiiitiii",
           "mailbox_id,uid")},
    {TABLE("expunged", "mailbox_id,modseq,uid", "iii", "mailbox_id,modseq,uid")},
    {TABLE("delivered", "user_id,custody_id", "ib", "user_id,custody_id")},
};

static const struct stream queue_streams[] = {
    BODY_STREAMS("WHERE id <= ?", "WHERE id >> 16 <= ?"),
    {.name = "body of message",
     .table = "body",
     .columns = BODY_COLUMNS,
     .types = "iiiii",
     .from = "? + id,1,0,size_bytes,65463", /* BODY_CHUNK_BYTES */
     .source = "message",
     .source_where = HAS_PIECES,
     .where = "WHERE id > ?",
     .order = "id"},
    /* That of an empty body has no bytes: in a database it is none. */
    {.name = "piece",
     .table = "chunk",
     .columns = CHUNK_COLUMNS,
     .types = "iib",
     .from = "(? << 16) + id,crc,segment,at + lead,bytes",
     .source = "piece",
     .source_where = "WHERE bytes > 0",
     .where = "WHERE id >> 16 > ?",
     .order = "id",
     .in_segments = true},
    {TABLE("owner", "id,name,epoch,node,bodies", "ititi", "id"),
     .from = "id,name,epoch,node,? + (SELECT coalesce(max(id), 0) FROM message)", .seeded = true},
    {TABLE("message",
           "id,custody_id,body_id,size_bytes,reverse_path,helo,client,flags,received_ms,first_delivery,"
           "deliveries,envid,header_id",
           "ibiitttiiiitt", "id"),
     .from = "id,custody_id,CASE body_id WHEN 0 THEN ? + id ELSE body_id END,size_bytes,reverse_path,helo,"
             "client,flags,received_ms,first_delivery,deliveries,envid,header_id"},
    {TABLE("place", "id,domain,home,waiting,held,quarantined", "ittiii", "id")},
    {TABLE("live",
           "id,message_id,place_id,state,attempts,losses,recipient,last_reply,last_host,lossy,next_ms,"
           "since_ms",
           "iiiiiitttiii", "id")},
    {TABLE("ended", "id,message_id,place_id,state,attempts,losses,recipient,last_reply", "iiiiiitt", "id")},
    {TABLE("attempt", "id,outcome,epoch,generation,at_ms,server,instance,reply", "iiiiittt", "id")},
    {TABLE("act", "id,at_ms,action,home,who,why,changed,key,up_to,room,done", "iiitttitiii", "id")},
    {TABLE("acted", "delivery_id,act_id", "ii", "delivery_id,act_id")},
    {TABLE("notice", "id,custody_id,recipient,at_ms,server,reply", "ibtitt", "id")},
    {TABLE("kept", "message_id,ended_ms,size_bytes", "iii", "message_id")},
    {TABLE("kept_total", "id,messages,bytes,let_go_ms", "iiii", "id"), .seeded = true},
    {TABLE("request", "id,notify,orcpt,told", "iiti", "id")},
    {TABLE("debt", "message_id,kind,delivery,at_ms,server,reply,host", "iiiittt",
           "message_id,kind,delivery")},
    {TABLE("away", "id,domain", "it", "id")},
};

static const char *const network_numbered[] = {"event", NULL};
static const char *const mail_numbered[] = {"body", "instance", "\"user\"", "mailbox", NULL};
static const char *const queue_numbered[] = {"body", "place", "act", "notice", NULL};

/* Of a folder the boot, and the journal; of a database whether a commit was one, versions, and whether
 * something has changed. */
static const char *const network_apart[] = {"device", "mark", "part", "sqlite_sequence", NULL};
static const char *const mail_apart[] = {"mark", "part", "sqlite_sequence", NULL};
static const char *const queue_apart[] = {"journal",         "mark", "part", "piece", "segment",
                                          "sqlite_sequence", NULL};

const struct stream_part *stream_part(enum part_kind kind)
{
    static const struct stream_part parts[] = {
        [PART_NETWORK] = {network_streams, ARRAY_LEN(network_streams), network_numbered, network_apart},
        [PART_MAIL] = {mail_streams, ARRAY_LEN(mail_streams), mail_numbered, mail_apart},
        [PART_QUEUE] = {queue_streams, ARRAY_LEN(queue_streams), queue_numbered, queue_apart},
    };
    return &parts[kind];
}

bool stream_is_of_chunks(const struct stream *s)
{
    return strcmp(s->table, "chunk") == 0;
}

/* ---- its SQL ---- */

static void put(const char *text, int64_t bodies, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '?')
            buf_append_fmt(out, "%lld", (long long)bodies);
        else
            buf_append_char(out, *text);
    }
}

static void put_columns(const struct stream *s, struct buf *out)
{
    const char *at = s->columns;
    for (const char *type = s->types; *type; type++) {
        int len = (int)strcspn(at, ",");
        if (type != s->types)
            buf_append_char(out, ',');
        buf_append_fmt(out, *type == 'n' ? "coalesce(%.*s, 0)" : "%.*s", len, at);
        at += len + (at[len] == ',');
    }
}

void stream_select_source(const struct stream *s, int64_t bodies, struct buf *out)
{
    buf_append_text(out, "SELECT ");
    if (s->from)
        put(s->from, bodies, out);
    else
        put_columns(s, out);
    buf_append_fmt(out, " FROM %s ", s->source);
    put(s->source_where, bodies, out);
    buf_append_fmt(out, " ORDER BY %s", s->order);
}

void stream_select(const struct stream *s, int64_t bodies, struct buf *out)
{
    buf_append_text(out, "SELECT ");
    put_columns(s, out);
    buf_append_fmt(out, " FROM %s ", s->table);
    put(s->where, bodies, out);
}

void stream_insert(const struct stream *s, struct buf *out)
{
    buf_append_fmt(out, "INSERT INTO %s(%s) VALUES(", s->table, s->columns);
    for (const char *type = s->types; *type; type++)
        buf_append_fmt(out, "%s%s", type == s->types ? "" : ", ", *type == 'n' ? "nullif(?, 0)" : "?");
    buf_append_text(out, ")");
}
