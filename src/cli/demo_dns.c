#include "cli/demo_dns.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/dns.h"

#define MX_PREFERENCE_BYTES 2
#define POINTER_JUMPS_MAX   32 /* each goes backwards; more is no proper name */
#define RECORD_FIXED_BYTES  10 /* type, class, TTL, length */
#define RCODE_MASK          0x000f

struct record {
    struct dns_name owner;
    uint16_t type;
    size_t data, data_len; /* in the message */
};

struct response {
    const uint8_t *message;
    size_t len, pos;
    unsigned records_left;
};

static uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_u16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

size_t demo_dns_query(uint16_t id, const struct dns_name *name, uint16_t type, uint8_t *out)
{
    memset(out, 0, DNS_HEADER_BYTES);
    put_u16(out, id);
    put_u16(out + 4, 1); /* one question */
    memcpy(out + DNS_HEADER_BYTES, name->wire, name->len);
    put_u16(out + DNS_HEADER_BYTES + name->len, type);
    put_u16(out + DNS_HEADER_BYTES + name->len + 2, DNS_CLASS_IN);
    return (size_t)DNS_HEADER_BYTES + name->len + 4;
}

/* The name at *pos, its pointers followed (RFC 1035 4.1.4); *pos moves behind it. */
static int read_name(const uint8_t *message, size_t len, size_t *pos, struct dns_name *ret_name)
{
    uint8_t plain[DNS_NAME_MAX];
    size_t at = *pos, used = 0;
    if (dns_name_skip(message, len, pos) < 0)
        return ERR_SYNTAX;
    for (unsigned jumps = 0; at < len;) {
        uint8_t label = message[at];
        if (label >= 0xc0) {
            if (at + 1 >= len || ++jumps > POINTER_JUMPS_MAX)
                return ERR_SYNTAX;
            at = get_u16(message + at) & 0x3fff;
            continue;
        }
        if (label > DNS_LABEL_MAX || at + 1 + label > len || used + 1 + label > sizeof(plain))
            return ERR_SYNTAX;
        memcpy(plain + used, message + at, 1U + label);
        used += 1U + label;
        at += 1U + label;
        if (label == 0)
            return dns_name_from_wire(plain, used, ret_name);
    }
    return ERR_SYNTAX;
}

/* Moves behind the questions. records_left counts those of all sections. */
static int response_begin(struct response *r, const uint8_t *message, size_t len, uint16_t id)
{
    if (len < DNS_HEADER_BYTES)
        return ERR_SYNTAX;
    unsigned flags = get_u16(message + 2);
    if (get_u16(message) != id || !(flags & DNS_FLAG_QR) || (flags & RCODE_MASK) != DNS_NOERROR)
        return ERR_NOT_FOUND;
    *r = (struct response){message, len, DNS_HEADER_BYTES, 0};
    for (unsigned questions = get_u16(message + 4); questions > 0; questions--) {
        if (dns_name_skip(message, len, &r->pos) < 0 || r->pos + 4 > len)
            return ERR_SYNTAX;
        r->pos += 4;
    }
    for (size_t section = 0; section < 3; section++)
        r->records_left += get_u16(message + 6 + 2 * section);
    return 0;
}

/* 1: a record; 0: no more; ERR_SYNTAX. */
static int response_next(struct response *r, struct record *ret_record)
{
    if (r->records_left == 0)
        return 0;
    if (read_name(r->message, r->len, &r->pos, &ret_record->owner) < 0 ||
        r->pos + RECORD_FIXED_BYTES > r->len)
        return ERR_SYNTAX;
    ret_record->type = get_u16(r->message + r->pos);
    ret_record->data_len = get_u16(r->message + r->pos + RECORD_FIXED_BYTES - 2);
    ret_record->data = r->pos + RECORD_FIXED_BYTES;
    r->pos = ret_record->data + ret_record->data_len;
    r->records_left--;
    return r->pos <= r->len ? 1 : ERR_SYNTAX;
}

static int take_mx(const struct response *r, const struct record *record, struct demo_mx *mx)
{
    struct dns_name name;
    size_t pos = record->data + MX_PREFERENCE_BYTES;
    if (record->data_len <= MX_PREFERENCE_BYTES || read_name(r->message, r->len, &pos, &name) < 0)
        return ERR_SYNTAX;
    if (mx->count == DEMO_DNS_HOSTS_MAX)
        return 0; /* a sender need not know them all */
    struct demo_mx_host host = {.preference = get_u16(r->message + record->data)};
    dns_name_format(&name, host.name);
    size_t at = mx->count++;
    for (; at > 0 && mx->hosts[at - 1].preference > host.preference; at--)
        mx->hosts[at] = mx->hosts[at - 1];
    mx->hosts[at] = host;
    return 0;
}

