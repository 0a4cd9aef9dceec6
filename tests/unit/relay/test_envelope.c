#include "relay/envelope.h"

#include "base/mem.h"
#include "unit/unit.h"

static const struct config_domain users = {.name = "users.test", .recipients = RECIPIENTS_DIRECTORY};
static const struct config_domain any = {.name = "any.test", .recipients = RECIPIENTS_ANY};

static struct envelope_room room;

/* Whether it is one more. */
static bool add(struct envelope *e, const char *address, const struct config_domain *domain)
{
    size_t before = e->count;
    assert_ok(envelope_add(e, (struct envelope_rcpt){mem_strdup(address), domain}));
    return e->count > before;
}

static void named_again_it_is_one(void **state)
{
    struct envelope e;
    (void)state;
    envelope_init(&e, &room);
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
    envelope_init(&e, &room);
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
    envelope_init(&e, &room);
    assert_true(add(&e, "bob@any.test", &any));
    envelope_clear(&e);
    assert_int_equal(e.count, 0);
    assert_true(add(&e, "bob@any.test", &any));
    envelope_fini(&e);
}

static int add_number(struct envelope *e, int number)
{
    char *address = mem_asprintf("%d@any.test", number);
    return envelope_add(e, (struct envelope_rcpt){address, &any, 0, mem_asprintf("rfc822;%0400d", number)});
}

static void all_together_have_their_bound(void **state)
{
    struct envelope first, second;
    int number = 0;
    (void)state;
    envelope_init(&first, &room);
    envelope_init(&second, &room);
    while (number < 100000 && add_number(&first, number) == 0)
        number++;
    assert_in_range(number, 1000, 99999);
    assert_true(room.used_bytes <= ENVELOPES_MAX_BYTES);
    assert_ok(add_number(&first, 0)); /* known already */
    for (int i = 0; i < ENVELOPE_GRANTED; i++)
        assert_ok(add_number(&second, i));
    assert_err(add_number(&second, ENVELOPE_GRANTED), ERR_LIMIT);
    envelope_clear(&first);
    assert_ok(add_number(&second, ENVELOPE_GRANTED));
    assert_ok(add_number(&first, 0));
    envelope_fini(&first);
    envelope_fini(&second);
    assert_int_equal(room.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_again_it_is_one),
        cmocka_unit_test(the_directory_knows_no_case),
        cmocka_unit_test(another_transaction_begins_anew),
        cmocka_unit_test(all_together_have_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
