#include "unit/unit.h"

#include <stdio.h>

#include "base/mem.h"
#include "web/assets.h"
#include "web/pages.h"

#define STALE_MS 3000

struct fixture {
    struct board *board;
    struct pages pages;
    struct page_reply reply;
};

static int setup(void **state)
{
    struct fixture *f = *state = calloc(1, sizeof(*f));
    f->board = board_new();
    pages_init(&f->pages, f->board, STALE_MS);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    page_reply_fini(&f->reply);
    board_free(f->board);
    free(f);
    return 0;
}

static struct mono_time at_ms(int64_t ms)
{
    return mono_add_ms((struct mono_time){0}, ms);
}

static void post(struct fixture *f, const char *status, const char *metrics, int64_t read_at_ms)
{
    board_post(f->board, mem_strdup(status), mem_strdup(metrics), event_list_new(), at_ms(read_at_ms));
}

static const struct page_query no_query = {{NULL, 0}, {NULL, 0}};

static const struct page_reply *ask(struct fixture *f, const char *method, const char *path, int64_t now_ms)
{
    page_reply_fini(&f->reply);
    pages_answer(&f->pages, str_from(method), str_from(path), &no_query, at_ms(now_ms), &f->reply);
    return &f->reply;
}

static void test_before_the_first_answer_of_the_store(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, "GET", "/healthz", 0)->status, 503);
    assert_int_equal(ask(f, "GET", "/api/v1/status", 0)->status, 503);
    assert_int_equal(ask(f, "GET", "/api/v1/events", 0)->status, 503);
    assert_int_equal(ask(f, "GET", "/metrics", 0)->status, 200);
    assert_non_null(strstr(f->reply.body.ptr, "holdfast_store_answers 0\n"));
    assert_int_equal(ask(f, "GET", "/", 0)->status, 200);
}

static void test_health_is_the_age_of_the_last_answer(void **state)
{
    struct fixture *f = *state;
    post(f, "{}", "", 1000);
    assert_int_equal(ask(f, "GET", "/healthz", 1000 + STALE_MS)->status, 200);
    assert_str(f->reply.body, "ok\n");
    assert_int_equal(ask(f, "GET", "/healthz", 1001 + STALE_MS)->status, 503);
    assert_int_equal(ask(f, "GET", "/healthz", 0)->status, 200);
}

static void test_status_says_how_old_it_is(void **state)
{
    struct fixture *f = *state;
    post(f, "{\"a\":1}", "", 1000);
    ask(f, "GET", "/api/v1/status", 11500);
    assert_int_equal(f->reply.status, 200);
    assert_str(f->reply.body, "{\"a\":1}");
    assert_str(str_from(f->reply.type), "application/json");
    assert_int_equal(f->reply.age_s, 10);
}

static void test_metrics_of_the_status_and_of_now(void **state)
{
    struct fixture *f = *state;
    post(f, "{}", "holdfast_x 1\n", 0);
    ask(f, "GET", "/metrics", STALE_MS);
    assert_true(str_starts(f->reply.body, STR("holdfast_x 1\n")));
    assert_non_null(strstr(f->reply.body.ptr, "\nholdfast_store_answers 1\n"));
    assert_non_null(strstr(f->reply.body.ptr, "\nholdfast_web_requests_total 1\n"));
    ask(f, "GET", "/metrics", STALE_MS + 1);
    assert_non_null(strstr(f->reply.body.ptr, "\nholdfast_store_answers 0\n"));
    assert_non_null(strstr(f->reply.body.ptr, "\nholdfast_web_requests_total 2\n"));
}

static void test_the_api_has_an_index(void **state)
{
    struct fixture *f = *state;
    post(f, "{}", "", 0);
    assert_int_equal(ask(f, "GET", "/api/v1/", 0)->status, 200);
    assert_non_null(strstr(f->reply.body.ptr, "\"/api/v1/status\""));
    assert_int_equal(ask(f, "GET", "/api/v1/nowhere", 0)->status, 404);
    assert_string_equal(f->reply.type, "application/json");
}

static const struct page_reply *ask_events(struct fixture *f, const char *after, const char *limit)
{
    const struct page_query query = {after ? str_from(after) : (struct str){NULL, 0},
                                     limit ? str_from(limit) : (struct str){NULL, 0}};
    page_reply_fini(&f->reply);
    pages_answer(&f->pages, STR("GET"), STR("/api/v1/events"), &query, at_ms(0), &f->reply);
    return &f->reply;
}

