/* LIST's patterns, RFC 3501 6.3.8. */
#include "imap/pattern.h"

#include "base/time.h"
#include "unit/unit.h"

static void wildcards(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } table[] = {
        {"*", "a/b/c", true},
        {"*", "", true},
        {"%", "a", true},
        {"%", "a/b", false},
        {"%", "", true},
        {"a/%", "a/b", true},
        {"a/%", "a/b/c", false},
        {"a/*", "a/b/c", true},
        {"a/*", "a", false},
        {"a%", "a", true},
        {"%/%", "a/b", true},
        {"%/%", "a/b/c", false},
        {"*c", "a/b/c", true},
        {"%c", "a/b/c", false},
        {"a*c", "abc/abc", true},
        {"", "", true},
        {"", "a", false},
        {"a", "A", false},
        {"inbox", "INBOX", true},
        {"InB%", "INBOX", true},
        {"INBOX", "inbox", false},
        {"in*", "INBOX/a", false},
        {"**%%*", "any/thing", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (imap_pattern_matches(str_from(table[i].pattern), str_from(table[i].name)) != table[i].matches)
            fail_msg("\"%s\" and \"%s\"", table[i].pattern, table[i].name);
}

/* One that goes back for each star would not come to an end. */
static void a_pattern_of_stars_ends(void **state)
{
    char pattern[1000], name[1000];
    (void)state;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = i % 2 ? 'a' : '*';
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = 'a';
    name[sizeof(name) - 1] = 'b';
    assert_false(
        imap_pattern_matches((struct str){pattern, sizeof(pattern)}, (struct str){name, sizeof(name)}));
    assert_true(
        imap_pattern_matches((struct str){pattern, sizeof(pattern)}, (struct str){name, sizeof(name) - 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wildcards),
        cmocka_unit_test(a_pattern_of_stars_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
