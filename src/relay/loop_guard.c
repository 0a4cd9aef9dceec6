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

static void keep_message_id(struct loop_guard *g, struct str line)
{
    const struct str name = STR("Message-ID:");
    if (g->message_id[0] || !str_istarts(line, name))
        return;
    struct str value = str_sub(str_trim(str_sub(line, name.len, line.len)), 0, sizeof(g->message_id) - 1);
    memcpy(g->message_id, value.ptr, value.len);
    g->message_id[value.len] = '\0';
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
