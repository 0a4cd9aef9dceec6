#include "config/tree.h"

#include <string.h>

#include "config/lexer.h"

struct parser {
    struct lexer lexer;
    struct arena *arena;
    struct token token; /* the one at hand */
    size_t section_count, setting_count;
    struct err_buf *eb;
};

void *tree_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_alloc(arena, size ? size : 1);
    CHECK(memory);
    return memory;
}

static int advance(struct parser *p)
{
    return lexer_next(&p->lexer, &p->token, p->eb);
}

static int unexpected(struct parser *p, const char *wanted)
{
    char shown[96];
    p->lexer.line = p->token.line;
    return err_set(p->eb, ERR_SYNTAX, "expected %s, found %s", wanted, token_describe(&p->token, shown));
}

static int too_many(struct parser *p, const char *what, int most)
{
    p->lexer.line = p->token.line;
    return err_set(p->eb, ERR_LIMIT, "more than %d %s in one file", most, what);
}

static int parse_item(struct parser *p, struct tree_value *list, struct tree_value ***tail)
{
    if (p->token.kind != TOKEN_TEXT)
        return unexpected(p, "a text in quotes or } in the list");
    if (++p->setting_count > TREE_SETTINGS_MAX)
        return too_many(p, "settings", TREE_SETTINGS_MAX);
    struct tree_value *item = tree_alloc(p->arena, sizeof(*item));
    *item = (struct tree_value){.kind = TREE_TEXT, .line = p->token.line, .text = p->token.text};
    **tail = item;
    *tail = &item->next;
    list->count++;
    int err = advance(p);
    if (err < 0)
        return err;
    if (p->token.kind == TOKEN_COMMA)
        return advance(p);
    return p->token.kind == TOKEN_CLOSE ? 0 : unexpected(p, "a comma or } in the list");
}

/* On entry the token at hand is the value's first, on return its last. */
static int parse_value(struct parser *p, struct tree_value *value)
{
    *value = (struct tree_value){.line = p->token.line, .text = ""};
    switch (p->token.kind) {
    case TOKEN_TEXT:
        value->kind = TREE_TEXT;
        value->text = p->token.text;
        return 0;
    case TOKEN_NUMBER:
        value->kind = TREE_NUMBER;
        value->number = p->token.number;
        return 0;
    case TOKEN_OPEN:
        break;
    case TOKEN_WORD:
        return unexpected(p, "a value (a text is in quotes)");
    default:
        return unexpected(p, "a value");
    }
    value->kind = TREE_LIST;
    struct tree_value **tail = &value->items;
    int err = advance(p);
    while (err == 0 && p->token.kind != TOKEN_CLOSE)
        err = parse_item(p, value, &tail);
    return err;
}

static int parse_setting(struct parser *p, const struct token *word, struct tree_setting **ret_setting)
{
    if (++p->setting_count > TREE_SETTINGS_MAX)
        return too_many(p, "settings", TREE_SETTINGS_MAX);
    struct tree_setting *setting = tree_alloc(p->arena, sizeof(*setting));
    setting->key = word->text;
    setting->line = word->line;
    int err = advance(p);
    if (err == 0)
        err = parse_value(p, &setting->value);
    if (err == 0)
        *ret_setting = setting;
    return err;
}

static int parse_body(struct parser *p, struct tree_section *section, int depth);

static int parse_section(struct parser *p, const struct token *word, int depth,
                         struct tree_section **ret_section)
{
    if (++p->section_count > TREE_SECTIONS_MAX)
        return too_many(p, "sections", TREE_SECTIONS_MAX);
    if (depth > TREE_DEPTH_MAX)
        return too_many(p, "levels of sections", TREE_DEPTH_MAX);
    struct tree_section *section = tree_alloc(p->arena, sizeof(*section));
    *section = (struct tree_section){.kind = word->text, .line = word->line, .label = word->text};
    if (p->token.kind == TOKEN_TEXT) {
        section->title = p->token.text;
        int err = advance(p);
        if (err < 0)
            return err;
        if (p->token.kind != TOKEN_OPEN)
            return unexpected(p, "{ after the section's name");
    }
    int err = parse_body(p, section, depth);
    if (err == 0)
        *ret_section = section;
    return err;
}

