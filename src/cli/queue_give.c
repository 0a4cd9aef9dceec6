#include "cli/queue_give.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/commands.h"
#include "cli/say.h"

#define ORDER_TIMEOUT_MS 60000

struct giving {
    struct context *cx;
    const struct queue_selection *selection;
    const struct queue_act_words *words;
    uint64_t left; /* of the limit; goes down by what was changed */
    uint64_t changed;
    json_t *answers; /* --json */
};

static bool is_limited(const struct giving *g)
{
    return g->selection->limit > 0;
}

static int give_to_queue(struct giving *g, const char *queue)
{
    char target[256], verb[32];
    json_t *args = queue_selection_args(g->selection, g->words->to, g->left), *answer = NULL;
    char *args_text = json_dumps(args, JSON_COMPACT);
    snprintf(target, sizeof(target), "relay/%s", queue);
    snprintf(verb, sizeof(verb), "queue-%s", g->words->verb);
    struct record_order order = {.target = str_from(target),
                                 .verb = str_from(verb),
                                 .subject = str_from(queue),
                                 .args = str_from(args_text),
                                 .why = str_from(g->words->why)};
    if (!g->answers) {
        say(stdout, "%s: ", queue);
        fflush(stdout);
    }
    int status = context_order_json(g->cx, &order, ORDER_TIMEOUT_MS, &answer);
    uint64_t changed = (uint64_t)json_integer_value(json_object_get(answer, "changed"));
    g->left -= changed < g->left ? changed : g->left;
    g->changed += changed;
    if (!g->answers && status == EXIT_DONE)
        context_print_changed(answer);
    if (g->answers) {
        json_object_set_new(answer, "queue", json_string(queue));
        json_array_append(g->answers, answer);
    }
    json_decref(answer);
    json_decref(args);
    free(args_text);
    return status;
}

static void give_to_all(struct giving *g, const struct queue_names *names, int *worst)
{
    const char *relay = g->selection->relay;
    for (size_t i = 0; i < names->count && !g->cx->interrupted; i++) {
        const char *queue = names->items[i];
        if (relay && strcmp(queue, relay) != 0)
            continue;
        struct queue *q = context_open_queue(g->cx, queue, worst);
        if (!q)
            continue;
        queue_close(q);
        int status = give_to_queue(g, queue);
        *worst = status > *worst ? status : *worst;
        if (is_limited(g) && g->left == 0)
            break;
    }
}

/* An order that changes nothing is none that the operator meant. */
static void say_what_it_takes(const char *verb)
{
    static const struct {
        const char *verb, *takes;
    } acts[] = {
        {"hold", "waits"},
        {"release", "is held or in quarantine"},
        {"retry", "waits to be tried again (`holdfast queue release` lets go what is held or in quarantine)"},
        {"move", "is in custody and has another home"},
        {"remove", "is in custody"},
        {"quarantine", "is in custody and not in quarantine"},
    };
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        if (strcmp(verb, acts[i].verb) == 0)
            say_line(stderr, "holdfast queue %s: nothing that was selected %s", verb, acts[i].takes);
}

int queue_give(struct context *cx, const struct queue_selection *s, const struct queue_act_words *words)
{
    struct giving g = {cx, s, words, s->limit, 0, words->json ? json_array() : NULL};
    struct queue_names names;
    int worst = EXIT_DONE;
    context_queue_names(cx, &names);
    if (s->relay && !queue_names_have(&names, s->relay))
        worst = command_usage("queue", "there is no relay of that name");
    else
        give_to_all(&g, &names, &worst);
    if (!g.answers && worst == EXIT_DONE && g.changed == 0)
        say_what_it_takes(words->verb);
    queue_names_fini(&names);
    if (g.answers && worst != EXIT_USAGE)
        context_print_json(g.answers);
    json_decref(g.answers);
    return worst;
}

bool queue_act_is(const char *verb)
{
    for (int action = QUEUE_ACT_HOLD; action <= QUEUE_ACT_QUARANTINE; action++)
        if (strcmp(verb, queue_action_name((enum queue_action)action)) == 0)
            return true;
    return false;
}
