/* The contract on a simulated loop, and what a simulated process has beyond it. */
#include "loop/sim.h"

#include <signal.h>

#include "base/mem.h"
#include "contract.h"

static void contract_fini(struct contract *c)
{
    sim_loop_free(c->l);
    sim_world_free(c->world);
}

int contract_setup(void **state)
{
    struct contract *c = mem_zalloc(sizeof(*c));
    c->world = sim_world_new(7);
    c->l = sim_loop_new(c->world, "host", "test");
    c->fini = contract_fini;
    c->ip = "10.1.0.1";
    *state = c;
    return 0;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void never(void *arg)
{
    (void)arg;
    fail();
}

static struct mono_time in_ms(const struct contract *c, int64_t ms)
{
    return mono_add_ms(sim_now(c->world), ms);
}

static void never_mind(void *arg)
{
    (void)arg;
}

/* ---- time ---- */

static void true_time_stands_at_the_last_event(void **state)
{
    struct contract *c = *state;
    int calls = 0;
    sim_at(c->world, 5, count, &calls);
    sim_at(c->world, 10, count, &calls);
    assert_true(sim_run_until(c->world, in_ms(c, 7)));
    assert_int_equal(calls, 1);
    assert_int_equal(sim_now(c->world).ns, 7 * NS_PER_MS);
    assert_false(sim_run_until(c->world, MONO_NEVER));
    assert_int_equal(calls, 2);
    assert_int_equal(sim_now(c->world).ns, 10 * NS_PER_MS);
    assert_false(sim_step(c->world));
}

/* A clock that is fast by a tenth: 110 ms of it are 100 of true time. */
static void fast_clock(void **state)
{
    struct contract *c = *state;
    int calls = 0;
    struct loop_timer *t = loop_timer_new(c->l, count, &calls);
    int64_t wall_ms = loop_wall(c->l).ms, mono_ns = loop_now(c->l).ns;
    sim_loop_set_clock(c->l, 5000, 100000);
    assert_int_equal(loop_wall(c->l).ms, wall_ms + 5000);
    assert_int_equal(loop_now(c->l).ns, mono_ns);
    loop_timer_start(t, 110);
    sim_run_until(c->world, (struct mono_time){100 * NS_PER_MS - 1});
    assert_int_equal(calls, 0);
    sim_run_until(c->world, (struct mono_time){100 * NS_PER_MS});
    assert_int_equal(calls, 1);
    assert_int_equal(loop_now(c->l).ns, mono_ns + 110 * NS_PER_MS);
    assert_int_equal(loop_wall(c->l).ms, wall_ms + 5000 + 110);
    loop_timer_free(t);
}

static void clock_change_moves_timers(void **state)
{
    struct contract *c = *state;
    int calls = 0;
    struct loop_timer *t = loop_timer_new(c->l, count, &calls);
    loop_timer_start(t, 100);
    sim_loop_set_clock(c->l, 0, -500000); /* half speed */
    sim_run_until(c->world, in_ms(c, 199));
    assert_int_equal(calls, 0);
    sim_run_until(c->world, in_ms(c, 2));
    assert_int_equal(calls, 1);
    loop_timer_free(t);
}

static void see_running(void *arg)
{
    struct contract *c = arg;
    assert_ptr_equal(sim_running(c->world), c->l);
}

static void see_nobody_running(void *arg)
{
    struct contract *c = arg;
    assert_null(sim_running(c->world));
}

static void it_is_known_whose_callback_runs(void **state)
{
    struct contract *c = *state;
    struct loop *other = sim_loop_new(c->world, "host", "other");
    loop_post(other, never_mind, NULL);
    loop_post(c->l, see_running, c);
    sim_at(c->world, 5, see_nobody_running, c);
    assert_false(sim_run_until(c->world, MONO_NEVER));
    assert_null(sim_running(c->world));
    sim_loop_free(other);
}

static void hosts_have_boot_times_of_their_own(void **state)
{
    struct contract *c = *state;
    struct loop *same = sim_loop_new(c->world, "host", "other"),
                *far = sim_loop_new(c->world, "far", "other");
    assert_int_equal(loop_now(same).ns, loop_now(c->l).ns);
    assert_true(loop_now(far).ns != loop_now(c->l).ns);
    assert_int_equal(loop_wall(far).ms, loop_wall(c->l).ms);
    sim_loop_free(same);
    sim_loop_free(far);
}

static void random_is_each_processs_own(void **state)
{
    struct contract *c = *state;
    struct loop *other = sim_loop_new(c->world, "host", "other");
    char a[16], b[16];
    loop_random(c->l, a, sizeof(a));
    loop_random(other, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    sim_loop_free(other);
}

/* ---- freezing ---- */

static void frozen_gets_all_at_its_thaw_in_order(void **state)
{
    struct contract *c = *state;
    int early = 0, late = 0;
    struct loop_timer *a = loop_timer_new(c->l, count, &early), *b = loop_timer_new(c->l, count, &late);
    loop_timer_start(a, 10);
    loop_timer_start(b, 60);
    sim_loop_freeze(c->l, true);
    loop_post(c->l, count, &early);
    sim_run_until(c->world, in_ms(c, 50));
    assert_int_equal(early, 0);
    assert_true(loop_timer_active(a));
    loop_timer_stop(a);
    assert_false(loop_timer_active(a));
    loop_timer_start(a, 0);
    sim_run_until(c->world, in_ms(c, 1));
    assert_int_equal(early, 0);
    sim_loop_freeze(c->l, false);
    sim_run_until(c->world, in_ms(c, 1));
    assert_int_equal(early, 2);
    assert_int_equal(late, 0);
    loop_timer_free(a);
    loop_timer_free(b);
}

/* ---- dying ---- */

static void never_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)arg;
    (void)s;
    (void)peer;
    fail();
}