/* One section or setting, whose word is at hand; on return its last token is. */
static int parse_entry(struct parser *p, struct tree_setting ***setting, struct tree_section ***section,
                       int depth)
{
    struct token word = p->token;
    int err = advance(p);
    if (err < 0)
        return err;
    switch (p->token.kind) {
    case TOKEN_EQUALS:
        err = parse_setting(p, &word, *setting);
        if (err == 0)
            *setting = &(**setting)->next;
        return err;
    case TOKEN_TEXT:
    case TOKEN_OPEN:
        err = parse_section(p, &word, depth + 1, *section);
        if (err == 0)
            *section = &(**section)->next;
        return err;
    default:
        return unexpected(p, "=, a name in quotes or {");
    }
}

/* On return the closing brace, or the end of the file, is at hand. */
static int parse_body(struct parser *p, struct tree_section *section, int depth)
{
    struct tree_setting **setting = &section->settings;
    struct tree_section **child = &section->sections;
    for (;;) {
        int err = advance(p);
        if (err < 0)
            return err;
        if (p->token.kind == TOKEN_CLOSE && depth > 0)
            return 0;
        if (p->token.kind == TOKEN_END && depth == 0)
            return 0;
        if (p->token.kind == TOKEN_END) {
            p->lexer.line = p->token.line;
            return err_set(p->eb, ERR_SYNTAX, "the file ends inside the section that line %d opened; add }",
                           section->line);
        }
        if (p->token.kind != TOKEN_WORD)
            return unexpected(p, depth > 0 ? "a key, a section or }" : "a section");
        err = parse_entry(p, &setting, &child, depth);
        if (err < 0)
            return err;
    }
}

int tree_parse(struct str text, struct arena *arena, struct tree_section **ret_root, int *ret_line,
               struct err_buf *eb)
{
    struct parser p = {.arena = arena, .eb = eb};
    if (text.len > TREE_FILE_MAX_BYTES) {
        *ret_line = 0;
        return err_set(eb, ERR_LIMIT, "the file is larger than %d bytes", TREE_FILE_MAX_BYTES);
    }
    struct tree_section *root = tree_alloc(arena, sizeof(*root));
    *root = (struct tree_section){.kind = "", .label = "the file", .line = 1};
    lexer_init(&p.lexer, text, arena);
    int err = parse_body(&p, root, 0);
    if (err < 0)
        *ret_line = p.lexer.line;
    else
        *ret_root = root;
    return err;
}

int tree_parse_value(struct str text, struct arena *arena, struct tree_value *ret_value, struct err_buf *eb)
{
    struct parser p = {.arena = arena, .eb = eb};
    struct tree_value value;
    lexer_init(&p.lexer, text, arena);
    int err = advance(&p);
    if (err == 0)
        err = parse_value(&p, &value);
    if (err == 0)
        err = advance(&p);
    if (err == 0 && p.token.kind != TOKEN_END)
        err = unexpected(&p, "the end");
    if (err == 0)
        *ret_value = value;
    return err;
}

struct tree_setting *tree_find(const struct tree_section *s, const char *key)
{
    struct tree_setting *setting = s->settings;
    while (setting && strcmp(setting->key, key) != 0)
        setting = setting->next;
    return setting;
}

static struct tree_section *first_of(struct tree_section *s, const char *kind)
{
    while (s && strcmp(s->kind, kind) != 0)
        s = s->next;
    return s;
}

struct tree_section *tree_first(const struct tree_section *parent, const char *kind)
{
    return first_of(parent->sections, kind);
}

struct tree_section *tree_following(const struct tree_section *s)
{
    return first_of(s->next, s->kind);
}

int tree_line(const struct tree_section *s, const char *key)
{
    const struct tree_setting *setting = tree_find(s, key);
    return setting ? setting->line : s->line;
}
