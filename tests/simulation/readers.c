#include "simulation/readers.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define CONNECT_TIMEOUT_MS 2000
#define REPLY_TIMEOUT_MS   4000
#define PAUSE_MIN_MS       200
#define PAUSE_SPAN_MS      1500
#define INPUT_MAX_BYTES    (256 * 1024) /* a header of each message */
#define COMMAND_MAX_BYTES  256
#define TAG                "a"
#define ACTIONS            6 /* of which one expunges and three set flags */

enum step {
    STEP_AWAY,
    STEP_GREETING,
    STEP_LOGIN,
    STEP_SELECT,
    STEP_FETCH,
    STEP_FLAG,
    STEP_DELETE, /* sets \Deleted */
    STEP_EXPUNGE,
    STEP_PAUSE,
};

struct sight {
    uint32_t uid;
    int64_t tag;
};

struct reader {
    struct readers *all;
    const char *user;
    struct loop_timer *timer;
    struct loop_connect *connect;
    struct loop_stream *stream;
    struct buf in;
    enum step step;
    uint32_t uid_validity, uid_next;
    struct sight *sights; /* of the look under way, or the last one */
    size_t sight_count;
    struct sight chosen; /* what a command is about */
    uint32_t chosen_flags;
    bool expected;
};

struct readers {
    struct world *world;
    struct reader items[WORLD_STAYING];
    size_t count; /* none where there is no server of ours to read from */
    bool stopped;
};

static const struct flag_name {
    uint32_t flag;
    const char *name;
} flag_names[] = {
    {MAIL_SEEN, "\\Seen"},       {MAIL_ANSWERED, "\\Answered"}, {MAIL_FLAGGED, "\\Flagged"},
    {MAIL_DELETED, "\\Deleted"}, {MAIL_DRAFT, "\\Draft"},
};

static uint64_t below(struct reader *r, uint64_t n)
{
    return sim_random_below(r->all->world->sim, n);
}

/* ---- the connection ---- */

static void pause_reading(struct reader *r)
{
    loop_timer_start(r->timer, PAUSE_MIN_MS + (int64_t)below(r, PAUSE_SPAN_MS));
}

static void leave(struct reader *r)
{
    if (r->step == STEP_EXPUNGE)
        ledger_expunge_open(r->all->world->ledger, r->chosen.tag, str_from(r->user));
    loop_connect_cancel(r->connect);
    loop_stream_free(r->stream);
    r->connect = NULL;
    r->stream = NULL;
    r->step = STEP_AWAY;
    buf_clear(&r->in);
    loop_timer_stop(r->timer);
    if (!r->all->stopped)
        pause_reading(r);
}

static void send_command(struct reader *r, enum step step, const char *command)
{
    char line[COMMAND_MAX_BYTES];
    int len = snprintf(line, sizeof(line), TAG " %s\r\n", command);
    CHECK(len > 0 && (size_t)len < sizeof(line));
    r->step = step;
    loop_timer_start(r->timer, REPLY_TIMEOUT_MS);
    loop_stream_write(r->stream, line, (size_t)len);
}

static void look(struct reader *r)
{
    r->sight_count = 0;
    send_command(r, STEP_FETCH, "UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (LEDGER-TAG)])");
}

static void log_in(struct reader *r)
{
    char command[COMMAND_MAX_BYTES];
    snprintf(command, sizeof(command), "LOGIN %s %s", r->user, WORLD_PASSWORD);
    send_command(r, STEP_LOGIN, command);
}

/* ---- what it does with a message ---- */

static void choose_flags(struct reader *r)
{
    char command[COMMAND_MAX_BYTES];
    const struct flag_name *first = &flag_names[below(r, ARRAY_LEN(flag_names))];
    const struct flag_name *second = &flag_names[below(r, ARRAY_LEN(flag_names))];
    r->chosen_flags = first->flag | second->flag;
    snprintf(command, sizeof(command), "UID STORE %u +FLAGS (%s %s)", r->chosen.uid, first->name,
             second->name);
    send_command(r, STEP_FLAG, command);
}

