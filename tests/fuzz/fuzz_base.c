/* The parsers of base: what they take, they give back. The first byte chooses. */
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/custody_id.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_addr(struct str text)
{
    struct addr a, again;
    char out[ADDR_TEXT_MAX];
    if (addr_parse(text, &a) < 0)
        return;
    addr_format(&a, out);
    CHECK(addr_parse(str_from(out), &again) == 0);
    CHECK(addr_eq(&a, &again));
}

static void fuzz_custody_id(struct str text)
{
    struct custody_id id;
    char out[CUSTODY_ID_TEXT_MAX];
    if (custody_id_parse(text, &id) < 0)
        return;
    custody_id_format(&id, out);
    CHECK(str_ieq(text, str_from(out)));
}

static void fuzz_escape(struct str text)
{
    struct buf b;
    buf_init(&b, 4096);
    log_escape(&b, text);
    for (size_t i = 0; i < b.len; i++)
        CHECK(ascii_isprint(buf_data(&b)[i]));
    buf_fini(&b);
}

/* The pieces of a split, joined again, are the text. */
static void fuzz_split(struct str text)
{
    struct str rest = text, head;
    struct buf b;
    buf_init(&b, text.len + 1);
    while (str_split(&rest, ',', &head)) {
        buf_append_str(&b, head);
        buf_append_char(&b, ',');
    }
    CHECK(!b.overflow && b.len == text.len + 1);
    CHECK(memcmp(buf_data(&b), text.ptr, text.len) == 0);
    buf_fini(&b);
}

/* Each byte appends (even) or consumes (odd) some bytes; a flat array is the model. */
static void fuzz_buf(struct str script)
{
    char model[200], piece[128];
    size_t model_len = 0;
    struct buf b;
    buf_init(&b, sizeof(model));
    for (size_t i = 0; i < script.len; i++) {
        size_t len = (uint8_t)script.ptr[i] / 2;
        memset(piece, 'a' + (int)(i % 26), sizeof(piece));
        if (script.ptr[i] & 1) {
            len = len < model_len ? len : model_len;
            buf_consume(&b, len);
            model_len -= len;
            memmove(model, model + len, model_len);
        } else if (buf_append(&b, piece, len) == 0) {
            memcpy(model + model_len, piece, len);
            model_len += len;
        } else {
            CHECK(model_len + len > sizeof(model));
        }
        CHECK(b.len == model_len && memcmp(buf_data(&b), model, model_len) == 0);
        CHECK(buf_data(&b)[model_len] == '\0');
    }
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct str) = {fuzz_addr, fuzz_custody_id, fuzz_escape, fuzz_split,
                                                  fuzz_buf};
    if (size < 1)
        return 0;
    targets[data[0] % ARRAY_LEN(targets)]((struct str){(const char *)data + 1, size - 1});
    return 0;
}
