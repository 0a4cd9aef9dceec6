/* What every kind of loop must do, written once and run against each. A kind's
 * test program gives contract_setup and lists the tests. */
#ifndef HOLDFAST_TESTS_LOOP_CONTRACT_H
#define HOLDFAST_TESTS_LOOP_CONTRACT_H

#include "loop/loop.h"
#include "unit/unit.h"

struct sim_world;

struct contract {
    struct loop *l;
    struct sim_world *world; /* of a simulated loop */
    void (*fini)(struct contract *c);
    /* Makes another kind of stream of both ends; NULL: they are the loop's. */
    void (*wrap)(struct contract *c, struct loop_stream **client, struct loop_stream **server);
    void *wrap_arg;
    const char *ip; /* that may be listened on */
};

/* Runs until loop_stop; a test that nobody stops fails. */
void contract_run(struct contract *c);

/* Listens on c->ip with a port that is free. */
struct loop_listener *contract_listen(struct contract *c,
                                      void (*on_accept)(void *, struct loop_stream *, const struct addr *),
                                      void *arg, struct addr *ret_at);

/* Two ends of a new stream; the listener is gone. */
struct contract_pair {
    struct loop_stream *client, *server;
};
struct contract_pair contract_connect(struct contract *c);

#define CONTRACT_DECLARE(name) void name(void **state);
#define CONTRACT_TIMERS(X)                                                                                   \
    X(timers_fire_in_order)                                                                                  \
    X(equal_timers_fire_in_order_of_start)                                                                   \
    X(timer_waits_its_delay)                                                                                 \
    X(timer_restart_moves_it)                                                                                \
    X(timer_stopped_by_another)                                                                              \
    X(timer_frees_itself_and_another)                                                                        \
    X(timer_without_delay_lets_others_run)                                                                   \
    X(posts_run_in_order_and_later)                                                                          \
    X(work_is_done_before_done)                                                                              \
    X(random_differs)
#define CONTRACT_STREAMS(X)                                                                                  \
    X(listen_gives_the_port_and_refuses_a_second)                                                            \
    X(connect_refused)                                                                                       \
    X(connect_cancelled)                                                                                     \
    X(stream_knows_its_ends)                                                                                 \
    X(listener_paused_leaves_them_waiting)                                                                   \
    X(listener_refuses_and_listens_again)                                                                    \
    X(listener_freed_by_its_callback)                                                                        \
    X(echo_of_10_mib_is_exact)                                                                               \
    X(writer_waits_for_reader)                                                                               \
    X(drain_fires_only_after_a_queue)                                                                        \
    X(what_is_written_with_room_leaves_at_once)                                                              \
    X(a_cut_stream_has_no_room)                                                                              \
    X(read_stop_in_callback_holds)                                                                           \
    X(stream_freed_in_its_read)                                                                              \
    X(stream_freed_in_its_drain)                                                                             \
    X(end_is_reported_once)                                                                                  \
    X(reply_after_the_peers_end_arrives)                                                                     \
    X(close_lingers_until_all_is_sent)                                                                       \
    X(close_is_not_a_reset_with_unread_input)                                                                \
    X(close_gives_up_after_its_linger)                                                                       \
    X(free_with_unsent_data_cuts)                                                                            \
    X(write_to_a_cut_stream_reports_once)

CONTRACT_TIMERS(CONTRACT_DECLARE)
CONTRACT_STREAMS(CONTRACT_DECLARE)

int contract_setup(void **state); /* by the kind's test program: *state is a struct contract */
int contract_teardown(void **state);
#define CONTRACT_TEST(name) cmocka_unit_test_setup_teardown(name, contract_setup, contract_teardown),

#endif
