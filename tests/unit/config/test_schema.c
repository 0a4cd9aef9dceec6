#include "config/schema.h"

#include "config/tree.h"
#include "config/value.h"
#include "unit/unit.h"

/* Calls check for each section of the table. */
static void each_section(const struct schema_section *s, void (*check)(const struct schema_section *s))
{
    check(s);
    for (size_t i = 0; s->sections && s->sections[i]; i++)
        each_section(s->sections[i], check);
}

static void check_presets(const struct schema_section *s)
{
    struct arena arena;
    struct err_buf eb;
    struct tree_value value;
    arena_init(&arena, 65536);
    for (const struct schema_key *key = s->keys; key->name; key++)
        if (key->preset && key->preset[0])
            assert_ok(tree_parse_value(str_from(key->preset), &arena, &value, &eb));
    arena_fini(&arena);
}

static void presets_are_in_the_grammar(void **state)
{
    (void)state;
    each_section(&schema_root, check_presets);
}

static void check_help(const struct schema_section *s)
{
    assert_true(s == &schema_root || s->help[strlen(s->help) - 1] == '.');
    for (const struct schema_key *key = s->keys; key->name; key++) {
        assert_true(strlen(key->help) > 5);
        assert_null(strchr(key->help, '|')); /* would break the table of the reference */
    }
}

static void everything_has_help(void **state)
{
    (void)state;
    each_section(&schema_root, check_help);
}

static void check_names(const struct schema_section *s)
{
    for (const struct schema_key *key = s->keys; key->name; key++)
        assert_ptr_equal(schema_key_find(s, key->name), key);
    for (size_t i = 0; s->sections && s->sections[i]; i++)
        assert_ptr_equal(schema_section_find(s, s->sections[i]->name), s->sections[i]);
    assert_null(schema_key_find(s, "no-such"));
    assert_null(schema_section_find(s, "no-such"));
}

static void names_are_unique(void **state)
{
    (void)state;
    each_section(&schema_root, check_names);
}

static bool has_range(enum schema_type type)
{
    return type == SCHEMA_INT || type == SCHEMA_DURATION || type == SCHEMA_SIZE || type == SCHEMA_WORDS ||
           type == SCHEMA_IPS || type == SCHEMA_ENDPOINTS || type == SCHEMA_REFS || type == SCHEMA_PINS ||
           type == SCHEMA_BLOCKS || type == SCHEMA_TEXTS;
}

static void check_shapes(const struct schema_section *s)
{
    for (const struct schema_key *key = s->keys; key->name; key++) {
        assert_int_equal(has_range(key->type), key->min < key->max);
        assert_int_equal(key->type == SCHEMA_REF || key->type == SCHEMA_REFS, key->ref != NULL);
        assert_int_equal(key->type == SCHEMA_WORD || key->type == SCHEMA_WORDS, key->words != NULL);
        assert_int_equal(key->type == SCHEMA_REFS || key->type == SCHEMA_IP_OR_SAME, key->more_offset != 0);
        assert_true(!key->ref || schema_section_find(&schema_root, key->ref)->title != TITLE_NONE);
    }
    assert_int_equal(s->many, s->size != 0);
}

static void each_key_has_what_its_type_needs(void **state)
{
    (void)state;
    each_section(&schema_root, check_shapes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_in_the_grammar),
        cmocka_unit_test(everything_has_help),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(each_key_has_what_its_type_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
