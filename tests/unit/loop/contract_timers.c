#include "contract.h"

#define TIMERS_MAX 4

/* Notes the order in which its timers fire; stops at the last one. */
struct trace {
    struct loop *l;
    struct loop_timer *timers[TIMERS_MAX];
    char text[32];
    size_t len, stop_at;
};

static void note(struct trace *t, char c)
{
    assert_true(t->len + 1 < sizeof(t->text));
    t->text[t->len++] = c;
    t->text[t->len] = '\0';
    if (t->len == t->stop_at)
        loop_stop(t->l);
}

static void note_a(void *arg)
{
    note(arg, 'a');
}

static void note_b(void *arg)
{
    note(arg, 'b');
}

static void note_c(void *arg)
{
    note(arg, 'c');
}

static void trace_run(struct contract *c, struct trace *t, const char *expected)
{
    t->stop_at = strlen(expected);
    contract_run(c);
    assert_string_equal(t->text, expected);
    for (size_t i = 0; i < TIMERS_MAX; i++)
        loop_timer_free(t->timers[i]);
}

void timers_fire_in_order(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, note_a, &t);
    t.timers[1] = loop_timer_new(c->l, note_b, &t);
    t.timers[2] = loop_timer_new(c->l, note_c, &t);
    loop_timer_start(t.timers[2], 30);
    loop_timer_start(t.timers[0], 1);
    loop_timer_start(t.timers[1], 15);
    assert_true(loop_timer_active(t.timers[0]));
    trace_run(c, &t, "abc");
}

void equal_timers_fire_in_order_of_start(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, note_a, &t);
    t.timers[1] = loop_timer_new(c->l, note_b, &t);
    t.timers[2] = loop_timer_new(c->l, note_c, &t);
    loop_timer_start(t.timers[1], 0);
    loop_timer_start(t.timers[2], 0);
    loop_timer_start(t.timers[0], 0);
    assert_int_equal(t.len, 0);
    trace_run(c, &t, "bca");
}

void timer_waits_its_delay(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, note_a, &t);
    struct mono_time before = loop_now(c->l);
    loop_timer_start(t.timers[0], 20);
    trace_run(c, &t, "a");
    assert_true(loop_now(c->l).ns >= mono_add_ms(before, 20).ns);
}

void timer_restart_moves_it(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, note_a, &t);
    t.timers[1] = loop_timer_new(c->l, note_b, &t);
    loop_timer_start(t.timers[0], 5);
    loop_timer_start(t.timers[1], 10);
    loop_timer_start(t.timers[0], 20);
    trace_run(c, &t, "ba");
}

static void stop_b_note_a(void *arg)
{
    struct trace *t = arg;
    loop_timer_stop(t->timers[1]);
    assert_false(loop_timer_active(t->timers[1]));
    assert_false(loop_timer_active(t->timers[0])); /* it fires: not waiting any more */
    note(t, 'a');
}

void timer_stopped_by_another(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, stop_b_note_a, &t);
    t.timers[1] = loop_timer_new(c->l, note_b, &t);
    t.timers[2] = loop_timer_new(c->l, note_c, &t);
    loop_timer_start(t.timers[0], 0);
    loop_timer_start(t.timers[1], 0);
    loop_timer_start(t.timers[2], 0);
    trace_run(c, &t, "ac");
}

static void free_a_and_b(void *arg)
{
    struct trace *t = arg;
    loop_timer_free(t->timers[0]);
    loop_timer_free(t->timers[1]);
    t->timers[0] = t->timers[1] = NULL;
    note(t, 'f');
}

void timer_frees_itself_and_another(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, free_a_and_b, &t);
    t.timers[1] = loop_timer_new(c->l, note_b, &t);
    t.timers[2] = loop_timer_new(c->l, note_c, &t);
    loop_timer_start(t.timers[0], 0);
    loop_timer_start(t.timers[1], 0);
    loop_timer_start(t.timers[2], 1);
    trace_run(c, &t, "fc");
}

static void restart_at_once(void *arg)
{
    struct trace *t = arg;
    loop_timer_start(t->timers[0], 0);
}

static void post_c(void *arg)
{
    struct trace *t = arg;
    loop_post(t->l, note_c, t);
}

void timer_without_delay_lets_others_run(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    t.timers[0] = loop_timer_new(c->l, restart_at_once, &t);
    t.timers[1] = loop_timer_new(c->l, post_c, &t);
    loop_timer_start(t.timers[0], 0);
    loop_timer_start(t.timers[1], 2);
    trace_run(c, &t, "c");
}

static void note_a_post_c(void *arg)
{
    struct trace *t = arg;
    note(t, 'a');
    loop_post(t->l, note_c, t);
}

void posts_run_in_order_and_later(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    loop_post(c->l, note_a_post_c, &t);
    loop_post(c->l, note_b, &t);
    loop_post(c->l, note_b, &t);
    assert_int_equal(t.len, 0);
    trace_run(c, &t, "abbc");
}

static void work_a(void *arg)
{
    struct trace *t = arg;
    t->text[0] = 'w';
    t->len = 1;
}

void work_is_done_before_done(void **state)
{
    struct contract *c = *state;
    struct trace t = {.l = c->l};
    loop_work(c->l, work_a, note_b, note_c, &t);
    trace_run(c, &t, "wb");
}

void random_differs(void **state)
{
    struct contract *c = *state;
    unsigned char a[37] = {0}, b[37] = {0};
    loop_random(c->l, a, sizeof(a));
    loop_random(c->l, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    unsigned char tail[4] = {0};
    assert_memory_not_equal(a + sizeof(a) - sizeof(tail), tail, sizeof(tail)); /* filled to its end */
}
