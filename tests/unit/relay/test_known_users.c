/* Who is not in the directory is looked for in the store before he is refused. */
#include "relay/known_users.h"
#include "store/users.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

static struct config_domain domains[] = {{.name = "dir.test", .recipients = RECIPIENTS_DIRECTORY}};
static const struct config config = {.domains = domains, .domain_count = 1};

struct asker {
    struct verify_waiter waiter; /* first */
    struct rig *rig;
    bool done;
    enum verdict verdict;
};

struct ground {
    struct rig *rig;
    struct recipients recipients;
    struct known_users users;
    struct view view; /* the revision that it tells is what the test says */
    int draws;        /* by the store */
};

static void ground_open(struct ground *g, void **state)
{
    *g = (struct ground){.rig = *state};
    assert_ok(recipients_init(&g->recipients, &config, NULL));
    known_users_init(&g->users, g->rig->loop, g->rig->network, &g->recipients);
    assert_ok(record_put(g->rig, g->rig->network, "revision", "users", "{}", NETWORK_ABSENT, NULL));
    g->view.users_revision = 1;
    known_users_on_view(&g->users, &g->view);
    RIG_UNTIL(g->rig, g->recipients.directory_known);
}

static void ground_close(struct ground *g)
{
    known_users_fini(&g->users);
    recipients_fini(&g->recipients);
}

static void on_put(void *arg, int err, size_t failed)
{
    (void)failed;
    on_plain(arg, err);
}

static void add_user(struct ground *g, const char *address)
{
    ASK(g->rig, a);
    users_put(g->rig->network, str_from(address), STR("{}"), NETWORK_ANY_VERSION,
              (struct users_act){STR("a test"), {1}}, on_put, &a);
    rig_wait(g->rig, &a.done);
    assert_ok(a.err);
}

static void on_verdict(struct verify_waiter *w, enum verdict verdict)
{
    struct asker *a = (struct asker *)w;
    assert_false(w->waits);
    a->verdict = verdict;
    a->done = true;
    loop_stop(a->rig->loop);
}

static void begin(struct ground *g, struct asker *a, const char *address)
{
    *a = (struct asker){.rig = g->rig};
    a->waiter =
        (struct verify_waiter){.domain = &domains[0], .address = str_from(address), .on_verdict = on_verdict};
    assert_int_equal(known_users_ask(&g->users, &a->waiter), VERDICT_ASK);
}

static enum verdict ask(struct ground *g, const char *address)
{
    struct asker a;
    begin(g, &a, address);
    rig_wait(g->rig, &a.done);
    return a.verdict;
}

static void who_was_just_added_is_known(void **state)
{
    struct ground g;
    ground_open(&g, state);
    assert_int_equal(ask(&g, "alice@dir.test"), VERDICT_REFUSE);
    add_user(&g, "alice@dir.test"); /* no view tells of it */
    assert_int_equal(ask(&g, "Alice+x@dir.test"), VERDICT_TAKE);
    assert_int_equal(ask(&g, "bob@dir.test"), VERDICT_REFUSE);
    add_user(&g, "bob@dir.test");
    assert_int_equal(ask(&g, "bob@dir.test"), VERDICT_TAKE);
    ground_close(&g);
}

/* At a network's first start, or after its database was made anew. */
static void of_a_store_without_users_nothing_is_known(void **state)
{
    struct ground g = {.rig = *state};
    assert_ok(recipients_init(&g.recipients, &config, NULL));
    known_users_init(&g.users, g.rig->loop, g.rig->network, &g.recipients);
    known_users_on_view(&g.users, &g.view);
    assert_int_equal(ask(&g, "alice@dir.test"), VERDICT_DEFER);
    assert_false(g.recipients.directory_known);
    ground_close(&g);
}

/* All that ask at the same time are one look, and the second one is for all that ask meanwhile. */
static void a_flood_is_a_few_looks(void **state)
{
    struct ground g;
    struct asker many[200], late;
    ground_open(&g, state);
    begin(&g, &many[0], "x@dir.test");
    const struct store_op *first = g.users.look;
    assert_non_null(first);
    for (size_t i = 1; i < ARRAY_LEN(many); i++) {
        begin(&g, &many[i], "x@dir.test");
        assert_ptr_equal(g.users.look, first);
    }
    rig_wait(g.rig, &many[0].done);
    assert_false(many[1].done);
    begin(&g, &late, "y@dir.test");
    assert_null(g.users.look);                           /* it pauses before the next one */
    RIG_UNTIL(g.rig, g.users.look != NULL || late.done); /* it may be over within one turn */
    assert_true(list_empty(&g.users.next));
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        rig_wait(g.rig, &many[i].done);
        assert_int_equal(many[i].verdict, VERDICT_REFUSE);
    }
    assert_true(late.done);
    ground_close(&g);
}

