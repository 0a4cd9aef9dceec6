/* The records of a queue's journal: whatever a file holds, decoding keeps to its
 * bytes; and what is decoded is encoded to the same. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "store/sqlite/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode_again(const struct record_accept *a, struct str meta)
{
    struct record_piece *pieces = mem_calloc(a->piece_count + 1, sizeof(*pieces));
    struct queue_recipient_in *to = mem_calloc(a->recipient_count + 1, sizeof(*to));
    struct str left = a->pieces;
    struct buf again;
    for (uint32_t i = 0; i < a->piece_count; i++)
        pieces[i] = record_next_piece(&left);
    struct record_accept rest = *a;
    for (uint32_t i = 0; i < a->recipient_count; i++)
        to[i] = record_next_recipient(&rest);
    CHECK(rest.recipients.len == 0);
    buf_init(&again, meta.len);
    record_accept_encode(&again, a, pieces, to);
    CHECK(again.len == meta.len);
    struct record_accept b;
    CHECK(record_accept_decode(buf_str(&again), &b) == 0);
    CHECK(str_eq(a->recipients, b.recipients) && str_eq(a->pieces, b.pieces));
    CHECK(str_eq(a->message.reverse_path, b.message.reverse_path) && a->message_id == b.message_id);
    buf_fini(&again);
    free(pieces);
    free(to);
}

static void fuzz_accept(struct str bytes)
{
    struct record_accept a;
    if (record_accept_decode(bytes, &a) == 0)
        encode_again(&a, bytes);
}

static void fuzz_record(struct str bytes)
{
    struct record_header h;
    char again[RECORD_HEADER_BYTES];
    struct str meta = str_sub(bytes, RECORD_HEADER_BYTES, SIZE_MAX);
    if (record_header_decode(bytes, &h) != 0)
        return;
    CHECK(record_bytes(&h) >= RECORD_HEADER_BYTES);
    record_header_encode(&h, meta, again);
    CHECK(record_holds((struct str){again, sizeof(again)}, meta));
    (void)record_holds(bytes, meta);
}

static void fuzz_segment(struct str bytes)
{
    struct segment_header h;
    char again[SEGMENT_HEADER_BYTES];
    if (segment_header_decode(bytes, &h) != 0)
        return;
    segment_header_encode(&h, again);
    CHECK(segment_header_decode((struct str){again, sizeof(again)}, &h) == 0);
}

static void fuzz_next(struct str bytes)
{
    struct record_next next;
    struct buf again;
    if (record_next_decode(bytes, &next) != 0)
        return;
    buf_init(&again, 64);
    record_next_encode(&again, &next);
    CHECK(str_eq(buf_str(&again), bytes));
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct str) = {fuzz_accept, fuzz_record, fuzz_segment, fuzz_next};
    if (size < 1)
        return 0;
    targets[data[0] % ARRAY_LEN(targets)]((struct str){(const char *)data + 1, size - 1});
    return 0;
}
