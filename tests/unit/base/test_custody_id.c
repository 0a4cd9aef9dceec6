#include "base/custody_id.h"

#include "base/err.h"
#include "unit/unit.h"

static void assert_text_of(uint8_t fill, const char *text)
{
    struct custody_id id, back;
    char out[CUSTODY_ID_TEXT_MAX];
    memset(id.bytes, fill, sizeof(id.bytes));
    custody_id_format(&id, out);
    assert_string_equal(out, text);
    assert_ok(custody_id_parse(str_from(out), &back));
    assert_true(custody_id_eq(&id, &back));
}

static void known_vectors(void **state)
{
    (void)state;
    assert_text_of(0x00, "00000000000000000000000000");
    assert_text_of(0xff, "zzzzzzzzzzzzzzzzzzzzzzzzzw");
    struct custody_id id = {
        {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}};
    char out[CUSTODY_ID_TEXT_MAX];
    custody_id_format(&id, out);
    /* RFC 4648 base32 of these bytes, in Crockford's alphabet, without padding */
    assert_string_equal(out, "008j4ct4ank7f24snaxwsqfezw");
}

static void round_trips_of_every_bit(void **state)
{
    (void)state;
    for (int bit = 0; bit < 128; bit++) {
        struct custody_id id = {{0}}, back;
        char out[CUSTODY_ID_TEXT_MAX];
        id.bytes[bit / 8] = (uint8_t)(1U << bit % 8);
        custody_id_format(&id, out);
        assert_int_equal(strlen(out), CUSTODY_ID_TEXT_MAX - 1);
        assert_ok(custody_id_parse(str_from(out), &back));
        assert_true(custody_id_eq(&id, &back));
    }
}

static void upper_case_is_the_same_id(void **state)
{
    (void)state;
    struct custody_id lower, upper;
    assert_ok(custody_id_parse(STR("abcdefghjkmnpqrstvwxyz0120"), &lower));
    assert_ok(custody_id_parse(STR("ABCDEFGHJKMNPQRSTVWXYZ0120"), &upper));
    assert_true(custody_id_eq(&lower, &upper));
}

static void bad_texts_leave_the_output(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "0000000000000000000000000",   /* 25 */
        "000000000000000000000000000", /* 27 */
        "i0000000000000000000000000",
        "l0000000000000000000000000",
        "o0000000000000000000000000",
        "u0000000000000000000000000",
        "-0000000000000000000000000",
        "00000000000000000000000001", /* bits beyond the 128th */
        "zzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    struct custody_id id, before;
    memset(&id, 0x5a, sizeof(id));
    before = id;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(custody_id_parse(str_from(bad[i]), &id), ERR_SYNTAX);
    char with_nul[26];
    memset(with_nul, '0', sizeof(with_nul));
    with_nul[13] = '\0';
    assert_err(custody_id_parse((struct str){with_nul, sizeof(with_nul)}, &id), ERR_SYNTAX);
    assert_true(custody_id_eq(&id, &before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(round_trips_of_every_bit),
        cmocka_unit_test(upper_case_is_the_same_id),
        cmocka_unit_test(bad_texts_leave_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