static void who_does_not_wait_any_more_is_not_told(void **state)
{
    struct ground g;
    struct asker gone, stays;
    ground_open(&g, state);
    begin(&g, &gone, "x@dir.test");
    begin(&g, &stays, "y@dir.test");
    verify_forget(&gone.waiter);
    rig_wait(g.rig, &stays.done);
    assert_false(gone.done);
    begin(&g, &gone, "x@dir.test"); /* waits when the ground is closed */
    ground_close(&g);
    verify_forget(&gone.waiter);
}

/* Who waits for the look after this one is told, though all have gone who waited for this one. */
static void a_look_that_nobody_waits_for_is_followed_by_the_next(void **state)
{
    struct ground g;
    struct asker gone, stays;
    ground_open(&g, state);
    begin(&g, &gone, "x@dir.test");
    g.view.users_revision = 99;
    known_users_on_view(&g.users, &g.view); /* the users are being read, too */
    assert_non_null(g.users.op);
    begin(&g, &stays, "y@dir.test");
    verify_forget(&gone.waiter);
    rig_wait(g.rig, &stays.done);
    assert_int_equal(stays.verdict, VERDICT_REFUSE);
    assert_false(gone.done);
    ground_close(&g);
}

/* The store goes away when the look is answered and the users are asked for: the reading's is the third draw.
 */
static uint64_t go_away(void *arg, uint64_t n)
{
    struct ground *g = arg;
    (void)n;
    if (++g->draws == 3)
        store_memory_set_faults(g->rig->memory, &(struct store_memory_faults){.unreachable = true}, NULL,
                                NULL);
    return 0;
}

static void a_look_whose_users_cannot_be_read_ends(void **state)
{
    struct ground g;
    ground_open(&g, state);
    add_user(&g, "bob@dir.test");
    store_memory_set_faults(g.rig->memory, &(struct store_memory_faults){0}, go_away, &g);
    assert_int_equal(ask(&g, "bob@dir.test"), VERDICT_DEFER);
    assert_int_equal(g.draws, 3);
    store_memory_set_faults(g.rig->memory, &(struct store_memory_faults){0}, NULL, NULL);
    assert_int_equal(ask(&g, "bob@dir.test"), VERDICT_TAKE);
    ground_close(&g);
}

static void what_cannot_be_read_is_what_the_copy_has(void **state)
{
    struct ground g = {.rig = *state};
    struct store *spool = rig_open(g.rig); /* on the same device, so it has what the store has */
    assert_ok(recipients_init(&g.recipients, &config, NULL));
    known_users_init(&g.users, g.rig->loop, g.rig->network, &g.recipients);
    add_user(&g, "alice@dir.test");
    g.users.copy = directory_copy_new(g.rig->loop, store_network(spool), &g.recipients);
    store_memory_cut(g.rig->store, true);
    g.view.users_revision = 1;
    known_users_on_view(&g.users, &g.view);
    RIG_UNTIL(g.rig, g.recipients.directory_known);
    assert_int_equal(ask(&g, "alice@dir.test"), VERDICT_DEFER); /* only the edge asks the directory itself */
    ground_close(&g);
    directory_copy_free(g.users.copy);
    rig_close(g.rig, spool);
}

int main(void)
{
#define CASE(name)        cmocka_unit_test_setup_teardown(name, rig_setup_sqlite, rig_teardown)
#define MEMORY_CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(who_was_just_added_is_known),
        CASE(of_a_store_without_users_nothing_is_known),
        CASE(a_flood_is_a_few_looks),
        CASE(who_does_not_wait_any_more_is_not_told),
        CASE(a_look_that_nobody_waits_for_is_followed_by_the_next),
        MEMORY_CASE(what_cannot_be_read_is_what_the_copy_has),
        MEMORY_CASE(a_look_whose_users_cannot_be_read_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
