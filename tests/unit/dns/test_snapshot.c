#include "unit/unit.h"

#include "dns/snapshot.h"
#include "network.h"

struct fixture {
    struct network network;
    struct dns_zones *zones;
    struct dns_view view;
    struct dns_current current;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err_buf eb;
    network_init(&f->network);
    assert_ok(dns_zones_load(&f->network.config, 7, &f->zones, &eb));
    dns_view_init(&f->view, &f->network.config);
    dns_current_init(&f->current, dns_snapshot_new(f->zones, &f->view));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    dns_current_fini(&f->current);
    assert_int_equal(f->zones->references, 1); /* every snapshot gave its own back */
    dns_view_fini(&f->view);
    dns_zones_free(f->zones);
    free(f);
    return 0;
}

static void publish(struct fixture *f)
{
    dns_current_publish(&f->current, dns_snapshot_new(f->zones, &f->view));
}

static void what_a_reader_shows_is_kept(void **state)
{
    struct fixture *f = *state;
    const struct dns_source *read = dns_current_enter(&f->current, DNS_READERS_MAX - 1);
    publish(f);
    publish(f);
    assert_int_equal(f->zones->references, 3); /* ours, the reader's, the current one's */
    assert_ptr_equal(read->zones, f->zones);
    assert_ptr_not_equal(read, dns_current_source(&f->current));
    dns_current_leave(&f->current, DNS_READERS_MAX - 1);
    publish(f);
    assert_int_equal(f->zones->references, 2);
    assert_true(list_empty(&f->current.retired));
}

static void a_reader_that_comes_later_reads_the_new_one(void **state)
{
    struct fixture *f = *state;
    f->view.relays[0] = HEALTH_INOPERABLE;
    publish(f);
    const struct dns_source *read = dns_current_enter(&f->current, 0);
    assert_int_equal(read->view->relays[0], HEALTH_INOPERABLE);
    f->view.relays[0] = HEALTH_OPERATIONAL; /* the snapshot has a copy */
    assert_int_equal(read->view->relays[0], HEALTH_INOPERABLE);
    dns_current_leave(&f->current, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_reader_shows_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_comes_later_reads_the_new_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
