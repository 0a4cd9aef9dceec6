#include "unit/unit.h"

#include "wire/dns_query.h"

/* A message in the making; the tests bend single bytes of it. */
struct message {
    uint8_t bytes[600];
    size_t len;
};

static void add(struct message *m, const void *bytes, size_t len)
{
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

static struct message query_for_mx(void)
{
    struct message m = {.len = 0};
    add(&m, "\x12\x34\x01\x00\0\1\0\0\0\0\0\0", 12);
    add(&m, "\7eXample\4test\0\0\x0f\0\1", 18);
    return m;
}

/* OPT: root, type 41, payload, extended rcode, version, flags, options */
static void add_opt(struct message *m, uint8_t version, const char *options, size_t options_len)
{
    uint8_t opt[] = {0, 0, 41, 0x10, 0, 0, version, 0x80, 0, 0, (uint8_t)options_len};
    add(m, opt, sizeof(opt));
    add(m, options, options_len);
    m->bytes[11]++;
}

static enum dns_verdict parse(const struct message *m, struct dns_query *q)
{
    return dns_query_parse(m->bytes, m->len, q);
}

static void plain_query(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    assert_int_equal(parse(&m, &q), DNS_VERDICT_ANSWER);
    assert_int_equal(q.id, 0x1234);
    assert_int_equal(q.type, DNS_TYPE_MX);
    assert_int_equal(q.class, DNS_CLASS_IN);
    assert_memory_equal(q.name.wire, "\7example\4test", 14);
    assert_memory_equal(q.question, "\7eXample", 8);
    assert_int_equal(q.question_len, 18);
    assert_false(q.edns);
    assert_int_equal(dns_query_udp_max(&q, DNS_UDP_CAP_BYTES), 512);
}

static void edns_with_options(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    add_opt(&m, 0, "\0\12\0\10cookie!!", 12); /* RFC 7873 */
    assert_int_equal(parse(&m, &q), DNS_VERDICT_ANSWER);
    assert_true(q.edns && q.edns_do);
    assert_int_equal(q.edns_payload, 4096);
    assert_int_equal(dns_query_udp_max(&q, DNS_UDP_CAP_BYTES), 1232);
}

static void small_payload_means_512(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    add_opt(&m, 0, "", 0);
    m.bytes[m.len - 8] = 0;
    m.bytes[m.len - 7] = 9;
    assert_int_equal(parse(&m, &q), DNS_VERDICT_ANSWER);
    assert_int_equal(q.edns_payload, 512);
}

static void unknown_edns_version(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    add_opt(&m, 1, "", 0);
    assert_int_equal(parse(&m, &q), DNS_VERDICT_BADVERS);
    assert_true(q.has_question);
}

static void responses_and_fragments_get_silence(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    for (size_t len = 0; len < DNS_HEADER_BYTES; len++)
        assert_int_equal(dns_query_parse(m.bytes, len, &q), DNS_VERDICT_SILENCE);
    m.bytes[2] |= 0x80;
    assert_int_equal(parse(&m, &q), DNS_VERDICT_SILENCE);
}

static void other_opcodes(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    m.bytes[2] |= 5 << 3; /* UPDATE */
    assert_int_equal(parse(&m, &q), DNS_VERDICT_NOTIMP);
    assert_int_equal(q.id, 0x1234);
}

static void every_cut_is_malformed(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    add_opt(&m, 0, "\0\12\0\10cookie!!", 12);
    for (size_t len = DNS_HEADER_BYTES; len < m.len; len++)
        assert_int_equal(dns_query_parse(m.bytes, len, &q), DNS_VERDICT_FORMERR);
    m.len++; /* a byte behind the end */
    assert_int_equal(parse(&m, &q), DNS_VERDICT_FORMERR);
}

static void wrong_counts_are_malformed(void **state)
{
    (void)state;
    struct dns_query q;
    for (int at = 5; at <= 11; at += 2) {
        struct message m = query_for_mx();
        m.bytes[at]++;
        assert_int_equal(parse(&m, &q), DNS_VERDICT_FORMERR);
    }
    struct message none = query_for_mx();
    none.bytes[5] = 0;
    assert_int_equal(parse(&none, &q), DNS_VERDICT_FORMERR);
}

static void second_opt_is_malformed(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    add_opt(&m, 0, "", 0);
    add_opt(&m, 0, "", 0);
    assert_int_equal(parse(&m, &q), DNS_VERDICT_FORMERR);
}

static void opt_with_an_owner_is_malformed(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    add(&m, "\1a\0\0\51\4\0\0\0\0\0\0\0", 13);
    m.bytes[11] = 1;
    assert_int_equal(parse(&m, &q), DNS_VERDICT_FORMERR);
}

static void pointer_in_the_question_is_malformed(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = {.len = 0};
    add(&m, "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\300\14\0\1\0\1", 18);
    assert_int_equal(parse(&m, &q), DNS_VERDICT_FORMERR);
    assert_false(q.has_question);
}

static void ixfr_may_carry_a_soa(void **state)
{
    (void)state;
    struct dns_query q;
    struct message m = query_for_mx();
    m.bytes[27] = (uint8_t)DNS_TYPE_IXFR;
    m.bytes[9] = 1;
    add(&m, "\300\14\0\6\0\1\0\0\0\0\0\0", 12);
    assert_int_equal(parse(&m, &q), DNS_VERDICT_ANSWER);
    assert_int_equal(q.type, DNS_TYPE_IXFR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_query),
        cmocka_unit_test(edns_with_options),
        cmocka_unit_test(small_payload_means_512),
        cmocka_unit_test(unknown_edns_version),
        cmocka_unit_test(responses_and_fragments_get_silence),
        cmocka_unit_test(other_opcodes),
        cmocka_unit_test(every_cut_is_malformed),
        cmocka_unit_test(wrong_counts_are_malformed),
        cmocka_unit_test(second_opt_is_malformed),
        cmocka_unit_test(opt_with_an_owner_is_malformed),
        cmocka_unit_test(pointer_in_the_question_is_malformed),
        cmocka_unit_test(ixfr_may_carry_a_soa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