static void never_connect(void *arg, struct loop_stream *s, int err)
{
    (void)arg;
    (void)s;
    (void)err;
    fail();
}

static void never_exit(void *arg, const struct loop_process_result *result)
{
    (void)arg;
    (void)result;
    fail();
}

static void never_signal(void *arg, int signum)
{
    (void)arg;
    (void)signum;
    fail();
}

static void never_read(void *arg, const char *data, size_t len, int err)
{
    (void)arg;
    (void)data;
    (void)len;
    (void)err;
    fail();
}

static void never_drain(void *arg, int err)
{
    (void)arg;
    (void)err;
    fail();
}

static const struct loop_process_spec true_spec = {.argv = (const char *const[]){"/bin/true", NULL}};

/* What is asked of a dead loop goes nowhere, and all can still be freed. */
static void dead_loop_is_inert(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct addr at;
    struct loop_listener *li = contract_listen(c, never_accept, NULL, &at), *second = NULL;
    struct loop_timer *t = loop_timer_new(c->l, never, NULL);
    struct loop_connect *before, *after;
    struct loop_signal *s = loop_signal_new(c->l, SIGTERM, never_signal, NULL);
    loop_stream_on_drain(p.client, never_drain, NULL);
    loop_stream_read_start(p.client, never_read, NULL);
    loop_timer_start(t, 1);
    loop_connect(c->l, &at, NULL, 1000, never_connect, NULL, &before);
    loop_post(c->l, never, NULL);
    sim_loop_signal(c->l, SIGTERM);

    sim_loop_kill(c->l);
    assert_false(sim_loop_alive(c->l));
    loop_post(c->l, never, NULL);
    loop_work(c->l, never, never, NULL, NULL);
    loop_timer_start(t, 1);
    assert_false(loop_timer_active(t));
    loop_stream_write(p.client, "x", 1);
    assert_int_equal(loop_stream_pending(p.client), 0);
    loop_stream_read_start(p.client, never_read, NULL);
    assert_err(loop_listen(c->l, &at, never_accept, NULL, &second, NULL), ERR_UNAVAILABLE);
    loop_listener_pause(li, false);
    loop_connect(c->l, &at, NULL, 1000, never_connect, NULL, &after);
    struct loop_process *process = loop_process_spawn(c->l, &true_spec, never_exit, NULL);
    sim_loop_signal(c->l, SIGTERM);
    sim_run_until(c->world, in_ms(c, 5000));

    loop_stream_close(p.server, 1000);
    loop_stream_free(p.client);
    loop_listener_free(li);
    loop_timer_free(t);
    loop_connect_cancel(before);
    loop_connect_cancel(after);
    loop_process_free(process);
    loop_signal_free(s);
}

static void kill_self(void *arg)
{
    struct contract *c = arg;
    loop_post(c->l, never, NULL);
    sim_loop_kill(c->l);
    loop_post(c->l, never, NULL);
}

static void killed_inside_its_callback(void **state)
{
    struct contract *c = *state;
    loop_post(c->l, kill_self, c);
    loop_post(c->l, never, NULL);
    assert_false(sim_run_until(c->world, MONO_NEVER));
}

/* ---- programs and signals ---- */

struct program {
    struct sim_spawn *spawn;
    int spawns, exits;
    struct loop_process_result result;
    char output[16];
};

static void on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec)
{
    struct program *p = arg;
    assert_string_equal(spec->argv[0], "/bin/true");
    p->spawn = s;
    p->spawns++;
}

