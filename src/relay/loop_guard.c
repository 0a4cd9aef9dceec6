#include "relay/loop_guard.h"

#include <stdio.h>
#include <string.h>

void loop_guard_init(struct loop_guard *g, struct str own_name)
{
    memset(g, 0, sizeof(*g));
    g->own_name = own_name;
}

static bool is_us(struct str word, struct str name)
{
    return name.len && str_istarts(word, name) && (word.len == name.len || strchr(";(", word.ptr[name.len]));
}

static struct str next_word(struct str *rest)
{
    size_t from = 0, to;
    while (from < rest->len && strchr(" \t", rest->ptr[from]))
        from++;
    for (to = from; to < rest->len && !strchr(" \t", rest->ptr[to]);)
        to++;
    struct str word = str_sub(*rest, from, to - from);
    *rest = str_sub(*rest, to, rest->len);
    return word;
}

/* "by NAME", with any blanks or a fold between them; a field counts once. */
static void look_for_us(struct loop_guard *g, struct str text)
{
    for (struct str word; (word = next_word(&text)).len > 0;) {
        if (g->after_by && !g->named && is_us(word, g->own_name)) {
            g->own_hops++;
            g->named = true;
        }
        g->after_by = str_ieq(word, STR("by"));
    }
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

static void begin_field(struct loop_guard *g, struct str line)
{
    g->at_received = str_istarts(line, STR("Received:"));
    g->hops += g->at_received;
    g->after_by = g->named = false;
    g->at_message_id = false;
    if (g->at_received)
        look_for_us(g, str_sub(line, strlen("Received:"), line.len));
    if (!g->message_id[0] && str_istarts(line, STR("Message-ID:")))
        keep_message_id(g, str_sub(line, strlen("Message-ID:"), line.len));
}

static void end_line(struct loop_guard *g)
{
    struct str line = {g->line, g->line_len < sizeof(g->line) ? g->line_len : sizeof(g->line)};
    if (g->line_len == 0) {
        g->in_body = true;
        return;
    }
    if (line.ptr[0] != ' ' && line.ptr[0] != '\t')
        begin_field(g, line);
    else if (g->at_message_id)
        keep_message_id(g, line);
    else if (g->at_received)
        look_for_us(g, line);
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

void loop_guard_describe(const struct loop_guard *g, char text[LOOP_GUARD_TEXT_MAX])
{
    text[0] = '\0';
    if (loop_guard_tripped(g))
        snprintf(text, LOOP_GUARD_TEXT_MAX,
                 "5.4.6 mail loop: it had passed %zu servers, this relay %zu times", g->hops, g->own_hops);
}
