#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/imap_parse.h"

/* A keyword is at least a byte and a space. */
#define KEYWORDS_MAX (IMAP_KEYWORDS_MAX_BYTES / 2)

const char *const imap_flag_names[IMAP_FLAG_COUNT + 1] = {"\\Seen",    "\\Answered", "\\Flagged",
                                                          "\\Deleted", "\\Draft",    "\\Recent"};

struct keyword_list {
    struct str *items;
    size_t count;
};

static int parse_system_flag(struct imap_cursor *c, uint32_t *system)
{
    struct str name;
    if (imap_parse_atom(c, &name) != 0)
        return ERR_SYNTAX;
    if (str_ieq(name, STR("Recent"))) /* only the server sets it */
        return 0;
    for (int i = 0; i < IMAP_FLAG_COUNT; i++) {
        if (str_ieq(name, str_from(imap_flag_names[i] + 1))) {
            *system |= 1u << i;
            return 0;
        }
    }
    return ERR_SYNTAX;
}

static int parse_flag(struct imap_cursor *c, uint32_t *system, struct keyword_list *list)
{
    if (imap_skip_char(c, '\\'))
        return parse_system_flag(c, system);
    if (list->count == KEYWORDS_MAX)
        return ERR_LIMIT;
    int err = imap_parse_atom(c, &list->items[list->count]);
    list->count += !err;
    return err;
}

static int by_bytes(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

static int join(struct keyword_list *list, struct arena *arena, struct str *ret_keywords)
{
    struct buf out;
    buf_init(&out, IMAP_KEYWORDS_MAX_BYTES);
    qsort(list->items, list->count, sizeof(list->items[0]), by_bytes);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0 && str_eq(list->items[i], list->items[i - 1]))
            continue;
        if (out.len > 0)
            buf_append_char(&out, ' ');
        buf_append_str(&out, list->items[i]);
    }
    struct str copy = arena_str(arena, buf_str(&out));
    bool failed = out.overflow || !copy.ptr;
    buf_fini(&out);
    if (failed)
        return ERR_LIMIT;
    *ret_keywords = copy;
    return 0;
}

static int parse_flags(struct imap_cursor *c, char end, struct imap_flags *ret_flags)
{
    uint32_t system = 0;
    struct keyword_list list = {.items = arena_alloc(c->arena, KEYWORDS_MAX * sizeof(struct str))};
    if (!list.items)
        return ERR_LIMIT;
    bool empty = end == ')' && imap_skip_char(c, ')');
    while (!empty) {
        int err = parse_flag(c, &system, &list);
        if (err)
            return err;
        if (end == ')' ? imap_skip_char(c, ')') : imap_at_end(c))
            break;
        if (imap_expect_char(c, ' ') != 0)
            return ERR_SYNTAX;
    }
    struct str keywords;
    int err = join(&list, c->arena, &keywords);
    if (!err)
        *ret_flags = (struct imap_flags){system, keywords};
    return err;
}

int imap_parse_flag_list(struct imap_cursor *c, struct imap_flags *ret_flags)
{
    return imap_skip_char(c, '(') ? parse_flags(c, ')', ret_flags) : ERR_SYNTAX;
}

int imap_parse_store_flags(struct imap_cursor *c, struct imap_flags *ret_flags)
{
    return parse_flags(c, imap_skip_char(c, '(') ? ')' : '\0', ret_flags);
}

bool imap_keywords_have(struct str keywords, struct str keyword)
{
    struct str rest = keywords, one;
    while (rest.len > 0 && str_split(&rest, ' ', &one))
        if (str_ieq(one, keyword))
            return true;
    return false;
}
