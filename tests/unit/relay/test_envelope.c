#include "relay/envelope.h"

#include "base/mem.h"
#include "unit/unit.h"

static const struct config_domain users = {.name = "users.test", .recipients = RECIPIENTS_DIRECTORY};
static const struct config_domain any = {.name = "any.test", .recipients = RECIPIENTS_ANY};

static bool add(struct envelope *e, const char *address, const struct config_domain *domain)
{
    return envelope_add(e, (struct envelope_rcpt){mem_strdup(address), domain});
}

static void named_again_it_is_one(void **state)
{
    struct envelope e;
    (void)state;
    envelope_init(&e);
    assert_true(add(&e, "Bob@any.test", &any));
    assert_false(add(&e, "Bob@any.test", &any));
    assert_false(add(&e, "Bob@ANY.test", &any));
    assert_true(add(&e, "bob@any.test", &any)); /* another local part */
    assert_true(add(&e, "\"Bob@X\"@any.test", &any));
    assert_true(add(&e, "\"Bob@x\"@any.test", &any));
    assert_int_equal(e.count, 4);
    assert_string_equal(e.rcpts[0].address, "Bob@any.test");
    assert_ptr_equal(e.rcpts[0].domain, &any);
    envelope_fini(&e);
}

static void the_directory_knows_no_case(void **state)
{
    struct envelope e;
    (void)state;
    envelope_init(&e);
    assert_true(add(&e, "Alice@users.test", &users));
    assert_false(add(&e, "alice@Users.test", &users));
    assert_true(add(&e, "alice+list@users.test", &users));
    assert_int_equal(e.count, 2);
    assert_string_equal(e.rcpts[0].address, "Alice@users.test");
    envelope_fini(&e);
}

static void another_transaction_begins_anew(void **state)
{
    struct envelope e;
    (void)state;
    envelope_init(&e);
    assert_true(add(&e, "bob@any.test", &any));
    envelope_clear(&e);
    assert_int_equal(e.count, 0);
    assert_true(add(&e, "bob@any.test", &any));
    envelope_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_again_it_is_one),
        cmocka_unit_test(the_directory_knows_no_case),
        cmocka_unit_test(another_transaction_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
