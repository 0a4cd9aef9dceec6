/* docs/configuration.md is what the schema says. With HOLDFAST_UPDATE_REFERENCE
 * set it is written instead (meson compile -C build update-reference). */
#include "config/config.h"

#include <stdio.h>

#include "unit/unit.h"

#define DOCUMENT SOURCE_ROOT "/docs/configuration.md"

static void the_document_is_up_to_date(void **state)
{
    (void)state;
    struct buf made, kept;
    buf_init(&made, 1 << 20);
    buf_init(&kept, 1 << 20);
    config_print_reference(&made);
    bool update = getenv("HOLDFAST_UPDATE_REFERENCE") != NULL;
    FILE *file = fopen(DOCUMENT, update ? "w+" : "r");
    assert_non_null(file);
    if (update)
        assert_int_equal(fwrite(buf_data(&made), 1, made.len, file), made.len);
    rewind(file);
    char *place = buf_reserve(&kept, 1 << 20);
    buf_commit(&kept, fread(place, 1, 1 << 20, file));
    fclose(file);
    if (!str_eq(buf_str(&made), buf_str(&kept)))
        fail_msg(
            "docs/configuration.md is not what the schema says; run meson compile -C build update-reference");
    buf_fini(&made);
    buf_fini(&kept);
}

static void it_tells_each_kind_of_key(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\n## server \"NAME\", failover, create\n",
        "\n## zone \"DOMAIN\"\n",
        "\n| `url` | store URL | `\"sqlite:store\"` |  | restart | ",
        "\n| `file` | path | unset |  | once | ",
        "\n| `node` | name of `node` | required |  | restart | ",
        "\n| `retry` | duration | `\"1s\"` | 100ms to 1d | reload | ",
        "\n| `relays` | list of names of `relay` | `{}` | 0 to 16 items | restart | ",
        "\n| `recipients` | word | `\"directory\"` | `\"directory\"`, `\"list\"`, `\"any\"`, `\"verify\"` | "
        "reload | ",
        "\n| `connections_max` | number | `2000` | 1 to 100000 | reload | ",
    };
    struct buf made;
    buf_init(&made, 1 << 20);
    config_print_reference(&made);
    assert_false(made.overflow);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strstr(buf_data(&made), rows[i]))
            fail_msg("the reference has no %s", rows[i]);
    buf_fini(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_is_up_to_date),
        cmocka_unit_test(it_tells_each_kind_of_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
