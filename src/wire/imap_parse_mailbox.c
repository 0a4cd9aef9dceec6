#include <string.h>

#include "base/err.h"
#include "wire/imap_parse.h"
#include "wire/imap_utf7.h"

static bool has_controls(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return true;
    return false;
}

/* UTF-8 as it is would be a second name of the same mailbox: what a client then
 * lists is not what it named, and a synchronising one makes it again. */
static int decode_name(struct str wire, struct arena *arena, struct str *ret_name)
{
    struct buf out;
    buf_init(&out, IMAP_MAILBOX_MAX_BYTES);
    int err = imap_utf7_decode(wire, &out);
    struct str name = buf_str(&out);
    if (err || has_controls(name)) {
        buf_fini(&out);
        return ERR_INVALID;
    }
    struct str copy = arena_str(arena, name);
    buf_fini(&out);
    if (!copy.ptr)
        return ERR_LIMIT;
    *ret_name = copy;
    return 0;
}

/* RFC 3501 5.1: INBOX is not case-sensitive; neither is it as a parent. */
static struct str canonical_inbox(struct str name, struct arena *arena)
{
    if (str_ieq(name, STR("INBOX")))
        return STR("INBOX");
    if (!str_istarts(name, STR("INBOX/")) || str_starts(name, STR("INBOX/")))
        return name;
    char *copy = arena_strdup(arena, name);
    if (!copy)
        return name;
    memcpy(copy, "INBOX", 5);
    return (struct str){copy, name.len};
}

int imap_parse_mailbox(struct imap_cursor *c, struct str *ret_name)
{
    struct str wire, name;
    int err = imap_parse_astring(c, &wire);
    if (!err)
        err = decode_name(wire, c->arena, &name);
    if (!err)
        *ret_name = canonical_inbox(name, c->arena);
    return err;
}

static size_t list_span(struct str s)
{
    size_t len = 0;
    while (len < s.len && ascii_isprint(s.ptr[len]) && !strchr(" (){\"\\", s.ptr[len]))
        len++;
    return len;
}

int imap_parse_list_mailbox(struct imap_cursor *c, struct str *ret_pattern)
{
    struct str wire;
    size_t len = list_span(c->rest);
    if (len > 0) {
        wire = str_sub(c->rest, 0, len);
        c->rest = str_sub(c->rest, len, SIZE_MAX);
    } else {
        int err = imap_parse_string(c, &wire);
        if (err)
            return err;
    }
    return decode_name(wire, c->arena, ret_pattern);
}
