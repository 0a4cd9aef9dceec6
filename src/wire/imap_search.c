#include "wire/imap_search.h"

#include "base/err.h"
#include "base/utf8.h"

struct parser {
    struct imap_cursor *c;
    struct imap_search_program *program;
};

enum argument { ARG_NONE, ARG_KEYWORD, ARG_DATE, ARG_NUMBER, ARG_TEXT, ARG_HEADER, ARG_UID };

static const struct key {
    const char *word;
    enum imap_search_op op;
    enum argument argument;
    uint32_t flags;
    bool negated;
    const char *field;
} keys[] = {
    {"ALL", IMAP_SEARCH_ALL, ARG_NONE, 0, false, NULL},
    {"ANSWERED", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_ANSWERED, false, NULL},
    {"DELETED", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_DELETED, false, NULL},
    {"DRAFT", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_DRAFT, false, NULL},
    {"FLAGGED", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_FLAGGED, false, NULL},
    {"SEEN", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_SEEN, false, NULL},
    {"UNANSWERED", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_ANSWERED, true, NULL},
    {"UNDELETED", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_DELETED, true, NULL},
    {"UNDRAFT", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_DRAFT, true, NULL},
    {"UNFLAGGED", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_FLAGGED, true, NULL},
    {"UNSEEN", IMAP_SEARCH_FLAG, ARG_NONE, IMAP_SEEN, true, NULL},
    {"RECENT", IMAP_SEARCH_RECENT, ARG_NONE, 0, false, NULL},
    {"OLD", IMAP_SEARCH_RECENT, ARG_NONE, 0, true, NULL},
    {"KEYWORD", IMAP_SEARCH_KEYWORD, ARG_KEYWORD, 0, false, NULL},
    {"UNKEYWORD", IMAP_SEARCH_KEYWORD, ARG_KEYWORD, 0, true, NULL},
    {"BEFORE", IMAP_SEARCH_BEFORE, ARG_DATE, 0, false, NULL},
    {"ON", IMAP_SEARCH_ON, ARG_DATE, 0, false, NULL},
    {"SINCE", IMAP_SEARCH_SINCE, ARG_DATE, 0, false, NULL},
    {"SENTBEFORE", IMAP_SEARCH_SENTBEFORE, ARG_DATE, 0, false, NULL},
    {"SENTON", IMAP_SEARCH_SENTON, ARG_DATE, 0, false, NULL},
    {"SENTSINCE", IMAP_SEARCH_SENTSINCE, ARG_DATE, 0, false, NULL},
    {"LARGER", IMAP_SEARCH_LARGER, ARG_NUMBER, 0, false, NULL},
    {"SMALLER", IMAP_SEARCH_SMALLER, ARG_NUMBER, 0, false, NULL},
    {"HEADER", IMAP_SEARCH_HEADER, ARG_HEADER, 0, false, NULL},
    {"FROM", IMAP_SEARCH_HEADER, ARG_TEXT, 0, false, "From"},
    {"TO", IMAP_SEARCH_HEADER, ARG_TEXT, 0, false, "To"},
    {"CC", IMAP_SEARCH_HEADER, ARG_TEXT, 0, false, "Cc"},
    {"BCC", IMAP_SEARCH_HEADER, ARG_TEXT, 0, false, "Bcc"},
    {"SUBJECT", IMAP_SEARCH_HEADER, ARG_TEXT, 0, false, "Subject"},
    {"BODY", IMAP_SEARCH_BODY, ARG_TEXT, 0, false, NULL},
    {"TEXT", IMAP_SEARCH_TEXT, ARG_TEXT, 0, false, NULL},
    {"UID", IMAP_SEARCH_UID, ARG_UID, 0, false, NULL},
};

static int parse_key(struct parser *p, int depth, struct imap_search **ret_node);

