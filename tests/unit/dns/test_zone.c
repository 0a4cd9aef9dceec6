#include "unit/unit.h"

#include "base/err.h"
#include "dns/zones.h"
#include "network.h"
#include "scratch.h"

static int load(const char *text, struct dns_zones **ret_zones, struct err_buf *eb)
{
    static struct network n; /* the zones point into its config */
    struct scratch file;
    network_init(&n);
    scratch_write(&file, text);
    n.zones[0].file = file.path;
    int err = dns_zones_load(&n.config, 7, ret_zones, eb);
    scratch_remove(&file);
    return err;
}

static struct dns_name name_of(const char *text)
{
    struct dns_name n;
    assert_ok(dns_name_from_text(str_from(text), &n));
    return n;
}

static const struct zone *only_zone(const struct dns_zones *zs)
{
    struct dns_name apex = name_of("example.test");
    const struct zone *z = dns_zones_find(zs, &apex);
    assert_non_null(z);
    return z;
}

/* The name of the node that answers for a name, "" when there is none. */
static const char *meets(const struct zone *z, const char *text)
{
    static char out[DNS_NAME_TEXT_MAX];
    struct dns_name n = name_of(text);
    struct zone_match m;
    zone_lookup(z, &n, &m);
    out[0] = '\0';
    if (m.node)
        dns_name_format(&m.node->name, out);
    return out;
}

static void names_meet_their_nodes(void **state)
{
    (void)state;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    assert_ok(load("$TTL 60\nwww A 127.0.0.1\na.b.c TXT deep\n*.wild TXT w\nx.y.wild TXT there\n", &zs, &eb));
    const struct zone *z = only_zone(zs);
    assert_string_equal(meets(z, "www.example.test"), "www.example.test");
    assert_string_equal(meets(z, "c.example.test"), "c.example.test"); /* an empty non-terminal */
    assert_string_equal(meets(z, "d.c.example.test"), "");
    assert_string_equal(meets(z, "any.wild.example.test"), "*.wild.example.test");
    assert_string_equal(meets(z, "any.deeper.wild.example.test"), "*.wild.example.test");
    assert_string_equal(meets(z, "y.wild.example.test"), "y.wild.example.test");
    assert_string_equal(meets(z, "z.y.wild.example.test"),
                        ""); /* its closest encloser is y.wild: RFC 4592 3.3.1 */
    assert_string_equal(meets(z, "mail1.example.test"), "mail1.example.test");
    dns_zones_free(zs);
}

static void delegations_cut_the_zone(void **state)
{
    (void)state;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    struct zone_match m;
    assert_ok(load("kid NS ns.kid\nns.kid A 127.0.0.9\n", &zs, &eb));
    struct dns_name below = name_of("www.kid.example.test"), at = name_of("kid.example.test");
    zone_lookup(only_zone(zs), &below, &m);
    assert_non_null(m.cut);
    assert_null(m.node);
    zone_lookup(only_zone(zs), &at, &m);
    assert_ptr_equal(m.cut, m.node);
    dns_zones_free(zs);
}

static void soa_and_ns_are_made_where_the_file_has_none(void **state)
{
    (void)state;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    assert_ok(load("www A 127.0.0.1\n", &zs, &eb));
    const struct zone *z = only_zone(zs);
    const struct zone_node *apex = zone_node_find(z, &z->apex);
    assert_int_equal(zone_rrset_find(apex, DNS_TYPE_NS)->count, 2);
    assert_int_equal(zone_rrset_find(apex, DNS_TYPE_SOA)->count, 1);
    assert_int_equal(zone_negative_ttl(z), 15);
    dns_zones_free(zs);
}

static void soa_and_ns_of_the_file_are_kept(void **state)
{
    (void)state;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    assert_ok(load("@ 900 SOA ns.other.test. root.other.test. 1 2 3 4 600\n@ NS ns.other.test.\n", &zs, &eb));
    const struct zone *z = only_zone(zs);
    const struct zone_node *apex = zone_node_find(z, &z->apex);
    assert_int_equal(zone_rrset_find(apex, DNS_TYPE_NS)->count, 1);
    assert_int_equal(zone_negative_ttl(z), 600);
    dns_zones_free(zs);
}

static void same_records_are_kept_once_with_the_lowest_ttl(void **state)
{
    (void)state;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    assert_ok(load("www 60 A 127.0.0.1\nwww 30 A 127.0.0.2\nWWW 90 A 127.0.0.1\n", &zs, &eb));
    const struct zone *z = only_zone(zs);
    struct dns_name www = name_of("www.example.test");
    const struct zone_rrset *set = zone_rrset_find(zone_node_find(z, &www), DNS_TYPE_A);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->ttl_s, 30);
    dns_zones_free(zs);
}

struct refusal {
    const char *name, *text, *says;
};

static const struct refusal refusals[] = {
    {"$INCLUDE", "www A 127.0.0.1\n$INCLUDE other.zone\n", ":2: $INCLUDE is not supported"},
    {"a bad address", "\n\nwww A 127.0.0.300\n", ":3: "},
    {"an unknown type", "www BOGUS x\n", ":1: "},
    {"a name outside", "www.other.test. A 127.0.0.1\n", ":1: www.other.test A: is outside of the zone"},
    {"a CNAME beside data", "www A 127.0.0.1\nwww CNAME x\n",
     ":2: www.example.test CNAME: a CNAME stands alone"},
    {"data beside a CNAME", "www CNAME x\nwww TXT y\n", ":2: www.example.test TXT: a CNAME stands alone"},
    {"a CNAME at the apex", "@ CNAME x\n", ":1: example.test CNAME"},
    {"a second SOA", "@ SOA a b 1 2 3 4 5\n@ SOA c d 1 2 3 4 5\n", ":2: example.test SOA"},
    {"a SOA below the apex", "www SOA a b 1 2 3 4 5\n", "only the zone's apex has a SOA"},
    {"a DNAME", "kid DNAME other.test.\n", "DNAME is not supported"},
    {"a steered MX", "@ MX 10 www\n", "MX: comes from the configuration's domain section"},
    {"a steered address", "mail1 A 127.0.0.1\n", "A: comes from the configuration's server section"},
    {"a relay's address", "relay-east AAAA ::1\n", "AAAA: comes from the configuration"},
    {"class CH", "www CH TXT x\n", "only class IN is served"},
};

