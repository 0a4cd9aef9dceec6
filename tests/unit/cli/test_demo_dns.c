/* The demo's DNS client against responses of the program's own builder, which
 * compresses names, and against broken ones. */
#include "cli/demo_dns.h"
#include "unit/unit.h"
#include "wire/dns_build.h"
#include "wire/dns_query.h"

#define ID 77

struct response {
    uint8_t bytes[DNS_UDP_MIN_BYTES];
    size_t len;
};

static struct dns_name name_of(const char *text)
{
    struct dns_name n;
    assert_ok(dns_name_from_text(str_from(text), &n));
    return n;
}

static void add_mx(struct dns_build *b, unsigned preference, const char *host)
{
    struct dns_name owner = name_of("example.test"), n = name_of(host);
    uint8_t rdata[2 + DNS_NAME_MAX] = {(uint8_t)(preference >> 8), (uint8_t)preference};
    memcpy(rdata + 2, n.wire, n.len);
    assert_ok(dns_build_record(b, DNS_ANSWER, &owner, DNS_TYPE_MX, 15, rdata, 2U + n.len));
}

static void add_a(struct dns_build *b, const char *host, uint8_t last)
{
    struct dns_name owner = name_of(host);
    const uint8_t rdata[] = {127, 1, 0, last};
    assert_ok(dns_build_record(b, DNS_ADDITIONAL, &owner, DNS_TYPE_A, 15, rdata, sizeof(rdata)));
}

/* relay, then the server, though the server comes first; the relay's address only. */
static void make(struct response *r, enum dns_rcode rcode)
{
    static uint8_t query_bytes[DNS_UDP_MIN_BYTES]; /* the builder points into it */
    struct dns_name n = name_of("example.test");
    struct dns_query query;
    struct dns_build b;
    size_t len = demo_dns_query(ID, &n, DNS_TYPE_MX, query_bytes);
    assert_int_equal(dns_query_parse(query_bytes, len, &query), DNS_VERDICT_ANSWER);
    dns_build_init(&b, r->bytes, sizeof(r->bytes), &query);
    if (rcode == DNS_NOERROR) {
        add_mx(&b, 300, "relay.example.test");
        add_mx(&b, 10, "mail1.example.test");
        add_a(&b, "Relay.example.test", 2);
    }
    r->len = dns_build_finish(&b, DNS_FLAG_AA, rcode);
}

static void test_hosts_come_by_preference(void **state)
{
    (void)state;
    struct response r;
    struct demo_mx mx;
    char address[ADDR_TEXT_MAX];
    make(&r, DNS_NOERROR);
    assert_ok(demo_dns_mx_read(r.bytes, r.len, ID, &mx));
    assert_int_equal(mx.count, 2);
    assert_string_equal(mx.hosts[0].name, "mail1.example.test");
    assert_int_equal(mx.hosts[0].preference, 10);
    assert_false(mx.hosts[0].has_address);
    assert_string_equal(mx.hosts[1].name, "relay.example.test");
    assert_int_equal(mx.hosts[1].preference, 300);
    addr_format_ip(&mx.hosts[1].address, address);
    assert_string_equal(address, "127.1.0.2");
}

static void test_other_answers_are_none(void **state)
{
    (void)state;
    struct response r;
    struct demo_mx mx;
    make(&r, DNS_NOERROR);
    assert_err(demo_dns_mx_read(r.bytes, r.len, ID + 1, &mx), ERR_NOT_FOUND);
    make(&r, DNS_NXDOMAIN);
    assert_err(demo_dns_mx_read(r.bytes, r.len, ID, &mx), ERR_NOT_FOUND);
}

static void test_cut_responses_are_refused(void **state)
{
    (void)state;
    struct response r;
    struct demo_mx mx;
    make(&r, DNS_NOERROR);
    for (size_t len = 0; len < r.len; len++) {
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a byte too many */
        memcpy(exact, r.bytes, len);
        assert_err(demo_dns_mx_read(exact, len, ID, &mx), ERR_SYNTAX);
        free(exact);
    }
}

/* Every byte of a proper response set to what may mislead: no crash, no end without end. */
static void test_mangled_responses_are_survived(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x3f, 0x40, 0xc0, 0xff};
    struct response r;
    struct demo_mx mx;
    for (size_t v = 0; v < ARRAY_LEN(values); v++) {
        make(&r, DNS_NOERROR);
        for (size_t i = 0; i < r.len; i++) {
            uint8_t was = r.bytes[i];
            r.bytes[i] = values[v];
            assert_true(demo_dns_mx_read(r.bytes, r.len, ID, &mx) <= 0);
            r.bytes[i] = was;
        }
    }
}

static void test_a_name_that_points_to_itself(void **state)
{
    (void)state;
    struct response r;
    struct demo_mx mx;
    make(&r, DNS_NOERROR);
    size_t owner = DNS_HEADER_BYTES + name_of("example.test").len + 4; /* behind the question */
    r.bytes[owner] = 0xc0;
    r.bytes[owner + 1] = (uint8_t)owner;
    assert_err(demo_dns_mx_read(r.bytes, r.len, ID, &mx), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_come_by_preference),
        cmocka_unit_test(test_other_answers_are_none),
        cmocka_unit_test(test_cut_responses_are_refused),
        cmocka_unit_test(test_mangled_responses_are_survived),
        cmocka_unit_test(test_a_name_that_points_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
