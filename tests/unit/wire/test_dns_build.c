#include "unit/unit.h"

#include <stdio.h>

#include "base/err.h"
#include "wire/dns_build.h"

#define QUESTION  "\4Mail\7exAmple\4test\0\0\x0f\0\1"
#define ASKED     "\xab\xcd\x01\x10\0\1\0\0\0\0\0\0" QUESTION
#define ASKED_OPT "\xab\xcd\x01\x10\0\1\0\0\0\0\0\1" QUESTION "\0\0\51\x10\0\0\0\x80\0\0\0"

static struct dns_query parsed(const char *bytes, size_t len)
{
    struct dns_query q;
    assert_int_equal(dns_query_parse((const uint8_t *)bytes, len, &q), DNS_VERDICT_ANSWER);
    return q;
}

static struct dns_name name_of(const char *text)
{
    struct dns_name n;
    assert_ok(dns_name_from_text(str_from(text), &n));
    return n;
}

static void mx_is_compressed_against_the_question(void **state)
{
    (void)state;
    uint8_t out[512];
    struct dns_build b;
    struct dns_query q = parsed(ASKED, sizeof(ASKED) - 1);
    struct dns_name owner = name_of("mail.example.test");
    static const uint8_t rdata[] = "\0\12\5relay\7example\4test"; /* its NUL is the root */
    dns_build_init(&b, out, sizeof(out), &q);
    assert_ok(dns_build_record(&b, DNS_ANSWER, &owner, DNS_TYPE_MX, 15, rdata, sizeof(rdata)));
    size_t len = dns_build_finish(&b, DNS_FLAG_AA, DNS_NOERROR);
    static const char expected[] =
        "\xab\xcd\x85\x10\0\1\0\1\0\0\0\0" QUESTION "\300\14\0\x0f\0\1\0\0\0\x0f\0\12"
        "\0\12\5relay\300\21";
    assert_int_equal(len, sizeof(expected) - 1);
    assert_memory_equal(out, expected, len);
}

static void opt_comes_last_with_the_upper_bits_of_the_rcode(void **state)
{
    (void)state;
    uint8_t out[512];
    struct dns_build b;
    struct dns_query q = parsed(ASKED_OPT, sizeof(ASKED_OPT) - 1);
    dns_build_init(&b, out, sizeof(out), &q);
    size_t len = dns_build_finish(&b, 0, DNS_BADVERS);
    static const char expected[] = "\xab\xcd\x81\x10\0\1\0\0\0\0\0\1" QUESTION "\0\0\51\4\320\1\0\x80\0\0\0";
    assert_int_equal(len, sizeof(expected) - 1);
    assert_memory_equal(out, expected, len);
}

static void soa_names_point_into_names_written_before(void **state)
{
    (void)state;
    uint8_t out[512];
    struct dns_build b;
    struct dns_query q = parsed(ASKED, sizeof(ASKED) - 1);
    struct dns_name apex = name_of("example.test");
    static const uint8_t rdata[] = "\2ns\7example\4test\0\12hostmaster\2ns\7example\4test\0"
                                   "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
    dns_build_init(&b, out, sizeof(out), &q);
    assert_ok(dns_build_record(&b, DNS_AUTHORITY, &apex, DNS_TYPE_SOA, 15, rdata, sizeof(rdata) - 1));
    size_t len = dns_build_finish(&b, DNS_FLAG_AA, DNS_NXDOMAIN);
    assert_int_equal(out[9], 1);
    /* owner -> question + 5; mname: label and pointer; rname: label and pointer to that label */
    static const char tail[] = "\300\21\0\6\0\1\0\0\0\x0f\0\46\2ns\300\21\12hostmaster\300\57";
    assert_memory_equal(out + sizeof(ASKED) - 1, tail, sizeof(tail) - 1);
    assert_int_equal(len, sizeof(ASKED) - 1 + sizeof(tail) - 1 + 20);
}

static void names_of_unknown_types_stay_whole(void **state)
{
    (void)state;
    uint8_t out[512];
    struct dns_build b;
    struct dns_query q = parsed(ASKED, sizeof(ASKED) - 1);
    struct dns_name owner = name_of("mail.example.test");
    static const uint8_t srv[] = "\0\1\0\1\0\31\7example\4test";
    dns_build_init(&b, out, sizeof(out), &q);
    assert_ok(dns_build_record(&b, DNS_ANSWER, &owner, 33, 15, srv, sizeof(srv)));
    assert_memory_equal(out + b.len - sizeof(srv), srv, sizeof(srv));
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
    (void)state;
    uint8_t out[512 + 16];
    struct dns_build b;
    struct dns_query q = parsed(ASKED_OPT, sizeof(ASKED_OPT) - 1);
    struct dns_name owner = name_of("other.test");
    uint8_t rdata[100] = {99};
    memset(out, 0xee, sizeof(out));
    dns_build_init(&b, out, 512, &q);
    size_t before = 0;
    int err;
    do
        before = b.len;
    while ((err = dns_build_record(&b, DNS_ANSWER, &owner, DNS_TYPE_TXT, 15, rdata, sizeof(rdata))) == 0);
    assert_int_equal(err, ERR_LIMIT);
    assert_int_equal(b.len, before);
    assert_int_equal(b.counts[DNS_ANSWER], 4);
    assert_in_range(dns_build_finish(&b, 0, DNS_NOERROR), 412, 512);
    for (size_t i = 512; i < sizeof(out); i++)
        assert_int_equal(out[i], 0xee);
    dns_build_rewind(&b);
    assert_int_equal(dns_build_finish(&b, DNS_FLAG_TC, DNS_NOERROR), sizeof(ASKED_OPT) - 1);
    assert_int_equal(out[2] & 2, 2);
}

