#include "base/err.h"
#include "imap/search.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)

int search_resolve(struct imap_search *node, const struct imap_view *v)
{
    if (node->op == IMAP_SEARCH_SET) {
        imap_set_resolve(&node->set, (uint32_t)v->count);
        if (imap_set_high(&node->set) > v->count)
            return ERR_SYNTAX;
    }
    if (node->op == IMAP_SEARCH_UID)
        imap_set_resolve(&node->set, imap_view_last_uid(v));
    for (struct imap_search *child = node->child; child; child = child->next) {
        int err = search_resolve(child, v);
        if (err)
            return err;
    }
    return 0;
}

static enum search_answer answer(bool yes)
{
    return yes ? SEARCH_YES : SEARCH_NO;
}

/* `decides`: one child with this answer settles it. */
static enum search_answer eval_children(const struct imap_search *node, const struct imap_view *v,
                                        size_t index, const struct search_text *t, enum search_answer decides)
{
    enum search_answer result = decides == SEARCH_NO ? SEARCH_YES : SEARCH_NO;
    for (const struct imap_search *child = node->child; child; child = child->next) {
        enum search_answer one = search_eval(child, v, index, t);
        if (one == decides)
            return decides;
        if (one == SEARCH_UNKNOWN)
            result = SEARCH_UNKNOWN;
    }
    return result;
}

static enum search_answer eval_not(const struct imap_search *node, const struct imap_view *v, size_t index,
                                   const struct search_text *t)
{
    enum search_answer inner = search_eval(node->child, v, index, t);
    return inner == SEARCH_UNKNOWN ? inner : answer(inner == SEARCH_NO);
}

static enum search_answer eval_text(const struct imap_search *node, const struct search_text *t)
{
    bool in_header = node->op != IMAP_SEARCH_BODY && node->op != IMAP_SEARCH_TEXT;
    if (t->keys[node->text_index].found)
        return SEARCH_YES;
    return t->over || (in_header && t->header_over) ? SEARCH_NO : SEARCH_UNKNOWN;
}

static int64_t day_of(const struct imap_message *m)
{
    int64_t ms = m->internal_date.ms;
    return ms / DAY_MS - (ms % DAY_MS < 0);
}

enum search_answer search_eval(const struct imap_search *node, const struct imap_view *v, size_t index,
                               const struct search_text *t)
{
    const struct imap_message *m = &v->messages[index];
    switch (node->op) {
    case IMAP_SEARCH_ALL:
        return SEARCH_YES;
    case IMAP_SEARCH_RECENT:
        return answer(imap_view_is_recent(v, m));
    case IMAP_SEARCH_AND:
        return eval_children(node, v, index, t, SEARCH_NO);
    case IMAP_SEARCH_OR:
        return eval_children(node, v, index, t, SEARCH_YES);
    case IMAP_SEARCH_NOT:
        return eval_not(node, v, index, t);
    case IMAP_SEARCH_SET:
        return answer(imap_set_has(&node->set, (uint32_t)index + 1));
    case IMAP_SEARCH_UID:
        return answer(imap_set_has(&node->set, m->uid));
    case IMAP_SEARCH_FLAG:
        return answer((m->flags & node->flags) == node->flags);
    case IMAP_SEARCH_KEYWORD:
        return answer(imap_keywords_have(m->keywords, node->text));
    case IMAP_SEARCH_BEFORE:
        return answer(day_of(m) < node->days);
    case IMAP_SEARCH_ON:
        return answer(day_of(m) == node->days);
    case IMAP_SEARCH_SINCE:
        return answer(day_of(m) >= node->days);
    case IMAP_SEARCH_LARGER:
        return answer(m->size_bytes > node->number);
    case IMAP_SEARCH_SMALLER:
        return answer(m->size_bytes < node->number);
    default:
        return eval_text(node, t);
    }
}
