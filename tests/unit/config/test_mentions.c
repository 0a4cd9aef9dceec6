#include "findings_of.h"

static void print_mention(void *arg, const struct config_mention *m)
{
    static const char *const kinds[] = {[CONFIG_MENTIONS_FILE] = "file",
                                        [CONFIG_MENTIONS_PROGRAM] = "program",
                                        [CONFIG_MENTIONS_USER] = "user"};
    buf_append_fmt(arg, "%d: %s, %s: %s %s\n", m->line, m->label, m->key, kinds[m->kind], m->text);
}

static void each_with_its_line(void **state)
{
    struct config *c = NULL;
    struct config_findings f;
    struct buf seen;
    (void)state;
    static const char text[] =
        SITE NODE DNS RELAY "\nusers { file = \"people\" }\nsystem {\nuser = \"mail\" }\n"
                            "zone \"z.test\" {\nfile = \"/etc/z\" }\nzone \"y.test\" { }\n"
                            "server \"m\" { kind = \"builtin\" site = \"s\" hostname = "
                            "\"m.test\" address = {\"127.0.0.3\"}\n"
                            "failover {\ncreate { site = \"s\" address = \"127.0.0.4\"\n"
                            "fence = \"process\" } } }\n";
    int err = config_parse(str_from(text), "/etc/holdfast/test.conf", "/var/lib/holdfast", &c, &f);
    config_findings_print(&f, stdout);
    assert_ok(err);
    buf_init(&seen, 4096);
    config_each_mention(c, print_mention, &seen);
    assert_string_equal(buf_data(&seen), "2: users, file: file /etc/holdfast/people\n"
                                         "4: system, user: user mail\n"
                                         "6: zone \"z.test\", file: file /etc/z\n"
                                         "10: server \"m\" failover create, provisioner: program process\n"
                                         "11: server \"m\" failover create, fence: program process\n");
    buf_fini(&seen);
    config_free(c);
    config_findings_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_with_its_line)};
    return cmocka_run_group_tests_name("config mentions", tests, NULL, NULL);
}
