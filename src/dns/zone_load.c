/* Reads a master file with ldns; the only file that knows ldns. */
#include "dns/zone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ldns/ldns.h>

struct loading {
    struct zone *zone;
    const char *path;
    int line;
    ldns_buffer *rdata;
    struct zone_findings *findings; /* or NULL */
    struct err_buf *eb;
};

static int refuse(const struct loading *ld, const char *text)
{
    return err_set(ld->eb, ERR_INVALID, "%s:%d: %s", ld->path, ld->line, text);
}

static int refuse_record(const struct loading *ld, const struct dns_name *owner, uint16_t type,
                         const char *text)
{
    char name[DNS_NAME_TEXT_MAX], *type_text = ldns_rr_type2str((ldns_rr_type)type);
    dns_name_format(owner, name);
    int err = err_set(ld->eb, ERR_INVALID, "%s:%d: %.300s %s: %s", ld->path, ld->line, name,
                      type_text ? type_text : "record", text);
    free(type_text);
    return err;
}

static const char *why_not(const struct loading *ld, const struct zone_node *n, uint16_t type)
{
    bool address = type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
    if (type == DNS_TYPE_DNAME)
        return "DNAME is not supported";
    if (type == DNS_TYPE_OPT || (type >= DNS_TYPE_META_FIRST && type <= DNS_TYPE_ANY))
        return "is asked for, never stored";
    if (type == DNS_TYPE_SOA && !dns_name_eq(&n->name, &ld->zone->apex))
        return "only the zone's apex has a SOA";
    if (type == DNS_TYPE_MX && n->steered_domain >= 0)
        return "comes from the configuration's domain section: remove it here";
    if (address && n->steered_server >= 0)
        return "comes from the configuration's server section: remove it here";
    if (address && n->configured)
        return "comes from the configuration: remove it here";
    return NULL;
}

static int add_record(const struct loading *ld, const struct dns_name *owner, const ldns_rr *rr)
{
    uint16_t type = (uint16_t)ldns_rr_get_type(rr);
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
        return refuse_record(ld, owner, type, "only class IN is served");
    if (!dns_name_within(owner, &ld->zone->apex))
        return refuse_record(ld, owner, type, "is outside of the zone");
    struct zone_node *n = zone_node_make(ld->zone, owner);
    const char *no = why_not(ld, n, type);
    if (no)
        return refuse_record(ld, owner, type, no);
    ldns_buffer_clear(ld->rdata);
    if (ldns_rr_rdata2buffer_wire(ld->rdata, rr) != LDNS_STATUS_OK)
        return refuse_record(ld, owner, type, "has no wire format");
    int err = zone_record_add(n, type, ldns_rr_ttl(rr), ldns_buffer_begin(ld->rdata),
                              ldns_buffer_position(ld->rdata));
    if (err < 0)
        return refuse_record(ld, owner, type,
                             err == ERR_LIMIT ? "too many records of this name and type"
                                              : "a CNAME stands alone, a SOA once (RFC 1034 3.6.2)");
    return 0;
}

static int take_record(const struct loading *ld, const ldns_rr *rr)
{
    struct dns_name owner;
    const ldns_rdf *rdf = ldns_rr_owner(rr);
    if (rdf == NULL || dns_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &owner) < 0)
        return refuse(ld, "a record without a valid name");
    return add_record(ld, &owner, rr);
}

static int take_entry(struct loading *ld, FILE *fp, uint32_t *ttl_s, ldns_rdf **origin, ldns_rdf **prev)
{
    ldns_rr *rr = NULL;
    int err = 0;
    ldns_status status = ldns_rr_new_frm_fp_l(&rr, fp, ttl_s, origin, prev, &ld->line);
    switch (status) {
    case LDNS_STATUS_OK:
        err = take_record(ld, rr);
        ldns_rr_free(rr);
        return err;
    case LDNS_STATUS_SYNTAX_TTL:
    case LDNS_STATUS_SYNTAX_ORIGIN:
    case LDNS_STATUS_SYNTAX_EMPTY:
        return 0;
    case LDNS_STATUS_SYNTAX_INCLUDE:
    case LDNS_STATUS_SYNTAX_INCLUDE_ERR_NOTIMPL:
        return refuse(ld, "$INCLUDE is not supported: write the records into this file");
    default:
        return refuse(ld, ldns_get_errorstr_by_id(status));
    }
}

/* Tells of what was wrong, when all is wanted. *at: where the last wrong entry had ended; one that took
 * nothing of the file ends the reading. */
static bool may_go_on(struct loading *ld, int err, FILE *fp, long *at)
{
    struct zone_findings *f = ld->findings;
    long before = *at;
    if (!f || err != ERR_INVALID)
        return false;
    f->on_finding(f->arg, ld->eb->text);
    *at = ftell(fp);
    f->count++;
    return *at > before && f->count < ZONE_FINDINGS_MAX;
}

static int load(struct loading *ld, FILE *fp)
{
    uint32_t ttl_s = ZONE_TTL_S;
    ldns_rdf *origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, ld->zone->apex.len, ld->zone->apex.wire);
    ldns_rdf *prev = NULL;
    long at = 0;
    int err;
    do
        err = take_entry(ld, fp, &ttl_s, &origin, &prev);
    while ((err == 0 || may_go_on(ld, err, fp, &at)) && !feof(fp));
    if (ferror(fp))
        err = err_set(ld->eb, ERR_IO, "%s: cannot be read", ld->path);
    ldns_rdf_deep_free(origin);
    ldns_rdf_deep_free(prev);
    return err;
}

int zone_load_file(struct zone *z, const char *path, struct zone_findings *findings, struct err_buf *eb)
{
    struct loading ld = {.zone = z, .path = path, .line = 0, .findings = findings, .eb = eb};
    FILE *fp = fopen(path, "re");
    if (fp == NULL)
        return err_set(eb, err_from_errno(errno), "%s: %s", path, strerror(errno));
    ld.rdata = ldns_buffer_new(DNS_TCP_MAX_BYTES);
    int err = load(&ld, fp);
    ldns_buffer_free(ld.rdata);
    fclose(fp);
    return err == 0 && findings && findings->count > 0 ? ERR_INVALID : err;
}
