#include "base/err.h"
#include "imap/search.h"
#include "wire/mime_date.h"

/* Bounds what one piece becomes: decoding and folding make nothing longer than
 * twice its bytes (Latin-1 into UTF-8). */
#define DECODED_MAX_BYTES (4 * IMAP_SOURCE_PIECE_BYTES + 4 * MIME_FIELD_MAX_BYTES)

/* ---- the matcher ---- */

static int build_failure(struct search_key *key, struct arena *arena)
{
    struct str text = key->node->text;
    key->failure = arena_alloc(arena, (text.len + 1) * sizeof(*key->failure));
    if (!key->failure)
        return ERR_LIMIT;
    size_t at = 0;
    for (size_t i = 1; i < text.len; i++) {
        while (at > 0 && text.ptr[i] != text.ptr[at])
            at = key->failure[at - 1];
        at += text.ptr[i] == text.ptr[at];
        key->failure[i] = (uint32_t)at;
    }
    return 0;
}

static void match(struct search_key *key, struct str data)
{
    struct str text = key->node->text;
    key->found = key->found || text.len == 0;
    for (size_t i = 0; i < data.len && !key->found; i++) {
        while (key->at > 0 && data.ptr[i] != text.ptr[key->at])
            key->at = key->failure[key->at - 1];
        key->at += data.ptr[i] == text.ptr[key->at];
        key->found = key->at == text.len;
    }
}

static void match_all(struct search_text *t, struct str data, bool body)
{
    for (size_t i = 0; i < t->key_count; i++) {
        enum imap_search_op op = t->keys[i].node->op;
        if (op == IMAP_SEARCH_TEXT || (body && op == IMAP_SEARCH_BODY))
            match(&t->keys[i], data);
    }
}

static void restart(struct search_text *t)
{
    for (size_t i = 0; i < t->key_count; i++)
        t->keys[i].at = 0;
}

/* ---- what the parser gives ---- */

static bool is_sent(const struct imap_search *node, struct str value)
{
    int64_t days;
    if (mime_date_day(value, &days) != 0)
        return false;
    switch (node->op) {
    case IMAP_SEARCH_SENTBEFORE:
        return days < node->days;
    case IMAP_SEARCH_SENTON:
        return days == node->days;
    default:
        return days >= node->days;
    }
}

static void match_field(struct search_text *t, struct search_key *key, struct str name, struct str raw)
{
    switch (key->node->op) {
    case IMAP_SEARCH_SENTBEFORE:
    case IMAP_SEARCH_SENTON:
    case IMAP_SEARCH_SENTSINCE:
        key->found = key->found || (str_ieq(name, STR("Date")) && is_sent(key->node, raw));
        break;
    case IMAP_SEARCH_HEADER:
        key->at = 0;
        if (str_ieq(name, key->node->field))
            match(key, buf_str(&t->folded));
        break;
    default:
        break;
    }
}

static void on_field(void *arg, const struct mime_part *part, struct str name, struct str value)
{
    struct search_text *t = arg;
    bool top = !part->parent;
    struct mime_text plain;
    buf_clear(&t->folded);
    mime_words_fold(value, &t->folded);
    for (size_t i = 0; top && i < t->key_count; i++)
        match_field(t, &t->keys[i], name, value);
    struct str folded = buf_str(&t->folded);
    buf_clear(&t->decoded);
    mime_text_init(&plain, STR_EMPTY);
    mime_text_feed(&plain, name, &t->decoded);
    buf_append_text(&t->decoded, ": ");
    buf_append_str(&t->decoded, folded);
    restart(t);
    match_all(t, buf_str(&t->decoded), !top);
}

static void begin_part(struct search_text *t, const struct mime_part *part)
{
    struct str encoding = part->encoding.ptr ? part->encoding : STR_EMPTY;
    struct str charset = mime_param_find(part->params, "charset");
    t->part = part;
    mime_decoder_init(&t->decoder, encoding);
    mime_text_init(&t->text, charset.ptr ? charset : STR_EMPTY);
    restart(t);
}

static void on_body(void *arg, const struct mime_part *part, struct str data)
{
    struct search_text *t = arg;
    if (!mime_part_is(part, "text", NULL))
        return;
    if (t->part != part)
        begin_part(t, part);
    buf_clear(&t->decoded);
    buf_clear(&t->folded);
    mime_decoder_feed(&t->decoder, data, &t->decoded);
    mime_text_feed(&t->text, buf_str(&t->decoded), &t->folded);
    match_all(t, buf_str(&t->folded), true);
}

/* ---- a message ---- */

static void collect(struct search_text *t, const struct imap_search *node)
{
    if (node->op >= IMAP_SEARCH_SENTBEFORE)
        t->keys[node->text_index].node = node;
    for (const struct imap_search *child = node->child; child; child = child->next)
        collect(t, child);
}

int search_text_init(struct search_text *t, struct arena *arena, const struct imap_search_program *program)
{
    *t = (struct search_text){.key_count = program->text_count};
    arena_init(&t->arena, IMAP_STRUCTURE_ARENA_BYTES);
    buf_init(&t->decoded, DECODED_MAX_BYTES);
    buf_init(&t->folded, DECODED_MAX_BYTES);
    t->keys = arena_alloc(arena, (t->key_count + 1) * sizeof(t->keys[0]));
    if (!t->keys)
        return ERR_LIMIT;
    collect(t, program->root);
    for (size_t i = 0; i < t->key_count; i++)
        if (build_failure(&t->keys[i], arena) != 0)
            return ERR_LIMIT;
    return 0;
}

static void end_message(struct search_text *t)
{
    if (t->active)
        mime_parser_fini(&t->parser);
    t->active = false;
}

void search_text_fini(struct search_text *t)
{
    end_message(t);
    arena_fini(&t->arena);
    buf_fini(&t->decoded);
    buf_fini(&t->folded);
}

void search_text_forget(struct search_text *t)
{
    end_message(t);
    for (size_t i = 0; i < t->key_count; i++)
        t->keys[i].found = false;
    t->header_over = t->over = false;
    t->part = NULL;
}

void search_text_begin(struct search_text *t)
{
    const struct mime_sink sink = {.arg = t, .on_field = on_field, .on_body = on_body};
    arena_clear(&t->arena);
    restart(t);
    mime_parser_init(&t->parser, &t->arena, &sink);
    t->active = true;
}

void search_text_feed(struct search_text *t, struct str data)
{
    if (data.len > 0) {
        mime_parser_feed(&t->parser, data);
    } else {
        mime_parser_finish(&t->parser);
        t->over = true;
    }
    t->header_over = t->parser.header_done;
}
