/* Posts from other threads; also run under the thread sanitizer. */
#include <pthread.h>

#include "loop/loop.h"
#include "loop/real.h"
#include "unit/unit.h"

#define THREADS 4
#define POSTS   2000 /* by each thread */

struct poster;

struct posted {
    struct poster *poster;
    int number;
};

struct poster {
    struct loop *l;
    pthread_t thread;
    struct posted posted[POSTS];
    int expected; /* the next number, on the loop's thread */
    int *left;
};

static void on_post(void *arg)
{
    struct posted *p = arg;
    assert_int_equal(p->number, p->poster->expected);
    p->poster->expected++;
    if (--*p->poster->left == 0)
        loop_stop(p->poster->l);
}

static void *post_all(void *arg)
{
    struct poster *p = arg;
    for (int i = 0; i < POSTS; i++) {
        p->posted[i] = (struct posted){.poster = p, .number = i};
        loop_post(p->l, on_post, &p->posted[i]);
    }
    return NULL;
}

static void each_threads_posts_come_in_order(void **state)
{
    (void)state;
    static struct poster posters[THREADS];
    struct loop *l = loop_real_new();
    int left = THREADS * POSTS;
    for (int i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.l = l, .left = &left};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    loop_run(l);
    assert_int_equal(left, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(posters[i].thread, NULL);
    loop_real_free(l);
}

struct hash_job {
    struct loop *l;
    uint64_t input, result;
    int *left;
};

static void work(void *arg)
{
    struct hash_job *j = arg;
    for (int i = 0; i < 1000; i++)
        j->result = (j->result ^ j->input) * 0x9E3779B97F4A7C15u;
}

static void done(void *arg)
{
    struct hash_job *j = arg;
    assert_true(j->result != 0);
    if (--*j->left == 0)
        loop_stop(j->l);
}

static void work_comes_back(void **state)
{
    (void)state;
    struct loop *l = loop_real_new();
    struct hash_job jobs[50];
    int left = ARRAY_LEN(jobs);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (struct hash_job){.l = l, .input = i + 1, .left = &left};
        loop_work(l, work, done, NULL, &jobs[i]);
    }
    loop_run(l);
    assert_int_equal(left, 0);
    loop_real_free(l);
}

static void drop(void *arg)
{
    struct hash_job *j = arg;
    *j->left += 100;
}

static void late_work_outlives_no_loop(void **state)
{
    (void)state;
    struct loop *l = loop_real_new();
    int left = 2;
    struct hash_job job = {.l = l, .input = 1, .left = &left};
    loop_work(l, work, done, drop, &job);
    loop_real_free(l); /* waits for the work */
    assert_int_equal(left, 102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_threads_posts_come_in_order),
        cmocka_unit_test(work_comes_back),
        cmocka_unit_test(late_work_outlives_no_loop),
    };
    return cmocka_run_group_tests_name("loop post", tests, NULL, NULL);
}