static void opt_has_its_room_in_a_full_message(void **state)
{
    (void)state;
    uint8_t out[600];
    struct dns_build b;
    struct dns_query q = parsed(ASKED_OPT, sizeof(ASKED_OPT) - 1);
    struct dns_name root = name_of(".");
    dns_build_init(&b, out, 512, &q);
    while (dns_build_record(&b, DNS_ANSWER, &root, DNS_TYPE_TXT, 15, (const uint8_t *)"\0", 1) == 0)
        ;
    assert_in_range(dns_build_finish(&b, 0, DNS_NOERROR), 512 - 12, 512); /* a record has 12 bytes */
}

static void no_pointer_goes_beyond_its_14_bits(void **state)
{
    (void)state;
    static uint8_t out[65535], wide[0x4000];
    struct dns_build b;
    struct dns_query q = parsed(ASKED, sizeof(ASKED) - 1);
    struct dns_name root = name_of("."), far = name_of("far");
    dns_build_init(&b, out, sizeof(out), &q);
    assert_ok(dns_build_record(&b, DNS_ANSWER, &root, DNS_TYPE_TXT, 15, wide, sizeof(wide)));
    for (int i = 0; i < 2; i++) {
        size_t before = b.len;
        assert_ok(dns_build_record(&b, DNS_ANSWER, &far, DNS_TYPE_A, 15, (const uint8_t *)"\177\0\0\1", 4));
        assert_memory_equal(out + before, "\3far\0", 5);
    }
}

static void many_names_are_written_whole_when_the_table_is_full(void **state)
{
    (void)state;
    static uint8_t out[65535];
    struct dns_build b;
    struct dns_query q = parsed(ASKED, sizeof(ASKED) - 1);
    dns_build_init(&b, out, sizeof(out), &q);
    for (int i = 0; i < 500; i++) {
        char text[64];
        snprintf(text, sizeof(text), "a%d.b%d.test", i, i);
        struct dns_name owner = name_of(text);
        assert_ok(dns_build_record(&b, DNS_ANSWER, &owner, DNS_TYPE_A, 15, (const uint8_t *)"\177\0\0\1", 4));
    }
    assert_int_equal(b.suffix_count, DNS_COMPRESS_MAX);
}

static void prepared_body_equals_the_built_one(void **state)
{
    (void)state;
    uint8_t out[512], again[512];
    struct dns_build b;
    struct dns_query q = parsed(ASKED_OPT, sizeof(ASKED_OPT) - 1);
    struct dns_name owner = name_of("mail.example.test");
    static const uint8_t rdata[] = "\0\12\5relay\7example\4test";
    dns_build_init(&b, out, sizeof(out), &q);
    assert_ok(dns_build_record(&b, DNS_ANSWER, &owner, DNS_TYPE_MX, 15, rdata, sizeof(rdata)));
    size_t body_len = b.len - b.body_start;
    size_t len = dns_build_finish(&b, DNS_FLAG_AA, DNS_NOERROR);
    assert_int_equal(dns_build_prepared(again, sizeof(again), &q, out + b.body_start, body_len, b.counts,
                                        DNS_FLAG_AA, DNS_NOERROR),
                     len);
    assert_memory_equal(again, out, len);
    assert_int_equal(dns_build_prepared(again, len - 1, &q, out + b.body_start, body_len, b.counts,
                                        DNS_FLAG_AA, DNS_NOERROR),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mx_is_compressed_against_the_question),
        cmocka_unit_test(opt_comes_last_with_the_upper_bits_of_the_rcode),
        cmocka_unit_test(soa_names_point_into_names_written_before),
        cmocka_unit_test(names_of_unknown_types_stay_whole),
        cmocka_unit_test(what_does_not_fit_leaves_no_trace),
        cmocka_unit_test(opt_has_its_room_in_a_full_message),
        cmocka_unit_test(no_pointer_goes_beyond_its_14_bits),
        cmocka_unit_test(many_names_are_written_whole_when_the_table_is_full),
        cmocka_unit_test(prepared_body_equals_the_built_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
