#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/custody_id.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/field.h"
#include "cli/say.h"
#include "store/records.h"

#define POLL_MS        50
#define AGAIN_FIRST_MS 500 /* until an order that cannot be carried out now is given again, doubling */
#define AGAIN_MAX_MS   5000

#define VERSION_NEW 1 /* of the record of an order that nobody has touched */

/* Who gives an order, once or again. */
struct order_giver {
    struct context *cx;
    struct loop_signal *signals[2];
    bool interrupted;  /* SIGINT or SIGTERM came */
    bool can_be_ended; /* the wait under way, by that */
    bool for_director;
    bool told_no_leader;
    int64_t timeout_ms;
};

/* An order given once. */
struct order_wait {
    struct order_giver *giver;
    struct context *cx;
    char key[CUSTODY_ID_TEXT_MAX];
    int err;
    bool finished;
    enum {
        LEFT_REFUSED,
        LEFT_GONE,
        LEFT_TAKEN,
        LEFT_UNKNOWN
    } left; /* what became of one without an answer */
    char *state, *result;
    struct loop_timer *poll_timer, *deadline;
    struct store_op *op;
};

static void finish(struct order_wait *w, int err)
{
    w->err = err;
    w->finished = true;
    context_done(w->cx);
}

static void on_write(void *arg, int err, size_t failed)
{
    struct order_wait *w = arg;
    (void)failed;
    w->op = NULL;
    finish(w, err);
}

static bool ended_as(const struct order_wait *w, const char *state)
{
    return w->state && strcmp(w->state, state) == 0;
}

static void take_answer(struct order_wait *w, const struct network_record *record)
{
    struct record_order order;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    if (record_order_decode(&arena, record->value, &order) == 0 && !record_order_is_open(&order)) {
        w->state = str_dup(order.state);
        w->result = str_dup(order.result);
    }
    arena_fini(&arena);
}

static void on_look(void *arg, int err, const struct network_sight *seen)
{
    struct order_wait *w = arg;
    bool led = err != 0;
    w->op = NULL;
    for (size_t i = 0; i < seen->lease_count; i++)
        led |= str_eq(seen->leases[i].name, STR("director")) && seen->leases[i].remaining_ms > 0;
    if (!led) {
        w->giver->told_no_leader = true;
        say_line(
            stderr,
            "holdfast %s: no director leads now: the order waits for one, at most %lld s; Ctrl-C withdraws "
            "it",
            w->cx->command, (long long)(w->giver->timeout_ms / 1000));
    }
    loop_timer_start(w->poll_timer, POLL_MS);
}

static void on_read(void *arg, int err, const struct network_record *records, size_t count)
{
    struct order_wait *w = arg;
    w->op = NULL;
    if (!err && count == 1)
        take_answer(w, &records[0]);
    if (w->state)
        finish(w, 0);
    else if (w->giver->for_director && !w->giver->told_no_leader)
        w->op = network_look(store_network(w->cx->store), NULL, 0, on_look, w);
    else
        loop_timer_start(w->poll_timer, POLL_MS);
}

static void on_poll(void *arg)
{
    struct order_wait *w = arg;
    if (!w->op)
        w->op = network_read(store_network(w->cx->store), STR("order"), str_from(w->key), on_read, w);
}

static void on_deadline(void *arg)
{
    finish(arg, ERR_TIMEOUT);
}

static void write_order(struct order_wait *w, const struct record_order *order)
{
    struct record_order full = *order;
    full.state = STR("new");
    full.who = str_from(context_who());
    full.created_at_ms = loop_wall(w->cx->loop).ms;
    char *value = record_order_encode(&full);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("order"),
                                    .key = str_from(w->key),
                                    .value = str_from(value),
                                    .expect_version = NETWORK_ABSENT};
    w->op = network_write(store_network(w->cx->store), &change, 1, NULL, on_write, w);
    free(value);
    context_wait(w->cx);
}

static void wait_for_answer(struct order_wait *w, int64_t timeout_ms)
{
    w->finished = false;
    if (w->giver->interrupted)
        return;
    w->giver->can_be_ended = true;
    w->poll_timer = loop_timer_new(w->cx->loop, on_poll, w);
    w->deadline = loop_timer_new(w->cx->loop, on_deadline, w);
    loop_timer_start(w->poll_timer, 0);
    loop_timer_start(w->deadline, timeout_ms);
    context_wait(w->cx);
    w->giver->can_be_ended = false;
    loop_timer_free(w->poll_timer);
    loop_timer_free(w->deadline);
    if (w->op)
        store_op_forget(w->op);
    w->op = NULL;
}

