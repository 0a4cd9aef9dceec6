#include "findings_of.h"

static void sound_files_have_none(void **state)
{
    (void)state;
    check_findings(NETWORK, "");
    check_findings(NETWORK "zone \"Test.\" { } domain \"TEST\" { server = \"m\" }", "");
}

static void unknown_and_repeated(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "zone \"test\" {\n tll = \"1s\" }",
         "3: zone \"test\": unknown key tll; the keys are file, ttl\n"},
        {NETWORK "site \"t\" { x = 1 }",
         "2: site \"t\": unknown key x; the keys are databases, fence, fence_after, fence_timeout\n"},
        {NETWORK "x = 1", "2: the file: unknown key x; it has no keys, remove it\n"},
        {NETWORK "mailbox { a = 1 b { } }", "2: the file: unknown section mailbox; the sections are store, "
                                            "users, system, timing, site, node, dns, web, "
                                            "zone, certificate, relay, domain, server\n"},
        {NETWORK "zone \"t\" { sub { } }",
         "2: zone \"t\": unknown section sub; it has no sections, remove it\n"},
        {NETWORK "site \"s\" { }", "2: site \"s\" is there twice, first in line 1; rename or remove one\n"},
        {NETWORK "zone \"Test\" { }\nzone \"tEST.\" { }",
         "3: zone \"tEST.\" is there twice, first in line 2; rename or remove one\n"},
        {NETWORK "zone \"t\" { ttl = \"1s\"\nttl = \"2s\"\nttl = 3 }",
         "3: zone \"t\": ttl is set twice, first in line 2; remove one\n"
         "4: zone \"t\": ttl is set twice, first in line 2; remove one\n"},
        {NETWORK "timing { }\ntiming { }", "3: timing is there twice, first in line 2; join them\n"},
        {SITE NODE DNS RELAY "server \"m\" { " SERVER_KEYS "failover { }\nfailover { } }",
         "2: server \"m\" failover is there twice, first in line 1; join them\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void titles(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "site { }", "2: site needs a name in quotes before {\n"},
        {NETWORK "zone { }", "2: zone needs a domain in quotes before {\n"},
        {NETWORK "timing \"x\" { }", "2: timing \"x\" has no name of its own; remove the text before {\n"},
        {NETWORK "site \"a/b\" { }\nsite \"\" { }\nsite \".a\" { }",
         "2: site \"a/b\" has a bad name; it is 1 to 63 letters, digits, \"-\", \"_\" or \".\", first a "
         "letter or digit\n"
         "3: site \"\" has a bad name; it is 1 to 63 letters, digits, \"-\", \"_\" or \".\", first a letter "
         "or digit\n"
         "4: site \".a\" has a bad name; it is 1 to 63 letters, digits, \"-\", \"_\" or \".\", first a "
         "letter or digit\n"},
        /* "*" is the home of mail that must leave (store/queue.h) */
        {SITE NODE DNS RELAY "\nserver \"*\" { " SERVER_KEYS " }",
         "2: server \"*\" has a bad name; it is 1 to 63 letters, digits, \"-\", \"_\" or \".\", first a "
         "letter or digit\n"},
        {NETWORK "zone \"b\xc3\xbc"
                 "cher.test\" { }",
         "2: zone \"b\xc3\xbc"
         "cher.test\" has a bad domain; it is labels of letters, digits and \"-\", an international "
         "one in ASCII (xn--)\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void wrong_types(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "node \"b\" { site = \"s\" roles = {\"mailbox\", \"director\",\n\"mailbox\"} }",
         "3: node \"b\": roles has \"mailbox\" twice; remove one\n"},
        {NETWORK "users { file = 1 }\nsystem { user = \"Root\" }",
         "2: users: file must be a path in quotes, not empty\n"
         "3: system: user must be a system user's name in quotes\n"},
        {NETWORK "timing { lease = 5 }", "2: timing: lease must be a duration in quotes, such as \"500ms\", "
                                         "\"15s\", \"5m\", \"4h\" or \"5d\"\n"},
        {NETWORK "timing { lease = \"5\" }", "2: timing: lease must be a duration in quotes, such as "
                                             "\"500ms\", \"15s\", \"5m\", \"4h\" or \"5d\"\n"},
        {NETWORK "timing { lease = \"99999999999999999999d\" }",
         "2: timing: lease must be a duration in quotes, such as \"500ms\", \"15s\", \"5m\", \"4h\" or "
         "\"5d\"\n"},
        {NETWORK "zone \"t\" { ttl = {\"1s\"} }", "2: zone \"t\": ttl must be a duration in quotes, such as "
                                                  "\"500ms\", \"15s\", \"5m\", \"4h\" or \"5d\"\n"},
        {NETWORK "store { url = \"mysql:x\" }",
         "2: store: url cannot be \"mysql:x\": it must start with sqlite:, postgresql: or memory:\n"},
        {NETWORK "store { url = \"sqlite:\" }",
         "2: store: url cannot be \"sqlite:\": the folder is missing; write \"sqlite:FOLDER\"\n"},
        {NETWORK "store { url = \"memory:x\" }",
         "2: store: url cannot be \"memory:x\": nothing follows \"memory:\"\n"},
        {NETWORK "domain \"t\" { server = \"m\" recipients = 1 }",
         "2: domain \"t\": recipients must be one of \"directory\", \"list\", \"any\", \"verify\"\n"},
        {NETWORK "domain \"t\" { server = {\"m\"} relays = \"r\" }",
         "2: domain \"t\": server must be a name in quotes\n"
         "2: domain \"t\": relays must be a list of names, such as {\"a\", \"b\"}\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void bad_parts_of_a_relay(void **state)
{
    (void)state;
    check_findings(
        SITE NODE DNS SERVER "\nrelay \"r\" { node = \"n\"\n"
                             "hostname = \"127.0.0.1\"\n"
                             "address = {\"127.0.0.1:25\"}\n"
                             "listen = {\"127.0.0.2\",\n"
                             "\"127.0.0.2:0\",\n"
                             "\"[::1]:26\", \"[0::1]:26\"}\n"
                             "retry = \"99ms\"\n"
                             "message_size_max = \"2GiB\"\n"
                             "connections_max = -1\n"
                             "recipients_max = \"100\"\n"
                             "}",
        "3: relay \"r\": hostname must be a host name in quotes, such as \"mail1.example.net\" (no address; "
        "an "
        "international name in its xn-- form)\n"
        "4: relay \"r\": address cannot hold \"127.0.0.1:25\"; it must be a list of IP addresses without "
        "ports, such as {\"192.0.2.1\", \"2001:db8::1\"}\n"
        "5: relay \"r\": listen cannot hold \"127.0.0.2\"; it must be a list of IP addresses with ports, "
        "such "
        "as {\"192.0.2.1:25\", \"[2001:db8::1]:25\"}\n"
        "6: relay \"r\": listen cannot hold \"127.0.0.2:0\"; it must be a list of IP addresses with ports, "
        "such as {\"192.0.2.1:25\", \"[2001:db8::1]:25\"}\n"
        "7: relay \"r\": listen has \"[0::1]:26\" twice; remove one\n"
        "8: relay \"r\": retry must be from 100ms to 1d; it is 99ms\n"
        "9: relay \"r\": message_size_max must be from 64KiB to 1GiB; it is 2GiB\n"
        "10: relay \"r\": connections_max must be from 1 to 100000; it is -1\n"
        "11: relay \"r\": recipients_max must be a number without quotes\n");
}

static void missing_keys(void **state)
{
    (void)state;
    check_findings(SITE NODE DNS RELAY "\nserver \"m\" {\n}",
                   "2: server \"m\": kind is missing; add it, a word in quotes\n"
                   "2: server \"m\": hostname is missing; add it, a host name in quotes, such as "
                   "\"mail1.example.net\" (no address; "
                   "an international name in its xn-- form)\n"
                   "2: server \"m\": address is missing; add it, a list of IP addresses without ports, such "
                   "as {\"192.0.2.1\", "
                   "\"2001:db8::1\"}\n"
                   "2: server \"m\": site is missing; add it, a name in quotes\n");
}

static void references(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "domain \"t\" { server = \"x\"\n relays = {\"r\", \"y\",\n\"r\"} }",
         "2: domain \"t\": server names \"x\", but the file has no such server; it has \"m\"\n"
         "3: domain \"t\": relays names \"y\", but the file has no such relay; it has \"r\"\n"
         "4: domain \"t\": relays names \"r\" twice; remove one\n"},
        {"node \"n\" { site = \"s\" roles = {\"director\"} }",
         "1: node \"n\": site names \"s\", but the file has no site section; add one\n"},
        {SITE NODE DNS SERVER
         "\nrelay \"r\" { node = \"m\" hostname = \"r.test\" address = {\"127.0.0.2\"} listen = "
         "{\"127.0.0.2:25\"} }",
         "2: relay \"r\": node names \"m\", but the file has no such node; it has \"n\"\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void every_finding_is_reported_in_order(void **state)
{
    (void)state;
    check_findings(
        "site \"s\" { }\n"
        "domain \"t\" { server = \"x\" }\n"
        "node \"n\" { site = \"s\" roles = {\"relay\"} y = 1 }\n"
        "zone \"z\" { ttl = \"8d\" }",
        "2: domain \"t\": server names \"x\", but the file has no server section; add one\n"
        "3: node \"n\": unknown key y; the keys are site, roles, host\n"
        "3: node \"n\": it has the role \"relay\", but no relay section names it; add one, or remove the "
        "role\n"
        "4: zone \"z\": ttl must be from 0ms to 7d; it is 8d\n"
        "4: zone \"z\": no dns section would answer for it; add one\n");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    check_findings(
        NETWORK "store { url = \"x0123456789012345678901234567890123456789012345678901234567\xe2\x82\xac"
                "\xe2\x82\xac\" }",
        "2: store: url cannot be \"x0123456789012345678901234567890123456789012345678901234567...\": it "
        "must start with sqlite:, postgresql: or memory:\n");
}

static void a_report_is_bounded(void **state)
{
    (void)state;
    struct config *c;
    struct config_findings f;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < 1000; i++)
        buf_append_text(&text, "x = 1\n");
    assert_err(config_parse(buf_str(&text), "/c", "/s", &c, &f), ERR_INVALID);
    assert_int_equal(f.count, 200);
    assert_int_equal(f.omitted, 801); /* no node section is one more */
    config_findings_free(&f);
    buf_fini(&text);
}

static void findings_are_printed_with_their_place(void **state)
{
    (void)state;
    struct config *c;
    struct config_findings f;
    char *out = NULL;
    size_t size = 0;
    assert_err(config_parse(STR("\nx = 1"), "dir/h.conf", "/s", &c, &f), ERR_INVALID);
    FILE *stream = open_memstream(&out, &size);
    config_findings_print(&f, stream);
    fclose(stream);
    assert_string_equal(out, "dir/h.conf: there is no node section; add one for each machine\n"
                             "dir/h.conf:2: the file: unknown key x; it has no keys, remove it\n");
    free(out);
    config_findings_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_files_have_none),
        cmocka_unit_test(unknown_and_repeated),
        cmocka_unit_test(titles),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(bad_parts_of_a_relay),
        cmocka_unit_test(missing_keys),
        cmocka_unit_test(references),
        cmocka_unit_test(every_finding_is_reported_in_order),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_report_is_bounded),
        cmocka_unit_test(findings_are_printed_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
