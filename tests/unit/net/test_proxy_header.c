/* The PROXY protocol's header, whole and in pieces. */
#include "net/proxy_header.h"

#include "base/err.h"
#include "unit/unit.h"

#define V2      "\r\n\r\n\0\r\nQUIT\n"
#define LINE    "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n"
#define TCP4_V2 "\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x67\x00\x19"
#define TCP6_V2                                                                                              \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x67\x00\x19"

/* Fed in pieces; *ret_used counts all that was taken. */
static int read_in(struct str bytes, size_t piece, size_t *ret_used, struct proxy_said *ret)
{
    struct proxy_header h = {.len = 0};
    size_t used;
    int rc = 0;
    *ret_used = 0;
    while (rc == 0 && *ret_used < bytes.len) {
        struct str part = str_sub(bytes, *ret_used, piece);
        rc = proxy_header_read(&h, part.ptr, part.len, &used, ret);
        *ret_used += used;
        if (rc == 0)
            assert_int_equal(used, part.len);
    }
    return rc;
}

static void check(struct str header, const char *client, const char *local)
{
    static const char behind[] = "EHLO client\r\n";
    char bytes[70000], text[ADDR_TEXT_MAX];
    struct proxy_said said;
    size_t used;
    memcpy(bytes, header.ptr, header.len);
    memcpy(bytes + header.len, behind, sizeof(behind));
    for (size_t piece = 1; piece < 130; piece += piece < 20 ? 1 : 30) {
        memset(&said, 0xff, sizeof(said));
        assert_int_equal(read_in((struct str){bytes, header.len + sizeof(behind)}, piece, &used, &said), 1);
        assert_int_equal(used, header.len);
        assert_int_equal(said.has_client, client != NULL);
        if (!client)
            continue;
        addr_format(&said.client, text);
        assert_string_equal(text, client);
        addr_format(&said.local, text);
        assert_string_equal(text, local);
    }
}

static void test_version_1(void **state)
{
    (void)state;
    check(STR(LINE), "192.0.2.1:4711", "198.51.100.2:25");
    check(STR("PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n"), "[2001:db8::1]:65535", "[2001:db8::2]:0");
    check(STR("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n"), "192.0.2.1:1", "[2001:db8::2]:2");
    check(STR("PROXY UNKNOWN\r\n"), NULL, NULL);
    check(STR("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), NULL, NULL);
}

static void test_version_2(void **state)
{
    (void)state;
    check(STR(V2 "\x21\x11\x00\x0c" TCP4_V2), "192.0.2.1:4711", "198.51.100.2:25");
    check(STR(V2 "\x21\x21\x00\x24" TCP6_V2), "[2001:db8::1]:4711", "[2001:db8::2]:25");
    check(STR(V2 "\x21\x11\x00\x13" TCP4_V2 "\x04\x00\x04tlvs"), "192.0.2.1:4711", "198.51.100.2:25");
    check(STR(V2 "\x20\x00\x00\x00"), NULL, NULL);         /* LOCAL */
    check(STR(V2 "\x20\x11\x00\x0c" TCP4_V2), NULL, NULL); /* LOCAL: addresses do not matter */
    check(STR(V2 "\x20\xff\x00\x03"
                 "abc"),
          NULL, NULL); /* nor its family */
    check(STR(V2 "\x21\x00\x00\x04"
                 "tlvs"),
          NULL, NULL); /* UNSPEC */
}

static void test_long_tlvs_are_skipped_and_not_kept(void **state)
{
    static char bytes[16 + 65535];
    (void)state;
    memcpy(bytes, V2 "\x21\x11\xff\xff" TCP4_V2, 28);
    check((struct str){bytes, sizeof(bytes)}, "192.0.2.1:4711", "198.51.100.2:25");
}

static void test_a_unix_socket_is_no_address(void **state)
{
    static char bytes[16 + 216] = V2 "\x21\x31\x00\xd8";
    (void)state;
    check((struct str){bytes, sizeof(bytes)}, NULL, NULL);
}

static void test_what_is_no_header(void **state)
{
    static const struct str bad[] = {
        {"EHLO client\r\n", 13},
        {"proxy TCP4 192.0.2.1 198.51.100.2 4711 25\r\n", 43},
        {"PROXY \r\n", 8},
        {"PROXY TCP4\r\n", 12},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4711\r\n", 40},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4711 25 \r\n", 44},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4711  25\r\n", 44},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 04711 25\r\n", 44},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n", 44},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\n", 42},
        {"PROXY TCP4 2001:db8::1 2001:db8::2 4711 25\r\n", 44},
        {"PROXY TCP6 192.0.2.1 198.51.100.2 4711 25\r\n", 43},
        {"PROXY UDP4 192.0.2.1 198.51.100.2 4711 25\r\n", 43},
        {"PROXY TCP4 192.0.2.1\0 198.51.100.2 4711 25\r\n", 44},
        {V2 "\x31\x11\x00\x0c", 16}, /* version 3 */
        {V2 "\x22\x11\x00\x0c", 16}, /* no such command */
        {V2 "\x21\x12\x00\x0c", 16}, /* a datagram */
        {V2 "\x21\x41\x00\x0c", 16}, /* no such family */
        {V2 "\x21\x11\x00\x0b", 16}, /* shorter than its addresses */
        {V2 "\x21\x21\x00\x0c", 16},
        {"\r\n\r\n\0\r\nQUIT\r", 12},
    };
    struct proxy_said said = {.has_client = true};
    size_t used;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(read_in(bad[i], bad[i].len, &used, &said), ERR_SYNTAX);
        assert_int_equal(read_in(bad[i], 1, &used, &said), ERR_SYNTAX);
        assert_true(said.has_client); /* untouched */
    }
}

static void test_a_line_without_end(void **state)
{
    struct proxy_said said;
    char line[200] = "PROXY UNKNOWN ";
    size_t used;
    (void)state;
    memset(line + 14, 'x', sizeof(line) - 14);
    assert_int_equal(read_in((struct str){line, sizeof(line)}, sizeof(line), &used, &said), ERR_SYNTAX);
    assert_true(used <= PROXY_HEADER_KEPT_MAX);
    assert_int_equal(read_in((struct str){line, PROXY_HEADER_KEPT_MAX - 1}, 1, &used, &said), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_long_tlvs_are_skipped_and_not_kept),
        cmocka_unit_test(test_a_unix_socket_is_no_address),
        cmocka_unit_test(test_what_is_no_header),
        cmocka_unit_test(test_a_line_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
