#include "base/crc32c.h"

#include "unit/unit.h"

static void check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283U);
    assert_int_equal(crc32c(0, "", 0), 0);
    assert_int_equal(crc32c(0, "a", 1), 0xc1d04330U);
}

/* RFC 3720 appendix B.4, read as little-endian words. */
static void rfc_3720_vectors(void **state)
{
    (void)state;
    uint8_t data[32];
    memset(data, 0, sizeof(data));
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x8a9136aaU);
    memset(data, 0xff, sizeof(data));
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x62a8ab43U);
    for (uint8_t i = 0; i < sizeof(data); i++)
        data[i] = i;
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x46dd794eU);
    for (uint8_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x113fdb5cU);
}

static void continues_at_every_split(void **state)
{
    (void)state;
    uint8_t data[67];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 11);
    uint32_t whole = crc32c(0, data, sizeof(data));
    for (size_t at = 0; at <= sizeof(data); at++)
        assert_int_equal(crc32c(crc32c(0, data, at), data + at, sizeof(data) - at), whole);
    for (size_t len = 0; len <= sizeof(data); len++)
        assert_int_equal(crc32c_by_table(7, data, len), crc32c(7, data, len));
}

static void every_bit_counts(void **state)
{
    (void)state;
    uint8_t data[24] = {0};
    uint32_t whole = crc32c(0, data, sizeof(data));
    for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(crc32c(0, data, sizeof(data)), whole);
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_value),
        cmocka_unit_test(rfc_3720_vectors),
        cmocka_unit_test(continues_at_every_split),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
