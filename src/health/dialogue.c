#include "health/dialogue.h"

#include <stdio.h>
#include <string.h>

static void forget_offers(struct dialogue *d, bool tls)
{
    d->offers = (struct smtp_offers){.known = d->kind == DIALOGUE_SMTP || d->kind == DIALOGUE_LMTP};
    d->offers.tls = tls;
    d->tls_offered = false;
}

void dialogue_init(struct dialogue *d, enum dialogue_kind kind, enum dialogue_tls tls, const char *helo,
                   const char *expect)
{
    d->kind = kind;
    d->tls = tls;
    d->step = DIALOGUE_GREETING;
    forget_offers(d, false);
    d->helo = helo;
    d->expect = expect ? expect : "";
    d->expect_seen = d->expect[0] == '\0';
    d->total_bytes = d->line_len = 0;
    d->detail[0] = '\0';
}

const char *dialogue_waiting_for(const struct dialogue *d)
{
    static const char *const commands[] = {"the answer to EHLO", "the answer to LHLO",
                                           "the answer to CAPABILITY", "the answer to QUIT"};
    if (d->step == DIALOGUE_STARTTLS)
        return "the answer to STARTTLS";
    return d->step == DIALOGUE_GREETING ? "the greeting" : commands[d->kind];
}

static enum dialogue_verdict failed(struct dialogue *d, const char *what, struct str line)
{
    snprintf(d->detail, sizeof(d->detail), "%s%s%.*s", what, line.len ? ": " : "", STR_ARG(line));
    return DIALOGUE_FAILED;
}

/* The server works; goodbye is sent, its answer is not waited for. */
static enum dialogue_verdict works(struct dialogue *d, struct buf *out, const char *goodbye)
{
    if (!d->expect_seen)
        return failed(d, "another instance answers, this text was not seen", str_from(d->expect));
    (void)buf_append_text(out, goodbye);
    return DIALOGUE_OK;
}

static bool is_reply_line(struct str line)
{
    return line.len >= 3 && ascii_isdigit(line.ptr[0]) && ascii_isdigit(line.ptr[1]) &&
           ascii_isdigit(line.ptr[2]) && (line.len == 3 || line.ptr[3] == ' ' || line.ptr[3] == '-');
}

static void say_ehlo(struct dialogue *d, struct buf *out)
{
    d->step = DIALOGUE_COMMAND;
    (void)buf_append_fmt(out, "%s %s\r\n", d->kind == DIALOGUE_LMTP ? "LHLO" : "EHLO", d->helo);
}

static void take_offer(struct dialogue *d, struct str line)
{
    struct str offer = str_sub(line, 4, line.len);
    d->tls_offered |= str_ieq(str_trim(offer), STR("STARTTLS"));
    smtp_offers_take(&d->offers, offer);
}

static enum dialogue_verdict ehlo_answered(struct dialogue *d, struct buf *out)
{
    if (d->tls == DIALOGUE_TLS_NEVER || d->offers.tls)
        return works(d, out, "QUIT\r\n");
    if (!d->tls_offered && d->tls == DIALOGUE_TLS_REQUIRED)
        return failed(d, "the server does not offer STARTTLS, which is required", STR_EMPTY);
    if (!d->tls_offered)
        return works(d, out, "QUIT\r\n");
    d->step = DIALOGUE_STARTTLS;
    (void)buf_append_text(out, "STARTTLS\r\n");
    return DIALOGUE_MORE;
}

static enum dialogue_verdict starttls_answered(struct dialogue *d, struct str line, struct buf *out)
{
    if (line.len > 3 && line.ptr[3] == '-')
        return DIALOGUE_MORE;
    if (str_starts(line, STR("220")))
        return DIALOGUE_HANDSHAKE;
    return d->tls == DIALOGUE_TLS_REQUIRED ? failed(d, dialogue_waiting_for(d), line)
                                           : works(d, out, "QUIT\r\n");
}

