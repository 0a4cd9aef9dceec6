/* What is done about a site that is gone: what is ordered, by whom, what is recorded after it, and when that
 * ends. */
#include "base/log.h"
#include "site_world.h"

#define KEY "west/0000000000/fence-site/0"

/* ---- ordering ---- */

static void step(struct world *w, enum site_word word, int64_t held_ms)
{
    struct site_context x = context(w);
    struct site_step s = {&w->sites[WEST], word, held_ms};
    batch_fini(&w->batch);
    batch_init(&w->batch, &w->arena);
    site_fence_step(&x, &s, 1000, &w->batch);
}

static void assert_change(const struct world *w, size_t i, const char *kind, const char *key)
{
    assert_true(i < w->batch.count);
    assert_str(w->batch.changes[i].kind, kind);
    assert_str(w->batch.changes[i].key, key);
}

/* The order that the step writes, as the next view shows it. */
static void take_order(struct world *w, const char *node)
{
    struct order_args args;
    assert_change(w, 0, "order", KEY);
    w->order.key = STR(KEY);
    w->order.version++;
    w->order.age_ms = 0;
    assert_ok(record_order_decode(&w->arena, w->batch.changes[0].value, &w->order.record));
    w->view.order_count = 1;
    assert_ok(order_args_decode(&w->arena, w->order.record.args, &args));
    assert_str(order_node(&w->order.record), node);
    assert_str(w->order.record.verb, ORDER_FENCE_SITE);
    assert_str(w->order.record.subject, "west");
    assert_str(args.program, "/agent");
    assert_str(args.site, "west");
    assert_int_equal(args.timeout_ms, 30000);
}

static void order(struct world *w)
{
    init(w);
    lose_west(w);
    step(w, SITE_GONE, AFTER_MS);
    assert_int_equal(w->batch.changes[0].expect_version, NETWORK_ABSENT);
    take_order(w, "east1");
    assert_change(w, 1, "site-fence", "west");
}

static void end_order(struct world *w, const char *state, const char *text)
{
    struct order_result result = {.exit_status = 1, .text = str_from(text)};
    w->order.record.state = str_from(state);
    w->order.record.result = order_result_encode(&w->arena, &result);
    w->order.age_ms = 0;
    w->order.version++;
}

static void it_is_ordered_once_it_has_been_gone_for_long(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    step(&w, SITE_GONE, AFTER_MS - 1);
    assert_int_equal(w.batch.count, 0);
    step(&w, SITE_AS_RECORDED, AFTER_MS);
    assert_int_equal(w.batch.count, 0);
    fini(&w);
    order(&w);
    step(&w, SITE_GONE, AFTER_MS);
    assert_int_equal(w.batch.count, 0); /* it is under way */
    fini(&w);
}

static void an_order_goes_on_elsewhere_when_its_node_dies(void **state)
{
    (void)state;
    struct world w;
    order(&w);
    w.order.record.state = STR("taken");
    end_leases(&w, "east1", 1);
    step(&w, SITE_GONE, AFTER_MS);
    assert_int_equal(w.batch.changes[0].expect_version, w.order.version);
    take_order(&w, "east2");
    assert_str(w.order.record.state, "new");
    fini(&w);
}

static void an_order_that_nobody_has_taken_ends_with_its_reason(void **state)
{
    (void)state;
    struct world w;
    order(&w);
    step(&w, SITE_AS_RECORDED, 0);
    assert_change(&w, 0, "order", KEY);
    assert_int_equal(w.batch.changes[0].type, NETWORK_DELETE);
    w.order.record.state = STR("taken");
    step(&w, SITE_AS_RECORDED, 0); /* nobody can stop it: its end is waited for */
    assert_int_equal(w.batch.count, 0);
    fini(&w);
}

