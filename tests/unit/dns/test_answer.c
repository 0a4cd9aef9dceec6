#include "unit/unit.h"

#include "ask.h"
#include "dns/answer.h"
#include "network.h"
#include "scratch.h"

#define TEN(c)  c c c c c c c c c c
#define LONG(c) TEN(TEN(c)) " "

static const char zone_text[] =
    "$TTL 300\n"
    "www IN A 127.1.0.80\n"
    "www IN AAAA ::1\n"
    "imap IN CNAME mail1\n"
    "@ IN TXT \"v=spf1 mx -all\"\n"
    "*.wild IN TXT \"wildcard\"\n"
    "*.calias CNAME www\n"
    "deep.ent TXT x\n"
    "out CNAME www.elsewhere.test.\n"
    "gone CNAME nowhere\n"
    "loop1 CNAME loop2\n"
    "loop2 CNAME loop1\n"
    "kid NS ns.kid\n"
    "kid NS ns.elsewhere.test.\n"
    "kid DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000\n"
    "ns.kid A 127.0.0.9\n"
    "tokid CNAME a.kid\n"
    "big TXT " LONG("a") LONG("b") LONG("c") LONG("d") LONG("e") "\n";

struct fixture {
    struct network network;
    struct dns_zones *zones;
    struct dns_view view;
    struct dns_source source;
    uint8_t reply[DNS_TCP_MAX_BYTES];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct scratch file;
    struct err_buf eb;
    network_init(&f->network);
    scratch_write(&file, zone_text);
    f->network.zones[0].file = file.path;
    assert_ok(dns_zones_load(&f->network.config, 7, &f->zones, &eb));
    scratch_remove(&file);
    dns_view_init(&f->view, &f->network.config);
    for (int i = 0; i < 2; i++) {
        f->view.servers[i].state = f->view.relays[i] = HEALTH_OPERATIONAL;
        f->view.servers[i].leased = true;
    }
    f->source = (struct dns_source){.zones = f->zones, .view = &f->view};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    dns_view_fini(&f->view);
    dns_zones_free(f->zones);
    free(f);
    return 0;
}

static const char *respond(struct fixture *f, const struct ask *a, enum dns_transport transport,
                           size_t *ret_len)
{
    uint8_t query[512];
    size_t len = dns_respond(&f->source, transport, query, ask_format(a, query), f->reply);
    if (ret_len)
        *ret_len = len;
    return ask_read(f->reply, len);
}

static const char *udp(struct fixture *f, const char *name, const char *type)
{
    return respond(f, &(struct ask){.name = name, .type = type, .id = 1}, DNS_UDP, NULL);
}

#define SOA        "example.test 15 SOA ns-east.example.test hostmaster.example.test 7 3600 900 1209600 15"
#define ADDR_MAIL1 "mail1.example.test 15 A 127.1.0.10"
#define ADDR_EAST  "relay-east.example.test 300 A 127.1.0.2"
#define ADDR_WEST  "relay-west.example.test 300 A 127.2.0.2"

struct row {
    const char *name, *qname, *qtype, *reply;
};

