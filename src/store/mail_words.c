/* Mailbox names, flags and keywords: the same rules in all engines. */
#include <string.h>

#include "store/mail_op.h"

bool mail_name_is_inbox(struct str name)
{
    return str_ieq(name, STR("INBOX"));
}

bool mail_name_is_child(struct str name, struct str parent)
{
    return name.len > parent.len && str_starts(name, parent) && name.ptr[parent.len] == '/';
}

bool mail_name_next_parent(struct str name, size_t len, struct str *ret_parent)
{
    size_t at = str_find(name, '/', len > 0 ? len + 1 : 0);
    if (at == SIZE_MAX)
        return false;
    *ret_parent = str_sub(name, 0, at);
    return true;
}

uint32_t mail_next_validity(uint32_t last, uint32_t wall_s)
{
    return last < wall_s ? wall_s : last + 1;
}

uint32_t mail_flags_change(uint32_t now, enum mail_flags_mode mode, uint32_t change)
{
    change &= MAIL_FLAGS_ALL;
    switch (mode) {
    case MAIL_FLAGS_ADD:
        return now | change;
    case MAIL_FLAGS_REMOVE:
        return now & ~change;
    case MAIL_FLAGS_SET:
        break;
    }
    return change;
}

/* ---- keywords ---- */

struct word_list {
    struct str *words;
    size_t count;
};

static int word_cmp(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int diff = ascii_lower(a.ptr[i]) - ascii_lower(b.ptr[i]);
        if (diff != 0)
            return diff;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static size_t word_find(const struct word_list *l, struct str word, bool *ret_found)
{
    size_t i = 0;
    int diff = 1;
    while (i < l->count && (diff = word_cmp(l->words[i], word)) < 0)
        i++;
    *ret_found = i < l->count && diff == 0;
    return i;
}

static void words_add(struct store_op *op, struct word_list *l, struct str text)
{
    struct str word;
    bool found;
    while (str_split(&text, ' ', &word)) {
        size_t at = word_find(l, word, &found);
        if (word.len == 0 || found)
            continue;
        l->words = op_array_grow(op, l->words, l->count, sizeof(*l->words));
        memmove(&l->words[at + 1], &l->words[at], (l->count - at) * sizeof(*l->words));
        l->words[at] = word;
        l->count++;
    }
}

static void words_remove(struct word_list *l, struct str text)
{
    struct str word;
    bool found;
    while (str_split(&text, ' ', &word)) {
        size_t at = word_find(l, word, &found);
        if (!found)
            continue;
        l->count--;
        memmove(&l->words[at], &l->words[at + 1], (l->count - at) * sizeof(*l->words));
    }
}

static struct str words_join(struct store_op *op, const struct word_list *l)
{
    size_t size = 0, len = 0;
    for (size_t i = 0; i < l->count; i++)
        size += l->words[i].len + 1;
    char *text = op_alloc(op, size + 1);
    for (size_t i = 0; i < l->count; i++) {
        if (i > 0)
            text[len++] = ' ';
        memcpy(text + len, l->words[i].ptr, l->words[i].len);
        len += l->words[i].len;
    }
    return (struct str){text, len};
}

int mail_keywords_change(struct store_op *op, struct str now, enum mail_flags_mode mode, struct str change,
                         struct str *ret_keywords)
{
    struct word_list list = {0};
    if (mode != MAIL_FLAGS_SET)
        words_add(op, &list, now);
    if (mode == MAIL_FLAGS_REMOVE)
        words_remove(&list, change);
    else
        words_add(op, &list, change);
    struct str joined = words_join(op, &list);
    if (joined.len > MAIL_KEYWORDS_MAX_BYTES)
        return ERR_LIMIT;
    *ret_keywords = joined;
    return 0;
}
