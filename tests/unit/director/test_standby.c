/* Real directors, and a server that runs already and stands by for another. */
#include "director/role.h"

#include "base/log.h"
#include "rig.h"
#include "unit/unit.h"

static void mail_goes_to(struct rig *r, const char *server)
{
    const struct view_route *route = view_route_find(viewer_view(r->viewer), STR("example.test"));
    assert_str(route->record.server, server);
}

static bool standby_has_the_mail(struct rig *r)
{
    struct record_server record = rig_record(r);
    return str_eq(record.state, STR("running")) && str_eq(record.served_by, STR("mail2"));
}

static struct rig_instance *standby_of(struct rig *r)
{
    struct record_server record = rig_record_of(r, RIG_MAIL2);
    for (size_t k = 0; k < r->instance_count; k++)
        if (r->instances[k].server == RIG_MAIL2 && r->instances[k].epoch == record.instance.epoch)
            return &r->instances[k];
    fail_msg("there is no standby");
    return NULL;
}

static void a_standby_takes_over_and_failback_returns(void **state)
{
    (void)state;
    struct rig *r = rig_started_with_standby(22);
    mail_goes_to(r, "mail1");
    rig_kill_instance(rig_current(r));
    rig_run_until(r, standby_has_the_mail, 10000);
    mail_goes_to(r, "mail2");
    assert_int_equal(r->instance_count, 2); /* it runs already: nothing is created */
    rig_run_ms(r, 20000);
    mail_goes_to(r, "mail2"); /* and keeps it */
    assert_int_equal(rig_record(r).generation, 2);
    rig_order_ends(r, "failback", "done");
    mail_goes_to(r, "mail1");
    rig_is_at(r, "east1", "127.1.0.10");
    assert_str(rig_record(r).served_by, "");
    assert_str(rig_record_of(r, RIG_MAIL2).state, "running");
    assert_int_equal(rig_record_of(r, RIG_MAIL2).generation, 1); /* it was never moved itself */
    rig_free(r);
}

static void a_standby_takes_over_from_a_dead_site(void **state)
{
    (void)state;
    struct rig *r = rig_started_with_standby(23);
    rig_kill_node(r, RIG_EAST);
    rig_run_until(r, standby_has_the_mail, 15000);
    mail_goes_to(r, "mail2");
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

static void a_standby_that_is_dead_is_passed_over(void **state)
{
    (void)state;
    struct rig *r = rig_started_with_standby(24);
    rig_kill_instance(standby_of(r));
    rig_kill_instance(rig_current(r));
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    mail_goes_to(r, "mail1");
    rig_free(r);
}

/* Relays have called it operational; the director looks for itself. */
static void a_standby_that_falls_silent_is_not_routed_to(void **state)
{
    (void)state;
    struct rig *r = rig_started_with_standby(25);
    standby_of(r)->flaw = RIG_SILENT;
    rig_kill_instance(rig_current(r));
    rig_run_until(r, rig_settled, 60000);
    rig_is_at(r, "east1", "127.1.0.10");
    mail_goes_to(r, "mail1");
    assert_int_equal(rig_record(r).generation, 2);
    assert_true(rig_was_told(r, "server", "verification: port 25: 127.2.0.20:25: no answer in time"));
    rig_free(r);
}

/* What stood by has the mail, and dies: then one is created. */
static void a_standby_that_dies_is_followed_by_another(void **state)
{
    (void)state;
    struct rig *r = rig_started_with_standby(26);
    rig_kill_instance(rig_current(r));
    rig_run_until(r, standby_has_the_mail, 10000);
    rig_kill_instance(standby_of(r));
    rig_run_until(r, rig_settled, 20000);
    rig_is_at(r, "east1", "127.1.0.10");
    mail_goes_to(r, "mail1");
    rig_free(r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standby_takes_over_and_failback_returns),
        cmocka_unit_test(a_standby_takes_over_from_a_dead_site),
        cmocka_unit_test(a_standby_that_is_dead_is_passed_over),
        cmocka_unit_test(a_standby_that_falls_silent_is_not_routed_to),
        cmocka_unit_test(a_standby_that_dies_is_followed_by_another),
    };
    return cmocka_run_group_tests_name("director standby", tests, NULL, NULL);
}