static const struct row rows[] = {
    {"MX of a steered domain, with addresses", "example.test", "MX",
     "NOERROR aa | example.test 15 MX 10 mail1.example.test; example.test 15 MX 20 relay-east.example.test; "
     "example.test 15 MX 30 relay-west.example.test | | " ADDR_MAIL1 "; " ADDR_EAST "; " ADDR_WEST},
    {"MX of a domain without relays", "sub.example.test", "MX",
     "NOERROR aa | sub.example.test 15 MX 10 mail2.example.test | | mail2.example.test 15 AAAA ::1"},
    {"A of a server", "mail1.example.test", "A", "NOERROR aa | " ADDR_MAIL1 " | |"},
    {"AAAA of a server that has none", "mail1.example.test", "AAAA", "NOERROR aa | | " SOA " |"},
    {"A of a relay", "relay-west.example.test", "A", "NOERROR aa | " ADDR_WEST " | |"},
    {"A of a name server", "ns-west.example.test", "A",
     "NOERROR aa | ns-west.example.test 300 A 127.2.0.53 | |"},
    {"NS of the apex", "example.test", "NS",
     "NOERROR aa | example.test 300 NS ns-east.example.test; example.test 300 NS ns-west.example.test | | "
     "ns-east.example.test 300 A 127.1.0.53; ns-west.example.test 300 A 127.2.0.53"},
    {"SOA of the apex", "example.test", "SOA",
     "NOERROR aa | example.test 300 SOA ns-east.example.test hostmaster.example.test 7 3600 900 1209600 15 | "
     "|"},
    {"static records", "www.example.test", "AAAA", "NOERROR aa | www.example.test 300 AAAA ::1 | |"},
    {"TXT beside a steered MX", "example.test", "TXT",
     "NOERROR aa | example.test 300 TXT \"v=spf1 mx -all\" | |"},
    {"NODATA", "www.example.test", "MX", "NOERROR aa | | " SOA " |"},
    {"NODATA at an empty non-terminal", "ent.example.test", "A", "NOERROR aa | | " SOA " |"},
    {"NXDOMAIN", "nowhere.example.test", "A", "NXDOMAIN aa | | " SOA " |"},
    {"NXDOMAIN below a name", "a.b.www.example.test", "A", "NXDOMAIN aa | | " SOA " |"},
    {"wildcard", "some.wild.example.test", "TXT",
     "NOERROR aa | some.wild.example.test 300 TXT \"wildcard\" | |"},
    {"wildcard over several labels", "a.b.wild.example.test", "TXT",
     "NOERROR aa | a.b.wild.example.test 300 TXT \"wildcard\" | |"},
    {"NODATA by a wildcard", "some.wild.example.test", "A", "NOERROR aa | | " SOA " |"},
    {"the wildcard itself", "*.wild.example.test", "TXT",
     "NOERROR aa | *.wild.example.test 300 TXT \"wildcard\" | |"},
    {"no wildcard for its parent", "wild.example.test", "TXT", "NOERROR aa | | " SOA " |"},
    {"CNAME to a steered name", "imap.example.test", "A",
     "NOERROR aa | imap.example.test 300 CNAME mail1.example.test; " ADDR_MAIL1 " | |"},
    {"CNAME asked for", "imap.example.test", "CNAME",
     "NOERROR aa | imap.example.test 300 CNAME mail1.example.test | |"},
    {"CNAME by a wildcard", "x.calias.example.test", "A",
     "NOERROR aa | x.calias.example.test 300 CNAME www.example.test; www.example.test 300 A 127.1.0.80 | |"},
    {"CNAME without the type", "imap.example.test", "TXT",
     "NOERROR aa | imap.example.test 300 CNAME mail1.example.test | " SOA " |"},
    {"CNAME out of the zone", "out.example.test", "A",
     "NOERROR aa | out.example.test 300 CNAME www.elsewhere.test | |"},
    {"CNAME to nothing", "gone.example.test", "A",
     "NXDOMAIN aa | gone.example.test 300 CNAME nowhere.example.test | " SOA " |"},
    {"referral", "www.kid.example.test", "A",
     "NOERROR | | kid.example.test 300 NS ns.kid.example.test; kid.example.test 300 NS ns.elsewhere.test | "
     "ns.kid.example.test 300 A 127.0.0.9"},
    {"glue is no answer", "ns.kid.example.test", "A",
     "NOERROR | | kid.example.test 300 NS ns.kid.example.test; kid.example.test 300 NS ns.elsewhere.test | "
     "ns.kid.example.test 300 A 127.0.0.9"},
    {"DS at a cut is the parent's", "kid.example.test", "DS",
     "NOERROR aa | kid.example.test 300 DS 1 8 2 "
     "0000000000000000000000000000000000000000000000000000000000000000 | |"},
    {"CNAME into a delegation", "tokid.example.test", "A",
     "NOERROR aa | tokid.example.test 300 CNAME a.kid.example.test | kid.example.test 300 NS "
     "ns.kid.example.test; "
     "kid.example.test 300 NS ns.elsewhere.test | ns.kid.example.test 300 A 127.0.0.9"},
    {"ANY gets one set", "www.example.test", "ANY", "NOERROR aa | www.example.test 300 A 127.1.0.80 | |"},
    {"ANY of a steered host", "mail2.example.test", "ANY", "NOERROR aa | mail2.example.test 15 AAAA ::1 | |"},
    {"ANY at an empty non-terminal", "ent.example.test", "ANY", "NOERROR aa | | " SOA " |"},
    {"outside of the zones", "example.org", "A", "REFUSED | | |"},
    {"the root", ".", "NS", "REFUSED | | |"},
    {"AXFR", "example.test", "AXFR", "REFUSED | | |"},
    {"IXFR", "example.test", "IXFR", "REFUSED | | |"},
    {"other meta types", "example.test", "MAILB", "NOTIMPL | | |"},
    {"too long for UDP", "big.example.test", "TXT", "NOERROR aa tc | | |"},
};

