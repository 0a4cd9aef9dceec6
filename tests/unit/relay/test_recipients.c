#include <stdio.h>
#include <unistd.h>

#include "relay/recipients.h"
#include "unit/unit.h"

static char list_path[] = "/tmp/holdfast-recipients-XXXXXX";

static struct config_domain domains[] = {
    {.name = "dir.test", .recipients = RECIPIENTS_DIRECTORY},
    {.name = "any.test", .recipients = RECIPIENTS_ANY},
    {.name = "list.test", .recipients = RECIPIENTS_LIST, .recipients_file = list_path},
    {.name = "xn--bcher-kva.test", .recipients = RECIPIENTS_LIST, .recipients_file = list_path},
    {.name = "verify.test", .recipients = RECIPIENTS_VERIFY},
    {.name = "open.test", .recipients = RECIPIENTS_ANY, .routed = ROUTED_TAKE},
};
static const struct config config = {.domains = domains, .domain_count = ARRAY_LEN(domains)};

static void write_list(const char *text)
{
    FILE *file = fopen(list_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static enum recipient_answer ask(const struct recipients *r, const char *local, const char *domain)
{
    const struct config_domain *found = NULL;
    enum recipient_answer answer = recipients_check(r, str_from(local), str_from(domain), &found);
    assert_int_equal(answer == RECIPIENT_OURS || answer == RECIPIENT_ASK, found != NULL);
    return answer;
}

static void test_modes(void **state)
{
    (void)state;
    struct recipients r;
    write_list("# people\nBob@list.test\r\n\n  carol@list.test \n");
    assert_int_equal(recipients_init(&r, &config, NULL), 0);
    assert_int_equal(ask(&r, "x", "other.test"), RECIPIENT_NOT_OURS);
    assert_int_equal(ask(&r, "x", "any.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "bob", "LIST.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "carol", "list.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "dave", "list.test"), RECIPIENT_UNKNOWN);
    assert_int_equal(ask(&r, "postmaster", "list.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "Postmaster", ""), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "postmaster", "other.test"), RECIPIENT_NOT_OURS);
    assert_int_equal(ask(&r, "bob", ""), RECIPIENT_NOT_OURS);
    recipients_fini(&r);
}

/* By its A-labels a domain is known from RCPT on. */
static void test_international(void **state)
{
    (void)state;
    struct recipients r;
    struct err_buf eb = {""};
    write_list("J\xc3\xb6rg@b\xc3\xbc"
               "cher.test\nbob@B\xc3\x9c"
               "CHER.test\ncarol@XN--BCHER-KVA.test\n");
    assert_int_equal(recipients_init(&r, &config, NULL), 0);
    assert_int_equal(ask(&r, "j\xc3\xb6rg", "xn--bcher-kva.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "bob", "xn--bcher-kva.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "carol", "xn--bcher-kva.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "dave", "xn--bcher-kva.test"), RECIPIENT_UNKNOWN);
    write_list("bob@-\xc3\xbc.test\n");
    assert_int_equal(recipients_reload(&r, &eb), ERR_SYNTAX);
    recipients_fini(&r);
}

static void test_who_is_of_a_domain_of_ours(void **state)
{
    (void)state;
    struct recipients r;
    write_list("");
    assert_int_equal(recipients_init(&r, &config, NULL), 0);
    assert_true(recipients_has_domain_of(&r, STR("whoever@ANY.test")));
    assert_true(recipients_has_domain_of(&r, STR("\"a@b\"@any.test")));
    assert_true(recipients_has_domain_of(&r, STR("a@b\xc3\xbc"
                                                 "cher.test")));
    assert_false(recipients_has_domain_of(&r, STR("a@elsewhere.test")));
    assert_false(recipients_has_domain_of(&r, STR("any.test@elsewhere.test")));
    assert_false(recipients_has_domain_of(&r, STR("")));
    recipients_fini(&r);
}

static void test_reload(void **state)
{
    (void)state;
    struct recipients r;
    struct err_buf eb = {""};
    char expected[128];
    write_list("bob@list.test\n");
    assert_int_equal(recipients_init(&r, &config, NULL), 0);
    write_list("carol@list.test\n");
    assert_int_equal(ask(&r, "carol", "list.test"), RECIPIENT_UNKNOWN);
    assert_int_equal(recipients_reload(&r, &eb), 0);
    assert_int_equal(ask(&r, "carol", "list.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "bob", "list.test"), RECIPIENT_UNKNOWN);
    write_list("bob@list.test\nnobody\n");
    assert_int_equal(recipients_reload(&r, &eb), ERR_SYNTAX);
    snprintf(expected, sizeof(expected), "%s:2: ", list_path);
    assert_int_equal(strncmp(eb.text, expected, strlen(expected)), 0);
    assert_int_equal(ask(&r, "carol", "list.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "bob", "list.test"), RECIPIENT_UNKNOWN);
    recipients_fini(&r);
}

static void test_directory(void **state)
{
    (void)state;
    struct recipients r;
    write_list("");
    assert_int_equal(recipients_init(&r, &config, NULL), 0);
    assert_int_equal(ask(&r, "alice", "dir.test"), RECIPIENT_NOT_NOW);
    recipients_directory_begin(&r);
    recipients_directory_add(&r, STR("alice@dir.test"));
    recipients_directory_end(&r);
    assert_int_equal(ask(&r, "Alice", "dir.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "alice+news", "dir.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "bob", "dir.test"), RECIPIENT_ASK); /* he may have been added since */
    assert_int_equal(ask(&r, "PostMaster", "dir.test"), RECIPIENT_OURS);
    recipients_directory_begin(&r);
    recipients_directory_end(&r);
    assert_int_equal(ask(&r, "alice", "dir.test"), RECIPIENT_ASK);
    recipients_fini(&r);
}

/* A server that trusts us would send them on. */
static void test_addresses_within_addresses(void **state)
{
    static const char *const routed[] = {
        "x%evil.test",       "evil.test!x",    "x@evil.test", "bob+x%evil.test",
        "alice+evil.test!x", "bob+@evil.test", "!x",          "x%"};
    static const char *const names[] = {"dir.test", "any.test", "list.test", "verify.test"};
    (void)state;
    struct recipients r;
    write_list("bob@list.test\nuucp!known@list.test\n");
    assert_int_equal(recipients_init(&r, &config, NULL), 0);
    recipients_directory_begin(&r);
    recipients_directory_add(&r, STR("alice@dir.test"));
    recipients_directory_add(&r, STR("known%here@dir.test"));
    recipients_directory_end(&r);
    for (size_t i = 0; i < ARRAY_LEN(routed); i++) {
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            assert_int_equal(ask(&r, routed[i], names[k]), RECIPIENT_ROUTED);
        assert_int_equal(ask(&r, routed[i], "open.test"), RECIPIENT_OURS);
    }
    assert_int_equal(ask(&r, "UUCP!known", "list.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "known%here", "dir.test"), RECIPIENT_OURS);
    assert_int_equal(ask(&r, "x+y", "verify.test"), RECIPIENT_ASK);
    assert_int_equal(recipients_refusal(RECIPIENT_ROUTED).code, 550);
    recipients_fini(&r);
}

static void test_a_bad_list_names_its_line(void **state)
{
    (void)state;
    struct recipients r;
    struct err_buf eb = {""};
    write_list("a@list.test\nnobody\n");
    assert_int_equal(recipients_init(&r, &config, &eb), ERR_SYNTAX);
    assert_non_null(strstr(eb.text, ":2: 'nobody' is not an address"));
    static const char *const bad[] = {"@@bad",         "@list.test",   "a@",
                                      "a b@list.test", "a@list.test>", "a@-.test"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[64];
        snprintf(text, sizeof(text), "# who\n\n%s\n", bad[i]);
        write_list(text);
        assert_int_equal(recipients_init(&r, &config, &eb), ERR_SYNTAX);
        assert_non_null(strstr(eb.text, ":3: "));
    }
    write_list("\"a b\"@list.test\n  A.b+c@List.Test \r\n");
    assert_ok(recipients_init(&r, &config, &eb));
    assert_int_equal(ask(&r, "a.B+c", "list.test"), RECIPIENT_OURS);
    recipients_fini(&r);
}

int main(void)
{
    int fd = mkstemp(list_path);
    if (fd < 0)
        return 1;
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_international),
        cmocka_unit_test(test_who_is_of_a_domain_of_ours),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_addresses_within_addresses),
        cmocka_unit_test(test_a_bad_list_names_its_line),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(list_path);
    return failed;
}