static void choose_expunge(struct reader *r)
{
    char command[COMMAND_MAX_BYTES];
    r->chosen_flags = MAIL_DELETED;
    snprintf(command, sizeof(command), "UID STORE %u +FLAGS.SILENT (\\Deleted)", r->chosen.uid);
    send_command(r, STEP_DELETE, command);
}

static void act(struct reader *r)
{
    uint64_t action = below(r, ACTIONS);
    if (r->sight_count > 0)
        r->chosen = r->sights[below(r, r->sight_count)];
    if (r->sight_count == 0 || action > 3) {
        r->step = STEP_PAUSE;
        pause_reading(r);
    } else if (action == 0) {
        choose_expunge(r);
    } else {
        choose_flags(r);
    }
}

/* ---- answers ---- */

/* The number after the text; 0: there is none. */
static uint32_t number_after(struct str s, const char *text)
{
    struct str wanted = str_from(text);
    for (size_t at = 0; at + wanted.len < s.len; at++) {
        uint64_t number = 0;
        if (!str_starts(str_sub(s, at, s.len), wanted))
            continue;
        for (at += wanted.len; at < s.len && ascii_isdigit(s.ptr[at]) && number < UINT32_MAX; at++)
            number = number * 10 + (uint64_t)(s.ptr[at] - '0');
        return (uint32_t)number;
    }
    return 0;
}

static bool contains(struct str s, const char *text)
{
    struct str wanted = str_from(text);
    for (size_t at = 0; at + wanted.len <= s.len; at++)
        if (str_starts(str_sub(s, at, s.len), wanted))
            return true;
    return false;
}

/* A line, and the header that came with it as a literal. */
static void on_fetched(struct reader *r, struct str response)
{
    struct str header = response, line;
    uint32_t flags = 0, uid = number_after(response, "UID ");
    if (uid == 0 || !contains(response, "BODY[") || !str_split(&header, '\n', &line))
        return; /* flags that changed */
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
        if (contains(line, flag_names[i].name))
            flags |= flag_names[i].flag;
    struct sight sight = {uid, ledger_tag_of(header)};
    r->sights = mem_reallocarray(r->sights, r->sight_count + 1, sizeof(*r->sights));
    r->sights[r->sight_count++] = sight;
    ledger_read(r->all->world->ledger, str_from(r->user), r->uid_validity, uid, sight.tag, flags);
}

static void on_untagged(struct reader *r, struct str response)
{
    if (r->step == STEP_GREETING && str_starts(response, STR("* OK")))
        log_in(r);
    if (r->step == STEP_SELECT && contains(response, "[UIDVALIDITY "))
        r->uid_validity = number_after(response, "[UIDVALIDITY ");
    if (r->step == STEP_SELECT && contains(response, "[UIDNEXT "))
        r->uid_next = number_after(response, "[UIDNEXT ");
    if (r->step == STEP_FETCH && contains(response, " FETCH ("))
        on_fetched(r, response);
}

static void on_confirmed(struct reader *r)
{
    struct ledger *ledger = r->all->world->ledger;
    char command[COMMAND_MAX_BYTES];
    switch (r->step) {
    case STEP_LOGIN:
        r->uid_validity = r->uid_next = 0;
        send_command(r, STEP_SELECT, "SELECT INBOX");
        break;
    case STEP_SELECT:
        look(r);
        break;
    case STEP_FETCH:
        ledger_read_all(ledger, str_from(r->user), r->uid_validity, r->uid_next);
        r->expected = false;
        act(r);
        break;
    case STEP_DELETE:
        ledger_flagged(ledger, r->chosen.tag, str_from(r->user), r->chosen_flags);
        snprintf(command, sizeof(command), "UID EXPUNGE %u", r->chosen.uid);
        send_command(r, STEP_EXPUNGE, command);
        break;
    case STEP_FLAG:
    case STEP_EXPUNGE:
        if (r->step == STEP_FLAG)
            ledger_flagged(ledger, r->chosen.tag, str_from(r->user), r->chosen_flags);
        else
            ledger_expunged(ledger, r->chosen.tag, str_from(r->user));
        log_event(LOG_INFO, r->step == STEP_FLAG ? "flagged" : "expunged", LOG_TEXT("user", r->user),
                  LOG_I64("tag", r->chosen.tag), LOG_I64("uid", r->chosen.uid),
                  LOG_I64("flags", r->chosen_flags));
        r->step = STEP_PAUSE;
        pause_reading(r);
        break;
    default:
        leave(r);
    }
}