static struct fixture *fixture; /* shared by the tests that bend nothing */

static void ask_row(void **state)
{
    const struct row *r = *state;
    assert_string_equal(udp(fixture, r->qname, r->qtype), r->reply);
}

static void prepared_replies_are_the_same(void **state)
{
    (void)state;
    char plain[4096];
    fixture->source.prepared = dns_prepared_new(&fixture->source);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct dns_prepared *prepared = fixture->source.prepared;
        fixture->source.prepared = NULL;
        snprintf(plain, sizeof(plain), "%s", udp(fixture, rows[i].qname, rows[i].qtype));
        fixture->source.prepared = prepared;
        assert_string_equal(udp(fixture, rows[i].qname, rows[i].qtype), plain);
    }
    struct dns_prepared *prepared = (struct dns_prepared *)(uintptr_t)fixture->source.prepared;
    fixture->source.prepared = NULL;
    dns_prepared_free(prepared);
}

static void steered_names_are_prepared(void **state)
{
    (void)state;
    uint8_t query[512];
    struct dns_query q;
    struct dns_prepared *p = dns_prepared_new(&fixture->source);
    size_t len = ask_format(&(struct ask){.name = "EXAMPLE.test", .type = "MX", .udp_bytes = 1232}, query);
    assert_int_equal(dns_query_parse(query, len, &q), DNS_VERDICT_ANSWER);
    size_t reply_len = dns_prepared_reply(p, &q, fixture->reply, DNS_UDP_CAP_BYTES);
    assert_true(reply_len > 0);
    assert_memory_equal(fixture->reply + DNS_HEADER_BYTES, "\7EXAMPLE", 8);
    assert_int_equal(dns_prepared_reply(p, &q, fixture->reply, reply_len - 1), 0);
    dns_prepared_free(p);
}

static void a_loop_of_cnames_ends(void **state)
{
    (void)state;
    assert_non_null(
        strstr(udp(fixture, "loop1.example.test", "A"), "NOERROR aa | loop1.example.test 300 CNAME loop2"));
}

static void tcp_is_not_truncated(void **state)
{
    (void)state;
    size_t len;
    struct ask a = {.name = "big.example.test", .type = "TXT"};
    assert_non_null(strstr(respond(fixture, &a, DNS_TCP, &len), "ddd"));
    assert_true(len > DNS_UDP_MIN_BYTES);
}

