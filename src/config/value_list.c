#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/value_types.h"

static bool want_list(const struct value_place *p)
{
    if (p->v->kind != TREE_LIST)
        return value_reject_type(p, p->v->line);
    int64_t count = (int64_t)p->v->count;
    if (count >= p->key->min && count <= p->key->max)
        return true;
    return value_reject(p, p->v->line, "must have from %" PRId64 " to %" PRId64 " items; it has %zu",
                        p->key->min, p->key->max, p->v->count);
}

static void list_words(const struct schema_word *words, struct buf *out)
{
    const char *separator = "";
    for (; words->word; words++) {
        buf_append_fmt(out, "%s\"%s\"", separator, words->word);
        separator = ", ";
    }
}

static bool reject_word(const struct value_place *p, const struct tree_value *v)
{
    struct buf known;
    buf_init(&known, 512);
    list_words(p->key->words, &known);
    if (v->kind == TREE_TEXT) {
        char shown[CLIP_TEXT_MAX];
        value_reject(p, v->line, "cannot be \"%s\"; it is one of %s", findings_clip(v->text, shown),
                     buf_data(&known));
    } else {
        value_reject(p, v->line, "must be one of %s", buf_data(&known));
    }
    buf_fini(&known);
    return false;
}

bool value_word_find(const struct value_place *p, const struct tree_value *v, int *ret_number)
{
    for (const struct schema_word *w = p->key->words; w->word; w++) {
        if (v->kind == TREE_TEXT && strcmp(v->text, w->word) == 0) {
            *ret_number = w->value;
            return true;
        }
    }
    return reject_word(p, v);
}

void value_set_words(const struct value_place *p)
{
    unsigned bits = 0;
    if (!want_list(p))
        return;
    for (const struct tree_value *v = p->v->items; v; v = v->next) {
        int number;
        if (!value_word_find(p, v, &number))
            continue;
        if (bits & (unsigned)number)
            value_reject(p, v->line, "has \"%s\" twice; remove one", v->text);
        bits |= (unsigned)number;
    }
    memcpy(p->field, &bits, sizeof(bits));
}

static bool has_addr(const struct config_listen *list, const struct addr *a)
{
    for (size_t i = 0; i < list->count; i++)
        if (addr_eq(&list->addrs[i], a))
            return true;
    return false;
}

static void set_addresses(const struct value_place *p, bool with_port)
{
    struct config_listen *list = (struct config_listen *)(void *)p->field;
    if (!want_list(p))
        return;
    list->addrs = tree_alloc(p->b->arena, p->v->count * sizeof(*list->addrs));
    for (const struct tree_value *v = p->v->items; v; v = v->next) {
        struct addr a;
        struct str text = str_from(v->text);
        int err = with_port ? addr_parse(text, &a) : addr_parse_ip(text, 0, &a);
        char shown[CLIP_TEXT_MAX];
        findings_clip(v->text, shown);
        if (err < 0 || (with_port && addr_port(&a) == 0))
            value_reject(p, v->line, "cannot hold \"%s\"; it must be %s", shown, value_type_wanted(p->key));
        else if (has_addr(list, &a))
            value_reject(p, v->line, "has \"%s\" twice; remove one", shown);
        else
            list->addrs[list->count++] = a;
    }
}

void value_set_ips(const struct value_place *p)
{
    set_addresses(p, false);
}

void value_set_endpoints(const struct value_place *p)
{
    set_addresses(p, true);
}

/* The names of the sections that could have been meant. */
static void list_names(const struct value_place *p, struct buf *out)
{
    const char *separator = "";
    TREE_FOREACH(s, p->b->root, p->key->ref)
    {
        if (!s->title || out->len > 200)
            continue;
        buf_append_fmt(out, "%s\"%s\"", separator, build_name(s->object));
        separator = ", ";
    }
}

void *value_ref_find(const struct value_place *p, const struct tree_value *v)
{
    if (v->kind != TREE_TEXT) {
        value_reject_type(p, v->line);
        return NULL;
    }
    struct tree_section *target = build_find(p->b, p->key->ref, v->text);
    if (target)
        return target->object;
    struct buf known;
    buf_init(&known, 512);
    list_names(p, &known);
    char shown[CLIP_TEXT_MAX];
    findings_clip(v->text, shown);
    if (known.len > 0)
        value_reject(p, v->line, "names \"%s\", but the file has no such %s; it has %s", shown, p->key->ref,
                     buf_data(&known));
    else
        value_reject(p, v->line, "names \"%s\", but the file has no %s section; add one", shown, p->key->ref);
    buf_fini(&known);
    return NULL;
}