static int remove_order(struct order_wait *w, int64_t expect_version)
{
    struct network_change change = {.type = NETWORK_DELETE,
                                    .kind = STR("order"),
                                    .key = str_from(w->key),
                                    .expect_version = expect_version};
    w->op = network_write(store_network(w->cx->store), &change, 1, NULL, on_write, w);
    context_wait(w->cx);
    return w->err;
}

static void on_last_read(void *arg, int err, const struct network_record *records, size_t count)
{
    struct order_wait *w = arg;
    w->op = NULL;
    w->left = err ? LEFT_UNKNOWN : LEFT_TAKEN;
    if (!err && count == 1)
        take_answer(w, &records[0]);
    finish(w, err);
}

/* Without an answer: gone if nobody has taken it. One that was taken stays: it is carried out, and whoever
 * does so says there how it ended. */
static void withdraw(struct order_wait *w)
{
    int err = remove_order(w, VERSION_NEW);
    w->left = err == 0 ? LEFT_GONE : LEFT_UNKNOWN;
    if (err != ERR_CONFLICT)
        return;
    w->op = network_read(store_network(w->cx->store), STR("order"), str_from(w->key), on_last_read, w);
    context_wait(w->cx);
}

void context_print_changed(const json_t *answer)
{
    long long in_flight = field_number(answer, "in_flight");
    printf("%lld changed", field_number(answer, "changed"));
    if (in_flight > 0)
        printf("; %lld being sent now: delivered if the server takes them, else changed, too", in_flight);
    printf("\n");
}

/* There is no answer. */
static int report_left(const struct order_wait *w)
{
    static const char *const became[] = {
        [LEFT_GONE] = "nobody had taken the order: it is withdrawn, and nothing was changed",
        [LEFT_TAKEN] = "the order is being carried out, to its end: `holdfast events` says then what it did",
        [LEFT_UNKNOWN] = "the store did not say whether the order is withdrawn: it may still be carried out",
    };
    bool interrupted = w->giver->interrupted;
    const char *why = interrupted ? "interrupted"
                      : w->left == LEFT_TAKEN
                          ? "not done in time"
                          : "nobody carried the order out in time (does `holdfast status` show who should?)";
    say_line(stderr, "holdfast %s: %s: %s", w->cx->command, why, became[w->left]);
    return interrupted ? EXIT_FAILED : EXIT_TRY_AGAIN;
}

/* The members of a result that is an object; a text is "result". */
static json_t *answer_json(const struct order_wait *w)
{
    static const char *const left[] = {[LEFT_REFUSED] = "refused",
                                       [LEFT_GONE] = "withdrawn",
                                       [LEFT_TAKEN] = "taken",
                                       [LEFT_UNKNOWN] = "unknown"};
    json_t *result = w->result ? json_loads(w->result, 0, NULL) : NULL;
    json_t *answer = json_pack("{s:s}", "state", w->state ? w->state : left[w->left]);
    if (json_is_object(result))
        json_object_update(answer, result);
    else if (w->result)
        json_object_set_new(answer, "result", field_from_text(str_from(w->result)));
    json_decref(result);
    return answer;
}

static int report(const struct order_wait *w, json_t **ret_answer)
{
    bool done = ended_as(w, "done");
    if (ret_answer)
        *ret_answer = answer_json(w);
    if (!w->state)
        return report_left(w);
    if (!done)
        say_line(stderr, "%s", w->result);
    else if (!ret_answer)
        say_line(stdout, "%s", w->result);
    if (!ended_as(w, "later"))
        return done ? EXIT_DONE : EXIT_FAILED;
    say_line(stderr,
             "holdfast %s: nothing was changed. Give the order again when `holdfast status` shows that the "
             "reason has gone, or let it wait longer with --timeout",
             w->cx->command);
    return EXIT_TRY_AGAIN;
}

/* ---- giving it, until it is taken ---- */