static enum dialogue_verdict smtp_line(struct dialogue *d, struct str line, struct buf *out)
{
    bool greeting = d->step == DIALOGUE_GREETING;
    if (!is_reply_line(line))
        return failed(d, "not an SMTP reply", line);
    if (d->step == DIALOGUE_STARTTLS)
        return starttls_answered(d, line, out);
    if (!str_starts(line, greeting ? STR("220") : STR("250")))
        return failed(d, greeting ? "greeting" : dialogue_waiting_for(d), line);
    if (!greeting)
        take_offer(d, line);
    if (line.len > 3 && line.ptr[3] == '-')
        return DIALOGUE_MORE;
    if (!greeting)
        return ehlo_answered(d, out);
    say_ehlo(d, out);
    return DIALOGUE_MORE;
}

void dialogue_tls_started(struct dialogue *d, struct buf *out)
{
    forget_offers(d, true);
    say_ehlo(d, out);
}

/* line begins with word, which ends there or at a space. */
static bool begins(struct str line, struct str word)
{
    return str_istarts(line, word) && (line.len == word.len || line.ptr[word.len] == ' ');
}

static enum dialogue_verdict imap_line(struct dialogue *d, struct str line, struct buf *out)
{
    if (begins(line, STR("* BYE")))
        return failed(d, d->step == DIALOGUE_GREETING ? "greeting" : dialogue_waiting_for(d), line);
    if (d->step == DIALOGUE_GREETING) {
        if (!begins(line, STR("* OK")) && !begins(line, STR("* PREAUTH")))
            return failed(d, "greeting", line);
        d->step = DIALOGUE_COMMAND;
        (void)buf_append_text(out, "p1 CAPABILITY\r\n");
        return DIALOGUE_MORE;
    }
    if (begins(line, STR("p1 OK")))
        return works(d, out, "p2 LOGOUT\r\n");
    if (str_starts(line, STR("* ")))
        return DIALOGUE_MORE;
    return failed(d, dialogue_waiting_for(d), line);
}

static enum dialogue_verdict pop3_line(struct dialogue *d, struct str line, struct buf *out)
{
    if (!begins(line, STR("+OK")))
        return failed(d, d->step == DIALOGUE_GREETING ? "greeting" : dialogue_waiting_for(d), line);
    if (d->step == DIALOGUE_COMMAND)
        return works(d, out, "");
    d->step = DIALOGUE_COMMAND;
    (void)buf_append_text(out, "QUIT\r\n");
    return DIALOGUE_MORE;
}

static enum dialogue_verdict take_line(struct dialogue *d, struct buf *out)
{
    struct str line = {d->line, d->line_len};
    d->line_len = 0;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (d->detail[0] == '\0')
        snprintf(d->detail, sizeof(d->detail), "%.*s", STR_ARG(line));
    if (!d->expect_seen && memmem(line.ptr, line.len, d->expect, strlen(d->expect)) != NULL)
        d->expect_seen = true;
    switch (d->kind) {
    case DIALOGUE_IMAP:
        return imap_line(d, line, out);
    case DIALOGUE_POP3:
        return pop3_line(d, line, out);
    default:
        return smtp_line(d, line, out);
    }
}

enum dialogue_verdict dialogue_feed(struct dialogue *d, const char *data, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        if (++d->total_bytes > DIALOGUE_TOTAL_MAX)
            return failed(d, "the server says too much", STR_EMPTY);
        if (data[i] != '\n') {
            if (d->line_len < sizeof(d->line))
                d->line[d->line_len++] = data[i];
            continue;
        }
        size_t said = out->len;
        enum dialogue_verdict verdict = take_line(d, out);
        bool our_turn = out->len > said || verdict == DIALOGUE_HANDSHAKE;
        if (our_turn && i + 1 < len && d->kind != DIALOGUE_IMAP)
            return failed(d, "the server answers what it was not asked yet", STR_EMPTY);
        if (verdict != DIALOGUE_MORE)
            return verdict;
    }
    return DIALOGUE_MORE;
}
