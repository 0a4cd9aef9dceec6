#include "wire/smtp_dsn.h"

#include "base/err.h"
#include "wire/utf8_addr.h"
#include "wire/xtext.h"

static const struct {
    const char *name;
    unsigned bit;
} words[] = {
    {"NEVER", DSN_NOTIFY_NEVER},
    {"SUCCESS", DSN_NOTIFY_SUCCESS},
    {"FAILURE", DSN_NOTIFY_FAILURE},
    {"DELAY", DSN_NOTIFY_DELAY},
};

int smtp_dsn_ret_parse(struct str value, enum dsn_ret *ret_ret)
{
    if (str_ieq(value, STR("FULL")))
        *ret_ret = DSN_RET_FULL;
    else if (str_ieq(value, STR("HDRS")))
        *ret_ret = DSN_RET_HDRS;
    else
        return ERR_SYNTAX;
    return 0;
}

/* What it stands for is shown in a header of ours: nothing but printable ASCII. */
static int check_xtext(struct str xtext)
{
    struct buf plain;
    buf_init(&plain, SMTP_DSN_ORCPT_MAX);
    int err = xtext.len > 0 ? xtext_decode(&plain, xtext) : ERR_SYNTAX;
    for (size_t i = 0; err == 0 && i < plain.len; i++)
        if (!ascii_isprint(buf_data(&plain)[i]))
            err = ERR_SYNTAX;
    buf_fini(&plain);
    return err;
}

int smtp_dsn_envid_check(struct str value)
{
    return value.len > SMTP_DSN_ENVID_MAX ? ERR_SYNTAX : check_xtext(value);
}

static unsigned notify_bit(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_ieq(word, str_from(words[i].name)))
            return words[i].bit;
    return 0;
}

int smtp_dsn_notify_parse(struct str value, unsigned *ret_notify)
{
    unsigned notify = 0;
    struct str word;
    while (str_split(&value, ',', &word)) {
        unsigned bit = notify_bit(word);
        if (bit == 0 || (notify & bit))
            return ERR_SYNTAX;
        notify |= bit;
    }
    if (notify == 0 || ((notify & DSN_NOTIFY_NEVER) && notify != DSN_NOTIFY_NEVER))
        return ERR_SYNTAX;
    *ret_notify = notify;
    return 0;
}

/* An Atom of RFC 822, as "rfc822", "utf-8", "x400". */
static bool is_type(struct str type)
{
    for (size_t i = 0; i < type.len; i++)
        if (!ascii_isalnum(type.ptr[i]) && type.ptr[i] != '-')
            return false;
    return type.len > 0;
}

static int check_utf8(struct str address)
{
    struct buf plain;
    buf_init(&plain, SMTP_DSN_ORCPT_MAX);
    int err = address.len > 0 ? utf8_addr_decode(&plain, address) : ERR_SYNTAX;
    buf_fini(&plain);
    return err;
}

int smtp_dsn_orcpt_check(struct str value, bool utf8)
{
    struct str type, rest = value;
    if (value.len > SMTP_DSN_ORCPT_MAX || !str_split(&rest, ';', &type) || !rest.ptr || !is_type(type) ||
        (!utf8 && !str_is_ascii(value)))
        return ERR_SYNTAX;
    return str_ieq(type, STR(SMTP_DSN_UTF8)) ? check_utf8(rest) : check_xtext(rest);
}

int smtp_dsn_orcpt_to_ascii(struct buf *out, struct str value)
{
    struct str type, rest = value;
    struct buf plain;
    size_t before = out->len;
    int err = 0;
    if (str_is_ascii(value))
        return buf_append_str(out, value);
    buf_init(&plain, SMTP_DSN_ORCPT_MAX);
    if (str_split(&rest, ';', &type) && rest.ptr && utf8_addr_decode(&plain, rest) == 0) {
        buf_append_fmt(out, "%.*s;", STR_ARG(type));
        err = utf8_addr_encode(out, buf_str(&plain));
    }
    buf_fini(&plain);
    return err == 0 && out->len - before > SMTP_DSN_ORCPT_MAX ? ERR_LIMIT : err;
}

void smtp_dsn_format_envelope(struct buf *out, const struct dsn_envelope *e)
{
    if (e->ret != DSN_RET_UNSAID)
        buf_append_fmt(out, " RET=%s", e->ret == DSN_RET_FULL ? "FULL" : "HDRS");
    if (smtp_dsn_envid_check(e->envid) == 0)
        buf_append_fmt(out, " ENVID=%.*s", STR_ARG(e->envid));
}

void smtp_dsn_format_request(struct buf *out, const struct dsn_request *r)
{
    const char *before = " NOTIFY=";
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!(r->notify & words[i].bit))
            continue;
        buf_append_fmt(out, "%s%s", before, words[i].name);
        before = ",";
    }
    if (smtp_dsn_orcpt_check(r->orcpt, false) == 0)
        buf_append_fmt(out, " ORCPT=%.*s", STR_ARG(r->orcpt));
}
