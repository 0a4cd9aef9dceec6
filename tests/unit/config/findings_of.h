/* The findings of a text, one "LINE: text" each, for table tests. */
#ifndef HOLDFAST_TESTS_FINDINGS_OF_H
#define HOLDFAST_TESTS_FINDINGS_OF_H

#include "config/config.h"
#include "unit/unit.h"

struct bad_case {
    const char *text, *findings;
};

static inline void print_findings(const struct config_findings *f, struct buf *out)
{
    buf_init(out, 1 << 20);
    for (size_t i = 0; i < f->count; i++)
        buf_append_fmt(out, "%d: %s\n", f->items[i].line, f->items[i].text);
}

static inline void check_findings(const char *text, const char *expected)
{
    struct config *c = NULL;
    struct config_findings f;
    struct buf found;
    int err = config_parse(str_from(text), "/etc/holdfast/test.conf", "/var/lib/holdfast", &c, &f);
    print_findings(&f, &found);
    if (found.len != strlen(expected) || memcmp(buf_data(&found), expected, found.len) != 0)
        fail_msg("of the text:\n%s\nthe findings are:\n%sand not:\n%s", text,
                 found.len ? buf_data(&found) : "", expected);
    assert_int_equal(err, expected[0] ? ERR_INVALID : 0);
    assert_int_equal(c == NULL, expected[0] != '\0');
    config_free(c);
    config_findings_free(&f);
    buf_fini(&found);
}

static inline void check_cases(const struct bad_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_findings(cases[i].text, cases[i].findings);
}

/* A sound network in one line, for what a case adds below it. */
#define SITE "site \"s\" { } "
#define NODE "node \"n\" { site = \"s\" roles = {\"dns\", \"relay\", \"director\", \"mailbox\"} } "
#define DNS                                                                                                  \
    "dns \"d\" { node = \"n\" hostname = \"d.test\" address = {\"127.0.0.1\"} listen = {\"127.0.0.1:53\"} "  \
    "} "
#define RELAY                                                                                                \
    "relay \"r\" { node = \"n\" hostname = \"r.test\" address = {\"127.0.0.2\"} listen = "                   \
    "{\"127.0.0.2:25\"} } "
#define SERVER_KEYS "kind = \"builtin\" site = \"s\" hostname = \"m.test\" address = {\"127.0.0.3\"} "
#define SERVER      "server \"m\" { " SERVER_KEYS "} "
#define NETWORK     SITE NODE DNS RELAY SERVER "\n"

#endif
