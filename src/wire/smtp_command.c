#include "wire/smtp_command.h"

#include <string.h>

void smtp_line_reader_init(struct smtp_line_reader *r)
{
    r->len = 0;
    r->skipping = false;
    r->skipped_cr = false;
}

/* The length up to and with the first CRLF, or 0. `before` is true when the byte
 * before data was a CR. */
static size_t find_crlf(const char *data, size_t len, bool before)
{
    size_t at = 0;
    while (at < len) {
        const char *lf = memchr(data + at, '\n', len - at);
        if (!lf)
            return 0;
        at = (size_t)(lf - data) + 1;
        if (at == 1 ? before : lf[-1] == '\r')
            return at;
    }
    return 0;
}

static int check_line(struct str line)
{
    if (line.len > 0 && (memchr(line.ptr, '\r', line.len) || memchr(line.ptr, '\n', line.len) ||
                         memchr(line.ptr, '\0', line.len)))
        return ERR_SYNTAX;
    return 1;
}

/* Forgets a line's bytes, but for whether its last was a CR. */
static void skip(struct smtp_line_reader *r, const char *data, size_t len)
{
    r->skipping = true;
    if (len > 0)
        r->skipped_cr = data[len - 1] == '\r';
    else if (r->len > 0)
        r->skipped_cr = r->line[r->len - 1] == '\r';
    r->len = 0;
}

int smtp_line_read(struct smtp_line_reader *r, const char *data, size_t len, size_t *ret_used,
                   struct str *ret_line)
{
    bool cr_before = r->skipping ? r->skipped_cr : r->len > 0 && r->line[r->len - 1] == '\r';
    size_t end = find_crlf(data, len, cr_before);
    size_t take = end ? end : len;
    *ret_used = take;
    if (r->skipping || r->len + take > sizeof(r->line)) {
        skip(r, data, take);
        if (!end)
            return 0;
        smtp_line_reader_init(r);
        return ERR_LIMIT;
    }
    if (end && r->len == 0) {
        *ret_line = (struct str){data, end - 2};
        return check_line(*ret_line);
    }
    memcpy(r->line + r->len, data, take);
    r->len += take;
    if (!end)
        return 0;
    *ret_line = (struct str){r->line, r->len - 2};
    r->len = 0;
    return check_line(*ret_line);
}

int smtp_command_parse(struct str line, struct smtp_command *ret_command)
{
    size_t len = 0;
    while (len < line.len && ascii_isalnum(line.ptr[len]))
        len++;
    if (len == 0 || (len < line.len && line.ptr[len] != ' ' && line.ptr[len] != '\t'))
        return ERR_SYNTAX;
    ret_command->verb = str_sub(line, 0, len);
    ret_command->args = str_trim(str_sub(line, len, line.len));
    return 0;
}

static bool is_value_char(char c)
{
    unsigned char octet = (unsigned char)c;
    return octet >= 33 && octet != 127 && octet != '=';
}

int smtp_param_next(struct str *rest, struct smtp_param *ret_param)
{
    struct str s = str_trim(*rest);
    struct smtp_param param = {.value = {NULL, 0}};
    size_t at = 0;
    if (s.len == 0)
        return 0;
    while (at < s.len && (ascii_isalnum(s.ptr[at]) || (at > 0 && s.ptr[at] == '-')))
        at++;
    param.keyword = str_sub(s, 0, at);
    if (at < s.len && s.ptr[at] == '=') {
        size_t start = ++at;
        while (at < s.len && is_value_char(s.ptr[at]))
            at++;
        param.value = str_sub(s, start, at - start);
        if (param.value.len == 0)
            return ERR_SYNTAX;
    }
    if (param.keyword.len == 0 || (at < s.len && s.ptr[at] != ' '))
        return ERR_SYNTAX;
    *ret_param = param;
    *rest = str_sub(s, at, s.len);
    return 1;
}
