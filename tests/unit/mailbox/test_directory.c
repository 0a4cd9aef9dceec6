#include "mailbox/directory.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rig.h"
#include "store/view.h"

struct look {
    struct rig *rig;
    struct directory *directory;
    struct viewer *viewer;
    int64_t revision; /* looked for */
};

static void on_view(void *arg, const struct view *v)
{
    struct look *l = arg;
    l->revision = v->users_revision;
    directory_on_view(l->directory, v);
}

static bool is_known(void *arg)
{
    return directory_known(((struct look *)arg)->directory);
}

static struct look *look_new(void)
{
    struct look *l = mem_zalloc(sizeof(*l));
    l->rig = rig_new();
    l->directory =
        directory_new(l->rig->network, l->rig->config, config_server_find(l->rig->config, "mail1"));
    l->viewer = viewer_new(l->rig->loop, l->rig->network, on_view, l);
    assert_false(directory_known(l->directory));
    rig_until(l->rig, is_known, l);
    return l;
}

static void look_free(struct look *l)
{
    viewer_free(l->viewer);
    directory_free(l->directory);
    rig_free(l->rig);
    free(l);
}

static void check(const struct look *l, const char *local, const char *domain, const char *user)
{
    struct str found = directory_find(l->directory, str_from(local), str_from(domain));
    if (user)
        assert_str(found, user);
    else
        assert_null(found.ptr);
}

static void users_are_found_in_any_case_and_with_a_detail(void **state)
{
    (void)state;
    struct look *l = look_new();
    check(l, "Alice", "Example.Test", "alice@example.test");
    check(l, "alice+news", "example.test", "alice@example.test");
    check(l, "+alice", "example.test", NULL);
    check(l, "carol", "example.test", NULL);
    check(l, "alice", "named.test", NULL);
    check(l, "alice", "other.test", NULL);
    check(l, "alice", "", NULL);
    look_free(l);
}

struct looked {
    bool ended;
    int err;
    char user[64];
};

static void on_looked(void *arg, int err, struct str user)
{
    struct looked *a = arg;
    a->ended = true;
    a->err = err;
    snprintf(a->user, sizeof(a->user), "%.*s", STR_ARG(user));
}

static bool has_ended(void *arg)
{
    return ((struct looked *)arg)->ended;
}

static void check_store(const struct look *l, const char *local, const char *domain, const char *user)
{
    struct looked a = {false};
    assert_non_null(directory_look(l->directory, str_from(local), str_from(domain), on_looked, &a));
    assert_false(a.ended);
    rig_until(l->rig, has_ended, &a);
    assert_ok(a.err);
    assert_string_equal(a.user, user);
}

static void one_that_was_just_added_is_looked_for_in_the_store(void **state)
{
    (void)state;
    struct look *l = look_new();
    viewer_free(l->viewer); /* nobody tells of a change */
    l->viewer = NULL;
    rig_put_user(l->rig, "carol@example.test", rig_verifier, false);
    rig_put_user(l->rig, "dan@example.test", rig_verifier, false);
    rig_put_user(l->rig, "eve@elsewhere.test", rig_verifier, false);
    check(l, "carol", "example.test", NULL);
    check_store(l, "Carol", "EXAMPLE.test", "carol@example.test");
    check(l, "carol", "example.test", "carol@example.test");
    check_store(l, "carol", "example.test", "carol@example.test");
    check_store(l, "dan+news+more", "example.test", "dan@example.test");
    check_store(l, "nobody", "example.test", "");
    check_store(l, "eve", "elsewhere.test", "");
    look_free(l);
}

static void a_look_can_be_given_up(void **state)
{
    (void)state;
    struct look *l = look_new();
    struct looked a = {false};
    char endless[600];
    memset(endless, 'a', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    directory_look_cancel(directory_look(l->directory, STR("carol"), STR("example.test"), on_looked, &a));
    assert_null(directory_look(l->directory, str_from(endless), STR("example.test"), on_looked, &a));
    check_store(l, "alice", "example.test", "alice@example.test");
    assert_false(a.ended);
    look_free(l);
}

static void only_the_users_of_its_domains_are_here(void **state)
{
    (void)state;
    struct look *l = look_new();
    rig_put_user(l->rig, "dave@other.test", rig_verifier, false);
    rig_put_user(l->rig, "eve@elsewhere.test", rig_verifier, false);
    rig_put_user(l->rig, "carol@example.test", rig_verifier, false);
    while (!directory_find(l->directory, STR("carol"), STR("example.test")).ptr)
        assert_true(sim_step(l->rig->world));
    check(l, "dave", "other.test", NULL);
    check(l, "eve", "elsewhere.test", NULL);
    look_free(l);
}

static void postmaster_is_always_somebody(void **state)
{
    (void)state;
    struct look *l = look_new();
    check(l, "PostMaster", "example.test", "postmaster@example.test");
    check(l, "postmaster", "", "postmaster@example.test");
    check(l, "postmaster", "named.test", "alice@example.test");
    check(l, "postmaster", "other.test", NULL);
    check(l, "postmaster", "elsewhere.test", NULL);
    struct str user = STR_EMPTY;
    assert_int_equal(directory_verifier(l->directory, STR("postmaster@example.test"), &user).len, 0);
    look_free(l);
}

static void a_disabled_user_gets_mail_and_cannot_log_in(void **state)
{
    (void)state;
    struct look *l = look_new();
    struct str user = STR_EMPTY;
    assert_str(directory_verifier(l->directory, STR("BOB@example.test"), &user), rig_verifier);
    assert_str(user, "bob@example.test");
    assert_int_equal(directory_verifier(l->directory, STR("bob"), &user).len, 0);
    rig_put_user(l->rig, "bob@example.test", rig_verifier, true);
    while (directory_verifier(l->directory, STR("bob@example.test"), &user).len > 0)
        assert_true(sim_step(l->rig->world));
    check(l, "bob", "example.test", "bob@example.test");
    look_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_found_in_any_case_and_with_a_detail),
        cmocka_unit_test(one_that_was_just_added_is_looked_for_in_the_store),
        cmocka_unit_test(a_look_can_be_given_up),
        cmocka_unit_test(only_the_users_of_its_domains_are_here),
        cmocka_unit_test(postmaster_is_always_somebody),
        cmocka_unit_test(a_disabled_user_gets_mail_and_cannot_log_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
