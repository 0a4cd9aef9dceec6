/* Whom a relay knows that starts while the store is away. */
#include "relay/directory_copy.h"

#include <stdio.h>

#include "unit/store/rig.h"
#include "unit/unit.h"

#define MANY (2 * COPY_USERS_AT_ONCE + 201)

static struct config_domain domains[] = {{.name = "dir.test", .recipients = RECIPIENTS_DIRECTORY}};
static const struct config config = {.domains = domains, .domain_count = 1};

/* A relay's life on the rig's store, which is its spool. */
struct life {
    struct rig *rig;
    struct recipients recipients;
    struct directory_copy *copy;
};

static void life_begin(struct life *l, void **state)
{
    *l = (struct life){.rig = *state};
    assert_ok(recipients_init(&l->recipients, &config, NULL));
    l->copy = directory_copy_new(l->rig->loop, l->rig->network, &l->recipients);
}

static void life_end(struct life *l)
{
    directory_copy_free(l->copy);
    recipients_fini(&l->recipients);
}

/* The store says that these are the users: of the numbers from first, so many. */
static void store_says(struct life *l, int first, int count)
{
    char address[32];
    recipients_directory_begin(&l->recipients);
    for (int i = first; i < first + count; i++) {
        snprintf(address, sizeof(address), "user%d@dir.test", i);
        recipients_directory_add(&l->recipients, str_from(address));
    }
    recipients_directory_end(&l->recipients);
    directory_copy_update(l->copy);
}

static bool kept_are(struct life *l, int first, int count)
{
    char address[32];
    struct answer kept = records(l->rig, l->rig->network, "user", NULL);
    bool all = kept.count == (size_t)count;
    for (int i = first; all && i < first + count; i += 97) {
        snprintf(address, sizeof(address), "user%d@dir.test", i);
        all = records(l->rig, l->rig->network, "user", address).count == 1;
    }
    return all;
}

/* After one in which the store said that these are the users. */
static void life_begin_after(struct life *l, void **state, int count)
{
    life_begin(l, state);
    store_says(l, 0, count);
    RIG_UNTIL(l->rig, kept_are(l, 0, count));
    life_end(l);
    life_begin(l, state);
}

static bool knows(const struct life *l, const char *local_part)
{
    const struct config_domain *domain;
    return recipients_check(&l->recipients, str_from(local_part), STR("dir.test"), &domain) == RECIPIENT_OURS;
}

static void who_was_known_is_known_at_the_next_start(void **state)
{
    struct life l;
    life_begin_after(&l, state, MANY);
    directory_copy_use(l.copy);
    RIG_UNTIL(l.rig, l.recipients.directory_known);
    assert_true(knows(&l, "User7+x") && knows(&l, "user1200"));
    assert_false(knows(&l, "user1201"));
    life_end(&l);
}

static void it_follows_the_store(void **state)
{
    struct life l;
    life_begin(&l, state);
    store_says(&l, 0, MANY);
    store_says(&l, 600, MANY); /* while the first is being written */
    RIG_UNTIL(l.rig, kept_are(&l, 600, MANY));
    store_says(&l, 0, 3);
    store_says(&l, 0, 0);
    RIG_UNTIL(l.rig, kept_are(&l, 0, 0));
    life_end(&l);
    life_begin(&l, state);
    store_says(&l, 5, 1); /* before the copy was read */
    RIG_UNTIL(l.rig, kept_are(&l, 5, 1));
    assert_true(knows(&l, "user5"));
    life_end(&l);
}

static void what_the_store_said_counts_for_more(void **state)
{
    struct life l;
    life_begin_after(&l, state, 9);
    store_says(&l, 1, 1);
    directory_copy_use(l.copy);
    RIG_UNTIL(l.rig, kept_are(&l, 1, 1));
    directory_copy_use(l.copy);
    assert_true(knows(&l, "user1"));
    assert_false(knows(&l, "user2"));
    life_end(&l);
}

/* So nobody is refused for not being in it. */
static void of_no_copy_nothing_is_known(void **state)
{
    struct life l;
    life_begin(&l, state);
    directory_copy_use(l.copy);
    assert_true(kept_are(&l, 0, 0)); /* it was read before that */
    assert_false(l.recipients.directory_known);
    life_end(&l);
}

static void while_the_store_is_there_it_is_not_used(void **state)
{
    struct life l;
    life_begin_after(&l, state, 9);
    assert_true(kept_are(&l, 0, 9)); /* it was read before that */
    assert_false(l.recipients.directory_known);
    directory_copy_use(l.copy); /* the store goes away after all */
    assert_true(knows(&l, "user8"));
    life_end(&l);
}

static void a_spool_that_fails_is_tried_again(void **state)
{
    struct life l;
    life_begin(&l, state);
    RIG_UNTIL(l.rig, kept_are(&l, 0, 0));
    store_memory_cut(l.rig->store, true);
    store_says(&l, 0, 2);
    for (int i = 0; i < 20; i++)
        rig_turn(l.rig);
    store_memory_cut(l.rig->store, false);
    assert_true(kept_are(&l, 0, 0));
    RIG_UNTIL(l.rig, kept_are(&l, 0, 2)); /* after COPY_RETRY_MS */
    life_end(&l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(who_was_known_is_known_at_the_next_start, rig_setup_sqlite, rig_teardown),
    cmocka_unit_test_setup_teardown(it_follows_the_store, rig_setup_sqlite, rig_teardown),
    cmocka_unit_test_setup_teardown(what_the_store_said_counts_for_more, rig_setup_sqlite, rig_teardown),
    cmocka_unit_test_setup_teardown(of_no_copy_nothing_is_known, rig_setup_sqlite, rig_teardown),
    cmocka_unit_test_setup_teardown(while_the_store_is_there_it_is_not_used, rig_setup_sqlite, rig_teardown),
    cmocka_unit_test_setup_teardown(a_spool_that_fails_is_tried_again, rig_setup_memory, rig_teardown),
};

int main(void)
{
    return cmocka_run_group_tests_name("relay, copy of the directory", tests, NULL, NULL);
}
