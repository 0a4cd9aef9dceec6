#include "config/postgres_url.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/str.h"
#include "config/findings.h"

#define URL_MAX_BYTES   2000 /* a dozen hosts and all parameters are far shorter */
#define PORT_BY_DEFAULT STR("5432")
#define NAME_MAX_BYTES                                                                                       \
    255 /* of a host, RFC 1035 2.3.4; nothing else needs more, but paths, which libpq bounds */

struct url {
    struct err_buf *eb;
    const struct postgres_url_visitor *visitor; /* NULL: it is only checked */
    bool verifies;                              /* sslmode=verify-full */
    bool has_authority;                         /* sslrootcert */
    char away_text[NAME_MAX_BYTES + 1];
    unsigned seen;           /* bits of the parameters */
    const char *parameter;   /* that is being taken */
    struct str places;       /* "HOST[:PORT],..." */
    bool more_by_parameters; /* hosts or ports */
};

static int refuse(struct url *u, const char *what)
{
    return err_set(u->eb, ERR_INVALID, "%s", what);
}

/* ---- pieces ---- */

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, ascii_lower(c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* RFC 3986 2.1. out is NUL-terminated, and holds none else. */
static int decode(struct url *u, struct str s, char out[NAME_MAX_BYTES + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++, len++) {
        if (len == NAME_MAX_BYTES)
            return refuse(u, "has a part that is too long");
        out[len] = s.ptr[i];
        if (s.ptr[i] != '%')
            continue;
        int high = i + 1 < s.len ? hex_value(s.ptr[i + 1]) : -1,
            low = i + 2 < s.len ? hex_value(s.ptr[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0)
            return refuse(u, "has a % that two hexadecimal digits do not follow; write % itself as %25");
        out[len] = (char)(high * 16 + low);
        i += 2;
    }
    out[len] = '\0';
    return 0;
}

/* ---- hosts ---- */

static bool is_here(const char *host)
{
    struct addr a;
    if (host[0] == '\0' || host[0] == '/' || host[0] == '@' || strcmp(host, "localhost") == 0)
        return true;
    return addr_parse_ip(str_from(host), 0, &a) == 0 && addr_is_loopback(&a);
}

static int take_host(struct url *u, struct str text)
{
    char host[NAME_MAX_BYTES + 1];
    int rc = decode(u, text, host);
    if (rc == 0 && u->away_text[0] == '\0' && !is_here(host))
        memcpy(u->away_text, host, sizeof(host));
    return rc;
}

static int check_port(struct url *u, struct str text)
{
    uint64_t port;
    if (text.len == 0 || (str_to_u64(text, UINT16_MAX, &port) == 0 && port > 0))
        return 0;
    return refuse(u, "has a port that is no number from 1 to 65535");
}

static int take_each(struct url *u, struct str list, int (*take)(struct url *u, struct str item))
{
    struct str item;
    int rc = 0;
    while (rc == 0 && str_split(&list, ',', &item))
        rc = take(u, item);
    return rc;
}

static int take_hosts(struct url *u, struct str list)
{
    u->more_by_parameters = true;
    return take_each(u, list, take_host);
}

static int take_ports(struct url *u, struct str list)
{
    u->more_by_parameters = true;
    return take_each(u, list, check_port);
}

/* "HOST[:PORT]", where an address of IPv6 is in brackets. */
static int split_place(struct url *u, struct str place, struct str *ret_host, struct str *ret_port)
{
    size_t end = place.len > 0 && place.ptr[0] == '[' ? str_find(place, ']', 0) : 0;
    if (end == SIZE_MAX)
        return refuse(u, "has a [ without a ]");
    size_t colon = str_find(place, ':', end);
    *ret_port = colon == SIZE_MAX ? STR_EMPTY : str_sub(place, colon + 1, SIZE_MAX);
    *ret_host = str_sub(place, 0, colon);
    if (end > 0) {
        *ret_host = str_sub(place, 1, end - 1);
        if (end + 1 != place.len && end + 1 != colon)
            return refuse(u, "has something between a ] and its port");
    }
    return 0;
}

static int take_place(struct url *u, struct str place)
{
    struct str host, port;
    int rc = split_place(u, place, &host, &port);
    if (rc == 0)
        rc = take_host(u, host);
    return rc == 0 ? check_port(u, port) : rc;
}

static int visit_place(struct url *u, struct str place)
{
    struct str host_text, port;
    char host[NAME_MAX_BYTES + 1], port_text[8];
    if (split_place(u, place, &host_text, &port) < 0 || decode(u, host_text, host) < 0)
        return ERR_INVALID;
    snprintf(port_text, sizeof(port_text), "%.*s", STR_ARG(port.len > 0 ? port : PORT_BY_DEFAULT));
    if (host[0] != '\0' && host[0] != '/' && host[0] != '@')
        u->visitor->on_server(u->visitor->arg, host, port_text);
    return 0;
}

static int take_authority(struct url *u, struct str authority)
{
    size_t at = str_find(authority, '@', 0);
    struct str user = at == SIZE_MAX ? STR_EMPTY : str_sub(authority, 0, at);
    if (str_find(user, ':', 0) != SIZE_MAX)
        return refuse(
            u, "has a password in it, which who reads this file can read; put it into a file of its own, and "
               "name that by password_file");
    u->places = at == SIZE_MAX ? authority : str_sub(authority, at + 1, SIZE_MAX);
    return take_each(u, u->places, take_place);
}

/* ---- parameters ---- */

static int take_nothing(struct url *u, struct str value)
{
    (void)u, (void)value;
    return 0;
}

static int take_sslmode(struct url *u, struct str value)
{
    static const char *const modes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    u->verifies = str_eq(value, STR("verify-full"));
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (str_eq(value, str_from(modes[i])))
            return 0;
    return refuse(u, "has an sslmode that PostgreSQL does not know; write verify-full");
}

static int take_path(struct url *u, struct str value, char path[NAME_MAX_BYTES + 1])
{
    int rc = decode(u, value, path);
    if (rc == 0 && path[0] != '/')
        return refuse(u, "names a file or folder by a path that is not absolute");
    return rc;
}

static int take_folder(struct url *u, struct str value)
{
    char path[NAME_MAX_BYTES + 1];
    return take_path(u, value, path);
}

static int take_file(struct url *u, struct str value)
{
    char path[NAME_MAX_BYTES + 1];
    int rc = take_path(u, value, path);
    if (rc == 0 && u->visitor && u->visitor->on_file)
        u->visitor->on_file(u->visitor->arg, u->parameter, path);
    return rc;
}

static int take_authority_file(struct url *u, struct str value)
{
    u->has_authority = true;
    return take_file(u, value);
}

static int take_session(struct url *u, struct str value)
{
    if (str_eq(value, STR("read-write")))
        return 0;
    return refuse(
        u, "asks for other target_session_attrs than read-write; remove them, the writable host is used");
}

static int take_secret(struct url *u, struct str value)
{
    (void)value;
    return refuse(u, "says a password, or where one is; put it into a file, and name that by password_file");
}

static int take_options(struct url *u, struct str value)
{
    (void)value;
    return refuse(u, "has options, which could make commits less durable than promised; remove them");
}

static const struct parameter {
    const char *name;
    int (*take)(struct url *u, struct str value);
} parameters[] = {
    {"application_name", take_nothing},
    {"channel_binding", take_nothing},
    {"connect_timeout", take_nothing},
    {"gssencmode", take_nothing},
    {"host", take_hosts},
    {"hostaddr", take_hosts},
    {"keepalives", take_nothing},
    {"keepalives_count", take_nothing},
    {"keepalives_idle", take_nothing},
    {"keepalives_interval", take_nothing},
    {"options", take_options},
    {"passfile", take_secret},
    {"password", take_secret},
    {"port", take_ports},
    {"ssl_max_protocol_version", take_nothing},
    {"ssl_min_protocol_version", take_nothing},
    {"sslcert", take_file},
    {"sslcrl", take_file},
    {"sslcrldir", take_folder},
    {"sslkey", take_file},
    {"sslmode", take_sslmode},
    {"sslpassword", take_secret},
    {"sslrootcert", take_authority_file},
    {"target_session_attrs", take_session},
    {"tcp_user_timeout", take_nothing},
    {"user", take_nothing},
};

static int refuse_parameter(struct url *u, struct str name, const char *what)
{
    char text[NAME_MAX_BYTES + 1], shown[CLIP_TEXT_MAX];
    snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
    return err_set(u->eb, ERR_INVALID, "has the parameter \"%s\" %s", findings_clip(text, shown), what);
}

static int take_parameter(struct url *u, struct str text)
{
    size_t equals = str_find(text, '=', 0);
    struct str name = str_sub(text, 0, equals);
    if (equals == SIZE_MAX)
        return refuse_parameter(u, name, "without a value");
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        if (!str_eq(name, str_from(parameters[i].name)))
            continue;
        if (u->seen & 1U << i)
            return refuse_parameter(u, name, "twice");
        u->seen |= 1U << i;
        u->parameter = parameters[i].name;
        return parameters[i].take(u, str_sub(text, equals + 1, SIZE_MAX));
    }
    return refuse_parameter(u, name, "that is not for this; remove it");
}

/* ---- the whole ---- */

/* Cuts what follows the first c off *s. */
static struct str cut(struct str *s, char c)
{
    size_t at = str_find(*s, c, 0);
    if (at == SIZE_MAX)
        return STR_EMPTY;
    struct str after = str_sub(*s, at + 1, SIZE_MAX);
    *s = str_sub(*s, 0, at);
    return after;
}

static int take_parts(struct url *u, struct str rest)
{
    struct str all = cut(&rest, '?'), database = cut(&rest, '/'), one;
    char name[NAME_MAX_BYTES + 1];
    int rc = take_authority(u, rest);
    if (rc == 0 && database.len == 0)
        return refuse(u, "names no database; write \"postgresql://USER@HOST/DATABASE\"");
    if (rc == 0)
        rc = decode(u, database, name);
    while (rc == 0 && all.len > 0 && str_split(&all, '&', &one))
        rc = take_parameter(u, one);
    return rc;
}

static int take_url(struct url *u, const char *url)
{
    struct str rest = str_from(url);
    size_t colon = str_find(rest, ':', 0);
    if (rest.len > URL_MAX_BYTES)
        return refuse(u, "is too long");
    rest = colon == SIZE_MAX ? STR_EMPTY : str_sub(rest, colon + 1, SIZE_MAX);
    if (!str_starts(rest, STR("//")))
        return refuse(u, "must go on with \"//\", as in \"postgresql://USER@HOST/DATABASE\"");
    return take_parts(u, str_sub(rest, 2, SIZE_MAX));
}

int postgres_url_check(const char *url, struct err_buf *eb)
{
    struct url u = {.eb = eb};
    char shown[CLIP_TEXT_MAX];
    int rc = take_url(&u, url);
    if (rc < 0 || u.away_text[0] == '\0' || (u.verifies && u.has_authority))
        return rc;
    return err_set(
        eb, ERR_INVALID,
        "leads to \"%s\", off this machine, and does not say how that is known to be it; add "
        "sslmode=verify-full and sslrootcert=FILE, the authority that its certificate is by, after a ?",
        findings_clip(u.away_text, shown));
}

void postgres_url_visit(const char *url, const struct postgres_url_visitor *v)
{
    struct err_buf ignored;
    struct url u = {.eb = &ignored, .visitor = v};
    if (take_url(&u, url) == 0 && v->on_server && !u.more_by_parameters)
        (void)!take_each(&u, u.places, visit_place);
}