static void edns_makes_room_and_is_answered(void **state)
{
    (void)state;
    size_t len;
    struct ask a = {.name = "big.example.test", .type = "TXT", .udp_bytes = 4096, .dnssec_ok = true};
    assert_non_null(strstr(respond(fixture, &a, DNS_UDP, &len), "ddd"));
    assert_in_range(len, DNS_UDP_MIN_BYTES, DNS_UDP_CAP_BYTES);
    assert_memory_equal(fixture->reply + len - DNS_OPT_BYTES, "\0\0\51\4\320\0\0\x80\0\0\0", DNS_OPT_BYTES);
}

static void badvers_is_answered(void **state)
{
    (void)state;
    uint8_t query[512];
    size_t len = ask_format(&(struct ask){.name = "example.test", .type = "MX", .udp_bytes = 1232}, query);
    query[len - 5] = 1; /* the version of the OPT record */
    len = dns_respond(&fixture->source, DNS_UDP, query, len, fixture->reply);
    assert_string_equal(ask_read(fixture->reply, len), "EXTENDED | | |");
}

static void malformed_gets_formerr_and_responses_silence(void **state)
{
    (void)state;
    uint8_t query[512];
    size_t len = ask_format(&(struct ask){.name = "example.test", .type = "MX", .id = 99}, query);
    query[len] = 0;
    size_t reply_len = dns_respond(&fixture->source, DNS_UDP, query, len + 1, fixture->reply);
    assert_string_equal(ask_read(fixture->reply, reply_len), "FORMERR | | |");
    assert_int_equal(fixture->reply[1], 99);
    query[2] |= 0x80;
    assert_int_equal(dns_respond(&fixture->source, DNS_UDP, query, len, fixture->reply), 0);
    assert_int_equal(dns_respond(&fixture->source, DNS_UDP, query, 11, fixture->reply), 0);
}

static void other_classes_are_refused(void **state)
{
    (void)state;
    uint8_t query[512];
    size_t len = ask_format(&(struct ask){.name = "example.test", .type = "MX"}, query);
    query[len - 1] = 3; /* CH */
    len = dns_respond(&fixture->source, DNS_UDP, query, len, fixture->reply);
    assert_string_equal(ask_read(fixture->reply, len), "REFUSED | | |");
}

static void answers_follow_the_view(void **state)
{
    struct fixture *f = *state;
    f->view.servers[0].state = HEALTH_INOPERABLE;
    f->view.relays[0] = HEALTH_INOPERABLE;
    assert_string_equal(udp(f, "example.test", "MX"),
                        "NOERROR aa | example.test 15 MX 10 relay-west.example.test | | " ADDR_WEST);
    /* readers still find the server, never a relay */
    assert_string_equal(udp(f, "mail1.example.test", "A"), "NOERROR aa | " ADDR_MAIL1 " | |");
    f->view.servers[0].state = HEALTH_OPERATIONAL;
    assert_ok(addr_parse_ip(STR("127.2.0.10"), 0, &f->view.servers[0].addresses[0]));
    assert_string_equal(udp(f, "mail1.example.test", "A"),
                        "NOERROR aa | mail1.example.test 15 A 127.2.0.10 | |");
    f->view.domain_servers[0] = 1; /* a standby server has the domain's mail */
    assert_non_null(strstr(udp(f, "example.test", "MX"), "MX 10 mail2.example.test; "));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(rows) + 9] = {
        cmocka_unit_test(prepared_replies_are_the_same),
        cmocka_unit_test(steered_names_are_prepared),
        cmocka_unit_test(a_loop_of_cnames_ends),
        cmocka_unit_test(tcp_is_not_truncated),
        cmocka_unit_test(edns_makes_room_and_is_answered),
        cmocka_unit_test(badvers_is_answered),
        cmocka_unit_test(malformed_gets_formerr_and_responses_silence),
        cmocka_unit_test(other_classes_are_refused),
        cmocka_unit_test_setup_teardown(answers_follow_the_view, set_up, tear_down),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tests[9 + i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = ask_row, .initial_state = (void *)(uintptr_t)&rows[i]};
    void *state = NULL;
    set_up(&state);
    fixture = state;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tear_down(&state);
    return failed;
}
