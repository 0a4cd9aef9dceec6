#include "wire/smtp_xclient.h"

#include <string.h>

#include "base/addr_block.h"
#include "base/err.h"
#include "wire/xtext.h"

#define VALUE_MAX 512 /* decoded: more than a name is long */

static const struct str unavailable = {"[UNAVAILABLE]", 13};

static bool is_unknown(struct str value)
{
    return str_ieq(value, unavailable) || str_ieq(value, STR("[TEMPUNAVAIL]"));
}

static bool in_a_name(char c)
{
    return ascii_isalnum(c) || (c != '\0' && strchr(".-_:[]", c));
}

static int take_ip(struct str value, enum smtp_xclient_addr *ret_word, struct addr *ret_addr)
{
    static const struct str six = {"IPV6:", 5};
    struct addr a;
    if (is_unknown(value)) {
        *ret_word = SMTP_XCLIENT_ADDR_UNKNOWN;
        return 0;
    }
    bool prefixed = str_istarts(value, six);
    if (addr_parse_ip(prefixed ? str_sub(value, six.len, value.len) : value, addr_port(ret_addr), &a) < 0 ||
        (a.u.sa.sa_family == AF_INET6) != prefixed)
        return ERR_SYNTAX;
    addr_unmap(&a);
    *ret_word = SMTP_XCLIENT_ADDR_KNOWN;
    *ret_addr = a;
    return 0;
}

static int take_port(struct str value, struct addr *ret_addr)
{
    uint64_t port = 0;
    if (!is_unknown(value) && (str_to_u64(value, 65535, &port) < 0 || port == 0))
        return ERR_SYNTAX;
    addr_set_port(ret_addr, (uint16_t)port);
    return 0;
}

static int take_name(struct str value, char out[SMTP_XCLIENT_NAME_MAX + 1])
{
    size_t len = is_unknown(value) ? 0 : value.len;
    if (value.len == 0 || len > SMTP_XCLIENT_NAME_MAX)
        return ERR_SYNTAX;
    for (size_t i = 0; i < len; i++)
        out[i] = in_a_name(value.ptr[i]) ? value.ptr[i] : '?';
    out[len] = '\0';
    return 0;
}

/* The name of a host by DNS is one: no other byte comes from there. */
static int take_host(struct str value, char out[SMTP_XCLIENT_NAME_MAX + 1])
{
    for (size_t i = 0; !is_unknown(value) && i < value.len; i++)
        if (!in_a_name(value.ptr[i]))
            return ERR_SYNTAX;
    return take_name(value, out);
}

static int take_protocol(struct str value)
{
    bool known = str_ieq(value, STR("SMTP")) || str_ieq(value, STR("ESMTP")) || is_unknown(value);
    return known ? 0 : ERR_SYNTAX;
}

static int take(struct str name, struct str value, struct smtp_xclient *x)
{
    struct addr destination = {.u.sa.sa_family = AF_INET};
    enum smtp_xclient_addr destination_word;
    if (str_ieq(name, STR("ADDR")))
        return take_ip(value, &x->addr_word, &x->addr);
    if (str_ieq(name, STR("PORT")))
        return take_port(value, &x->addr);
    if (str_ieq(name, STR("NAME")))
        return take_host(value, x->name);
    if (str_ieq(name, STR("HELO")))
        return take_name(value, x->helo);
    if (str_ieq(name, STR("PROTO")))
        return take_protocol(value); /* what the client says after this tells it */
    if (str_ieq(name, STR("DESTADDR")))
        return take_ip(value, &destination_word, &destination);
    if (str_ieq(name, STR("DESTPORT")))
        return take_port(value, &destination);
    return ERR_SYNTAX;
}

static int take_attribute(struct str attribute, struct smtp_xclient *x)
{
    struct str rest = attribute, name;
    struct buf value;
    str_split(&rest, '=', &name);
    if (!rest.ptr)
        return ERR_SYNTAX;
    buf_init(&value, VALUE_MAX);
    int rc = xtext_decode(&value, rest);
    if (rc == 0)
        rc = take(name, buf_str(&value), x);
    buf_fini(&value);
    return rc;
}

int smtp_xclient_parse(struct str args, struct smtp_xclient *io)
{
    struct smtp_xclient x = *io;
    struct str attribute;
    int rc = args.len > 0 ? 0 : ERR_SYNTAX;
    while (rc == 0 && str_split(&args, ' ', &attribute))
        rc = take_attribute(attribute, &x);
    if (rc == 0)
        *io = x;
    return rc;
}

void smtp_xclient_put_addr(struct buf *out, struct str ip)
{
    bool six = str_find(ip, ':', 0) != SIZE_MAX;
    buf_append_fmt(out, " ADDR=%s%.*s", six ? "IPV6:" : "", STR_ARG(ip.len > 0 ? ip : unavailable));
}

void smtp_xclient_put_helo(struct buf *out, struct str helo)
{
    buf_append_text(out, " HELO=");
    if (helo.len > 0)
        xtext_encode(out, helo);
    else
        buf_append_str(out, unavailable);
}