static struct imap_search *new_node(struct parser *p, enum imap_search_op op)
{
    struct imap_search *node = arena_alloc(p->c->arena, sizeof(*node));
    if (node)
        node->op = op;
    return node;
}

static int negate(struct parser *p, struct imap_search *node, struct imap_search **ret_node)
{
    struct imap_search *outer = new_node(p, IMAP_SEARCH_NOT);
    if (!outer)
        return ERR_LIMIT;
    outer->child = node;
    *ret_node = outer;
    return 0;
}

static int fold(struct parser *p, struct str text, struct str *ret_text)
{
    char *out = arena_alloc(p->c->arena, text.len + 1);
    if (!out)
        return ERR_LIMIT;
    size_t pos = 0, len = 0;
    uint32_t point;
    while (utf8_next(text, &pos, &point))
        len += utf8_put(utf8_fold(point), out + len);
    if (pos < text.len)
        return ERR_SYNTAX;
    *ret_text = (struct str){out, len};
    return 0;
}

static int parse_text(struct parser *p, struct str *ret_text)
{
    struct str text;
    if (imap_expect_char(p->c, ' ') != 0)
        return ERR_SYNTAX;
    int err = imap_parse_astring(p->c, &text);
    return err ? err : fold(p, text, ret_text);
}

static int parse_header_argument(struct parser *p, struct imap_search *node)
{
    if (imap_expect_char(p->c, ' ') != 0)
        return ERR_SYNTAX;
    int err = imap_parse_astring(p->c, &node->field);
    return err ? err : parse_text(p, &node->text);
}

static int parse_spaced(struct parser *p, const struct key *key, struct imap_search *node)
{
    if (imap_expect_char(p->c, ' ') != 0)
        return ERR_SYNTAX;
    switch (key->argument) {
    case ARG_KEYWORD:
        return imap_parse_atom(p->c, &node->text);
    case ARG_DATE:
        return imap_parse_date(p->c, &node->days);
    case ARG_NUMBER:
        return imap_parse_number(p->c, UINT64_MAX, &node->number);
    default:
        return imap_parse_set(p->c, &node->set);
    }
}

static int parse_argument(struct parser *p, const struct key *key, struct imap_search *node)
{
    switch (key->argument) {
    case ARG_NONE:
        return 0;
    case ARG_TEXT:
        node->field = key->field ? str_from(key->field) : STR_EMPTY;
        return parse_text(p, &node->text);
    case ARG_HEADER:
        return parse_header_argument(p, node);
    default:
        return parse_spaced(p, key, node);
    }
}

static int number_text(struct parser *p, struct imap_search *node)
{
    if (node->op < IMAP_SEARCH_SENTBEFORE)
        return 0;
    if (p->program->text_count == IMAP_SEARCH_TEXTS_MAX)
        return ERR_LIMIT;
    node->text_index = p->program->text_count++;
    if (node->op >= IMAP_SEARCH_BODY)
        p->program->needs_body = true;
    return 0;
}

static int parse_table_key(struct parser *p, const struct key *key, struct imap_search **ret_node)
{
    struct imap_search *node = new_node(p, key->op);
    if (!node)
        return ERR_LIMIT;
    node->flags = key->flags;
    int err = parse_argument(p, key, node);
    if (!err)
        err = number_text(p, node);
    if (err)
        return err;
    if (key->negated)
        return negate(p, node, ret_node);
    *ret_node = node;
    return 0;
}

/* NEW is RECENT UNSEEN. */
static int make_new(struct parser *p, struct imap_search **ret_node)
{
    struct imap_search *both = new_node(p, IMAP_SEARCH_AND), *recent = new_node(p, IMAP_SEARCH_RECENT);
    struct imap_search *seen = new_node(p, IMAP_SEARCH_FLAG);
    if (!both || !recent || !seen || negate(p, seen, &recent->next) != 0)
        return ERR_LIMIT;
    seen->flags = IMAP_SEEN;
    both->child = recent;
    *ret_node = both;
    return 0;
}

