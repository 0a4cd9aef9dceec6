#include <stdio.h>

#include "cli/demo_message.h"
#include "cli/demo_reader.h"

#define MESSAGE_MAX 65536 /* of ours, with the trace that was added: a fraction of it */
#define TOP_LINES   100   /* more than our messages have */

/* Reads one reply line; its text behind +OK, valid until the next reading. */
static int read_status(struct demo_link *l, const char *what, struct str *ret_text, struct err_buf *eb)
{
    struct str line = STR_EMPTY;
    int rc = demo_link_line(l, &line);
    if (rc == 0 && !str_starts(line, STR("+OK")))
        rc = ERR_REFUSED;
    if (rc < 0)
        return err_set(eb, rc, "POP3 %s: %s: %.*s", what, err_name(rc), STR_ARG(line));
    *ret_text = str_trim(str_sub(line, 3, SIZE_MAX));
    return 0;
}

static int command(struct demo_link *l, const char *verb, const char *argument, struct str *ret_text,
                   struct err_buf *eb)
{
    int rc = demo_link_sendf(l, "%s%s%s\r\n", verb, argument[0] ? " " : "", argument);
    if (rc < 0)
        return err_set(eb, rc, "POP3 %s: %s", verb, err_name(rc));
    return read_status(l, verb, ret_text, eb);
}

/* The lines of a message up to the final dot, unstuffed. */
static int read_message(struct demo_link *l, struct buf *out)
{
    struct str line;
    buf_clear(out);
    for (;;) {
        int rc = demo_link_line(l, &line);
        if (rc < 0)
            return rc;
        if (str_eq(line, STR(".")))
            return out->overflow ? ERR_LIMIT : 0;
        if (str_starts(line, STR(".")))
            line = str_sub(line, 1, SIZE_MAX);
        buf_append_str(out, line);
        buf_append_text(out, "\r\n");
    }
}

static int look_at(struct demo_link *l, uint32_t index, const char *run, struct buf *text,
                   struct demo_seen_list *list, struct err_buf *eb)
{
    char argument[32];
    struct str status;
    struct ledger_seen seen;
    snprintf(argument, sizeof(argument), "%u %d", index, TOP_LINES);
    int rc = command(l, "TOP", argument, &status, eb);
    if (rc < 0)
        return rc;
    rc = read_message(l, text);
    if (rc < 0)
        return err_set(eb, rc, "POP3 TOP %s: %s", argument, err_name(rc));
    demo_message_read(run, buf_str(text), &seen);
    demo_seen_list_add(list, &seen);
    return 0;
}

static int log_in(struct demo_link *l, const struct demo_login *login, uint32_t *ret_count,
                  struct err_buf *eb)
{
    struct str text, digits;
    uint64_t count;
    int rc = read_status(l, "greeting", &text, eb);
    if (rc == 0)
        rc = command(l, "USER", login->user, &text, eb);
    if (rc == 0)
        rc = command(l, "PASS", login->password, &text, eb);
    if (rc == 0)
        rc = command(l, "STAT", "", &text, eb);
    if (rc < 0)
        return rc;
    str_split(&text, ' ', &digits);
    if (str_to_u64(digits, UINT32_MAX - 1, &count) < 0)
        return err_set(eb, ERR_SYNTAX, "POP3 STAT: no number");
    *ret_count = (uint32_t)count;
    return 0;
}

int demo_pop3_look(const struct addr *at, const struct demo_login *login, struct demo_seen_list *list,
                   struct err_buf *eb)
{
    struct demo_link l;
    struct buf text;
    struct str status;
    uint32_t count = 0;
    int rc = demo_link_open(&l, at, eb);
    if (rc < 0)
        return rc;
    buf_init(&text, MESSAGE_MAX);
    rc = log_in(&l, login, &count, eb);
    for (uint32_t i = 1; rc == 0 && i <= count; i++)
        rc = look_at(&l, i, login->run, &text, list, eb);
    if (rc == 0)
        rc = command(&l, "QUIT", "", &status, eb);
    buf_fini(&text);
    demo_link_close(&l);
    return rc;
}
