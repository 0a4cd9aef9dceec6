#include "simulation/post.h"

#include "base/log.h"
#include "base/mem.h"
#include "simulation/senders.h"

#define BYTES_MAX (1 << 20)

void post_init(struct post *p, const char *server)
{
    *p = (struct post){.server = server, .reverse_path = mem_strdup("")};
    buf_init(&p->message, BYTES_MAX);
}

static void forget(struct post *p)
{
    free(p->reverse_path);
    for (size_t i = 0; i < p->recipient_count; i++)
        free(p->recipients[i]);
    p->recipient_count = 0;
}

void post_fini(struct post *p)
{
    forget(p);
    buf_fini(&p->message);
}

void post_begin(struct post *p, struct str reverse_path)
{
    forget(p);
    p->reverse_path = str_dup(reverse_path);
    buf_clear(&p->message);
}

void post_add_recipient(struct post *p, struct str recipient)
{
    CHECK(p->recipient_count < POST_RECIPIENTS_MAX);
    p->recipients[p->recipient_count++] = str_dup(recipient);
}

/* ---- reports (RFC 3464) ---- */

/* The rest of the line; false: it is another field. */
static bool is_field(struct str line, const char *name, struct str *ret_value)
{
    struct str start = str_from(name);
    if (!str_istarts(line, start))
        return false;
    *ret_value = str_trim(str_sub(line, start.len, line.len));
    return true;
}

static enum ledger_report kind_of(struct str action)
{
    return str_eq(action, STR("failed"))    ? LEDGER_FAILED
           : str_eq(action, STR("delayed")) ? LEDGER_DELAYED
                                            : LEDGER_SUCCEEDED;
}

/* "<ID@HOST>" */
static struct str id_in(struct str message_id)
{
    struct str rest = str_sub(message_id, 1, message_id.len), id = STR_EMPTY;
    str_split(&rest, '@', &id);
    return id;
}

/* Its text says what became of whom: a group of fields for each. It ends where the message comes back. */
static void take_report(const struct post *p, struct ledger *ledger, struct str to)
{
    struct str rest = buf_str(&p->message), line, value, id = STR_EMPTY, recipient = STR_EMPTY;
    int64_t tag = senders_tag_of_path(to);
    while (str_split(&rest, '\n', &line)) {
        line.len -= str_ends(line, STR("\r"));
        if (id.len == 0 && is_field(line, "Message-ID:", &value))
            id = id_in(value);
        else if (is_field(line, "Final-Recipient: rfc822;", &value))
            recipient = value;
        else if (recipient.len > 0 && is_field(line, "Action:", &value))
            ledger_report_shown(ledger, id, tag, recipient, kind_of(value));
        else if (recipient.len > 0 && str_istarts(line, STR("Content-Type:")))
            return;
    }
}

/* ---- mail ---- */

/* With the lines that a server puts before what it keeps (RFC 5321 4.4). */
static void take_mail(const struct post *p, struct ledger *ledger, struct str to)
{
    struct buf text;
    buf_init(&text, 2 * BYTES_MAX);
    buf_append_fmt(&text, "Return-Path: <%s>\r\nReceived: by %s; now\r\n", p->reverse_path, p->server);
    buf_append_str(&text, buf_str(&p->message));
    ledger_shown(ledger, to, buf_str(&text), 0);
    buf_fini(&text);
}

void post_take(const struct post *p, struct ledger *ledger, size_t recipient)
{
    struct str to = str_from(p->recipients[recipient]);
    log_event(LOG_INFO, "a stranger takes", LOG_TEXT("server", p->server), LOG_STR("recipient", to),
              LOG_I64("tag", ledger_tag_of(buf_str(&p->message))));
    if (senders_tag_of_path(to) > 0)
        take_report(p, ledger, to);
    else
        take_mail(p, ledger, to);
}
