#include "cli/context.h"

#include <stdlib.h>

#include "loop/real.h"
#include "unit/unit.h"

#define QUIET_MS 200 /* long for a watcher to see a change */

struct rig {
    struct context cx;
    char folder[64];
    bool rang;
};

static int open_rig(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct err_buf eb = {""};
    strcpy(r->folder, "/tmp/holdfast-context-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    struct store_options options = {.engine = STORE_ENGINE_SQLITE, .path = r->folder};
    context_init(&r->cx, "test");
    r->cx.loop = loop_real_new();
    assert_int_equal(store_open(r->cx.loop, &options, &r->cx.store, &eb), 0);
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *r = *state;
    char command[128];
    store_close(r->cx.store);
    loop_real_free(r->cx.loop);
    snprintf(command, sizeof(command), "rm -r %s", r->folder);
    assert_int_equal(system(command), 0);
    free(r);
    return 0;
}

static void on_write(void *arg, int err, size_t failed)
{
    (void)arg;
    (void)failed;
    assert_int_equal(err, 0);
}

static void on_ring(void *arg)
{
    struct rig *r = arg;
    r->rang = true;
    context_done(&r->cx);
}

/* What a command waits for is its own: a change of the network does not end it. */
static void a_changed_network_ends_no_other_wait(void **state)
{
    struct rig *r = *state;
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("revision"),
                                    .key = STR("users"),
                                    .value = STR("{}"),
                                    .expect_version = NETWORK_ABSENT};
    struct viewer *viewer = context_view(&r->cx);
    struct loop_timer *timer = loop_timer_new(r->cx.loop, on_ring, r);
    assert_int_equal(viewer_view(viewer)->users_revision, 0);
    network_write(store_network(r->cx.store), &change, 1, NULL, on_write, r);
    loop_timer_start(timer, QUIET_MS);
    context_wait(&r->cx);
    assert_true(r->rang);
    assert_int_not_equal(viewer_view(viewer)->users_revision, 0); /* it was seen meanwhile */
    loop_timer_free(timer);
    viewer_free(viewer);
}

static void a_queue_that_cannot_be_read_is_no_empty_one(void **state)
{
    struct rig *r = *state;
    int status = 0;
    char path[128];
    assert_null(context_open_queue(&r->cx, "never", &status));
    assert_int_equal(status, 0);
    snprintf(path, sizeof(path), "%s/queue-broken.db", r->folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database", file);
    fclose(file);
    assert_null(context_open_queue(&r->cx, "broken", &status));
    assert_int_equal(status, 1);
}

/* What the configuration says is what is opened. */
static void the_store_is_the_configured_one(void **state)
{
    (void)state;
    struct config c = {.store_engine = STORE_SQLITE,
                       .store_url = "sqlite:store",
                       .store_path = "/state/store",
                       .store_password_file = ""};
    struct store_options options = context_store_options(&c, true);
    assert_int_equal(options.engine, STORE_ENGINE_SQLITE);
    assert_string_equal(options.path, "/state/store");
    assert_null(options.password_file);
    assert_true(options.read_only);
    c = (struct config){.store_engine = STORE_POSTGRESQL,
                        .store_url = "postgresql:///holdfast",
                        .store_path = "",
                        .store_password_file = "/etc/secret"};
    options = context_store_options(&c, false);
    assert_int_equal(options.engine, STORE_ENGINE_POSTGRES);
    assert_string_equal(options.path, "postgresql:///holdfast");
    assert_string_equal(options.password_file, "/etc/secret");
    assert_false(options.read_only);
    c.store_engine = STORE_MEMORY;
    assert_int_equal(context_store_options(&c, false).engine, STORE_ENGINE_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_is_the_configured_one),
        cmocka_unit_test_setup_teardown(a_changed_network_ends_no_other_wait, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_queue_that_cannot_be_read_is_no_empty_one, open_rig, close_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
