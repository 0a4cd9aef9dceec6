#include "cli/queue_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/time_arg.h"

#define LIMIT_MAX 100000000

/* ---- words ---- */

int queue_id_parse(struct str text, struct str *ret_queue, int64_t *ret_number)
{
    size_t colon = str_find(text, ':', 0);
    uint64_t number;
    if (colon == 0 || colon >= text.len ||
        str_to_u64(str_sub(text, colon + 1, text.len), INT64_MAX, &number) < 0 || number == 0)
        return ERR_SYNTAX;
    *ret_queue = str_sub(text, 0, colon);
    *ret_number = (int64_t)number;
    return 0;
}

static int parse_id(struct queue_selection *s, struct err_buf *eb)
{
    struct str queue, id = str_from(s->words.id);
    if (custody_id_parse(id, &s->custody_id) == 0) {
        s->filter.custody_id = &s->custody_id;
        return 0;
    }
    if (queue_id_parse(id, &queue, &s->filter.delivery_id) < 0)
        return err_set(eb, ERR_INVALID,
                       "'%s' is no custody id: 26 letters and digits, as in the 250 reply (nor a queue id "
                       "such as relay1:17)",
                       s->words.id);
    if (s->relay && !str_eq(queue, str_from(s->relay)))
        return err_set(eb, ERR_INVALID, "'%s' is not of the relay %s", s->words.id, s->relay);
    free(s->relay);
    s->relay = str_dup(queue);
    return 0;
}

static bool parse_state(struct str name, uint32_t *states)
{
    for (int state = QUEUE_WAITING; state <= QUEUE_REMOVED; state++) {
        if (str_eq(name, str_from(queue_state_name((enum queue_state)state)))) {
            *states |= 1U << state;
            return true;
        }
    }
    return false;
}

/* Some, with commas between. */
static int parse_states(struct queue_selection *s, struct err_buf *eb)
{
    struct str rest = str_from(s->words.state);
    do {
        size_t comma = str_find(rest, ',', 0);
        if (!parse_state(str_sub(rest, 0, comma), &s->filter.states))
            return err_set(eb, ERR_INVALID,
                           "--state is waiting, held, quarantined, delivered, bounced or removed, or some of "
                           "them with commas between");
        rest = comma < rest.len ? str_sub(rest, comma + 1, rest.len) : STR_EMPTY;
    } while (rest.len > 0);
    return 0;
}

static int parse_time(const char *option, const char *text, struct wall_time now, struct wall_time *ret_time,
                      struct err_buf *eb)
{
    if (text && time_arg_parse(str_from(text), now, ret_time) < 0)
        return err_set(eb, ERR_INVALID,
                       "%s is how long ago, such as 2h, or a time such as 2026-01-31T08:00:00Z", option);
    return 0;
}

static struct str optional(const char *text)
{
    return text ? str_from(text) : (struct str){NULL, 0};
}

/* As a row shows it: "<>" is the null reverse-path. */
static struct str address(const char *text)
{
    return text && strcmp(text, "<>") == 0 ? STR_EMPTY : optional(text);
}

char *queue_message_id(const char *text)
{
    char *id = text[0] == '<' ? mem_strdup(text) : mem_asprintf("<%s>", text);
    if (strlen(id) > QUEUE_HEADER_ID_MAX)
        id[QUEUE_HEADER_ID_MAX] = '\0';
    return id;
}

static void take_texts(struct queue_selection *s)
{
    const struct queue_words *w = &s->words;
    s->relay = w->relay ? mem_strdup(w->relay) : NULL;
    s->domain = w->domain ? mem_strdup(w->domain) : NULL;
    if (s->domain)
        ascii_lower_inplace(s->domain, strlen(s->domain));
    s->message_id = w->message_id ? queue_message_id(w->message_id) : NULL;
    s->filter = (struct queue_filter){
        .sender = address(w->sender),
        .recipient = optional(w->recipient),
        .domain = optional(s->domain),
        .header_id = optional(s->message_id),
        .reply = optional(w->reply),
    };
}

int queue_selection_parse(struct queue_selection *s, const struct queue_words *words, struct wall_time now,
                          struct err_buf *eb)
{
    *s = (struct queue_selection){.words = *words};
    take_texts(s);
    if (words->limit && (str_to_u64(str_from(words->limit), LIMIT_MAX, &s->limit) < 0 || s->limit == 0))
        return err_set(eb, ERR_INVALID, "--limit '%s' is not a number from 1 to %d", words->limit, LIMIT_MAX);
    int err = words->state ? parse_states(s, eb) : 0;
    if (!err)
        err = parse_time("--older-than", words->older_than, now, &s->filter.received_before, eb);
    if (!err)
        err = parse_time("--newer-than", words->newer_than, now, &s->filter.received_from, eb);
    return !err && words->id ? parse_id(s, eb) : err;
}

void queue_selection_fini(struct queue_selection *s)
{
    free(s->relay);
    free(s->domain);
    free(s->message_id);
    free(s->domains);
}

bool queue_selection_is_narrow(const struct queue_selection *s)
{
    const struct queue_words *w = &s->words;
    return w->server || w->sender || w->recipient || w->domain || w->message_id || w->state || w->reply ||
           w->older_than || w->newer_than || w->id;
}

/* ---- for the queue ---- */

static size_t find_domains(struct queue_selection *s, const struct config *config, const struct view *v)
{
    size_t count = 0;
    free(s->domains);
    s->domains = mem_calloc(config->domain_count, sizeof(*s->domains));
    for (size_t i = 0; s->words.server && i < config->domain_count; i++) {
        const struct config_domain *d = &config->domains[i];
        if (str_eq(view_route_server(v, str_from(d->name), str_from(d->server->name)),
                   str_from(s->words.server)))
            s->domains[count++] = str_from(d->name);
    }
    return count;
}

struct queue_filter queue_selection_filter(struct queue_selection *s, const struct config *config,
                                           const struct view *v)
{
    struct queue_filter filter = s->filter;
    filter.home = optional(s->words.server);
    filter.domain_count = find_domains(s, config, v);
    filter.domains = s->domains;
    return filter;
}

/* ---- for an order ---- */

static void set_number(json_t *args, const char *name, int64_t number)
{
    if (number != 0)
        json_object_set_new(args, name, json_integer(number));
}

json_t *queue_selection_args(const struct queue_selection *s, const char *to, uint64_t limit)
{
    const struct queue_words *w = &s->words;
    const char *custody_id = s->filter.custody_id ? w->id : NULL;
    json_t *args = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "server", w->server,
                             "sender", s->filter.sender.ptr, "recipient", w->recipient, "domain", s->domain,
                             "message_id", s->message_id, "reply", w->reply, "id", custody_id, "to", to);
    set_number(args, "delivery", s->filter.delivery_id);
    set_number(args, "states", s->filter.states);
    set_number(args, "from_ms", s->filter.received_from.ms);
    set_number(args, "before_ms", s->filter.received_before.ms);
    set_number(args, "limit", (int64_t)limit);
    return args;
}
