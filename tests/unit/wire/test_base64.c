#include "wire/base64.h"

#include "unit/unit.h"

static const struct {
    const char *plain, *encoded;
} vectors[] = {
    /* RFC 4648 section 10 */
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xfe\xfb", "//77"},
};

static void there_and_back(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        buf_clear(&b);
        assert_ok(base64_encode(&b, str_from(vectors[i].plain)));
        assert_str(buf_str(&b), vectors[i].encoded);
        buf_clear(&b);
        assert_ok(base64_decode(&b, str_from(vectors[i].encoded)));
        assert_str(buf_str(&b), vectors[i].plain);
    }
    buf_fini(&b);
}

static void refuses(void **state)
{
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg==Zg==", "=", "====", "Z===", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm9*", "Z=9v"};
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    buf_append_text(&b, "kept");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(base64_decode(&b, str_from(bad[i])), ERR_SYNTAX);
    assert_str(buf_str(&b), "kept");
    buf_fini(&b);
}

static void limited(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 3);
    assert_err(base64_encode(&b, STR("a")), ERR_LIMIT);
    assert_err(base64_decode(&b, STR("Zm9vYg==")), ERR_LIMIT);
    assert_ok(base64_decode(&b, STR("Zm9v")));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(refuses),
        cmocka_unit_test(limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