static void on_response(struct reader *r, struct str response)
{
    if (str_starts(response, STR("* BYE")))
        leave(r);
    else if (str_starts(response, STR("* ")))
        on_untagged(r, response);
    else if (str_starts(response, STR(TAG " OK")))
        on_confirmed(r);
    else
        leave(r); /* NO, BAD: it may have happened */
}

/* A line with the literals in it; 0: it is not there whole. */
static size_t response_len(struct str in)
{
    size_t at = 0, end;
    while ((end = str_find(in, '\n', at)) != SIZE_MAX) {
        struct str line = str_sub(in, at, end + 1 - at);
        uint32_t literal = 0;
        if (str_ends(line, STR("}\r\n"))) {
            size_t open = line.len - 3;
            while (open > 0 && line.ptr[open] != '{')
                open--;
            literal = number_after(str_sub(line, open, line.len), "{");
        } else {
            return end + 1;
        }
        at = end + 1 + literal;
    }
    return 0;
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct reader *r = arg;
    size_t whole;
    if (err || buf_append(&r->in, data, len) < 0) {
        leave(r);
        return;
    }
    while (r->stream && (whole = response_len(buf_str(&r->in))) > 0) {
        char *copy = str_dup(str_sub(buf_str(&r->in), 0, whole));
        buf_consume(&r->in, whole);
        on_response(r, (struct str){copy, whole});
        free(copy);
    }
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct reader *r = arg;
    r->connect = NULL;
    r->stream = s;
    if (err) {
        leave(r);
        return;
    }
    r->step = STEP_GREETING;
    loop_timer_start(r->timer, REPLY_TIMEOUT_MS);
    loop_stream_read_start(s, on_read, r);
}

static void on_timer(void *arg)
{
    struct reader *r = arg;
    struct world *w = r->all->world;
    struct addr to;
    if (r->step == STEP_PAUSE) {
        look(r);
        return;
    }
    if (r->step != STEP_AWAY || addr_parse_ip(world_exchanger(w).address, 0, &to) < 0) {
        leave(r);
        return;
    }
    addr_set_port(&to, (uint16_t)w->server->imap_port);
    loop_connect(w->client.loop, &to, NULL, CONNECT_TIMEOUT_MS, on_connect, r, &r->connect);
}

/* ---- all of them ---- */

struct readers *readers_new(struct world *w)
{
    struct readers *all = mem_zalloc(sizeof(*all));
    all->world = w;
    all->count = layout_has_instances(w->layout) ? WORLD_STAYING : 0;
    for (size_t i = 0; i < all->count; i++) {
        struct reader *r = &all->items[i];
        r->all = all;
        r->user = world_users[i];
        r->timer = loop_timer_new(w->client.loop, on_timer, r);
        buf_init(&r->in, INPUT_MAX_BYTES);
        pause_reading(r);
    }
    return all;
}

void readers_free(struct readers *all)
{
    readers_stop(all);
    for (size_t i = 0; i < all->count; i++) {
        loop_timer_free(all->items[i].timer);
        buf_fini(&all->items[i].in);
        free(all->items[i].sights);
    }
    free(all);
}

void readers_expect(struct readers *all)
{
    for (size_t i = 0; i < all->count; i++)
        all->items[i].expected = true;
}

size_t readers_waiting(const struct readers *all)
{
    size_t waiting = 0;
    for (size_t i = 0; i < all->count; i++)
        waiting += all->items[i].expected;
    return waiting;
}

void readers_stop(struct readers *all)
{
    all->stopped = true;
    for (size_t i = 0; i < all->count; i++)
        leave(&all->items[i]);
}
