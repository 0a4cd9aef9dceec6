#include "wire/mime_token.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip(struct str *rest, size_t len)
{
    *rest = str_sub(*rest, len, SIZE_MAX);
}

static void skip_comment(struct str *rest)
{
    size_t depth = 0, i = 0;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (c == '\\')
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            break;
    }
    skip(rest, i + 1);
}

void mime_skip_cfws(struct str *rest)
{
    while (rest->len > 0) {
        if (is_blank(rest->ptr[0]))
            skip(rest, 1);
        else if (rest->ptr[0] == '(')
            skip_comment(rest);
        else
            return;
    }
}

static bool is_token_char(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

struct str mime_take_token(struct str *rest)
{
    size_t len = 0;
    while (len < rest->len && is_token_char(rest->ptr[len]))
        len++;
    struct str token = str_sub(*rest, 0, len);
    skip(rest, len);
    return token;
}

void mime_take_quoted(struct str *rest, struct buf *out)
{
    size_t i = 1;
    for (; i < rest->len && rest->ptr[i] != '"'; i++) {
        if (rest->ptr[i] == '\\' && i + 1 < rest->len)
            i++;
        buf_append_char(out, rest->ptr[i]);
    }
    skip(rest, i + 1);
}

static struct str take_value(struct str *rest, struct arena *arena)
{
    if (rest->len == 0 || rest->ptr[0] != '"') {
        /* Unquoted values with tspecials are common ("name=a/b"): up to `;` or a blank. */
        size_t len = 0;
        while (len < rest->len && rest->ptr[len] != ';' && !is_blank(rest->ptr[len]))
            len++;
        struct str value = arena_str(arena, str_sub(*rest, 0, len));
        skip(rest, len);
        return value;
    }
    struct buf text;
    buf_init(&text, rest->len);
    mime_take_quoted(rest, &text);
    struct str value = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return value;
}

static void skip_to_semicolon(struct str *rest)
{
    size_t at = str_find(*rest, ';', 0);
    skip(rest, at == SIZE_MAX ? rest->len : at);
}

static struct mime_param *take_param(struct str *rest, struct arena *arena)
{
    mime_skip_cfws(rest);
    struct str name = mime_take_token(rest);
    mime_skip_cfws(rest);
    if (name.len == 0 || rest->len == 0 || rest->ptr[0] != '=')
        return NULL;
    skip(rest, 1);
    mime_skip_cfws(rest);
    struct mime_param *param = arena_alloc(arena, sizeof(*param));
    if (!param)
        return NULL;
    param->name = arena_str(arena, name);
    param->value = take_value(rest, arena);
    return param->name.ptr && param->value.ptr ? param : NULL;
}

struct mime_param *mime_take_params(struct str *rest, struct arena *arena)
{
    struct mime_param *first = NULL, **link = &first;
    for (size_t count = 0; count < MIME_PARAMS_MAX; count++) {
        mime_skip_cfws(rest);
        skip_to_semicolon(rest);
        if (rest->len == 0)
            break;
        skip(rest, 1);
        *link = take_param(rest, arena);
        if (*link)
            link = &(*link)->next;
    }
    return first;
}
