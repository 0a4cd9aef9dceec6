#include "cli/demo_message.h"

#include <stdio.h>
#include <string.h>

#define TAG_HEADER "X-Holdfast-Demo: "

static const struct {
    unsigned flag;
    const char *name;
} flag_names[] = {{LEDGER_SEEN, "\\Seen"},
                  {LEDGER_FLAGGED, "\\Flagged"},
                  {LEDGER_DELETED, "\\Deleted"},
                  {LEDGER_ANSWERED, "\\Answered"}};

/* The last line of its text. */
static int last_line(char *out, size_t size, const char *run, uint32_t number)
{
    return snprintf(out, size, "\r\nHere ends message %u of %s.\r\n", number, run);
}

void demo_message_format(struct buf *out, const char *run, uint32_t number, const char *recipient,
                         struct wall_time date)
{
    char date_text[WALL_MAIL_MAX], last[128];
    wall_format_mail(date, date_text);
    last_line(last, sizeof(last), run, number);
    buf_append_fmt(out, "From: <%s>\r\nTo: <%s>\r\nDate: %s\r\n", DEMO_SENDER, recipient, date_text);
    buf_append_fmt(out, "Message-ID: <%s.%u@outside.example>\r\nSubject: demo %u\r\n", run, number, number);
    buf_append_fmt(out, TAG_HEADER "%s %u\r\n\r\n", run, number);
    buf_append_fmt(out, "This message was answered with 250, so it has to be here, once.\r\n%s", last);
}

static const char *find(struct str text, const char *needle)
{
    return memmem(text.ptr, text.len, needle, strlen(needle));
}

void demo_message_read(const char *run, struct str text, struct ledger_seen *ret_seen)
{
    char tag[96], last[128];
    uint64_t number;
    *ret_seen = (struct ledger_seen){.number = LEDGER_FOREIGN};
    snprintf(tag, sizeof(tag), "\r\n" TAG_HEADER "%s ", run);
    const char *at = find(text, tag);
    if (!at)
        return;
    struct str rest = str_sub(text, (size_t)(at - text.ptr) + strlen(tag), SIZE_MAX), digits;
    str_split(&rest, '\r', &digits);
    if (str_to_u64(digits, LEDGER_FOREIGN - 1, &number) < 0)
        return;
    ret_seen->number = (uint32_t)number;
    last_line(last, sizeof(last), run, ret_seen->number);
    ret_seen->whole = find(text, last) != NULL;
}

unsigned demo_message_flags(struct str list)
{
    unsigned flags = 0;
    struct str name;
    while (str_split(&list, ' ', &name))
        for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
            if (str_ieq(name, str_from(flag_names[i].name)))
                flags |= flag_names[i].flag;
    return flags;
}

void demo_message_flags_format(unsigned flags, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(flag_names) && len < size; i++)
        if (flags & flag_names[i].flag)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " " : "", flag_names[i].name);
}