static void is_refused(void **state)
{
    const struct refusal *r = *state;
    struct dns_zones *zs = NULL;
    struct err_buf eb = {""};
    assert_err(load(r->text, &zs, &eb), ERR_INVALID);
    assert_null(zs);
    if (strstr(eb.text, r->says) == NULL || strstr(eb.text, "/tmp/holdfast-zone-") == NULL)
        fail_msg("\"%s\" does not say \"%s\"", eb.text, r->says);
}

static void on_finding(void *arg, const char *text)
{
    char *all = arg;
    const char *colon = strchr(text, ':');
    assert_non_null(colon);
    if (strlen(all) < 100)
        strncat(all, colon + 1, strcspn(colon + 1, ":") + 1);
}

static int check(const char *text, struct zone_findings *findings)
{
    struct network n;
    struct scratch file;
    struct err_buf eb;
    network_init(&n);
    scratch_write(&file, text);
    n.zones[0].file = file.path;
    int err = dns_zones_check(&n.config, &n.zones[0], findings, &eb);
    scratch_remove(&file);
    return err;
}

static void all_that_is_wrong_is_told(void **state)
{
    (void)state;
    char lines[128] = "";
    struct zone_findings findings = {.on_finding = on_finding, .arg = lines};
    assert_err(check("$ORIGIN example.test.\n"
                     "www A 127.0.0.999\n"
                     "www A 127.0.0.9\n"
                     "x NONSENSE y\n"
                     "$INCLUDE other\n"
                     "a.example.org. A 127.0.0.9\n"
                     "last A\n",
                     &findings),
               ERR_INVALID);
    assert_string_equal(lines, "2:4:5:6:7:");
    assert_int_equal(findings.count, 5);
    findings.count = 0;
    assert_ok(check("$ORIGIN example.test.\nwww A 127.0.0.9\n", &findings));
    assert_int_equal(findings.count, 0);
}

static void a_file_of_rubbish_has_an_end(void **state)
{
    (void)state;
    char lines[128] = "";
    struct zone_findings findings = {.on_finding = on_finding, .arg = lines};
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_append_text(&text, "rubbish\n");
    assert_err(check(buf_data(&text), &findings), ERR_INVALID);
    assert_int_equal(findings.count, ZONE_FINDINGS_MAX);
    buf_fini(&text);
}

static void a_missing_file_is_said(void **state)
{
    (void)state;
    struct network n;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    network_init(&n);
    n.zones[0].file = "/nonexistent/zone";
    assert_err(dns_zones_load(&n.config, 7, &zs, &eb), ERR_NOT_FOUND);
    assert_non_null(strstr(eb.text, "/nonexistent/zone"));
}

static void a_relay_with_a_servers_name_is_refused(void **state)
{
    (void)state;
    struct network n;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    network_init(&n);
    n.relays[1].hostname = "mail1.example.test";
    assert_err(dns_zones_load(&n.config, 7, &zs, &eb), ERR_INVALID);
    assert_non_null(strstr(eb.text, "relay \"relay-west\""));
}

static void the_longest_zone_answers(void **state)
{
    (void)state;
    struct network n;
    struct dns_zones *zs = NULL;
    struct err_buf eb;
    network_init(&n);
    n.zones[1] = (struct config_zone){.name = "sub.example.test", .file = "", .ttl_ms = 15000};
    n.config.zone_count = 2;
    assert_ok(dns_zones_load(&n.config, 7, &zs, &eb));
    struct dns_name in_sub = name_of("a.sub.example.test"), beside = name_of("a.example.test");
    struct dns_name outside = name_of("example.org"), above = name_of("test"), root = name_of(".");
    assert_int_equal(dns_zones_find(zs, &in_sub)->apex.len, 18);
    assert_int_equal(dns_zones_find(zs, &beside)->apex.len, 14);
    assert_null(dns_zones_find(zs, &outside));
    assert_null(dns_zones_find(zs, &above));
    assert_null(dns_zones_find(zs, &root));
    dns_zones_free(zs);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(refusals) + 8] = {
        cmocka_unit_test(names_meet_their_nodes),
        cmocka_unit_test(delegations_cut_the_zone),
        cmocka_unit_test(soa_and_ns_are_made_where_the_file_has_none),
        cmocka_unit_test(soa_and_ns_of_the_file_are_kept),
        cmocka_unit_test(same_records_are_kept_once_with_the_lowest_ttl),
        cmocka_unit_test(all_that_is_wrong_is_told),
        cmocka_unit_test(a_file_of_rubbish_has_an_end),
        cmocka_unit_test(a_missing_file_is_said),
        cmocka_unit_test(a_relay_with_a_servers_name_is_refused),
        cmocka_unit_test(the_longest_zone_answers),
    };
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        tests[8 + i] = (struct CMUnitTest){.name = refusals[i].name,
                                           .test_func = is_refused,
                                           .initial_state = (void *)(uintptr_t)&refusals[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
