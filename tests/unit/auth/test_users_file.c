#include "auth/users_file.h"

#include "base/buf.h"
#include "unit/unit.h"

#define MD5_HASH "$1$abcdefgh$77QZW4ho81b0IrZPsw8Rr."
#define MD5      "{MD5-CRYPT}" MD5_HASH

static void the_example_loads_and_its_password_verifies(void **state)
{
    (void)state;
    struct users_file f;
    struct err_buf eb;
    assert_ok(users_file_load(SOURCE_ROOT "/examples/example.test.users", &f, &eb));
    assert_int_equal(f.count, 2);
    assert_str(f.entries[0].address, "alice@example.test");
    assert_str(f.entries[1].address, "bob@example.test");
    assert_int_equal(f.entries[1].line, 2);
    for (size_t i = 0; i < f.count; i++) {
        assert_ok(password_verify(f.entries[i].verifier, STR("holdfast")));
        assert_true(password_needs_rehash(f.entries[i].verifier));
    }
    users_file_free(&f);
}

static void good_lines(void **state)
{
    (void)state;
    struct users_file f;
    struct err_buf eb;
    assert_ok(users_file_parse(STR("# users\n"
                                   "\n"
                                   " \t\n"
                                   "Alice.O'Neil+x@Example.TEST:" MD5 "\r\n"
                                   "b@e:" MD5_HASH "\n"
                                   "c@e:" MD5 ":1000:1000:C,,,:/srv/c:/bin/sh\n"
                                   "d@e:" MD5 "::::::\n"
                                   "e@e:{crypt}" MD5_HASH),
                               "u", &f, &eb));
    assert_int_equal(f.count, 5);
    assert_str(f.entries[0].address, "alice.o'neil+x@example.test");
    assert_str(f.entries[0].verifier, MD5);
    assert_int_equal(f.entries[0].line, 4);
    assert_str(f.entries[1].verifier, "{CRYPT}" MD5_HASH);
    assert_str(f.entries[2].verifier, MD5);
    assert_int_equal(f.entries[4].line, 8);
    users_file_free(&f);
}

static void no_users_are_no_error(void **state)
{
    (void)state;
    struct users_file f;
    struct err_buf eb;
    assert_ok(users_file_parse((struct str){NULL, 0}, "u", &f, &eb));
    assert_int_equal(f.count, 0);
    users_file_free(&f);
}

static void bad_lines(void **state)
{
    (void)state;
#define NO_ADDRESS "the line must start with an address (name@domain, in ASCII, without quotes) and a colon"
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a@e:" MD5 "\nalice\n", "u:2: the line must be address:{SCHEME}hash"},
        {":" MD5, "u:1: " NO_ADDRESS},
        {"alice:" MD5, "u:1: " NO_ADDRESS},
        {"@e:" MD5, "u:1: " NO_ADDRESS},
        {"a@:" MD5, "u:1: " NO_ADDRESS},
        {"a@.e:" MD5, "u:1: " NO_ADDRESS},
        {"a@e.:" MD5, "u:1: " NO_ADDRESS},
        {"a@b@e:" MD5, "u:1: " NO_ADDRESS},
        {"a b@e:" MD5, "u:1: " NO_ADDRESS},
        {" a@e:" MD5, "u:1: " NO_ADDRESS},
        {"\xc3\xa4@e:" MD5, "u:1: " NO_ADDRESS},
        {"\"a\"@e:" MD5, "u:1: " NO_ADDRESS},
        {"a@e_f:" MD5, "u:1: " NO_ADDRESS},
        {"a23456789012345678901234567890123456789012345678901234567890abcde@e:" MD5, "u:1: " NO_ADDRESS},
        {"a@e:" MD5 "\n\nA@E:" MD5, "u:3: the address was there before; remove one of the lines"},
        {"a@e:",
         "u:1: the hash cannot be used: it must start with {ARGON2ID}, {SHA512-CRYPT}, {SHA256-CRYPT}, "
         "{BLF-CRYPT}, {MD5-CRYPT} or {CRYPT}"},
        {"a@e:{PLAIN}secret", "u:1: the hash cannot be used: it must start with {ARGON2ID}, {SHA512-CRYPT}, "
                              "{SHA256-CRYPT}, {BLF-CRYPT}, {MD5-CRYPT} or {CRYPT}"},
        {"a@e:$1$abcdefgh$77", "u:1: the hash cannot be used: the crypt hash is not whole"},
        {"a@e:" MD5 "::::::allow_nets=127.0.0.1",
         "u:1: extra fields (after the shell) are not supported; remove them"},
        {"a@e:" MD5 ":::::::x", "u:1: extra fields (after the shell) are not supported; remove them"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct users_file f = {.count = 77};
        struct err_buf eb = {""};
        assert_err(users_file_parse(str_from(cases[i].text), "u", &f, &eb), ERR_SYNTAX);
        assert_string_equal(eb.text, cases[i].error);
        assert_int_equal(f.count, 77);
    }
}

static void lines_and_hashes_are_bounded(void **state)
{
    (void)state;
    struct users_file f;
    struct err_buf eb;
    char line[USERS_FILE_LINE_MAX + 2];
    memset(line, 'a', sizeof(line));
    assert_err(users_file_parse((struct str){line, USERS_FILE_LINE_MAX + 1}, "u", &f, &eb), ERR_SYNTAX);
    assert_string_equal(eb.text, "u:1: the line is too long");
    memcpy(line, "a@e:$6$", 7);
    assert_err(users_file_parse((struct str){line, USERS_FILE_LINE_MAX}, "u", &f, &eb), ERR_SYNTAX);
    assert_string_equal(eb.text, "u:1: the hash is too long");
    assert_err(users_file_parse(STR("a@e\0:" MD5), "u", &f, &eb), ERR_SYNTAX);
    assert_string_equal(eb.text, "u:1: a NUL byte; the file must be plain text");
    assert_err(users_file_parse((struct str){line, (size_t)USERS_FILE_MAX_BYTES + 1}, "u", &f, &eb),
               ERR_LIMIT);
    assert_string_equal(eb.text, "u: the file is larger than 67108864 bytes");
}

static void many_users(void **state)
{
    (void)state;
    struct users_file f;
    struct err_buf eb;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_append_fmt(&text, "user%d@example.test:%s\n", i, MD5);
    assert_ok(users_file_parse(buf_str(&text), "u", &f, &eb));
    assert_int_equal(f.count, 1000);
    assert_str(f.entries[999].address, "user999@example.test");
    users_file_free(&f);
    buf_fini(&text);
}

static void a_file_that_cannot_be_read(void **state)
{
    (void)state;
    struct users_file f;
    struct err_buf eb;
    assert_err(users_file_load("/nonexistent/users", &f, &eb), ERR_NOT_FOUND);
    assert_string_equal(eb.text, "/nonexistent/users: cannot be read: No such file or directory");
    assert_err(users_file_load("/", &f, &eb), ERR_IO);
    assert_string_equal(eb.text, "/: cannot be read: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_loads_and_its_password_verifies),
        cmocka_unit_test(good_lines),
        cmocka_unit_test(no_users_are_no_error),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(lines_and_hashes_are_bounded),
        cmocka_unit_test(many_users),
        cmocka_unit_test(a_file_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
