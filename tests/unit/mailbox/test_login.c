#include "rig.h"

static struct rig_client *connect_imap(struct rig *r)
{
    struct rig_client *c = rig_connect(r, RIG_IMAP);
    rig_expect(c, "* OK");
    return c;
}

static void the_right_password_logs_in_under_any_case_of_the_name(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *c = connect_imap(r);
    rig_say(c, "1 LOGIN Alice@Example.Test " RIG_PASSWORD "\r\n");
    rig_expect(c, "1 OK");
    rig_client_free(c);
    rig_instance_free(i);
    rig_free(r);
}

static int64_t denied_after_ms(struct rig_client *c, const char *login)
{
    struct mono_time asked = sim_now(c->rig->world);
    rig_say(c, login);
    rig_expect(c, "1 NO [AUTHENTICATIONFAILED]");
    return mono_diff_ms(sim_now(c->rig->world), asked);
}

/* The world's time, so that it is no time of this machine's. */
static void a_wrong_one_is_answered_late_whoever_it_was_for(void **state)
{
    (void)state;
    static const char *const logins[] = {
        "1 LOGIN alice@example.test wrong\r\n", "1 LOGIN nobody@example.test " RIG_PASSWORD "\r\n",
        "1 LOGIN postmaster@example.test \"\"\r\n", "1 LOGIN alice " RIG_PASSWORD "\r\n"};
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    for (size_t k = 0; k < ARRAY_LEN(logins); k++) {
        struct rig_client *c = connect_imap(r);
        assert_true(denied_after_ms(c, logins[k]) >= 1000);
        rig_client_free(c);
    }
    rig_instance_free(i);
    rig_free(r);
}

static void a_client_that_goes_away_while_it_is_checked_hurts_nobody(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *gone = connect_imap(r), *other = connect_imap(r);
    rig_say(gone, "1 LOGIN alice@example.test wrong\r\n");
    rig_say(other, "1 LOGIN bob@example.test " RIG_PASSWORD "\r\n");
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 500));
    rig_client_free(gone);
    rig_expect(other, "1 OK");
    rig_client_free(other);
    rig_instance_free(i);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_logs_in_under_any_case_of_the_name),
        cmocka_unit_test(a_wrong_one_is_answered_late_whoever_it_was_for),
        cmocka_unit_test(a_client_that_goes_away_while_it_is_checked_hurts_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
