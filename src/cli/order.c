#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/custody_id.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/field.h"
#include "store/records.h"

#define POLL_MS        50
#define AGAIN_FIRST_MS 500 /* until an order that cannot be carried out now is given again, doubling */
#define AGAIN_MAX_MS   5000

/* An order given once. */
struct order_wait {
    struct context *cx;
    char key[CUSTODY_ID_TEXT_MAX];
    int64_t version;
    int err;
    bool finished;
    char *state, *result;
    struct loop_timer *poll_timer, *deadline;
    struct store_op *op;
    struct network_watch *watch;
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

static bool has_ended(struct str state)
{
    return str_eq(state, STR("done")) || str_eq(state, STR("failed")) || str_eq(state, STR("later"));
}

static bool ended_as(const struct order_wait *w, const char *state)
{
    return w->state && strcmp(w->state, state) == 0;
}

static void on_read(void *arg, int err, const struct network_record *records, size_t count)
{
    struct order_wait *w = arg;
    struct record_order order;
    struct arena arena;
    w->op = NULL;
    arena_init(&arena, 1 << 20);
    if (!err && count == 1 && record_order_decode(&arena, records[0].value, &order) == 0) {
        w->version = records[0].version;
        if (has_ended(order.state)) {
            w->state = str_dup(order.state);
            w->result = str_dup(order.result);
            finish(w, 0);
        }
    }
    arena_fini(&arena);
    if (!w->finished)
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
    w->poll_timer = loop_timer_new(w->cx->loop, on_poll, w);
    w->deadline = loop_timer_new(w->cx->loop, on_deadline, w);
    loop_timer_start(w->poll_timer, POLL_MS);
    loop_timer_start(w->deadline, timeout_ms);
    context_wait(w->cx);
    loop_timer_free(w->poll_timer);
    loop_timer_free(w->deadline);
    if (w->op)
        store_op_forget(w->op);
    w->op = NULL;
}

/* Answered or given up: the order leaves the store; its event stays. */
static void remove_order(struct order_wait *w)
{
    struct network_change change = {.type = NETWORK_DELETE,
                                    .kind = STR("order"),
                                    .key = str_from(w->key),
                                    .expect_version = NETWORK_ANY_VERSION};
    w->op = network_write(store_network(w->cx->store), &change, 1, NULL, on_write, w);
    context_wait(w->cx);
}

static void print_changed(const json_t *value)
{
    long long in_flight = field_number(value, "in_flight");
    printf("%lld changed", field_number(value, "changed"));
    if (in_flight > 0)
        printf("; %lld being sent now: delivered if the server takes them, else changed, too", in_flight);
    printf("\n");
}

static int report(const struct order_wait *w, bool json)
{
    bool done = ended_as(w, "done");
    if (!w->state) {
        fprintf(stderr,
                "holdfast %s: nobody carried the order out in time: is the network running (`holdfast "
                "status`)?\n",
                w->cx->command);
        return EXIT_TRY_AGAIN;
    }
    json_t *value = json_loads(w->result, JSON_DECODE_ANY, NULL);
    if (json)
        printf("%s\n", value ? w->result : "{}");
    if (!json && value && json_is_integer(json_object_get(value, "changed")))
        print_changed(value);
    else if (!json || !done)
        fprintf(done ? stdout : stderr, "%s\n", w->result);
    json_decref(value);
    if (!ended_as(w, "later"))
        return done ? EXIT_DONE : EXIT_FAILED;
    fprintf(stderr,
            "holdfast %s: nothing was changed. Give the order again when `holdfast status` shows that the "
            "reason has gone, or let it wait longer with --timeout\n",
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
        fprintf(stderr, "holdfast %s: the store did not take the order: %s\n", w->cx->command,
                err_name(w->err));
        return w->err;
    }
    wait_for_answer(w, timeout_ms);
    remove_order(w);
    return 0;
}

static void on_pause_end(void *arg)
{
    context_done(arg);
}

static void pause_for(struct context *cx, int64_t delay_ms)
{
    struct loop_timer *timer = loop_timer_new(cx->loop, on_pause_end, cx);
    loop_timer_start(timer, delay_ms);
    context_wait(cx);
    loop_timer_free(timer);
}

/* Once for each reason. */
static void tell_progress(const struct order_wait *w, char **told)
{
    if (*told && strcmp(*told, w->result) == 0)
        return;
    fprintf(stderr, "holdfast %s: not yet: %s\n", w->cx->command, w->result);
    free(*told);
    *told = mem_strdup(w->result);
}

static void wait_fini(struct order_wait *w)
{
    free(w->state);
    free(w->result);
}

int context_order(struct context *cx, const struct record_order *order, int64_t timeout_ms, bool json)
{
    struct mono_time end = mono_add_ms(loop_now(cx->loop), timeout_ms);
    int64_t left_ms = timeout_ms, pause_ms = AGAIN_FIRST_MS;
    char *told = NULL;
    for (;;) {
        struct order_wait w = {.cx = cx};
        bool taken = give(&w, order, left_ms) == 0;
        left_ms = mono_diff_ms(end, loop_now(cx->loop));
        if (!ended_as(&w, "later") || left_ms <= pause_ms) {
            int status = taken ? report(&w, json) : EXIT_FAILED;
            wait_fini(&w);
            free(told);
            return status;
        }
        tell_progress(&w, &told);
        wait_fini(&w);
        pause_for(cx, pause_ms);
        left_ms -= pause_ms;
        pause_ms = 2 * pause_ms < AGAIN_MAX_MS ? 2 * pause_ms : AGAIN_MAX_MS;
    }
}
