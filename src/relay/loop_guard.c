#include "relay/loop_guard.h"

#include <string.h>

void loop_guard_init(struct loop_guard *g, struct str own_name)
{
    memset(g, 0, sizeof(*g));
    g->own_name = own_name;
}

/* " by NAME " with a blank before and a blank or the end after it. */
static bool names_us(struct str line, struct str name)
{
    for (size_t at = 0; at + 4 + name.len <= line.len; at++) {
        bool start = at == 0 || line.ptr[at - 1] == ' ' || line.ptr[at - 1] == '\t';
        if (!start || !str_ieq(str_sub(line, at, 3), STR("by ")))
            continue;
        struct str rest = str_sub(line, at + 3, line.len);
        if (name.len && str_istarts(rest, name) &&
            (rest.len == name.len || strchr(" \t;(", rest.ptr[name.len])))
            return true;
    }
    return false;
}

/* The first one, without what may stand beside it (RFC 5322 3.6.4, CFWS); it may be on the line below its
 * name. */
static void keep_message_id(struct loop_guard *g, struct str text)
{
    struct str value = str_trim(text);
    size_t open = str_find(value, '<', 0), end = open == SIZE_MAX ? SIZE_MAX : str_find(value, '>', open);
    if (end != SIZE_MAX)
        value = str_sub(value, open, end + 1 - open);
    value = str_sub(value, 0, sizeof(g->message_id) - 1);
    memcpy(g->message_id, value.ptr, value.len);
    g->message_id[value.len] = '\0';
    g->at_message_id = value.len == 0;
}

static void end_line(struct loop_guard *g)
{
    struct str line = {g->line, g->line_len < sizeof(g->line) ? g->line_len : sizeof(g->line)};
    if (g->line_len == 0) {
        g->in_body = true;
        return;
    }
    if (line.ptr[0] != ' ' && line.ptr[0] != '\t') {
        g->at_received = str_istarts(line, STR("Received:"));
        g->hops += g->at_received;
        g->at_message_id = false;
        if (!g->message_id[0] && str_istarts(line, STR("Message-ID:")))
            keep_message_id(g, str_sub(line, strlen("Message-ID:"), line.len));
    } else if (g->at_message_id) {
        keep_message_id(g, line);
    }
    if (g->at_received && names_us(line, g->own_name))
        g->own_hops++;
    g->line_len = 0;
}

static void feed_byte(struct loop_guard *g, char c)
{
    if (c == '\n' && g->cr) {
        end_line(g);
    } else if (c != '\r') {
        if (g->line_len < sizeof(g->line))
            g->line[g->line_len] = c;
        g->line_len++;
    }
    g->cr = c == '\r';
}

void loop_guard_feed(struct loop_guard *g, const char *data, size_t len)
{
    for (size_t i = 0; i < len && !g->in_body; i++)
        feed_byte(g, data[i]);
}

bool loop_guard_tripped(const struct loop_guard *g)
{
    return g->hops >= HOPS_MAX || g->own_hops >= OWN_HOPS_MAX;
}
