#include "cli/trace_life.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/field.h"
#include "cli/say.h"
#include "web/events.h"

#define EVENTS_PAGE 1000

struct tracing {
    struct context *cx;
    const char *queue;
    char id[CUSTODY_ID_TEXT_MAX];
    json_t *found;
    int *worst;
    /* of the events: */
    int64_t after_id;
    bool more;
};

static void tell_unread(struct tracing *t, const char *what, int err)
{
    say_line(stderr, "holdfast trace: %s cannot be read: %s", what, err_name(err));
    *t->worst = *t->worst > EXIT_FAILED ? *t->worst : EXIT_FAILED;
}

static json_t *time_json(struct wall_time at)
{
    char text[WALL_TEXT_MAX];
    wall_format_iso(at, text);
    return json_string(text);
}

/* ---- queues ---- */

static json_t *attempts_of(int64_t delivery_id, const struct queue_life *life)
{
    json_t *list = json_array();
    for (size_t i = 0; i < life->attempt_count; i++) {
        const struct queue_attempt *a = &life->attempts[i];
        if (a->delivery_id == delivery_id)
            json_array_append_new(
                list, json_pack("{s:o, s:s, s:o, s:o, s:I, s:I, s:o}", "at", time_json(a->at), "outcome",
                                queue_outcome_name(a->outcome), "server", field_from_text(a->server),
                                "instance", field_from_text(a->instance), "epoch", (json_int_t)a->epoch,
                                "generation", (json_int_t)a->generation, "reply", field_from_text(a->reply)));
    }
    return list;
}

static json_t *acts_of(int64_t delivery_id, const struct queue_life *life)
{
    json_t *list = json_array();
    for (size_t i = 0; i < life->act_count; i++) {
        const struct queue_acted *a = &life->acts[i];
        if (a->delivery_id == delivery_id)
            json_array_append_new(list,
                                  json_pack("{s:o, s:s, s:o, s:o, s:o}", "at", time_json(a->at), "act",
                                            queue_action_name(a->action), "home", field_from_text(a->home),
                                            "who", field_from_text(a->who), "why", field_from_text(a->why)));
    }
    return list;
}

static void on_trace(void *arg, int err, const struct queue_life *life)
{
    struct tracing *t = arg;
    if (err && err != ERR_NOT_FOUND)
        tell_unread(t, t->queue, err);
    for (size_t i = 0; !err && i < life->rows.count; i++) {
        const struct queue_delivery *d = &life->rows.items[i];
        json_array_append_new(
            t->found,
            json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:I, s:b, s:o, s:o, s:[]}", "id", t->id,
                      "queue", t->queue, "delivery", (json_int_t)d->id, "received_at",
                      time_json(d->received_at), "sender", field_from_text(d->reverse_path), "recipient",
                      field_from_text(d->recipient), "home", field_from_text(d->home), "state",
                      queue_state_name(d->state), "size", (json_int_t)d->size_bytes, "stored", false,
                      "attempts", attempts_of(d->id, life), "acts", acts_of(d->id, life), "events"));
    }
    context_done(t->cx);
}

static void look_in_queues(struct tracing *t, const struct queue_names *names, const struct custody_id *id)
{
    for (size_t i = 0; i < names->count; i++) {
        t->queue = names->items[i];
        struct queue *q = context_open_queue(t->cx, t->queue, t->worst);
        if (!q)
            continue;
        queue_trace(q, id, on_trace, t);
        context_wait(t->cx);
        queue_close(q);
    }
}

/* ---- mailboxes ---- */

/* The user's address has no +detail (RFC 5233) that the recipient's may have. */
static bool is_of(struct str user, struct str recipient)
{
    size_t plus = str_find(recipient, '+', 1), at = str_find(user, '@', 0);
    if (plus == SIZE_MAX || at == SIZE_MAX)
        return str_ieq(user, recipient);
    return plus == at && str_iends(recipient, str_sub(user, at, user.len)) &&
           str_istarts(recipient, str_sub(user, 0, at));
}

static void add_stored(struct tracing *t, struct str user)
{
    bool known = false;
    size_t i;
    json_t *d;
    json_array_foreach(t->found, i, d)
    {
        if (strcmp(field_text(d, "id", ""), t->id) != 0 ||
            !is_of(user, str_from(field_text(d, "recipient", ""))))
            continue;
        json_object_set_new(d, "stored", json_true());
        known = true;
    }
    if (!known)
        json_array_append_new(t->found, json_pack("{s:s, s:n, s:o, s:s, s:b, s:[], s:[], s:[]}", "id", t->id,
                                                  "queue", "recipient", field_from_text(user), "state",
                                                  "stored", "stored", true, "attempts", "acts", "events"));
}

static void on_stored(void *arg, int err, const struct str *users, size_t count)
{
    struct tracing *t = arg;
    if (err)
        tell_unread(t, "the mail", err);
    for (size_t i = 0; !err && i < count; i++)
        add_stored(t, users[i]);
    context_done(t->cx);
}

/* Without builtin servers there is no mail. */
static struct mail *open_mail(struct tracing *t)
{
    struct err_buf eb = {""};
    struct mail *mail = NULL;
    int err = store_mail(t->cx->store, &mail, &eb);
    if (err && err != ERR_NOT_FOUND)
        tell_unread(t, eb.text[0] ? eb.text : "the mail", err);
    return err ? NULL : mail;
}

/* ---- events ---- */

static bool is_queue_order(const json_t *detail)
{
    return strncmp(field_text(detail, "verb", ""), "queue-", 6) == 0;
}

static void add_event(struct tracing *t, const struct network_event *e)
{
    size_t i;
    json_t *d, *event = event_json(e);
    const json_t *detail = json_object_get(event, "detail");
    json_array_foreach(t->found, i, d)
    {
        struct str id = str_from(field_text(d, "id", ""));
        const char *of = field_text(detail, "recipient", NULL);
        bool about_it = str_eq(e->subject, id) || memmem(e->detail.ptr, e->detail.len, id.ptr, id.len);
        if (!about_it || (of && !str_ieq(str_from(of), str_from(field_text(d, "recipient", "")))) ||
            is_queue_order(detail)) /* the queue knows to whom it was done */
            continue;
        json_array_append(json_object_get(d, "events"), event);
    }
    json_decref(event);
}

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct tracing *t = arg;
    if (err)
        tell_unread(t, "the network's events", err);
    for (size_t i = 0; !err && i < count; i++) {
        t->after_id = events[i].id;
        add_event(t, &events[i]);
    }
    t->more = !err && count == EVENTS_PAGE;
    context_done(t->cx);
}

static void look_in_events(struct tracing *t)
{
    t->after_id = 0;
    do {
        network_events(store_network(t->cx->store), t->after_id, EVENTS_PAGE, on_events, t);
        context_wait(t->cx);
    } while (t->more);
}

json_t *trace_life(struct context *cx, const struct queue_names *names, const struct trace_found *found,
                   int *worst)
{
    struct tracing t = {.cx = cx, .found = json_array(), .worst = worst};
    struct mail *mail = open_mail(&t);
    for (size_t i = 0; i < found->count; i++) {
        custody_id_format(&found->ids[i], t.id);
        look_in_queues(&t, names, &found->ids[i]);
        if (!mail)
            continue;
        mail_trace(mail, &found->ids[i], on_stored, &t);
        context_wait(cx);
    }
    if (json_array_size(t.found) > 0)
        look_in_events(&t);
    return t.found;
}