static void take_a(const struct response *r, const struct record *record, struct demo_mx *mx)
{
    char owner[DNS_NAME_TEXT_MAX];
    dns_name_format(&record->owner, owner);
    for (size_t i = 0; i < mx->count; i++) {
        struct demo_mx_host *host = &mx->hosts[i];
        if (host->has_address || !str_ieq(str_from(host->name), str_from(owner)))
            continue;
        host->has_address = true;
        host->address = (struct addr){.u.in.sin_family = AF_INET};
        memcpy(&host->address.u.in.sin_addr, r->message + record->data, sizeof(struct in_addr));
    }
}

int demo_dns_addresses_read(const uint8_t *message, size_t len, uint16_t id, struct demo_mx *mx)
{
    struct response r;
    struct record record;
    int rc = response_begin(&r, message, len, id);
    if (rc < 0)
        return rc;
    while ((rc = response_next(&r, &record)) == 1)
        if (record.type == DNS_TYPE_A && record.data_len == sizeof(struct in_addr))
            take_a(&r, &record, mx);
    return rc;
}

int demo_dns_mx_read(const uint8_t *message, size_t len, uint16_t id, struct demo_mx *ret_mx)
{
    struct response r;
    struct record record;
    struct demo_mx mx = {.count = 0};
    int rc = response_begin(&r, message, len, id);
    if (rc < 0)
        return rc;
    while ((rc = response_next(&r, &record)) == 1)
        if (record.type == DNS_TYPE_MX && take_mx(&r, &record, &mx) < 0)
            return ERR_SYNTAX;
    if (rc == 0)
        rc = mx.count > 0 ? demo_dns_addresses_read(message, len, id, &mx) : ERR_NOT_FOUND;
    if (rc == 0)
        *ret_mx = mx;
    return rc;
}

/* ---- asking ---- */

/* One question, one datagram back. */
static int exchange(int fd, const uint8_t *query, size_t query_len, uint8_t *response, size_t *ret_len)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (send(fd, query, query_len, MSG_NOSIGNAL) < 0)
        return err_from_errno(errno);
    int rc;
    do {
        rc = poll(&p, 1, DEMO_DNS_WAIT_MS);
    } while (rc < 0 && errno == EINTR);
    if (rc <= 0)
        return rc == 0 ? ERR_TIMEOUT : ERR_IO;
    ssize_t got = recv(fd, response, DNS_UDP_MIN_BYTES, 0);
    if (got < 0)
        return err_from_errno(errno); /* ECONNREFUSED: nobody is there */
    *ret_len = (size_t)got;
    return 0;
}

struct question {
    int fd;
    uint16_t id; /* of the last; over a connected socket of ours it need not be secret */
    uint8_t response[DNS_UDP_MIN_BYTES];
    size_t response_len;
};

static int ask(struct question *q, const char *text, uint16_t type)
{
    struct dns_name name;
    uint8_t query[DNS_UDP_MIN_BYTES];
    if (dns_name_from_text(str_from(text), &name) < 0)
        return ERR_INVALID;
    size_t len = demo_dns_query(++q->id, &name, type, query);
    return exchange(q->fd, query, len, q->response, &q->response_len);
}

static int ask_all(int fd, const char *domain, struct demo_mx *mx)
{
    struct question q = {.fd = fd};
    int rc = ask(&q, domain, DNS_TYPE_MX);
    if (rc == 0)
        rc = demo_dns_mx_read(q.response, q.response_len, q.id, mx);
    for (size_t i = 0; rc == 0 && i < mx->count; i++) {
        if (mx->hosts[i].has_address)
            continue;
        rc = ask(&q, mx->hosts[i].name, DNS_TYPE_A);
        if (rc == 0)
            rc = demo_dns_addresses_read(q.response, q.response_len, q.id, mx);
    }
    return rc;
}

int demo_dns_mx(const struct addr *server, const char *domain, struct demo_mx *ret_mx, struct err_buf *eb)
{
    char text[ADDR_TEXT_MAX];
    addr_format(server, text);
    int fd = socket(server->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(eb, err_from_errno(errno), "no socket for %s: %s", text, strerror(errno));
    int rc = connect(fd, &server->u.sa, addr_len(server)) < 0 ? err_from_errno(errno)
                                                              : ask_all(fd, domain, ret_mx);
    close(fd);
    return rc == 0 ? 0 : err_set(eb, rc, "the name server %s gives no MX: %s", text, err_name(rc));
}