static void a_failure_is_told_and_tried_again_by_another_after_a_pause(void **state)
{
    (void)state;
    static const int64_t pauses[] = {30000, 60000, 120000, 240000, 480000, 480000};
    struct world w;
    order(&w);
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        end_order(&w, "failed", "no such plug");
        step(&w, SITE_GONE, AFTER_MS);
        take_order(&w, i % 3 == 0 ? "east1" : i % 3 == 1 ? "east2" : "north1");
        assert_str(w.order.record.state, "later");
        assert_change(&w, 1, "site-fence", "west");
        assert_non_null(strstr(w.batch.changes[1].value.ptr, "no such plug"));
        assert_change(&w, 2, "alarm", "west");
        w.order.age_ms = pauses[i] - 1;
        step(&w, SITE_GONE, AFTER_MS);
        assert_int_equal(w.batch.count, 0);
        w.order.age_ms = pauses[i];
        step(&w, SITE_AS_RECORDED, AFTER_MS);
        assert_int_equal(w.batch.count, 0);
        step(&w, SITE_GONE, AFTER_MS - 1); /* it may have been back meanwhile */
        assert_int_equal(w.batch.count, 0);
        step(&w, SITE_GONE, AFTER_MS);
        take_order(&w, i % 3 == 0 ? "east2" : i % 3 == 1 ? "north1" : "east1");
        assert_str(w.order.record.state, "new");
    }
    fini(&w);
}

static void a_failure_is_forgotten_when_the_site_lives(void **state)
{
    (void)state;
    struct world w;
    order(&w);
    end_order(&w, "later", "no such plug");
    end_leases(&w, "west1", -1000);
    step(&w, SITE_AS_RECORDED, 0);
    assert_change(&w, 0, "order", KEY);
    assert_int_equal(w.batch.changes[0].type, NETWORK_DELETE);
    fini(&w);
}

static void what_was_ordered_before_another_record_is_withdrawn(void **state)
{
    (void)state;
    struct world w;
    order(&w);
    w.order.key = STR("west/0000000000/fence-site/7");
    step(&w, SITE_AS_RECORDED, 0);
    assert_change(&w, 0, "order", "west/0000000000/fence-site/7");
    assert_int_equal(w.batch.changes[0].type, NETWORK_DELETE);
    fini(&w);
}

/* ---- recording ---- */

static struct record_site recorded(struct world *w, int64_t expect_version)
{
    struct record_site site;
    assert_change(w, 0, "site", "west");
    assert_int_equal(w->batch.changes[0].expect_version, expect_version);
    assert_ok(record_site_decode(&w->arena, w->batch.changes[0].value, &site));
    assert_str(site.who, SITE_BY_DIRECTOR);
    return site;
}

static void what_was_confirmed_is_recorded_with_an_alarm(void **state)
{
    (void)state;
    struct world w;
    order(&w);
    end_order(&w, "done", "");
    step(&w, SITE_AS_RECORDED, 0); /* whatever the relays say meanwhile: it is off */
    assert_true(recorded(&w, NETWORK_ABSENT).lost);
    assert_change(&w, 1, "site-lost", "west");
    assert_non_null(strstr(w.batch.changes[1].value.ptr, "/agent"));
    assert_non_null(strstr(w.batch.changes[1].value.ptr, "east1"));
    assert_change(&w, 2, "alarm", "west");
    w.site = (struct view_site){.name = STR("west"), .record.lost = true, .version = 7};
    w.view.site_count = 1;
    step(&w, SITE_AS_RECORDED, AFTER_MS);
    assert_int_equal(w.batch.count, 0);
    fini(&w);
}

static void a_confirmation_that_is_over_records_nothing(void **state)
{
    (void)state;
    struct world w;
    order(&w);
    end_order(&w, "done", "");
    end_leases(&w, "west1", -1000); /* it was turned on again */
    step(&w, SITE_AS_RECORDED, 0);
    assert_change(&w, 0, "order", KEY);
    assert_int_equal(w.batch.changes[0].type, NETWORK_DELETE);
    assert_change(&w, 1, "site-fence", "west");
    assert_int_equal(w.batch.count, 2);
    end_leases(&w, "west1", AFTER_MS);
    w.order.age_ms = SITE_FENCE_GOOD_MS + 1;
    step(&w, SITE_GONE, AFTER_MS);
    assert_change(&w, 0, "order", KEY);
    assert_int_equal(w.batch.changes[0].type, NETWORK_DELETE);
    fini(&w);
}