static void on_exit_note(void *arg, const struct loop_process_result *result)
{
    struct program *p = arg;
    p->exits++;
    p->result = *result;
    assert_true(result->output.len < sizeof(p->output));
    memcpy(p->output, result->output.ptr, result->output.len);
}

static void program_is_played(void **state)
{
    struct contract *c = *state;
    struct program p = {0};
    sim_loop_on_spawn(c->l, on_spawn, &p);
    struct loop_process_spec spec = true_spec;
    spec.output_max = 4;
    struct loop_process *process = loop_process_spawn(c->l, &spec, on_exit_note, &p);
    assert_int_equal(p.spawns, 1);
    assert_true(loop_process_pid(process) > 0);
    sim_run_until(c->world, in_ms(c, 100));
    assert_int_equal(p.exits, 0);
    sim_spawn_done(p.spawn, 3, STR("output"));
    assert_int_equal(p.exits, 0);
    sim_run_until(c->world, in_ms(c, 100));
    assert_int_equal(p.exits, 1);
    assert_int_equal(p.result.err, 0);
    assert_int_equal(p.result.exit_status, 3);
    assert_string_equal(p.output, "outp");
    loop_process_free(process);
}

static void program_ends_by_time_signal_or_absence(void **state)
{
    struct contract *c = *state;
    struct program p = {0};
    struct loop_process *absent = loop_process_spawn(c->l, &true_spec, on_exit_note, &p);
    sim_run_until(c->world, in_ms(c, 1));
    assert_int_equal(p.result.err, ERR_NOT_FOUND);
    assert_int_equal(loop_process_pid(absent), 0);

    sim_loop_on_spawn(c->l, on_spawn, &p);
    struct loop_process_spec spec = true_spec;
    spec.timeout_ms = 50;
    struct loop_process *slow = loop_process_spawn(c->l, &spec, on_exit_note, &p);
    sim_run_until(c->world, in_ms(c, 60));
    assert_int_equal(p.result.err, ERR_TIMEOUT);
    sim_spawn_done(p.spawn, 0, STR_EMPTY);

    struct loop_process *killed = loop_process_spawn(c->l, &true_spec, on_exit_note, &p);
    loop_process_kill(killed, SIGTERM);
    loop_process_kill(killed, SIGKILL);
    sim_run_until(c->world, in_ms(c, 1));
    assert_int_equal(p.result.signal, SIGTERM);
    sim_spawn_done(p.spawn, 0, STR_EMPTY);

    struct loop_process *forgotten = loop_process_spawn(c->l, &true_spec, never_exit, NULL);
    loop_process_free(forgotten);
    sim_spawn_done(p.spawn, 0, STR_EMPTY);
    sim_run_until(c->world, in_ms(c, 1));
    assert_int_equal(p.exits, 3);
    loop_process_free(absent);
    loop_process_free(slow);
    loop_process_free(killed);
}

static void note_signal(void *arg, int signum)
{
    assert_int_equal(signum, SIGTERM);
    ++*(int *)arg;
}

static void signals_are_told_apart(void **state)
{
    struct contract *c = *state;
    int calls = 0;
    struct loop_signal *term = loop_signal_new(c->l, SIGTERM, note_signal, &calls);
    struct loop_signal *hup = loop_signal_new(c->l, SIGHUP, never_signal, NULL);
    sim_loop_signal(c->l, SIGTERM);
    sim_run_until(c->world, in_ms(c, 1));
    assert_int_equal(calls, 1);
    loop_signal_free(term);
    loop_signal_free(hup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TIMERS(CONTRACT_TEST) CONTRACT_STREAMS(CONTRACT_TEST) /* */
        CONTRACT_TEST(true_time_stands_at_the_last_event)              /* */
        CONTRACT_TEST(fast_clock)                                      /* */
        CONTRACT_TEST(clock_change_moves_timers)                       /* */
        CONTRACT_TEST(it_is_known_whose_callback_runs)                 /* */
        CONTRACT_TEST(hosts_have_boot_times_of_their_own)              /* */
        CONTRACT_TEST(random_is_each_processs_own)                     /* */
        CONTRACT_TEST(frozen_gets_all_at_its_thaw_in_order)            /* */
        CONTRACT_TEST(dead_loop_is_inert)                              /* */
        CONTRACT_TEST(killed_inside_its_callback)                      /* */
        CONTRACT_TEST(program_is_played)                               /* */
        CONTRACT_TEST(program_ends_by_time_signal_or_absence)          /* */
        CONTRACT_TEST(signals_are_told_apart)                          /* */
    };
    return cmocka_run_group_tests_name("loop sim", tests, NULL, NULL);
}