static int parse_not(struct parser *p, int depth, struct imap_search **ret_node)
{
    struct imap_search *inner = NULL;
    if (imap_expect_char(p->c, ' ') != 0)
        return ERR_SYNTAX;
    int err = parse_key(p, depth + 1, &inner);
    return err ? err : negate(p, inner, ret_node);
}

static int parse_or(struct parser *p, int depth, struct imap_search **ret_node)
{
    struct imap_search *node = new_node(p, IMAP_SEARCH_OR);
    if (!node)
        return ERR_LIMIT;
    if (imap_expect_char(p->c, ' ') != 0)
        return ERR_SYNTAX;
    int err = parse_key(p, depth + 1, &node->child);
    if (err)
        return err;
    if (imap_expect_char(p->c, ' ') != 0)
        return ERR_SYNTAX;
    err = parse_key(p, depth + 1, &node->child->next);
    if (!err)
        *ret_node = node;
    return err;
}

/* Keys up to the end, or up to `)`. */
static int parse_all_of(struct parser *p, int depth, struct imap_search **ret_node)
{
    struct imap_search *node = new_node(p, IMAP_SEARCH_AND);
    if (!node)
        return ERR_LIMIT;
    struct imap_search **link = &node->child;
    do {
        int err = parse_key(p, depth + 1, link);
        if (err)
            return err;
        link = &(*link)->next;
    } while (imap_skip_char(p->c, ' '));
    *ret_node = node;
    return 0;
}

static int parse_group(struct parser *p, int depth, struct imap_search **ret_node)
{
    int err = parse_all_of(p, depth, ret_node);
    return err ? err : imap_expect_char(p->c, ')');
}

static int parse_sequence_key(struct parser *p, struct imap_search **ret_node)
{
    struct imap_search *node = new_node(p, IMAP_SEARCH_SET);
    if (!node)
        return ERR_LIMIT;
    *ret_node = node;
    return imap_parse_set(p->c, &node->set);
}

static int parse_key(struct parser *p, int depth, struct imap_search **ret_node)
{
    if (depth > IMAP_SEARCH_DEPTH_MAX)
        return ERR_LIMIT;
    if (imap_skip_char(p->c, '('))
        return parse_group(p, depth, ret_node);
    char first = p->c->rest.len > 0 ? p->c->rest.ptr[0] : '\0';
    if (first == '*' || ascii_isdigit(first))
        return parse_sequence_key(p, ret_node);
    struct str word;
    if (imap_parse_atom(p->c, &word) != 0)
        return ERR_SYNTAX;
    if (str_ieq(word, STR("NOT")))
        return parse_not(p, depth, ret_node);
    if (str_ieq(word, STR("OR")))
        return parse_or(p, depth, ret_node);
    if (str_ieq(word, STR("NEW")))
        return make_new(p, ret_node);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_ieq(word, str_from(keys[i].word)))
            return parse_table_key(p, &keys[i], ret_node);
    return ERR_SYNTAX;
}

static int parse_charset(struct imap_cursor *c)
{
    struct str charset;
    if (!imap_skip_word(c, "CHARSET"))
        return 0;
    if (imap_expect_char(c, ' ') || imap_parse_astring(c, &charset) || imap_expect_char(c, ' '))
        return ERR_SYNTAX;
    return str_ieq(charset, STR("UTF-8")) || str_ieq(charset, STR("US-ASCII")) ? 0 : ERR_UNSUPPORTED;
}

int imap_parse_search(struct imap_cursor *c, struct imap_search_program *ret_program)
{
    struct imap_search_program program = {0};
    struct parser p = {c, &program};
    int err = parse_charset(c);
    if (!err)
        err = parse_all_of(&p, 0, &program.root);
    if (!err)
        err = imap_expect_end(c);
    if (!err)
        *ret_program = program;
    return err;
}