static void what_the_director_recorded_ends_when_the_site_lives_and_has_copies(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    *work(&w, 0) = (struct record_work){.durability = STR("local"), .databases = STR("east")};
    w.site = (struct view_site){
        .name = STR("west"), .record = {.lost = true, .who = STR(SITE_BY_DIRECTOR)}, .version = 7};
    w.view.site_count = 1;
    assert_int_equal(word_of(&w, WEST), SITE_AS_RECORDED);
    end_leases(&w, "west1", -1000);
    work(&w, 1)->durability = STR_EMPTY; /* its relay owns no queue yet */
    assert_int_equal(word_of(&w, WEST), SITE_AS_RECORDED);
    work(&w, 0)->databases = STR("east west");
    assert_int_equal(word_of(&w, WEST), SITE_AS_RECORDED);
    work(&w, 0)->copies = STR("west");
    assert_int_equal(word_of(&w, WEST), SITE_BACK);
    step(&w, SITE_BACK, AFTER_MS - 1);
    assert_int_equal(w.batch.count, 0);
    step(&w, SITE_BACK, AFTER_MS);
    assert_false(recorded(&w, 7).lost);
    assert_change(&w, 1, "site-back", "west");
    w.site.record.who = STR("root@host");
    assert_int_equal(word_of(&w, WEST), SITE_AS_RECORDED);
    fini(&w);
}

/* ---- carrying out ---- */

static void it_is_not_carried_out_when_it_is_old_or_the_site_lives(void **state)
{
    (void)state;
    struct world w;
    struct order_args args;
    order(&w);
    assert_ok(order_args_decode(&w.arena, w.order.record.args, &args));
    assert_true(site_fence_is_wanted(&w.config, &w.view, &w.order, &args));
    w.order.age_ms = 30001;
    assert_false(site_fence_is_wanted(&w.config, &w.view, &w.order, &args));
    w.order.age_ms = 0;
    end_leases(&w, "west1", -1000);
    assert_false(site_fence_is_wanted(&w.config, &w.view, &w.order, &args));
    end_leases(&w, "west1", 60000);
    assert_true(site_fence_is_wanted(&w.config, &w.view, &w.order, &args));
    w.order.key = STR("west/0000000000/fence-site/7"); /* the site's record is another one now */
    assert_false(site_fence_is_wanted(&w.config, &w.view, &w.order, &args));
    args.site = STR("nowhere");
    assert_false(site_fence_is_wanted(&w.config, &w.view, &w.order, &args));
    fini(&w);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ordered_once_it_has_been_gone_for_long),
        cmocka_unit_test(an_order_goes_on_elsewhere_when_its_node_dies),
        cmocka_unit_test(an_order_that_nobody_has_taken_ends_with_its_reason),
        cmocka_unit_test(a_failure_is_told_and_tried_again_by_another_after_a_pause),
        cmocka_unit_test(a_failure_is_forgotten_when_the_site_lives),
        cmocka_unit_test(what_was_ordered_before_another_record_is_withdrawn),
        cmocka_unit_test(what_was_confirmed_is_recorded_with_an_alarm),
        cmocka_unit_test(a_confirmation_that_is_over_records_nothing),
        cmocka_unit_test(what_the_director_recorded_ends_when_the_site_lives_and_has_copies),
        cmocka_unit_test(it_is_not_carried_out_when_it_is_old_or_the_site_lives),
    };
    return cmocka_run_group_tests_name("director site fence", tests, NULL, NULL);
}
