#include "mailbox/upgrade.h"

#include "auth/password.h"
#include "base/mem.h"
#include "rig.h"

#define ALICE "alice@example.test"

struct world {
    struct rig *rig;
    struct password_queue *passwords;
    struct upgrade *upgrade;
};

static struct world begin(void)
{
    struct world w = {.rig = rig_new()};
    w.passwords = password_queue_new(w.rig->loop);
    w.upgrade = upgrade_new(w.rig->loop, w.rig->network, w.passwords);
    return w;
}

static void end(struct world *w)
{
    upgrade_free(w->upgrade);
    password_queue_free(w->passwords);
    rig_free(w->rig);
}

/* All that it does has happened. */
static void settle(struct world *w)
{
    sim_run_until(w->rig->world, mono_add_ms(sim_now(w->rig->world), 60000));
}

static void consider(struct world *w, const char *verifier)
{
    upgrade_consider(w->upgrade, STR(ALICE), str_from(verifier), STR(RIG_PASSWORD));
    settle(w);
}

static void an_imported_one_becomes_ours_and_fits_the_same_password(void **state)
{
    (void)state;
    struct world w = begin();
    consider(&w, rig_verifier);
    char *now = rig_verifier_of(w.rig, ALICE);
    assert_false(password_needs_rehash(str_from(now)));
    assert_ok(password_verify(str_from(now), STR(RIG_PASSWORD)));
    assert_err(password_verify(str_from(now), STR("wrong")), ERR_DENIED);
    consider(&w, now);
    char *still = rig_verifier_of(w.rig, ALICE);
    assert_string_equal(now, still);
    free(still);
    free(now);
    end(&w);
}

static void one_that_was_changed_meanwhile_stays(void **state)
{
    (void)state;
    struct world w = begin();
    char other[PASSWORD_VERIFIER_MAX];
    assert_ok(password_hash(STR("another"), other));
    rig_put_user(w.rig, ALICE, other, false);
    consider(&w, rig_verifier);
    char *now = rig_verifier_of(w.rig, ALICE);
    assert_string_equal(now, other);
    free(now);
    rig_put_user(w.rig, ALICE, rig_verifier, true);
    consider(&w, rig_verifier);
    now = rig_verifier_of(w.rig, ALICE);
    assert_string_equal(now, rig_verifier);
    free(now);
    end(&w);
}

static void it_can_end_at_any_moment(void **state)
{
    (void)state;
    for (int steps = 0; steps < 12; steps++) {
        struct world w = begin();
        upgrade_consider(w.upgrade, STR(ALICE), str_from(rig_verifier), STR(RIG_PASSWORD));
        for (int i = 0; i < steps; i++)
            (void)sim_step(w.rig->world);
        upgrade_free(w.upgrade);
        w.upgrade = NULL;
        settle(&w);
        char *now = rig_verifier_of(w.rig, ALICE);
        assert_ok(password_verify(str_from(now), STR(RIG_PASSWORD)));
        free(now);
        end(&w);
    }
}

static bool is_upgraded(void *arg)
{
    char *now = rig_verifier_of(arg, ALICE);
    bool upgraded = !password_needs_rehash(str_from(now));
    free(now);
    return upgraded;
}

static void a_good_login_does_it_and_a_bad_one_does_not(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *c = rig_connect(r, RIG_IMAP);
    rig_say(c, "1 LOGIN " ALICE " wrong\r\n");
    rig_expect(c, "1 NO");
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 10000));
    assert_false(is_upgraded(r));
    rig_say(c, "2 LOGIN " ALICE " " RIG_PASSWORD "\r\n");
    rig_expect(c, "2 OK");
    rig_until(r, is_upgraded, r);
    assert_int_equal(rig_count(r, ALICE), 0); /* logs in again */
    rig_client_free(c);
    rig_instance_free(i);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_imported_one_becomes_ours_and_fits_the_same_password),
        cmocka_unit_test(one_that_was_changed_meanwhile_stays),
        cmocka_unit_test(it_can_end_at_any_moment),
        cmocka_unit_test(a_good_login_does_it_and_a_bad_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
