#include "auth/password_queue.h"

#include "loop/real.h"
#include "unit/unit.h"

/* Of "holdfast"; cheap. */
#define VERIFIER                                                                                             \
    STR("{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$Tx5WXmDlN+f6w7X9cIvjPw$eYfwQR/"                                \
        "JVNc5OQed1MNNaSsTxCez3IIPTf9HlX3pmaM")

struct world {
    struct loop *loop;
    struct password_queue *queue;
    int expected;   /* callbacks until the loop stops */
    char order[16]; /* who was called, in order */
    size_t order_len;
    int errs[256];
    size_t err_count;
    char made[PASSWORD_VERIFIER_MAX];
    struct password_request *request;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->loop = loop_real_new();
    w->queue = password_queue_new(w->loop);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    password_queue_free(w->queue);
    loop_real_free(w->loop);
    free(w);
    return 0;
}

static void called(struct world *w, int err)
{
    w->errs[w->err_count++] = err;
    if (--w->expected == 0)
        loop_stop(w->loop);
}

static void on_verified(void *arg, int err)
{
    called(arg, err);
}

static void on_hashed(void *arg, int err, struct str verifier)
{
    struct world *w = arg;
    memcpy(w->made, verifier.ptr, verifier.len + 1);
    called(w, err);
}

static void run(struct world *w, int expected)
{
    w->expected = expected;
    loop_run(w->loop);
}

static void right_and_wrong(void **state)
{
    struct world *w = *state;
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    password_queue_verify(w->queue, VERIFIER, STR("wrong"), on_verified, w);
    password_queue_verify(w->queue, STR_EMPTY, STR("holdfast"), on_verified, w);
    assert_int_equal(w->err_count, 0);
    run(w, 3);
    assert_int_equal(w->errs[0], 0);
    assert_int_equal(w->errs[1], ERR_DENIED);
    assert_int_equal(w->errs[2], ERR_DENIED);
}

static void a_hash_verifies(void **state)
{
    struct world *w = *state;
    password_queue_hash(w->queue, STR("new one"), on_hashed, w);
    run(w, 1);
    assert_int_equal(w->errs[0], 0);
    password_queue_verify(w->queue, str_from(w->made), STR("new one"), on_verified, w);
    run(w, 1);
    assert_int_equal(w->errs[1], 0);
}

static void impossible_passwords(void **state)
{
    struct world *w = *state;
    char text[PASSWORD_MAX_BYTES + 10];
    memset(text, 'x', sizeof(text));
    password_queue_hash(w->queue, (struct str){text, sizeof(text)}, on_hashed, w);
    password_queue_hash(w->queue, (struct str){NULL, 0}, on_hashed, w);
    password_queue_verify(w->queue, VERIFIER, (struct str){text, sizeof(text)}, on_verified, w);
    run(w, 3);
    assert_int_equal(w->errs[0], ERR_INVALID);
    assert_int_equal(w->errs[1], ERR_INVALID);
    assert_int_equal(w->errs[2], ERR_DENIED);
}

static void note_first(void *arg, int err)
{
    struct world *w = arg;
    w->order[w->order_len++] = '1';
    called(w, err);
}

static void note_second(void *arg, int err)
{
    struct world *w = arg;
    w->order[w->order_len++] = '2';
    called(w, err);
}

static void in_the_order_of_asking(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        password_queue_verify(w->queue, STR_EMPTY, STR("slow"), note_first, w);
        password_queue_verify(w->queue, VERIFIER, STR("holdfast"), note_second, w);
    }
    run(w, 6);
    assert_string_equal(w->order, "121212");
}

static void a_full_queue_refuses(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < PASSWORD_QUEUE_MAX + 3; i++) /* one runs at once */
        password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    assert_int_equal(w->err_count, 0);
    run(w, PASSWORD_QUEUE_MAX + 3);
    size_t busy = 0;
    for (size_t i = 0; i < w->err_count; i++)
        busy += w->errs[i] == ERR_BUSY;
    assert_int_equal(busy, 2);
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    run(w, 1);
    assert_int_equal(w->errs[w->err_count - 1], 0);
}

static void never(void *arg, int err)
{
    (void)arg;
    (void)err;
    fail_msg("a cancelled request was answered");
}

static void a_cancelled_request_is_not_answered(void **state)
{
    struct world *w = *state;
    struct password_request *running = password_queue_verify(w->queue, VERIFIER, STR("holdfast"), never, w);
    struct password_request *waiting = password_queue_verify(w->queue, VERIFIER, STR("holdfast"), never, w);
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    password_request_cancel(running);
    password_request_cancel(waiting);
    password_request_cancel(NULL);
    run(w, 1);
    assert_int_equal(w->errs[0], 0);
}

static void a_refused_request_can_be_cancelled(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < PASSWORD_QUEUE_MAX + 1; i++)
        password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    password_request_cancel(password_queue_verify(w->queue, VERIFIER, STR("holdfast"), never, w));
    run(w, PASSWORD_QUEUE_MAX + 1);
}

static void cancelling_makes_room(void **state)
{
    struct world *w = *state;
    struct password_request *waiting[PASSWORD_QUEUE_MAX];
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    for (size_t i = 0; i < PASSWORD_QUEUE_MAX; i++)
        waiting[i] = password_queue_verify(w->queue, VERIFIER, STR("holdfast"), never, w);
    for (size_t i = 0; i < PASSWORD_QUEUE_MAX; i++)
        password_request_cancel(waiting[i]);
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    run(w, 2);
    assert_int_equal(w->errs[0], 0);
    assert_int_equal(w->errs[1], 0);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* After the queue is gone, the thread's result and the post still come to the loop. */
static void freeing_the_queue_cancels_all(void **state)
{
    struct world *w = *state;
    struct password_queue *other = password_queue_new(w->loop);
    for (int i = 0; i < PASSWORD_QUEUE_MAX + 3; i++)
        password_queue_verify(other, VERIFIER, STR("holdfast"), never, w);
    password_queue_free(other);
    password_queue_verify(w->queue, STR_EMPTY, STR("x"), on_verified, w);
    run(w, 1);
    loop_post(w->loop, stop, w->loop);
    loop_run(w->loop);
}

static void free_queue(void *arg, int err)
{
    struct world *w = arg;
    password_queue_free(w->queue);
    w->queue = NULL;
    called(w, err);
}

static void a_callback_may_free_the_queue(void **state)
{
    struct world *w = *state;
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), free_queue, w);
    run(w, 1);
    assert_int_equal(w->errs[0], 0);
}

static void cancel_next(void *arg, int err)
{
    struct world *w = arg;
    password_request_cancel(w->request);
    called(w, err);
}

static void a_callback_may_cancel_the_next(void **state)
{
    struct world *w = *state;
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), cancel_next, w);
    w->request = password_queue_verify(w->queue, VERIFIER, STR("holdfast"), never, w);
    password_queue_verify(w->queue, VERIFIER, STR("holdfast"), on_verified, w);
    run(w, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(right_and_wrong),
        TEST(a_hash_verifies),
        TEST(impossible_passwords),
        TEST(in_the_order_of_asking),
        TEST(a_full_queue_refuses),
        TEST(a_cancelled_request_is_not_answered),
        TEST(a_refused_request_can_be_cancelled),
        TEST(cancelling_makes_room),
        TEST(freeing_the_queue_cancels_all),
        TEST(a_callback_may_free_the_queue),
        TEST(a_callback_may_cancel_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