static void post_events(struct fixture *f, int64_t first, int64_t count, size_t padding)
{
    struct event_list *l = event_list_new();
    for (int64_t id = first; id < first + count; id++)
        event_list_add(l, id, mem_asprintf("{\"id\":%lld%*s}", (long long)id, (int)padding, ""));
    event_list_bound(l);
    board_post(f->board, mem_strdup("{}"), mem_strdup(""), l, at_ms(0));
}

static void test_events_go_page_by_page(void **state)
{
    struct fixture *f = *state;
    post_events(f, 7, 5, 0);
    assert_str(ask_events(f, NULL, "2")->body,
               "{\"events\": [{\"id\":10},\n {\"id\":11}], \"oldest\": 7, \"more\": false}\n");
    assert_str(ask_events(f, "8", "2")->body,
               "{\"events\": [{\"id\":9},\n {\"id\":10}], \"oldest\": 7, \"more\": true}\n");
    assert_str(ask_events(f, "11", NULL)->body, "{\"events\": [], \"oldest\": 7, \"more\": false}\n");
    assert_str(ask_events(f, "0", "1")->body, "{\"events\": [{\"id\":7}], \"oldest\": 7, \"more\": true}\n");
    static const char *const bad[] = {"", "-1", "x", "1001", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ask_events(f, NULL, bad[i])->status, 400);
    assert_int_equal(ask_events(f, "-1", NULL)->status, 400);
}

static void test_only_the_newest_events_are_kept(void **state)
{
    struct fixture *f = *state;
    post_events(f, 1, EVENTS_KEPT + 5, 0);
    assert_non_null(strstr(ask_events(f, "0", "1")->body.ptr, "[{\"id\":6}]"));
    post_events(f, 1, 900, EVENTS_KEPT_MAX / 500);
    ask_events(f, "0", "1000");
    assert_true(f->reply.body.len < EVENTS_KEPT_MAX + 10000);
    assert_true(f->reply.body.len > EVENTS_KEPT_MAX / 2);
    assert_non_null(strstr(f->reply.body.ptr, "{\"id\":900 "));
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    post(f, "{}", "", 0);
    assert_int_equal(ask(f, "HEAD", "/healthz", 0)->status, 200);
    assert_int_equal(ask(f, "POST", "/healthz", 0)->status, 405);
    assert_int_equal(ask(f, "get", "/healthz", 0)->status, 405);
    static const char *const nowhere[] = {"", "/nowhere", "/healthz/", "//", "/../etc/passwd", "/index.html"};
    for (size_t i = 0; i < ARRAY_LEN(nowhere); i++)
        assert_int_equal(ask(f, "GET", nowhere[i], 0)->status, 404);
    ask(f, "GET", "/metrics", 0);
    assert_non_null(strstr(f->reply.body.ptr, "\nholdfast_web_refused_total 8\n"));
}

static void test_the_page_asks_for_nothing_from_elsewhere(void **state)
{
    struct fixture *f = *state;
    assert_true(web_asset_count >= 3);
    for (size_t i = 0; i < web_asset_count; i++) {
        const struct asset *a = &web_assets[i];
        assert_int_equal(ask(f, "GET", a->path, 0)->status, 200);
        assert_ptr_equal(f->reply.body.ptr, a->body.ptr);
        char *text = str_dup(a->body);
        const char *url = strstr(text, "://");
        for (; url; url = strstr(url + 1, "://")) /* the names of XML, no addresses */
            assert_memory_equal(url, "://www.w3.org/2000/svg", strlen("://www.w3.org/2000/svg"));
        assert_null(strstr(text, " style="));
        assert_null(strstr(text, "onclick"));
        assert_null(strstr(text, "innerHTML"));
        free(text);
    }
}

/* A response that is still being sent keeps its text. */
static void test_a_text_outlives_its_successor(void **state)
{
    struct fixture *f = *state;
    struct page_reply slow;
    post(f, "first", "", 0);
    pages_answer(&f->pages, STR("GET"), STR("/api/v1/status"), &no_query, at_ms(0), &slow);
    post(f, "second", "", 1);
    assert_str(slow.body, "first");
    assert_str(ask(f, "GET", "/api/v1/status", 1)->body, "second");
    page_reply_fini(&slow);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_before_the_first_answer_of_the_store),
        CASE(test_health_is_the_age_of_the_last_answer),
        CASE(test_status_says_how_old_it_is),
        CASE(test_metrics_of_the_status_and_of_now),
        CASE(test_the_api_has_an_index),
        CASE(test_events_go_page_by_page),
        CASE(test_only_the_newest_events_are_kept),
        CASE(test_refusals),
        CASE(test_the_page_asks_for_nothing_from_elsewhere),
        CASE(test_a_text_outlives_its_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
