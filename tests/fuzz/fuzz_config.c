/* A configuration file of any bytes: either a whole configuration, or findings with lines of the file. */
#include <stdint.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A configuration that loads has what its users rely on, and asks for nothing when reloaded as it is. */
static void check_config(struct config *c)
{
    struct config_findings f;
    CHECK(c->node_count > 0 && c->store_url[0] != '\0');
    for (size_t i = 0; i < c->node_count; i++)
        CHECK(c->nodes[i].site && config_node_find(c, c->nodes[i].name) == &c->nodes[i]);
    for (size_t i = 0; i < c->relay_count; i++)
        CHECK(config_relay_of_node(c, c->relays[i].node) == &c->relays[i] && c->relays[i].listen.count > 0);
    for (size_t i = 0; i < c->domain_count; i++)
        CHECK(config_domain_find(c, str_from(c->domains[i].name)) == &c->domains[i] && c->domains[i].server);
    for (size_t i = 0; i < c->server_count; i++)
        CHECK(c->servers[i].check_count > 0 && c->servers[i].address.count > 0 &&
              c->servers[i].hostname[0] != '\0');
    config_reload_check(c, c, &f);
    CHECK(f.count == 0);
    config_findings_free(&f);
}

static void check_finding(const struct config_finding *finding, int lines)
{
    struct str text = str_from(finding->text);
    CHECK(finding->line >= 0 && finding->line <= lines);
    CHECK(text.len > 0);
    for (size_t i = 0; i < text.len; i++)
        CHECK(ascii_isprint(text.ptr[i]) || (unsigned char)text.ptr[i] >= 0x80);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct config *c = NULL;
    struct config_findings f;
    int lines = 1;
    for (size_t at = 0; (at = str_find(text, '\n', at)) != SIZE_MAX; at++)
        lines++;
    int err = config_parse(text, "/etc/holdfast/fuzz.conf", "/var/lib/holdfast", &c, &f);
    CHECK(err == 0 || err == ERR_INVALID);
    CHECK((err == 0) == (c != NULL) && (err == 0) == (f.count == 0));
    for (size_t i = 0; i < f.count; i++)
        check_finding(&f.items[i], lines);
    if (c)
        check_config(c);
    config_free(c);
    config_findings_free(&f);
    return 0;
}
