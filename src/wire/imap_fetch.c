#include "wire/imap_fetch.h"

#include "base/err.h"

static const struct {
    const char *word;
    enum imap_fetch_kind kind;
    enum imap_section_text text;
    bool peek;
} words[] = {
    {"FLAGS", IMAP_FETCH_FLAGS, 0, true},
    {"UID", IMAP_FETCH_UID, 0, true},
    {"INTERNALDATE", IMAP_FETCH_INTERNALDATE, 0, true},
    {"RFC822.SIZE", IMAP_FETCH_SIZE, 0, true},
    {"ENVELOPE", IMAP_FETCH_ENVELOPE, 0, true},
    {"BODYSTRUCTURE", IMAP_FETCH_BODYSTRUCTURE, 0, true},
    {"RFC822", IMAP_FETCH_SECTION, IMAP_SECTION_ALL, false},
    {"RFC822.HEADER", IMAP_FETCH_SECTION, IMAP_SECTION_HEADER, true},
    {"RFC822.TEXT", IMAP_FETCH_SECTION, IMAP_SECTION_TEXT, false},
};

/* How many of these a macro stands for. */
static const enum imap_fetch_kind macro_kinds[] = {IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE,
                                                   IMAP_FETCH_ENVELOPE, IMAP_FETCH_BODY};
static const struct {
    const char *word;
    size_t count;
} macros[] = {{"FAST", 3}, {"ALL", 4}, {"FULL", 5}};

static int parse_fields(struct imap_cursor *c, struct imap_section *section)
{
    section->fields = arena_alloc(c->arena, IMAP_SECTION_FIELDS_MAX * sizeof(struct str));
    if (!section->fields)
        return ERR_LIMIT;
    if (imap_expect_char(c, ' ') || imap_expect_char(c, '('))
        return ERR_SYNTAX;
    do {
        if (section->field_count == IMAP_SECTION_FIELDS_MAX)
            return ERR_LIMIT;
        int err = imap_parse_astring(c, &section->fields[section->field_count++]);
        if (err)
            return err;
    } while (imap_skip_char(c, ' '));
    return imap_expect_char(c, ')');
}

static int parse_section_text(struct imap_cursor *c, struct imap_section *section)
{
    static const struct {
        const char *word;
        enum imap_section_text text;
    } texts[] = {
        {"HEADER.FIELDS.NOT", IMAP_SECTION_FIELDS_NOT},
        {"HEADER.FIELDS", IMAP_SECTION_FIELDS},
        {"HEADER", IMAP_SECTION_HEADER},
        {"TEXT", IMAP_SECTION_TEXT},
        {"MIME", IMAP_SECTION_MIME},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str word = str_from(texts[i].word);
        if (!str_istarts(c->rest, word))
            continue;
        c->rest = str_sub(c->rest, word.len, SIZE_MAX);
        section->text = texts[i].text;
        if (section->text == IMAP_SECTION_MIME && section->path_len == 0)
            return ERR_SYNTAX;
        bool fields = section->text == IMAP_SECTION_FIELDS || section->text == IMAP_SECTION_FIELDS_NOT;
        return fields ? parse_fields(c, section) : 0;
    }
    return ERR_SYNTAX;
}

/* After `[`, up to and with `]`. */
static int parse_section(struct imap_cursor *c, struct imap_section *section)
{
    bool more = !imap_skip_char(c, ']');
    if (!more)
        return 0;
    while (more && c->rest.len > 0 && ascii_isdigit(c->rest.ptr[0])) {
        uint64_t number;
        if (section->path_len == IMAP_SECTION_DEPTH_MAX || imap_parse_number(c, UINT32_MAX, &number) ||
            number == 0)
            return ERR_SYNTAX;
        section->path[section->path_len++] = (uint32_t)number;
        more = imap_skip_char(c, '.');
    }
    if (more) {
        int err = parse_section_text(c, section);
        if (err)
            return err;
    }
    return imap_expect_char(c, ']');
}

static int parse_partial(struct imap_cursor *c, struct imap_fetch_item *item)
{
    if (!imap_skip_char(c, '<'))
        return 0;
    item->partial = true;
    if (imap_parse_number(c, UINT32_MAX, &item->offset) || imap_expect_char(c, '.') ||
        imap_parse_number(c, UINT32_MAX, &item->length) || item->length == 0)
        return ERR_SYNTAX;
    return imap_expect_char(c, '>');
}

static int parse_body(struct imap_cursor *c, bool peek, struct imap_fetch_item *item)
{
    item->peek = true;
    if (!imap_skip_char(c, '[')) {
        item->kind = IMAP_FETCH_BODY;
        return peek ? ERR_SYNTAX : 0;
    }
    item->kind = IMAP_FETCH_SECTION;
    item->peek = peek;
    int err = parse_section(c, &item->section);
    return err ? err : parse_partial(c, item);
}

/* Item names hold `[`, which an atom may too: they are read up to it. */
static struct str take_name(struct imap_cursor *c)
{
    size_t len = 0;
    while (len < c->rest.len && (ascii_isalnum(c->rest.ptr[len]) || c->rest.ptr[len] == '.'))
        len++;
    struct str name = str_sub(c->rest, 0, len);
    c->rest = str_sub(c->rest, len, SIZE_MAX);
    return name;
}

static int parse_item(struct imap_cursor *c, struct str name, struct imap_fetch_item *item)
{
    if (str_ieq(name, STR("BODY")) || str_ieq(name, STR("BODY.PEEK")))
        return parse_body(c, name.len > 4, item);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!str_ieq(name, str_from(words[i].word)))
            continue;
        item->kind = words[i].kind;
        item->section.text = words[i].text;
        item->peek = words[i].peek;
        item->alias = item->kind == IMAP_FETCH_SECTION ? words[i].word : NULL;
        return 0;
    }
    return ERR_SYNTAX;
}

static bool expand_macro(struct str name, struct imap_fetch_items *list)
{
    for (size_t i = 0; i < ARRAY_LEN(macros); i++) {
        if (!str_ieq(name, str_from(macros[i].word)))
            continue;
        for (; list->count < macros[i].count; list->count++)
            list->items[list->count] =
                (struct imap_fetch_item){.kind = macro_kinds[list->count], .peek = true};
        return true;
    }
    return false;
}

static int parse_list(struct imap_cursor *c, struct imap_fetch_items *list)
{
    do {
        if (list->count == IMAP_FETCH_ITEMS_MAX)
            return ERR_LIMIT;
        int err = parse_item(c, take_name(c), &list->items[list->count++]);
        if (err)
            return err;
    } while (imap_skip_char(c, ' '));
    return imap_expect_char(c, ')');
}

int imap_parse_fetch_items(struct imap_cursor *c, struct imap_fetch_items *ret_items)
{
    struct imap_fetch_items list = {0};
    list.items = arena_alloc(c->arena, IMAP_FETCH_ITEMS_MAX * sizeof(list.items[0]));
    if (!list.items)
        return ERR_LIMIT;
    int err = 0;
    if (imap_skip_char(c, '(')) {
        err = parse_list(c, &list);
    } else {
        struct str name = take_name(c);
        if (!expand_macro(name, &list))
            err = parse_item(c, name, &list.items[list.count++]);
    }
    if (!err)
        *ret_items = list;
    return err;
}
