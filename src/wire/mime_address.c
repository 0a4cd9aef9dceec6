#include "wire/mime_address.h"

#include <string.h>

#include "base/buf.h"
#include "wire/mime_token.h"

#define NIL ((struct str){NULL, 0})

struct parser {
    struct str rest;
    struct arena *arena;
    struct mime_address *first, **link;
    size_t count;
    bool in_group;
    struct buf words;   /* the phrase or local part being read */
    struct str comment; /* the last one: some put the name there */
};

static char peek(const struct parser *p)
{
    return p->rest.len > 0 ? p->rest.ptr[0] : '\0';
}

static void skip(struct parser *p, size_t len)
{
    p->rest = str_sub(p->rest, len, SIZE_MAX);
}

static void skip_cfws(struct parser *p)
{
    while (p->rest.len > 0) {
        struct str before = p->rest;
        while (peek(p) == ' ' || peek(p) == '\t')
            skip(p, 1);
        if (peek(p) != '(') {
            if (p->rest.len == before.len)
                return;
            continue;
        }
        struct str comment = p->rest;
        struct str after = p->rest;
        mime_skip_cfws(&after);
        p->rest = after;
        comment.len -= after.len;
        size_t end = comment.len;
        while (end > 0 && comment.ptr[end - 1] != ')')
            end--;
        p->comment = end > 2 ? str_sub(comment, 1, end - 2) : NIL;
    }
}

static struct str keep(struct parser *p, struct str text)
{
    return arena_str(p->arena, text);
}

static struct str keep_or_nil(struct parser *p, struct str text)
{
    return text.len > 0 ? keep(p, text) : NIL;
}

static void add(struct parser *p, struct mime_address a)
{
    if (p->count == MIME_ADDRESSES_MAX)
        return;
    struct mime_address *address = arena_alloc(p->arena, sizeof(*address));
    if (!address)
        return;
    *address = a;
    *p->link = address;
    p->link = &address->next;
    p->count++;
}

static bool is_special(char c)
{
    return strchr("<>,;:@(\"", c) != NULL; /* NUL too */
}

/* Words up to a special; words are joined by one blank, but not around dots. */
static void take_words(struct parser *p)
{
    buf_clear(&p->words);
    for (;;) {
        size_t before = p->rest.len;
        skip_cfws(p);
        bool blank = p->rest.len < before;
        if (p->rest.len == 0 || (is_special(peek(p)) && peek(p) != '"'))
            return;
        struct str so_far = buf_str(&p->words);
        if (blank && so_far.len > 0 && peek(p) != '.' && so_far.ptr[so_far.len - 1] != '.')
            buf_append_char(&p->words, ' ');
        if (peek(p) == '"') {
            mime_take_quoted(&p->rest, &p->words);
            continue;
        }
        size_t len = 0;
        while (len < p->rest.len && !is_special(p->rest.ptr[len]) && p->rest.ptr[len] != ' ' &&
               p->rest.ptr[len] != '\t')
            len++;
        buf_append_str(&p->words, str_sub(p->rest, 0, len));
        skip(p, len);
    }
}

static struct str take_host(struct parser *p)
{
    size_t len = 0;
    skip_cfws(p);
    while (len < p->rest.len && !strchr("<>,;(", p->rest.ptr[len]))
        len++;
    struct str host = str_trim(str_sub(p->rest, 0, len));
    skip(p, len);
    skip_cfws(p);
    return host;
}

/* `<@route,@route:local@host>`, at `<`. */
static void take_angle(struct parser *p, struct str name)
{
    struct mime_address a = {.name = name, .route = NIL};
    skip(p, 1);
    skip_cfws(p);
    if (peek(p) == '@') {
        size_t colon = str_find(p->rest, ':', 0);
        if (colon != SIZE_MAX) {
            a.route = keep(p, str_sub(p->rest, 0, colon));
            skip(p, colon + 1);
        }
    }
    take_words(p);
    a.mailbox = keep(p, buf_str(&p->words));
    a.host = STR_EMPTY;
    if (peek(p) == '@') {
        skip(p, 1);
        a.host = keep(p, take_host(p));
    }
    size_t end = str_find(p->rest, '>', 0);
    skip(p, end == SIZE_MAX ? p->rest.len : end + 1);
    if (a.mailbox.len > 0 || a.host.len > 0)
        add(p, a);
}

static void take_bare(struct parser *p, struct str mailbox)
{
    struct mime_address a = {.route = NIL, .mailbox = mailbox, .host = STR_EMPTY};
    p->comment = NIL;
    if (peek(p) == '@') {
        skip(p, 1);
        a.host = keep(p, take_host(p));
    }
    a.name = keep_or_nil(p, p->comment);
    if (mailbox.len > 0 || a.host.len > 0)
        add(p, a);
}

static void end_group(struct parser *p)
{
    if (p->in_group)
        add(p, (struct mime_address){NIL, NIL, NIL, NIL, NULL});
    p->in_group = false;
}

static void begin_group(struct parser *p, struct str name)
{
    end_group(p);
    add(p, (struct mime_address){NIL, NIL, name, NIL, NULL});
    p->in_group = true;
}

static void take_address(struct parser *p)
{
    take_words(p);
    struct str words = keep(p, buf_str(&p->words));
    switch (peek(p)) {
    case '<':
        take_angle(p, words.len > 0 ? words : NIL);
        break;
    case ':':
        skip(p, 1);
        begin_group(p, words);
        break;
    default:
        take_bare(p, words);
        break;
    }
}

struct mime_address *mime_addresses_parse(struct str value, struct arena *arena)
{
    struct parser p = {.rest = value, .arena = arena};
    p.link = &p.first;
    buf_init(&p.words, value.len);
    while (p.rest.len > 0 && p.count < MIME_ADDRESSES_MAX) {
        size_t before = p.rest.len;
        skip_cfws(&p);
        if (peek(&p) == ';')
            end_group(&p);
        if (peek(&p) == ',' || peek(&p) == ';')
            skip(&p, 1);
        else if (p.rest.len > 0)
            take_address(&p);
        if (p.rest.len == before)
            skip(&p, 1); /* a stray special */
    }
    end_group(&p);
    buf_fini(&p.words);
    return p.first;
}
