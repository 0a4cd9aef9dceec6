#include "dns/zones.h"

#include "base/mem.h"
#include "dns/zone_made.h"

static int zone_build(const struct config *c, const struct config_zone *section, const struct dns_name *apex,
                      uint32_t serial, struct zone_findings *findings, struct zone **ret_zone,
                      struct err_buf *eb)
{
    struct zone *z = zone_new(apex, (uint32_t)(section->ttl_ms / 1000));
    int err = zone_made_begin(z, c, eb);
    if (err == 0 && section->file[0] != '\0')
        err = zone_load_file(z, section->file, findings, eb);
    if (err == 0)
        err = zone_made_end(z, c, serial, eb);
    if (err < 0) {
        zone_free(z);
        return err;
    }
    *ret_zone = z;
    return 0;
}

static void free_zones(struct map *by_apex)
{
    for (struct map_entry *e = by_apex->first; e; e = e->next)
        zone_free(e->value);
    map_fini(by_apex);
}

static int add_zone(struct dns_zones *zs, const struct config_zone *section, uint32_t serial,
                    struct zone_findings *findings, struct err_buf *eb)
{
    struct dns_name apex;
    struct zone *z;
    if (dns_name_from_text(str_from(section->name), &apex) < 0)
        return err_set(eb, ERR_INVALID, "zone \"%s\": not a domain name", section->name);
    if (map_find(&zs->by_apex, dns_name_str(&apex)))
        return err_set(eb, ERR_INVALID, "zone \"%s\": there are two of it", section->name);
    int err = zone_build(zs->config, section, &apex, serial, findings, &z, eb);
    if (err < 0)
        return err;
    map_set(&zs->by_apex, dns_name_str(&apex), z);
    if (z->apex_labels > zs->labels_max)
        zs->labels_max = z->apex_labels;
    return 0;
}

int dns_zones_load(const struct config *c, uint32_t serial, struct dns_zones **ret_zones, struct err_buf *eb)
{
    struct dns_zones *zs = mem_zalloc(sizeof(*zs));
    zs->config = c;
    zs->references = 1;
    map_init(&zs->by_apex);
    for (size_t i = 0; i < c->zone_count; i++) {
        int err = add_zone(zs, &c->zones[i], serial, NULL, eb);
        if (err < 0) {
            dns_zones_free(zs);
            return err;
        }
    }
    *ret_zones = zs;
    return 0;
}

int dns_zones_check(const struct config *c, const struct config_zone *section, struct zone_findings *findings,
                    struct err_buf *eb)
{
    struct dns_zones zs = {.config = c};
    map_init(&zs.by_apex);
    int err = add_zone(&zs, section, 1, findings, eb);
    free_zones(&zs.by_apex);
    return err;
}

struct dns_zones *dns_zones_ref(struct dns_zones *zs)
{
    zs->references++;
    return zs;
}

void dns_zones_free(struct dns_zones *zs)
{
    if (zs == NULL || --zs->references > 0)
        return;
    free_zones(&zs->by_apex);
    free(zs);
}

const struct zone *dns_zones_find(const struct dns_zones *zs, const struct dns_name *name)
{
    uint8_t offsets[DNS_LABELS_MAX];
    size_t count = dns_name_labels(name, offsets);
    offsets[count] = (uint8_t)(name->len - 1); /* the root */
    for (size_t i = count > zs->labels_max ? count - zs->labels_max : 0; i <= count; i++) {
        struct str tail = {(const char *)name->wire + offsets[i], name->len - offsets[i]};
        const struct zone *z = map_find(&zs->by_apex, tail);
        if (z)
            return z;
    }
    return NULL;
}
