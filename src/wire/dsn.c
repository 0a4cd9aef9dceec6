#include "wire/dsn.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/smtp_dsn.h"
#include "wire/utf8_addr.h"
#include "wire/xtext.h"

#define TEXT_MAX 800 /* of a peer's text in one header line (RFC 5322 2.1.1: 998) */
/* Of an address in its 7-bit form: what is left of such a line, so that few are too long. One that is says
 * so, and is then nobody's: half an address may be another's. */
#define ADDRESS_MAX 960
#define CUT         "..."
#define MIXED       "This is a message of the mail system at %.*s.\r\n\r\n"

static const struct {
    const char *word, *subject, *text;
} actions[] = {
    [DSN_FAILED] =
        {"failed", "Undelivered mail",
         "Your message could not be delivered to the recipients below. It is not tried again.\r\n"},
    [DSN_DELAYED] = {"delayed", "Delayed mail",
                     "Your message has not been delivered yet to the recipients below. It is still tried;\r\n"
                     "you need not send it again.\r\n"},
    [DSN_DELIVERED] = {"delivered", "Mail was delivered",
                       "Your message was delivered to the recipients below.\r\n"},
    [DSN_RELAYED] =
        {"relayed", "Mail was handed on",
         "Your message was handed on, for the recipients below, to a server that tells no more\r\n"
         "about it when all goes well.\r\n"},
};

/* The text for a human shows addresses as they are. */
static bool human_is_utf8(const struct dsn_message *m)
{
    for (size_t i = 0; i < m->recipient_count; i++)
        if (!str_is_ascii(m->recipients[i].address) && utf8_valid(m->recipients[i].address))
            return true;
    return m->smtputf8;
}

bool dsn_message_eight_bit(const struct dsn_message *m)
{
    return human_is_utf8(m) || !str_is_ascii(m->content);
}

/* Takes a character; a byte, where they are not UTF-8. Whether it may be shown. */
static bool take_character(struct str s, size_t *at, bool utf8)
{
    uint32_t point;
    if (utf8 && utf8_next(s, at, &point))
        return !utf8_is_control(point);
    return ascii_isprint(s.ptr[(*at)++]);
}

/* One line of what a peer said, cut at a whole character. */
static void put_text(struct buf *out, bool utf8, struct str s)
{
    utf8 = utf8 && utf8_valid(s);
    for (size_t begin = 0, at = 0; at < s.len; begin = at) {
        bool fine = take_character(s, &at, utf8);
        if (at > TEXT_MAX)
            break;
        buf_append_str(out, fine ? str_sub(s, begin, at - begin) : STR("?"));
    }
}

/* ---- the header ---- */

static void put_header(struct buf *out, const struct dsn_message *m, const char *boundary)
{
    char date[WALL_MAIL_MAX];
    wall_format_mail(m->at, date);
    buf_append_fmt(out, "From: Mail Delivery System <MAILER-DAEMON@%.*s>\r\nTo: <", STR_ARG(m->hostname));
    put_text(out, m->smtputf8, m->to);
    buf_append_fmt(out,
                   ">\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@%.*s>\r\n"
                   "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n",
                   actions[m->action].subject, date, boundary, STR_ARG(m->hostname), boundary);
    if (dsn_message_eight_bit(m))
        buf_append_text(out, "Content-Transfer-Encoding: 8bit\r\n");
}

