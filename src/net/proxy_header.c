#include "net/proxy_header.h"

#include <string.h>

#include "base/addr_block.h"
#include "base/err.h"

#define SIGNATURE_BYTES 12
#define FIXED_BYTES     16 /* version 2: signature, command, family, length */

static const char signature[SIGNATURE_BYTES] = "\r\n\r\n\0\r\nQUIT\n";
static const char word[] = "PROXY ";

/* ---- version 1 ---- */

/* "A receiver must reject leading zeroes" (section 2.1). */
static bool take_port(struct str text, struct addr *a)
{
    uint64_t port;
    if (str_to_u64(text, 65535, &port) < 0 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    addr_set_port(a, (uint16_t)port);
    return true;
}

static bool take_ip(struct str text, int family, struct addr *ret_addr)
{
    return addr_parse_ip(text, 0, ret_addr) == 0 && ret_addr->u.sa.sa_family == family;
}

static int parse_addresses(struct str rest, int family, struct proxy_said *ret)
{
    struct str part[4];
    struct proxy_said said = {.has_client = true};
    for (size_t i = 0; i < 4; i++)
        if (!str_split(&rest, ' ', &part[i]))
            return ERR_SYNTAX;
    if (rest.ptr || !take_ip(part[0], family, &said.client) || !take_ip(part[1], family, &said.local) ||
        !take_port(part[2], &said.client) || !take_port(part[3], &said.local))
        return ERR_SYNTAX;
    *ret = said;
    return 1;
}

/* line: behind "PROXY ", without CRLF. */
static int parse_line(struct str line, struct proxy_said *ret)
{
    struct str protocol, rest = line;
    str_split(&rest, ' ', &protocol);
    if (str_eq(protocol, STR("UNKNOWN"))) { /* whatever follows */
        *ret = (struct proxy_said){.has_client = false};
        return 1;
    }
    if (str_eq(protocol, STR("TCP4")))
        return parse_addresses(rest, AF_INET, ret);
    if (str_eq(protocol, STR("TCP6")))
        return parse_addresses(rest, AF_INET6, ret);
    return ERR_SYNTAX;
}

static int read_line(struct proxy_header *h, struct proxy_said *ret)
{
    size_t start = sizeof(word) - 1;
    if (h->len < 2 || h->kept[h->len - 1] != '\n')
        return h->len == sizeof(h->kept) ? ERR_SYNTAX : 0;
    if (h->len < start + 2 || h->kept[h->len - 2] != '\r')
        return ERR_SYNTAX;
    return parse_line((struct str){h->kept + start, h->len - start - 2}, ret);
}

/* ---- version 2 ---- */

static unsigned byte_at(const struct proxy_header *h, size_t at)
{
    return (uint8_t)h->kept[at];
}

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
enum { FAMILY_UNSPECIFIED = 0x00, FAMILY_TCP4 = 0x11, FAMILY_TCP6 = 0x21, FAMILY_UNIX = 0x31 };

static size_t address_bytes(unsigned family)
{
    return family == FAMILY_TCP4 ? 12 : family == FAMILY_TCP6 ? 36 : 0;
}

static size_t said_bytes(const struct proxy_header *h)
{
    return byte_at(h, 14) << 8 | byte_at(h, 15);
}

/* Of the whole header, without what is skipped. */
static size_t kept_bytes(const struct proxy_header *h)
{
    return FIXED_BYTES + (byte_at(h, 12) == COMMAND_PROXY ? address_bytes(byte_at(h, 13)) : 0);
}

/* Only streams: a datagram did not come this way. */
static bool fixed_part_holds(const struct proxy_header *h)
{
    unsigned command = byte_at(h, 12), family = byte_at(h, 13);
    if (command == COMMAND_LOCAL)
        return true; /* the rest must be ignored */
    bool known = family == FAMILY_UNSPECIFIED || family == FAMILY_TCP4 || family == FAMILY_TCP6 ||
                 family == FAMILY_UNIX;
    return command == COMMAND_PROXY && known && said_bytes(h) >= address_bytes(family);
}

static struct addr take_address(int family, const char *ip, const char *port)
{
    struct addr a;
    memset(&a, 0, sizeof(a));
    a.u.sa.sa_family = (sa_family_t)family;
    if (family == AF_INET6) {
        memcpy(&a.u.in6.sin6_addr, ip, sizeof(a.u.in6.sin6_addr));
        memcpy(&a.u.in6.sin6_port, port, sizeof(a.u.in6.sin6_port));
    } else {
        memcpy(&a.u.in.sin_addr, ip, sizeof(a.u.in.sin_addr));
        memcpy(&a.u.in.sin_port, port, sizeof(a.u.in.sin_port));
    }
    return a;
}

static struct proxy_said say(const struct proxy_header *h)
{
    const char *at = h->kept + FIXED_BYTES;
    unsigned family = byte_at(h, 13);
    if (kept_bytes(h) == FIXED_BYTES)
        return (struct proxy_said){.has_client = false};
    size_t ip = family == FAMILY_TCP6 ? 16 : 4;
    int af = family == FAMILY_TCP6 ? AF_INET6 : AF_INET;
    return (struct proxy_said){.has_client = true,
                               .client = take_address(af, at, at + 2 * ip),
                               .local = take_address(af, at + ip, at + 2 * ip + 2)};
}

/* ---- both ---- */

static bool is_begin_of(const struct proxy_header *h, const char *what, size_t len)
{
    return memcmp(h->kept, what, h->len < len ? h->len : len) == 0;
}

/* After a byte was kept: 0, 1 or ERR_SYNTAX; of version 2, 1 says that all is kept that is to be. */
static int look(struct proxy_header *h, struct proxy_said *ret)
{
    if (is_begin_of(h, word, sizeof(word) - 1))
        return read_line(h, ret);
    if (!is_begin_of(h, signature, SIGNATURE_BYTES))
        return ERR_SYNTAX;
    if (h->len < FIXED_BYTES)
        return 0;
    if (h->len == FIXED_BYTES && !fixed_part_holds(h))
        return ERR_SYNTAX;
    if (h->len < kept_bytes(h))
        return 0;
    h->skip_bytes = (uint32_t)(FIXED_BYTES + said_bytes(h) - h->len);
    *ret = say(h);
    return 1;
}

static bool is_kept(const struct proxy_header *h)
{
    return h->len >= FIXED_BYTES && is_begin_of(h, signature, SIGNATURE_BYTES) && h->len == kept_bytes(h);
}

static size_t skip(struct proxy_header *h, size_t len)
{
    size_t skipped = len < h->skip_bytes ? len : h->skip_bytes;
    h->skip_bytes -= (uint32_t)skipped;
    return skipped;
}

int proxy_header_read(struct proxy_header *h, const char *data, size_t len, size_t *ret_used,
                      struct proxy_said *ret_said)
{
    struct proxy_said said = {.has_client = false};
    size_t at = 0;
    int rc = is_kept(h);
    if (rc == 1)
        said = say(h);
    for (; rc == 0 && at < len; at++) {
        h->kept[h->len++] = data[at];
        rc = look(h, &said);
    }
    if (rc == 1)
        at += skip(h, len - at);
    *ret_used = at;
    if (rc != 1 || h->skip_bytes > 0)
        return rc < 0 ? rc : 0;
    addr_unmap(&said.client);
    addr_unmap(&said.local);
    *ret_said = said;
    return 1;
}
