#include "wire/dns_name.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define LABEL_TYPE_MASK    0xc0 /* RFC 1035 4.1.4 */
#define LABEL_TYPE_POINTER 0xc0

static uint8_t lower(uint8_t c)
{
    return (uint8_t)ascii_lower((char)c);
}

/* One byte of presentation format at *pos, unescaped. */
static int take_escaped(struct str text, size_t *pos, uint8_t *ret_byte)
{
    if (text.ptr[*pos] != '\\') {
        *ret_byte = (uint8_t)text.ptr[(*pos)++];
        return 0;
    }
    if (*pos + 1 >= text.len)
        return ERR_SYNTAX;
    if (!ascii_isdigit(text.ptr[*pos + 1])) {
        *ret_byte = (uint8_t)text.ptr[*pos + 1];
        *pos += 2;
        return 0;
    }
    uint64_t value;
    if (*pos + 3 >= text.len || str_to_u64(str_sub(text, *pos + 1, 3), 255, &value) < 0)
        return ERR_SYNTAX;
    *ret_byte = (uint8_t)value;
    *pos += 4;
    return 0;
}

/* One label of text at *pos into out (length byte first), with the dot behind it. */
static int take_label(struct str text, size_t *pos, struct dns_name *out)
{
    size_t start = out->len, size = 0;
    while (*pos < text.len && text.ptr[*pos] != '.') {
        uint8_t byte;
        int err = take_escaped(text, pos, &byte);
        if (err < 0)
            return err;
        /* the length byte, this one and the root's must fit, too */
        if (size == DNS_LABEL_MAX || start + size + 3 > DNS_NAME_MAX)
            return ERR_LIMIT;
        out->wire[start + 1 + size++] = lower(byte);
    }
    if (size == 0)
        return ERR_SYNTAX;
    if (*pos < text.len)
        (*pos)++;
    out->wire[start] = (uint8_t)size;
    out->len = (uint8_t)(start + 1 + size);
    return 0;
}

int dns_name_from_text(struct str text, struct dns_name *ret_name)
{
    struct dns_name name = {.len = 0};
    size_t pos = 0;
    if (text.len == 0)
        return ERR_SYNTAX;
    if (str_eq(text, STR(".")))
        pos = text.len;
    while (pos < text.len) {
        int err = take_label(text, &pos, &name);
        if (err < 0)
            return err;
    }
    name.wire[name.len++] = 0;
    *ret_name = name;
    return 0;
}

int dns_name_from_wire(const uint8_t *data, size_t len, struct dns_name *ret_name)
{
    struct dns_name name;
    size_t pos = 0;
    for (;;) {
        if (pos >= len)
            return ERR_SYNTAX;
        uint8_t size = data[pos];
        if (size > DNS_LABEL_MAX || pos + 1 + size > len)
            return ERR_SYNTAX;
        if (pos + 1 + size > DNS_NAME_MAX)
            return ERR_SYNTAX;
        name.wire[pos++] = size;
        if (size == 0)
            break;
        for (size_t i = 0; i < size; i++, pos++)
            name.wire[pos] = lower(data[pos]);
    }
    name.len = (uint8_t)pos;
    *ret_name = name;
    return 0;
}

int dns_name_skip(const uint8_t *message, size_t len, size_t *pos)
{
    size_t at = *pos;
    while (at < len) {
        uint8_t size = message[at];
        if ((size & LABEL_TYPE_MASK) == LABEL_TYPE_POINTER) {
            if (at + 2 > len)
                return ERR_SYNTAX;
            *pos = at + 2;
            return 0;
        }
        if (size > DNS_LABEL_MAX)
            return ERR_SYNTAX;
        at += 1 + (size_t)size;
        if (size == 0) {
            *pos = at;
            return 0;
        }
    }
    return ERR_SYNTAX;
}

static size_t format_byte(uint8_t c, char *out)
{
    if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '@' || c == '$' || c == '(' || c == ')') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c > ' ' && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)('0' + c / 100);
    out[2] = (char)('0' + c / 10 % 10);
    out[3] = (char)('0' + c % 10);
    return 4;
}

void dns_name_format(const struct dns_name *n, char out[DNS_NAME_TEXT_MAX])
{
    size_t len = 0;
    for (size_t pos = 0; n->wire[pos] != 0; pos += 1 + (size_t)n->wire[pos]) {
        if (pos != 0)
            out[len++] = '.';
        for (size_t i = 1; i <= n->wire[pos]; i++)
            len += format_byte(n->wire[pos + i], out + len);
    }
    if (len == 0)
        out[len++] = '.';
    out[len] = '\0';
}

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

bool dns_name_within(const struct dns_name *n, const struct dns_name *apex)
{
    size_t pos = 0;
    while (n->len - pos > apex->len)
        pos += 1 + (size_t)n->wire[pos];
    return n->len - pos == apex->len && memcmp(n->wire + pos, apex->wire, apex->len) == 0;
}

size_t dns_name_labels(const struct dns_name *n, uint8_t ret_offsets[DNS_LABELS_MAX])
{
    size_t count = 0;
    for (size_t pos = 0; n->wire[pos] != 0; pos += 1 + (size_t)n->wire[pos])
        ret_offsets[count++] = (uint8_t)pos;
    return count;
}

void dns_name_tail(const struct dns_name *n, size_t offset, struct dns_name *ret_name)
{
    CHECK(offset < n->len);
    ret_name->len = (uint8_t)(n->len - offset);
    memmove(ret_name->wire, n->wire + offset, ret_name->len);
}

int dns_name_wildcard(const struct dns_name *n, struct dns_name *ret_name)
{
    struct dns_name name = {.wire = {1, '*'}};
    if (n->len + 2 > DNS_NAME_MAX)
        return ERR_LIMIT;
    memcpy(name.wire + 2, n->wire, n->len);
    name.len = (uint8_t)(n->len + 2);
    *ret_name = name;
    return 0;
}

bool dns_name_is_wildcard(const struct dns_name *n)
{
    return n->len > 2 && n->wire[0] == 1 && n->wire[1] == '*';
}