static void begin_part(struct buf *out, const char *boundary, const char *type, bool eight_bit)
{
    buf_append_fmt(out, "\r\n--%s\r\nContent-Type: %s\r\n%s\r\n", boundary, type,
                   eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

/* ---- for a human ---- */

static const char *lead_of(const struct dsn_recipient *r)
{
    if (!r->expired)
        return "";
    return r->remote_mta.len > 0 ? "The last answer was: " : "What is known last: ";
}

static void put_human_recipient(struct buf *out, const struct dsn_message *m, const struct dsn_recipient *r)
{
    char until[WALL_MAIL_MAX];
    buf_append_text(out, "\r\n  <");
    put_text(out, human_is_utf8(m), r->address);
    buf_append_text(out, ">\r\n");
    if (r->expired)
        buf_append_text(out, "    It waited for as long as mail is tried.\r\n");
    if (r->reply.len > 0) {
        buf_append_fmt(out, "    %s", lead_of(r));
        put_text(out, human_is_utf8(m), r->reply);
        buf_append_text(out, "\r\n");
    }
    if (m->action == DSN_DELAYED && r->until.ms != 0) {
        wall_format_mail(r->until, until);
        buf_append_fmt(out, "    It is given up after %s.\r\n", until);
    }
}

static void put_human(struct buf *out, const struct dsn_message *m, const char *boundary)
{
    bool utf8 = human_is_utf8(m);
    begin_part(out, boundary, utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", utf8);
    buf_append_fmt(out, MIXED, STR_ARG(m->hostname));
    buf_append_text(out, actions[m->action].text);
    for (size_t i = 0; i < m->recipient_count; i++)
        put_human_recipient(out, m, &m->recipients[i]);
}

/* ---- for programs ---- */

static void put_field(struct buf *out, const struct dsn_message *m, const char *name, const char *type,
                      struct str value)
{
    buf_append_fmt(out, "%s: %s", name, type);
    put_text(out, m->smtputf8, value);
    buf_append_text(out, "\r\n");
}

/* RFC 6533 section 3: as it is, or where the notice is without SMTPUTF8 in its 7-bit form. */
static void put_utf8_address(struct buf *out, const struct dsn_message *m, const char *name,
                             struct str address)
{
    struct buf ascii;
    if (m->smtputf8) {
        put_field(out, m, name, SMTP_DSN_UTF8 ";", address);
        return;
    }
    buf_init(&ascii, ADDRESS_MAX);
    bool whole = utf8_addr_encode(&ascii, address) == 0;
    buf_append_fmt(out, "%s: " SMTP_DSN_UTF8 ";%.*s%s\r\n", name, STR_ARG(buf_str(&ascii)), whole ? "" : CUT);
    buf_fini(&ascii);
}

static void put_date(struct buf *out, const char *name, struct wall_time at)
{
    char date[WALL_MAIL_MAX];
    if (at.ms == 0)
        return;
    wall_format_mail(at, date);
    buf_append_fmt(out, "%s: %s\r\n", name, date);
}

static void put_xtext_field(struct buf *out, const struct dsn_message *m, const char *name, const char *type,
                            struct str xtext)
{
    struct buf plain;
    buf_init(&plain, TEXT_MAX);
    if (xtext.len > 0 && xtext_decode(&plain, xtext) == 0)
        put_field(out, m, name, type, buf_str(&plain));
    buf_fini(&plain);
}

static void put_utf8_orcpt(struct buf *out, const struct dsn_message *m, struct str address)
{
    struct buf plain;
    buf_init(&plain, TEXT_MAX);
    if (address.len > 0 && utf8_addr_decode(&plain, address) == 0)
        put_utf8_address(out, m, "Original-Recipient", buf_str(&plain));
    buf_fini(&plain);
}

static void put_orcpt(struct buf *out, const struct dsn_message *m, struct str orcpt)
{
    char type[64];
    struct str rest = orcpt, head;
    str_split(&rest, ';', &head);
    if (!rest.ptr || head.len + 2 > sizeof(type))
        return;
    if (str_ieq(head, STR(SMTP_DSN_UTF8))) {
        put_utf8_orcpt(out, m, rest);
        return;
    }
    memcpy(type, head.ptr, head.len);
    memcpy(type + head.len, ";", 2);
    put_xtext_field(out, m, "Original-Recipient", type, rest);
}

static bool is_reply(struct str s)
{
    return s.len > 3 && s.ptr[0] >= '2' && s.ptr[0] <= '5' && ascii_isdigit(s.ptr[1]) &&
           ascii_isdigit(s.ptr[2]) && s.ptr[3] == ' ';
}

static void put_recipient(struct buf *out, const struct dsn_message *m, const struct dsn_recipient *r)
{
    buf_append_text(out, "\r\n");
    put_orcpt(out, m, r->orcpt);
    if (str_is_ascii(r->address))
        put_field(out, m, "Final-Recipient", "rfc822;", r->address);
    else
        put_utf8_address(out, m, "Final-Recipient", r->address);
    buf_append_fmt(out, "Action: %s\r\nStatus: %.*s\r\n", actions[m->action].word, STR_ARG(r->status));
    if (r->remote_mta.len > 0) {
        put_field(out, m, "Remote-MTA", "dns;", r->remote_mta);
        if (is_reply(r->reply))
            put_field(out, m, "Diagnostic-Code", "smtp;", r->reply);
    }
    put_date(out, "Last-Attempt-Date", r->at);
    if (m->action == DSN_DELAYED)
        put_date(out, "Will-Retry-Until", r->until);
}

static void put_status(struct buf *out, const struct dsn_message *m, const char *boundary)
{
    char about[CUSTODY_ID_TEXT_MAX];
    begin_part(out, boundary, m->smtputf8 ? "message/global-delivery-status" : "message/delivery-status",
               m->smtputf8);
    put_field(out, m, "Reporting-MTA", "dns;", m->hostname);
    put_xtext_field(out, m, "Original-Envelope-Id", "", m->envid);
    custody_id_format(m->about, about);
    buf_append_fmt(out, "X-Holdfast-Custody-Id: %s\r\n", about);
    put_date(out, "Arrival-Date", m->received_at);
    for (size_t i = 0; i < m->recipient_count; i++)
        put_recipient(out, m, &m->recipients[i]);
}

/* ---- what is sent back ---- */

static const char *content_type(const struct dsn_message *m)
{
    if (m->content_smtputf8)
        return m->whole ? "message/global" : "message/global-headers";
    return m->whole ? "message/rfc822" : "text/rfc822-headers";
}

void dsn_message_format(struct buf *out, const struct dsn_message *m)
{
    char boundary[CUSTODY_ID_TEXT_MAX];
    custody_id_format(m->id, boundary);
    put_header(out, m, boundary);
    put_human(out, m, boundary);
    put_status(out, m, boundary);
    if (m->content.len > 0) {
        begin_part(out, boundary, content_type(m), !str_is_ascii(m->content));
        buf_append_str(out, m->content);
    }
    buf_append_fmt(out, "\r\n--%s--\r\n", boundary);
}

/* ---- helpers ---- */

/* The length of "5.1.1" there, or 0. */
static size_t status_len(struct str s)
{
    size_t at = 0, dots = 0, digits = 0;
    while (at < s.len && (ascii_isdigit(s.ptr[at]) || s.ptr[at] == '.')) {
        if (s.ptr[at] == '.' && (digits == 0 || ++dots > 2))
            return 0;
        digits = s.ptr[at] == '.' ? 0 : digits + 1;
        if (digits > 3)
            return 0;
        at++;
    }
    return dots == 2 && digits > 0 && (at == s.len || s.ptr[at] == ' ') ? at : 0;
}

struct str dsn_status_of(struct str reply, struct str otherwise)
{
    static const struct str plain[] = {STR("2.0.0"), STR("3.0.0"), STR("4.0.0"), STR("5.0.0")};
    size_t own = reply.len > 0 && reply.ptr[0] >= '2' && reply.ptr[0] <= '5' ? status_len(reply) : 0;
    if (own > 0)
        return str_sub(reply, 0, own);
    if (!is_reply(reply))
        return otherwise;
    struct str rest = str_sub(reply, 4, reply.len);
    size_t len = rest.len > 0 && rest.ptr[0] == reply.ptr[0] ? status_len(rest) : 0;
    return len > 0 ? str_sub(rest, 0, len) : plain[reply.ptr[0] - '2'];
}

struct str dsn_header_of(struct str message, size_t max_bytes)
{
    struct str most = str_sub(message, 0, max_bytes);
    size_t end = 0;
    for (size_t at = 0; at < most.len;) {
        size_t lf = str_find(most, '\n', at);
        if (lf == SIZE_MAX || lf - at <= 1) /* cut, or the blank line */
            break;
        at = end = lf + 1;
    }
    return str_sub(most, 0, end);
}
