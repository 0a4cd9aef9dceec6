#include "imap/source.h"

#include "base/err.h"

void imap_source_init(struct imap_source *src, struct mail *mail, void (*on_ready)(void *arg), void *arg)
{
    *src = (struct imap_source){.mail = mail, .on_ready = on_ready, .arg = arg};
    buf_init(&src->piece, IMAP_SOURCE_PIECE_BYTES);
}

void imap_source_close(struct imap_source *src)
{
    if (src->op)
        store_op_forget(src->op);
    src->op = NULL;
    if (src->reader)
        body_close(src->reader);
    src->reader = NULL;
    src->has_piece = false;
    src->err = 0;
}

void imap_source_open(struct imap_source *src, int64_t body_id)
{
    imap_source_close(src);
    src->reader = mail_body_open(src->mail, body_id);
    if (!src->reader)
        src->err = ERR_UNAVAILABLE;
}

void imap_source_fini(struct imap_source *src)
{
    imap_source_close(src);
    buf_fini(&src->piece);
}

static void on_read(void *arg, int err, const char *data, size_t len)
{
    struct imap_source *src = arg;
    src->op = NULL;
    src->err = err;
    buf_clear(&src->piece);
    if (!err)
        src->err = buf_append(&src->piece, data, len);
    src->has_piece = !src->err;
    src->on_ready(src->arg);
}

static bool covers(const struct imap_source *src, uint64_t offset)
{
    if (!src->has_piece || offset < src->piece_offset)
        return false;
    return offset < src->piece_offset + src->piece.len ||
           (src->piece.len == 0 && offset == src->piece_offset);
}

enum imap_source_state imap_source_get(struct imap_source *src, uint64_t offset, struct str *ret_data)
{
    if (src->err)
        return IMAP_SOURCE_FAILED;
    if (covers(src, offset)) {
        *ret_data = str_sub(buf_str(&src->piece), (size_t)(offset - src->piece_offset), SIZE_MAX);
        return IMAP_SOURCE_READY;
    }
    src->piece_offset = offset;
    src->has_piece = false;
    if (!src->op)
        src->op = body_read(src->reader, offset, IMAP_SOURCE_PIECE_BYTES, on_read, src);
    return IMAP_SOURCE_WAIT;
}

int imap_source_worse(const struct imap_source *src, int err)
{
    return err && err != ERR_NOT_FOUND ? err : src->err;
}
