/* One client's lines are bounded, and what was left out is told. */
#include "net/log_limit.h"

#include <stdio.h>
#include <unistd.h>

#include "loop/sim.h"
#include "unit/unit.h"

struct bench {
    struct sim_world *world;
    struct loop *loop;
    struct log_limit *limit;
    FILE *file; /* stderr goes here */
    int saved;
    char text[65536];
};

static void bench_open(struct bench *b)
{
    b->world = sim_world_new(1);
    b->loop = sim_loop_new(b->world, "host", "test");
    b->limit = log_limit_new(b->loop);
    b->file = tmpfile();
    assert_non_null(b->file);
    b->saved = dup(STDERR_FILENO);
    dup2(fileno(b->file), STDERR_FILENO);
}

static const char *bench_close(struct bench *b)
{
    dup2(b->saved, STDERR_FILENO);
    close(b->saved);
    sim_loop_free(b->loop);
    sim_world_free(b->world);
    rewind(b->file);
    b->text[fread(b->text, 1, sizeof(b->text) - 1, b->file)] = '\0';
    fclose(b->file);
    return b->text;
}

static int asked(struct bench *b, const char *client, int times)
{
    int allowed = 0;
    for (int i = 0; i < times; i++)
        allowed += log_limit_may(b->limit, client);
    return allowed;
}

static void a_flood_is_summed_up(void **state)
{
    static struct bench b;
    (void)state;
    bench_open(&b);
    assert_int_equal(asked(&b, "10.0.0.1", 500), LOG_LIMIT_PER_SECOND);
    assert_int_equal(asked(&b, "10.0.0.2", 3), 3); /* others are not made silent by it */
    sim_run_until(b.world, MONO_NEVER);
    assert_int_equal(asked(&b, "10.0.0.1", 1), 1); /* a new second */
    log_limit_free(b.limit);
    const char *text = bench_close(&b);
    assert_non_null(strstr(text, "more like this client=10.0.0.1 count=490\n"));
    assert_null(strstr(text, "10.0.0.2"));
}

static void many_clients_are_bounded(void **state)
{
    static struct bench b;
    char client[32];
    int allowed = 0;
    (void)state;
    bench_open(&b);
    for (int i = 0; i < LOG_LIMIT_CLIENTS + 100; i++) {
        snprintf(client, sizeof(client), "10.0.%d.%d", i / 256, i % 256);
        allowed += asked(&b, client, 1);
    }
    log_limit_free(b.limit);
    const char *text = bench_close(&b);
    assert_int_equal(allowed, LOG_LIMIT_CLIENTS + LOG_LIMIT_PER_SECOND);
    assert_non_null(strstr(text, "more like this client=others count=90\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_is_summed_up),
        cmocka_unit_test(many_clients_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
