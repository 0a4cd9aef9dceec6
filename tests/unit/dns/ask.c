#include "ask.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <ldns/ldns.h>

#include "base/check.h"

static char text[65536];
static size_t used;

static void say(const char *piece)
{
    used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", piece);
}

size_t ask_format(const struct ask *a, uint8_t *out)
{
    ldns_rdf *name = ldns_dname_new_frm_str(a->name);
    ldns_pkt *pkt = ldns_pkt_query_new(name, ldns_get_rr_type_by_name(a->type), LDNS_RR_CLASS_IN, 0);
    uint8_t *wire;
    size_t len;
    ldns_pkt_set_id(pkt, a->id);
    if (a->udp_bytes) {
        ldns_pkt_set_edns_udp_size(pkt, a->udp_bytes);
        ldns_pkt_set_edns_do(pkt, a->dnssec_ok);
    }
    CHECK(ldns_pkt2wire(&wire, pkt, &len) == LDNS_STATUS_OK && len <= 512);
    memcpy(out, wire, len);
    free(wire);
    ldns_pkt_free(pkt);
    return len;
}

/* "example.test.\t15\tIN\tMX\t10 mail1.example.test." -> "example.test 15 MX 10 mail1.example.test" */
static void say_record(const ldns_rr *rr)
{
    char *line = ldns_rr2str(rr), *p = line, *word;
    for (int i = 0; (word = strsep(&p, " \t\n")) != NULL; i++) {
        size_t len = strlen(word);
        if (i == 2 || len == 0)
            continue;
        if (len > 1 && word[len - 1] == '.')
            word[len - 1] = '\0';
        say(i ? " " : "");
        say(word);
    }
    free(line);
}

static void say_section(const ldns_rr_list *list)
{
    say(" |");
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        say(i ? "; " : " ");
        say_record(ldns_rr_list_rr(list, i));
    }
}

const char *ask_read(const uint8_t *reply, size_t len)
{
    ldns_pkt *pkt = NULL;
    used = 0;
    if (ldns_wire2pkt(&pkt, reply, len) != LDNS_STATUS_OK)
        return "unreadable";
    char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));
    say(ldns_pkt_edns_extended_rcode(pkt) ? "EXTENDED" : rcode);
    say(ldns_pkt_aa(pkt) ? " aa" : "");
    say(ldns_pkt_tc(pkt) ? " tc" : "");
    say_section(ldns_pkt_answer(pkt));
    say_section(ldns_pkt_authority(pkt));
    say_section(ldns_pkt_additional(pkt));
    free(rcode);
    ldns_pkt_free(pkt);
    return text;
}