/* ERR_*, told on stderr: the store did not take it. */
static int give(struct order_wait *w, const struct record_order *order, int64_t timeout_ms)
{
    struct custody_id unique;
    loop_random(w->cx->loop, unique.bytes, sizeof(unique.bytes));
    custody_id_format(&unique, w->key);
    write_order(w, order);
    if (w->err) {
        say_line(stderr, "holdfast %s: the store did not take the order: %s", w->cx->command,
                 err_name(w->err));
        return w->err;
    }
    wait_for_answer(w, timeout_ms);
    if (!w->state)
        withdraw(w);
    if (w->state) /* its event stays */
        (void)remove_order(w, NETWORK_ANY_VERSION);
    return 0;
}

static void on_pause_end(void *arg)
{
    context_done(arg);
}

static void pause_for(struct order_giver *g, int64_t delay_ms)
{
    struct loop_timer *timer = loop_timer_new(g->cx->loop, on_pause_end, g->cx);
    loop_timer_start(timer, delay_ms);
    g->can_be_ended = true;
    context_wait(g->cx);
    g->can_be_ended = false;
    loop_timer_free(timer);
}

/* Once for each reason. */
static void tell_progress(const struct order_wait *w, char **told)
{
    if (*told && strcmp(*told, w->result) == 0)
        return;
    say_line(stderr, "holdfast %s: not yet: %s", w->cx->command, w->result);
    free(*told);
    *told = mem_strdup(w->result);
}

static void wait_fini(struct order_wait *w)
{
    free(w->state);
    free(w->result);
}

static void on_signal(void *arg, int signum)
{
    struct order_giver *g = arg;
    (void)signum;
    g->interrupted = true;
    if (g->can_be_ended)
        context_done(g->cx);
}

static void giver_init(struct order_giver *g, struct context *cx, const struct record_order *order,
                       int64_t timeout_ms)
{
    *g = (struct order_giver){
        .cx = cx, .for_director = str_eq(order->target, STR("director")), .timeout_ms = timeout_ms};
    g->signals[0] = loop_signal_new(cx->loop, SIGINT, on_signal, g);
    g->signals[1] = loop_signal_new(cx->loop, SIGTERM, on_signal, g);
}

static void giver_fini(struct order_giver *g)
{
    for (size_t i = 0; i < ARRAY_LEN(g->signals); i++)
        loop_signal_free(g->signals[i]);
}

static int give_until(struct order_giver *g, const struct record_order *order, json_t **ret_answer,
                      char **told)
{
    struct loop *loop = g->cx->loop;
    struct mono_time end = mono_add_ms(loop_now(loop), g->timeout_ms);
    int64_t left_ms = g->timeout_ms, pause_ms = AGAIN_FIRST_MS;
    for (;;) {
        struct order_wait w = {.giver = g, .cx = g->cx};
        bool given = give(&w, order, left_ms) == 0;
        left_ms = mono_diff_ms(end, loop_now(loop));
        if (!ended_as(&w, "later") || left_ms <= pause_ms || g->interrupted) {
            int status = given ? report(&w, ret_answer) : EXIT_FAILED;
            if (!given && ret_answer)
                *ret_answer = answer_json(&w);
            wait_fini(&w);
            return status;
        }
        tell_progress(&w, told);
        wait_fini(&w);
        pause_for(g, pause_ms);
        if (g->interrupted) {
            say_line(stderr, "holdfast %s: interrupted: the order is withdrawn, and nothing was changed",
                     g->cx->command);
            if (ret_answer)
                *ret_answer = json_pack("{s:s}", "state", "withdrawn");
            return EXIT_FAILED;
        }
        left_ms -= pause_ms;
        pause_ms = 2 * pause_ms < AGAIN_MAX_MS ? 2 * pause_ms : AGAIN_MAX_MS;
    }
}

int context_order_json(struct context *cx, const struct record_order *order, int64_t timeout_ms,
                       json_t **ret_answer)
{
    struct order_giver g;
    char *told = NULL;
    giver_init(&g, cx, order, timeout_ms);
    int status = give_until(&g, order, ret_answer, &told);
    cx->interrupted |= g.interrupted;
    giver_fini(&g);
    free(told);
    return status;
}

int context_order(struct context *cx, const struct record_order *order, int64_t timeout_ms, bool json)
{
    json_t *answer = NULL;
    int status = context_order_json(cx, order, timeout_ms, json ? &answer : NULL);
    if (answer)
        context_print_json(answer);
    json_decref(answer);
    return status;
}
