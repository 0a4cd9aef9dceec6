/* A datagram of any bytes through the whole answer: UDP and TCP, built and
 * prepared, under two views. ldns reads what comes out, as a second opinion. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ldns/ldns.h>

#include "config/config.h"
#include "dns/answer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
    "store { url = \"memory:\" }\n"
    "site \"s\" { }\n"
    "node \"n\" { site = \"s\"  roles = {\"dns\", \"relay\"} }\n"
    "node \"m\" { site = \"s\"  roles = {\"dns\", \"relay\", \"director\"} }\n"
    "dns \"a\" { node = \"n\"  hostname = \"a.ns.test\"  address = {\"127.0.0.1\"}  listen = "
    "{\"127.0.0.1:53\"} }\n"
    "dns \"b\" { node = \"m\"  hostname = \"b.ns.test\"  address = {\"::1\"}  listen = {\"127.0.0.2:53\"} }\n"
    "zone \"test\" { file = \"zone\"  ttl = \"15s\" }\n"
    "zone \"x.test\" { }\n"
    "relay \"a\" { node = \"n\"  hostname = \"r1.test\"  address = {\"127.0.0.3\"}  listen = "
    "{\"127.0.0.3:25\"} }\n"
    "relay \"b\" { node = \"m\"  hostname = \"r2.test\"  address = {\"::2\"}  listen = {\"127.0.0.4:25\"} }\n"
    "domain \"test\" { server = \"m\"  relays = {\"a\", \"b\"}  recipients = \"any\" }\n"
    "domain \"x.test\" { server = \"m\"  relays = {\"b\"}  recipients = \"any\" }\n"
    "server \"m\" { kind = \"external\"  site = \"s\"  hostname = \"m.test\"  address = {\"127.0.0.5\"} "
    "smtp_port = 25 }\n";

static const char zone_text[] = "w A 127.0.0.9\n"
                                "w AAAA ::9\n"
                                "c CNAME w\n"
                                "c2 CNAME c\n"
                                "l CNAME l2\n"
                                "l2 CNAME l\n"
                                "o CNAME w.elsewhere.\n"
                                "i CNAME m\n"
                                "d.e.f TXT deep\n"
                                "* TXT wild\n"
                                "*.y CNAME w.y\n"
                                "k NS ns.k\n"
                                "k NS a.ns\n"
                                "ns.k A 127.0.0.8\n"
                                "k DS 1 8 1 00\n"
                                "mx MX 10 w\n"
                                "mx MX 20 nowhere\n"
                                "s 60 SRV 0 0 25 m\n";

static struct dns_zones *zones;
static struct dns_view views[2];
static struct dns_prepared *prepared[2];

static void write_file(const char *path, const char *text)
{
    FILE *fp = fopen(path, "w");
    CHECK(fp && fputs(text, fp) >= 0);
    for (int i = 0; i < 60;
         i++) /* a set that fits into no datagram, and names that fill the compression's table */
        CHECK(fprintf(fp, "big TXT \"%060d\"\nmany NS n%d.b%d\n", i, i, i) > 0);
    CHECK(fclose(fp) == 0);
}

static void make_views(const struct config *c)
{
    for (int v = 0; v < 2; v++) {
        dns_view_init(&views[v], c);
        views[v].servers[0].leased = true;
        views[v].servers[0].state = v == 0 ? HEALTH_OPERATIONAL : HEALTH_INOPERABLE;
        prepared[v] = dns_prepared_new(&(struct dns_source){.zones = zones, .view = &views[v]});
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char folder[] = "/tmp/holdfast-fuzz-XXXXXX", path[64];
    struct config *c = NULL;
    struct config_findings findings;
    struct err_buf eb = {""};
    (void)argc;
    (void)argv;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/zone", folder);
    write_file(path, zone_text);
    snprintf(path, sizeof(path), "%s/fuzz.conf", folder);
    int err = config_parse(str_from(config_text), path, folder, &c, &findings);
    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "%d: %s\n", findings.items[i].line, findings.items[i].text);
    CHECK(err == 0);
    config_findings_free(&findings);
    err = dns_zones_load(c, 7, &zones, &eb);
    fprintf(stderr, "%s", eb.text);
    CHECK(err == 0);
    snprintf(path, sizeof(path), "%s/zone", folder);
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    make_views(c);
    return 0;
}

static size_t allowed(const struct dns_query *q, enum dns_transport transport)
{
    return transport == DNS_TCP ? DNS_TCP_MAX_BYTES : dns_query_udp_max(q, DNS_UDP_CAP_BYTES);
}

static void check_reply(const struct dns_query *q, const uint8_t *query, size_t query_len,
                        const uint8_t *reply, size_t len)
{
    ldns_pkt *pkt = NULL;
    ldns_status status = ldns_wire2pkt(&pkt, reply, len);
    CHECK(status == LDNS_STATUS_OK);
    CHECK(ldns_pkt_qr(pkt) && !ldns_pkt_ra(pkt) && !ldns_pkt_ad(pkt));
    CHECK(memcmp(reply, query, 2) == 0 && query_len >= DNS_HEADER_BYTES);
    CHECK(ldns_pkt_rd(pkt) == ((query[2] & 1) != 0));
    CHECK(ldns_pkt_edns(pkt) == q->edns);
    if (q->has_question)
        CHECK(memcmp(reply + DNS_HEADER_BYTES, q->question, q->question_len) == 0);
    if (ldns_pkt_tc(pkt))
        CHECK(len <= DNS_HEADER_BYTES + q->question_len + DNS_OPT_BYTES);
    ldns_pkt_free(pkt);
}

/* What is prepared is what would be built. */
static void check_prepared(struct dns_source *s, enum dns_transport transport, const uint8_t *data,
                           size_t size, const uint8_t *reply, size_t len, const struct dns_prepared *p)
{
    static uint8_t again[DNS_TCP_MAX_BYTES];
    s->prepared = p;
    CHECK(dns_respond(s, transport, data, size, again) == len);
    CHECK(memcmp(again, reply, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t reply[DNS_TCP_MAX_BYTES];
    struct dns_query q;
    enum dns_verdict verdict = dns_query_parse(data, size, &q);
    for (int run = 0; run < 4; run++) {
        enum dns_transport transport = run & 1 ? DNS_TCP : DNS_UDP;
        struct dns_source s = {.zones = zones, .view = &views[run >> 1]};
        size_t len = dns_respond(&s, transport, data, size, reply);
        CHECK((len == 0) == (verdict == DNS_VERDICT_SILENCE));
        if (len == 0)
            continue;
        CHECK(len <= allowed(&q, transport));
        check_reply(&q, data, size, reply, len);
        check_prepared(&s, transport, data, size, reply, len, prepared[run >> 1]);
        CHECK(dns_respond(&s, transport, reply, len, reply) == 0); /* none to a response */
    }
    return 0;
}
