#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/field.h"
#include "cli/say.h"
#include "cli/trace_life.h"

/* What happened to one recipient's copy, each with its time, as lines in their order. */
struct happening {
    const char *at;
    char *text;
};

struct happenings {
    struct happening *items;
    size_t count;
};

static void add(struct happenings *h, const json_t *what, char *text)
{
    size_t i = h->count;
    h->items = mem_grow(h->items, h->count++, sizeof(*h->items));
    for (; i > 0 && strcmp(h->items[i - 1].at, field_text(what, "at", "")) > 0; i--)
        h->items[i] = h->items[i - 1];
    h->items[i] = (struct happening){field_text(what, "at", ""), text};
}

static void add_attempts(struct happenings *h, const json_t *list)
{
    size_t i;
    json_t *a;
    json_array_foreach(list, i, a)
    {
        const char *outcome = field_text(a, "outcome", ""), *reply = field_text(a, "reply", "");
        if (*field_text(a, "server", ""))
            add(h, a,
                mem_asprintf("%s: %s at %s, epoch %lld, generation %lld of the server: %s", outcome,
                             field_text(a, "server", ""), field_text(a, "instance", ""),
                             field_number(a, "epoch"), field_number(a, "generation"), reply));
        else /* it never was on its way */
            add(h, a, mem_asprintf("%s: %s", outcome, reply));
    }
}

static void add_acts(struct happenings *h, const json_t *list)
{
    size_t i;
    json_t *a;
    json_array_foreach(list, i, a)
    {
        const char *home = field_text(a, "home", ""), *why = field_text(a, "why", "");
        const char *preposition =
            strcmp(field_text(a, "act", ""), "replay") == 0 ? " of what was sent to " : " to ";
        add(h, a,
            mem_asprintf("%s%s%s by %s%s%s", field_text(a, "act", ""), *home ? preposition : "", home,
                         field_text(a, "who", "-"), *why ? ": " : "", why));
    }
}

static void add_events(struct happenings *h, const json_t *list)
{
    size_t i;
    json_t *e;
    json_array_foreach(list, i, e)
    {
        char *detail = json_dumps(json_object_get(e, "detail"), JSON_COMPACT);
        add(h, e, mem_asprintf("event %s %s", field_text(e, "kind", ""), detail ? detail : ""));
        free(detail);
    }
}

static void print_head(const json_t *d)
{
    if (json_is_null(json_object_get(d, "queue"))) {
        say_line(stdout, "%-24s  %s for <%s>, taken by its server itself", "", field_text(d, "id", ""),
                 field_text(d, "recipient", ""));
        return;
    }
    say_line(stdout, "%s  %s accepted into %s as %s:%lld from <%s> for <%s>, %lld bytes",
             field_text(d, "received_at", ""), field_text(d, "id", ""), field_text(d, "queue", ""),
             field_text(d, "queue", ""), field_number(d, "delivery"), field_text(d, "sender", ""),
             field_text(d, "recipient", ""), field_number(d, "size"));
}

void trace_life_print(const json_t *life)
{
    size_t i;
    json_t *d;
    json_array_foreach(life, i, d)
    {
        struct happenings h = {0};
        print_head(d);
        add_attempts(&h, json_object_get(d, "attempts"));
        add_acts(&h, json_object_get(d, "acts"));
        add_events(&h, json_object_get(d, "events"));
        for (size_t k = 0; k < h.count; k++) {
            say_line(stdout, "%s  %s", h.items[k].at, h.items[k].text);
            free(h.items[k].text);
        }
        free(h.items);
        say_line(stdout, "%-24s  now %s%s", "", field_text(d, "state", ""),
                 json_is_true(json_object_get(d, "stored")) ? ", and in the mail of its reader" : "");
    }
}
