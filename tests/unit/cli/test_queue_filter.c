/* The words that select mail, as a filter and as an order's arguments. */
#include "cli/queue_filter.h"
#include "unit/unit.h"

#define NOW ((struct wall_time){1800000000000})

static int parse(struct queue_selection *s, struct queue_words words)
{
    struct err_buf eb;
    return queue_selection_parse(s, &words, NOW, &eb);
}

static void refuse(struct queue_words words)
{
    struct queue_selection s;
    assert_int_equal(parse(&s, words), ERR_INVALID);
    queue_selection_fini(&s);
}

static void words_become_a_filter(void **state)
{
    struct queue_selection s;
    (void)state;
    assert_ok(parse(&s, (struct queue_words){.sender = "<>",
                                             .domain = "Example.TEST",
                                             .state = "held,quarantined",
                                             .older_than = "2h",
                                             .newer_than = "2027-01-15T00:00:00Z",
                                             .limit = "20"}));
    assert_true(queue_selection_is_narrow(&s));
    assert_non_null(s.filter.sender.ptr);
    assert_int_equal(s.filter.sender.len, 0);
    assert_null(s.filter.recipient.ptr);
    assert_str(s.filter.domain, "example.test");
    assert_int_equal(s.filter.states, 1 << QUEUE_HELD | 1 << QUEUE_QUARANTINED);
    assert_int_equal(s.filter.received_before.ms, NOW.ms - 7200000);
    assert_int_equal(s.filter.received_from.ms, 1799971200000);
    assert_int_equal(s.limit, 20);
    queue_selection_fini(&s);
}

static void a_relay_and_a_limit_select_nothing(void **state)
{
    struct queue_selection s;
    (void)state;
    assert_ok(parse(&s, (struct queue_words){.relay = "relay1", .limit = "1"}));
    assert_false(queue_selection_is_narrow(&s));
    queue_selection_fini(&s);
}

static void a_queue_id_is_of_one_relay(void **state)
{
    struct queue_selection s;
    (void)state;
    assert_ok(parse(&s, (struct queue_words){.id = "relay1:17"}));
    assert_string_equal(s.relay, "relay1");
    assert_int_equal(s.filter.delivery_id, 17);
    json_t *args = queue_selection_args(&s, NULL, 3);
    char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"delivery\":17,\"limit\":3}");
    free(text);
    json_decref(args);
    queue_selection_fini(&s);
    refuse((struct queue_words){.id = "relay1:17", .relay = "relay2"});
}

static void an_order_says_it_all(void **state)
{
    struct queue_selection s;
    (void)state;
    assert_ok(parse(&s, (struct queue_words){.server = "mail1",
                                             .sender = "<>",
                                             .recipient = "a@b.test",
                                             .domain = "B.test",
                                             .message_id = "x@y.test",
                                             .reply = "no",
                                             .state = "waiting",
                                             .id = "00000000000000000000000000",
                                             .older_than = "1s"}));
    json_t *args = queue_selection_args(&s, "mail2", 0);
    char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        text,
        "{\"before_ms\":1799999999000,\"domain\":\"b.test\","
        "\"id\":\"00000000000000000000000000\",\"message_id\":\"<x@y.test>\",\"recipient\":\"a@b.test\","
        "\"reply\":\"no\",\"sender\":\"\",\"server\":\"mail1\",\"states\":1,"
        "\"to\":\"mail2\"}");
    free(text);
    json_decref(args);
    queue_selection_fini(&s);
}

static void what_is_no_word_of_it_is_refused(void **state)
{
    (void)state;
    refuse((struct queue_words){.state = "lost"});
    refuse((struct queue_words){.state = "held,,waiting"});
    refuse((struct queue_words){.older_than = "yesterday"});
    refuse((struct queue_words){.newer_than = "-1h"});
    refuse((struct queue_words){.limit = "0"});
    refuse((struct queue_words){.limit = "-1"});
    refuse((struct queue_words){.id = "relay1:"});
    refuse((struct queue_words){.id = "relay1:0"});
    refuse((struct queue_words){.id = ":17"});
    refuse((struct queue_words){.id = "short"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_a_filter),
        cmocka_unit_test(a_relay_and_a_limit_select_nothing),
        cmocka_unit_test(a_queue_id_is_of_one_relay),
        cmocka_unit_test(an_order_says_it_all),
        cmocka_unit_test(what_is_no_word_of_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