void value_set_refs(const struct value_place *p)
{
    size_t *count = (size_t *)(void *)p->more;
    if (!want_list(p))
        return;
    void **objects = tree_alloc(p->b->arena, p->v->count * sizeof(*objects));
    for (const struct tree_value *v = p->v->items; v; v = v->next) {
        void *object = value_ref_find(p, v);
        bool twice = false;
        for (size_t i = 0; i < *count; i++)
            twice = twice || objects[i] == object;
        if (object && twice)
            value_reject(p, v->line, "names \"%s\" twice; remove one", v->text);
        else if (object)
            objects[(*count)++] = object;
    }
    *(void ***)(void *)p->field = objects;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_pin(const char *text, struct tls_pin *ret_pin)
{
    if (strlen(text) != (size_t)2 * TLS_PIN_BYTES)
        return false;
    for (size_t i = 0; i < TLS_PIN_BYTES; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_pin->sha256[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void value_set_texts(const struct value_place *p)
{
    struct config_texts *list = (struct config_texts *)(void *)p->field;
    if (!want_list(p))
        return;
    list->items = tree_alloc(p->b->arena, p->v->count * sizeof(*list->items));
    for (const struct tree_value *v = p->v->items; v; v = v->next) {
        if (v->kind == TREE_TEXT && v->text[0])
            list->items[list->count++] = v->text;
        else
            value_reject_type(p, v->line);
    }
}

void value_set_pins(const struct value_place *p)
{
    struct config_pins *list = (struct config_pins *)(void *)p->field;
    if (!want_list(p))
        return;
    list->pins = tree_alloc(p->b->arena, p->v->count * sizeof(*list->pins));
    for (const struct tree_value *v = p->v->items; v; v = v->next) {
        if (v->kind == TREE_TEXT && parse_pin(v->text, &list->pins[list->count]))
            list->count++;
        else
            value_reject_type(p, v->line);
    }
}

static bool has_block(const struct addr_blocks *list, const struct addr_block *b)
{
    for (size_t i = 0; i < list->count; i++)
        if (addr_block_eq(&list->items[i], b))
            return true;
    return false;
}

void value_set_blocks(const struct value_place *p)
{
    struct addr_blocks *list = (struct addr_blocks *)(void *)p->field;
    if (!want_list(p))
        return;
    list->items = tree_alloc(p->b->arena, p->v->count * sizeof(*list->items));
    for (const struct tree_value *v = p->v->items; v; v = v->next) {
        struct addr_block block;
        char shown[CLIP_TEXT_MAX];
        int err = v->kind == TREE_TEXT ? addr_block_parse(str_from(v->text), &block) : ERR_SYNTAX;
        if (err == ERR_INVALID)
            value_reject(p, v->line, "has \"%s\", whose bits behind the prefix are not 0; give the network",
                         findings_clip(v->text, shown));
        else if (err < 0)
            value_reject_type(p, v->line);
        else if (has_block(list, &block))
            value_reject(p, v->line, "has \"%s\" twice; remove one", findings_clip(v->text, shown));
        else
            list->items[list->count++] = block;
    }
}

bool value_equal_blocks(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    const struct addr_blocks *one = (const struct addr_blocks *)(const void *)a;
    const struct addr_blocks *two = (const struct addr_blocks *)(const void *)b;
    if (one->count != two->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (!addr_block_eq(&one->items[i], &two->items[i]))
            return false;
    return true;
}

bool value_equal_texts(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    const struct config_texts *one = (const struct config_texts *)(const void *)a;
    const struct config_texts *two = (const struct config_texts *)(const void *)b;
    bool equal = one->count == two->count;
    for (size_t i = 0; equal && i < one->count; i++)
        equal = strcmp(one->items[i], two->items[i]) == 0;
    return equal;
}

bool value_equal_pins(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    const struct config_pins *one = (const struct config_pins *)(const void *)a;
    const struct config_pins *two = (const struct config_pins *)(const void *)b;
    if (one->count != two->count)
        return false;
    return one->count == 0 || memcmp(one->pins, two->pins, one->count * sizeof(*one->pins)) == 0;
}

bool value_equal_listen(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    const struct config_listen *one = (const struct config_listen *)(const void *)a;
    const struct config_listen *two = (const struct config_listen *)(const void *)b;
    if (one->count != two->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (!addr_eq(&one->addrs[i], &two->addrs[i]))
            return false;
    return true;
}

bool value_equal_refs(const struct schema_key *key, const char *a, const char *b)
{
    ptrdiff_t to_more = (ptrdiff_t)key->more_offset - (ptrdiff_t)key->offset;
    size_t count_a, count_b;
    memcpy(&count_a, a + to_more, sizeof(count_a));
    memcpy(&count_b, b + to_more, sizeof(count_b));
    void *const *one = *(void *const *const *)(const void *)a, *const *two =
                                                                   *(void *const *const *)(const void *)b;
    if (count_a != count_b)
        return false;
    for (size_t i = 0; i < count_a; i++)
        if (strcmp(build_name(one[i]), build_name(two[i])) != 0)
            return false;
    return true;
}
