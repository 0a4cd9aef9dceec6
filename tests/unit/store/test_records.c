#include "unit/unit.h"

#include "base/err.h"
#include "store/records.h"

static void a_server_comes_back_whole(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 65536);
    struct record_server in = {.state = STR("running"),
                               .instance = {STR("east1"), STR("east"), STR("127.1.0.10"), 3, 4711, 99},
                               .candidate = {.node = STR_EMPTY},
                               .epoch = 3,
                               .plan_index = -1,
                               .generation = 5,
                               .changed_at_ms = 1700000000123,
                               .reason = STR("operator \"x\""),
                               .tries = 2};
    struct record_server out;
    char *text = record_server_encode(&in);
    assert_ok(record_server_decode(&arena, str_from(text), &out));
    assert_str(out.state, "running");
    assert_str(out.instance.address, "127.1.0.10");
    assert_int_equal(out.instance.pid_start, 99);
    assert_int_equal(out.plan_index, -1);
    assert_int_equal(out.changed_at_ms, 1700000000123);
    assert_str(out.reason, "operator \"x\"");
    assert_str(out.wanted, "");
    assert_str(out.candidate.node, "");
    free(text);
    arena_fini(&arena);
}

static void missing_members_are_zero_and_unknown_ones_ignored(void **state)
{
    (void)state;
    struct arena arena;
    struct record_observation o;
    struct record_server s;
    arena_init(&arena, 65536);
    assert_ok(record_observation_decode(&arena, STR("{\"failed\":2,\"later\":[1],\"invoke\":true}"), &o));
    assert_int_equal(o.failed, 2);
    assert_true(o.invoke);
    assert_str(o.state, "");
    assert_int_equal(o.history, 0);
    assert_ok(record_server_decode(&arena, STR("{}"), &s));
    assert_str(s.instance.node, "");
    assert_non_null(s.instance.node.ptr);
    arena_fini(&arena);
}

static void what_is_no_such_object_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct record_route route = {.generation = 77};
    const char *bad[] = {"",
                         "[]",
                         "1",
                         "{\"server\":1}",
                         "{\"generation\":\"1\"}",
                         "{\"generation\":1.5}",
                         "{",
                         "{\"server\":\"a\",\"server\":\"b\"}",
                         "{\"server\":null}"};
    arena_init(&arena, 65536);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(record_route_decode(&arena, str_from(bad[i]), &route), ERR_SYNTAX);
    assert_int_equal(route.generation, 77);
    struct record_server server;
    assert_err(record_server_decode(&arena, STR("{\"instance\":[]}"), &server), ERR_SYNTAX);
    arena_fini(&arena);
}

static void an_arena_that_is_full_is_an_error(void **state)
{
    (void)state;
    struct arena arena;
    struct record_route route;
    arena_init(&arena, 4);
    assert_err(record_route_decode(&arena, STR("{\"server\":\"a-long-name\"}"), &route), ERR_LIMIT);
    arena_fini(&arena);
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 65536);
    struct record_observation in = {.state = STR("inoperable"), .detail = STR("bad \xff\xfe bytes")}, out;
    char *text = record_observation_encode(&in);
    assert_ok(record_observation_decode(&arena, str_from(text), &out));
    assert_str(out.detail, "bad ?? bytes");
    free(text);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_comes_back_whole),
        cmocka_unit_test(missing_members_are_zero_and_unknown_ones_ignored),
        cmocka_unit_test(what_is_no_such_object_is_refused),
        cmocka_unit_test(an_arena_that_is_full_is_an_error),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced),
    };
    return cmocka_run_group_tests_name("store records", tests, NULL, NULL);
}
