#include "wire/smtp_path.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/utf8.h"

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

/* The length of the character above 127 there, where such are allowed. */
static size_t utf8_len(struct str s, size_t at, bool utf8)
{
    size_t end = at;
    uint32_t point;
    if (!utf8 || !((unsigned char)s.ptr[at] & 0x80) || !utf8_next(s, &end, &point) || utf8_is_control(point))
        return 0;
    return end - at;
}

static bool is_atext(char c)
{
    return ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* The length of the Dot-string at the front. */
static size_t scan_dot_string(struct str s, bool utf8)
{
    size_t at = 0;
    bool after_dot = true;
    while (at < s.len) {
        size_t wide = utf8_len(s, at, utf8);
        if (s.ptr[at] == '.') {
            if (after_dot)
                return 0;
            after_dot = true;
            at++;
            continue;
        }
        if (!wide && !is_atext(s.ptr[at]))
            break;
        after_dot = false;
        at += wide ? wide : 1;
    }
    return after_dot ? 0 : at;
}

/* The length of the Quoted-string at the front, quotes included; 0: none. */
static size_t scan_quoted_string(struct str s, bool utf8)
{
    size_t at = 1;
    while (at < s.len && s.ptr[at] != '"') {
        size_t wide = utf8_len(s, at, utf8);
        if (s.ptr[at] == '\\')
            at++;
        if (at >= s.len || (!wide && !ascii_isprint(s.ptr[at])))
            return 0;
        at += wide ? wide : 1;
    }
    return at < s.len ? at + 1 : 0;
}

static bool label_valid(struct str label, bool utf8)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t at = 0; at < label.len;) {
        size_t wide = utf8_len(label, at, utf8);
        /* The underscore is no let-dig, but domains with it send mail. */
        if (!wide && !ascii_isalnum(label.ptr[at]) && label.ptr[at] != '-' && label.ptr[at] != '_')
            return false;
        at += wide ? wide : 1;
    }
    return true;
}

static bool literal_valid(struct str inner)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    bool v6 = str_istarts(inner, STR("IPv6:"));
    if (v6)
        inner = str_sub(inner, 5, inner.len);
    if (inner.len >= sizeof(text) || memchr(inner.ptr, '\0', inner.len))
        return false;
    memcpy(text, inner.ptr, inner.len);
    text[inner.len] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, &address) == 1;
}

bool smtp_domain_valid(struct str domain, bool utf8)
{
    struct str label;
    if (domain.len == 0 || domain.len > SMTP_DOMAIN_MAX)
        return false;
    if (domain.ptr[0] == '[')
        return domain.len > 2 && domain.ptr[domain.len - 1] == ']' &&
               literal_valid(str_sub(domain, 1, domain.len - 2));
    while (str_split(&domain, '.', &label))
        if (!label_valid(label, utf8))
            return false;
    return true;
}

/* "@one,@two:" before the mailbox. */
static int drop_source_route(struct str *s, bool utf8)
{
    if (s->len == 0 || s->ptr[0] != '@')
        return 0;
    size_t colon = str_find(*s, ':', 0);
    if (colon == SIZE_MAX)
        return ERR_SYNTAX;
    struct str route = str_sub(*s, 0, colon), hop;
    while (str_split(&route, ',', &hop))
        if (hop.len < 2 || hop.ptr[0] != '@' || !smtp_domain_valid(str_sub(hop, 1, hop.len), utf8))
            return ERR_SYNTAX;
    *s = str_sub(*s, colon + 1, s->len);
    return 0;
}

/* What is between < and >, the closing one included; a quoted local part may hold a ">". */
static int split_angle(struct str *text, struct str *ret_inner)
{
    struct str s = str_trim(*text);
    bool quoted = false;
    if (s.len == 0 || s.ptr[0] != '<')
        return ERR_SYNTAX;
    for (size_t at = 1; at < s.len; at++) {
        if (quoted && s.ptr[at] == '\\')
            at++;
        else if (s.ptr[at] == '"')
            quoted = !quoted;
        else if (s.ptr[at] == '>' && !quoted) {
            *ret_inner = str_sub(s, 1, at - 1);
            *text = str_sub(s, at + 1, s.len);
            return 0;
        }
    }
    return ERR_SYNTAX;
}

static bool has_eight_bit(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] & 0x80)
            return true;
    return false;
}

static int parse_mailbox(struct str s, bool utf8, struct smtp_path *path)
{
    size_t len = s.len > 0 && s.ptr[0] == '"' ? scan_quoted_string(s, utf8) : scan_dot_string(s, utf8);
    if (len == 0 || len >= s.len || s.ptr[len] != '@')
        return ERR_SYNTAX;
    path->mailbox = s;
    path->local_part = str_sub(s, 0, len);
    path->domain = str_sub(s, len + 1, s.len);
    if (path->local_part.len > SMTP_LOCAL_PART_MAX || path->domain.len > SMTP_DOMAIN_MAX)
        return ERR_LIMIT;
    return smtp_domain_valid(path->domain, utf8) ? 0 : ERR_SYNTAX;
}

int smtp_path_parse(struct str *text, enum smtp_path_kind kind, bool utf8, struct smtp_path *ret_path)
{
    struct str rest = *text, inner;
    struct smtp_path path = {STR_EMPTY, STR_EMPTY, STR_EMPTY};
    int rc = split_angle(&rest, &inner);
    if (rc != 0)
        return rc;
    if (inner.len > SMTP_PATH_MAX - 2)
        return ERR_LIMIT;
    if (!utf8 && has_eight_bit(inner))
        return ERR_UNSUPPORTED;
    if (rest.len > 0 && rest.ptr[0] != ' ')
        return ERR_SYNTAX;
    if (kind == SMTP_PATH_FORWARD && str_ieq(inner, STR("postmaster")))
        path.mailbox = path.local_part = inner;
    else if (inner.len > 0 || kind == SMTP_PATH_FORWARD) {
        rc = drop_source_route(&inner, utf8);
        if (rc == 0)
            rc = parse_mailbox(inner, utf8, &path);
        if (rc != 0)
            return rc;
    }
    *text = rest;
    *ret_path = path;
    return 0;
}

size_t smtp_local_part_unquote(struct str raw, char *out)
{
    size_t len = 0;
    if (raw.len < 2 || raw.ptr[0] != '"') {
        memcpy(out, raw.ptr, raw.len);
        return raw.len;
    }
    for (size_t at = 1; at + 1 < raw.len; at++) {
        if (raw.ptr[at] == '\\')
            at++;
        out[len++] = raw.ptr[at];
    }
    return len;
}
