#include "cli/queue_row.h"

#include "base/printable.h"
#include "base/time.h"
#include "cli/field.h"

#define ONE_LINE_COLUMNS 150 /* what leaves a third for why it waits */
#define SECOND_LEN       19  /* of "2026-11-23T18:20:54" */
#define HEAD_FORMAT      "%-26s %-20s %-11s %10s"

/* null: it is not tried again by itself, or was never tried and so is due at once. */
static json_t *next_json(const struct queue_delivery *d)
{
    char next[WALL_TEXT_MAX];
    if (d->state != QUEUE_WAITING || d->next_at.ms == 0 || d->attempts + d->losses == 0)
        return json_null();
    wall_format_iso(d->next_at, next);
    return json_string(next);
}

json_t *queue_row_json(const char *queue, const struct queue_delivery *d, const char *reason)
{
    char id[CUSTODY_ID_TEXT_MAX], received[WALL_TEXT_MAX];
    custody_id_format(&d->custody_id, id);
    wall_format_iso(d->received_at, received);
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:s, s:o, s:o, s:o}", "queue", queue,
                     "delivery", (json_int_t)d->id, "id", id, "sender", field_from_text(d->reverse_path),
                     "recipient", field_from_text(d->recipient), "home", field_from_text(d->home), "state",
                     queue_state_name(d->state), "attempts", (json_int_t)d->attempts, "losses",
                     (json_int_t)d->losses, "size", (json_int_t)d->size_bytes, "received_at", received,
                     "next_at", next_json(d), "last_reply", field_from_text(d->last_reply), "reason",
                     field_from_text(str_from(reason)));
}

/* At least `width` wide, so that columns stand below each other. */
static void append_column(struct buf *out, struct str s, size_t width)
{
    size_t start = out->len;
    printable_append(out, s, "");
    while (out->len - start < width && !out->overflow)
        buf_append_char(out, ' ');
    buf_append_char(out, ' ');
}

/* Cuts what was appended since `start`, the line's begin, to the terminal's width. */
static void end_line(struct buf *out, size_t start, size_t columns)
{
    if (columns > 0 && out->len - start > columns) {
        buf_truncate(out, start + columns - 1);
        buf_append_char(out, '>');
    }
    buf_append_char(out, '\n');
}

void queue_row_head(struct buf *out, size_t columns)
{
    size_t start = out->len;
    bool one_line = columns == 0 || columns >= ONE_LINE_COLUMNS;
    buf_append_fmt(out, HEAD_FORMAT, "ID", "RECEIVED", "STATE", "SIZE");
    if (one_line)
        buf_append_fmt(out, "  %-24s %-24s %s", "SENDER", "RECIPIENT", "LAST REPLY, OR WHY IT WAITS");
    end_line(out, start, columns);
    start = out->len;
    if (one_line)
        return;
    buf_append_text(out, "    SENDER > RECIPIENT: LAST REPLY, OR WHY IT WAITS");
    end_line(out, start, columns);
}

void queue_row_text(struct buf *out, const struct queue_delivery *d, const char *reason, size_t columns)
{
    char id[CUSTODY_ID_TEXT_MAX], received[WALL_TEXT_MAX], size[24];
    size_t start = out->len;
    struct str why = reason[0] ? str_from(reason) : d->last_reply;
    custody_id_format(&d->custody_id, id);
    wall_format_iso(d->received_at, received);
    snprintf(received + SECOND_LEN, sizeof(received) - SECOND_LEN, "Z");
    snprintf(size, sizeof(size), "%llu", (unsigned long long)d->size_bytes);
    buf_append_fmt(out, HEAD_FORMAT, id, received, queue_state_name(d->state), size);
    if (columns == 0 || columns >= ONE_LINE_COLUMNS) {
        buf_append_text(out, "  ");
        append_column(out, d->reverse_path, 24);
        append_column(out, d->recipient, 24);
    } else {
        end_line(out, start, columns);
        start = out->len;
        buf_append_text(out, "    <");
        printable_append(out, d->reverse_path, "");
        buf_append_text(out, "> <");
        printable_append(out, d->recipient, "");
        buf_append_text(out, why.len ? ">: " : ">");
    }
    printable_append(out, why, "");
    end_line(out, start, columns);
}
