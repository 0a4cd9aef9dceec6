/* What a URI of PostgreSQL may be, and what is told of one that may not. */
#include <stdio.h>

#include "base/mem.h"
#include "config/postgres_url.h"
#include "unit/unit.h"

static const char *const good[] = {
    "postgresql:///holdfast",
    "postgresql:///holdfast?",
    "postgres:///holdfast",
    "postgresql://hf@/holdfast",
    "postgresql://hf@localhost/holdfast",
    "postgresql://hf@127.1.0.54:5432,127.2.0.54:5433/holdfast",
    "postgresql://[::1]:5432/holdfast",
    "postgresql://[::1]/holdfast",
    "postgresql://%2Frun%2Fpostgresql/holdfast",
    "postgresql:///holdfast?host=/run/postgresql&user=hf",
    "postgresql:///holdfast?host=%2Frun%2Fpostgresql&port=5433",
    "postgresql://hf@localhost/hold%25fast?target_session_attrs=read-write",
    "postgresql://hf@db1.test:5432,db2.test/holdfast?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    "postgresql://hf@db1.test/holdfast?sslrootcert=%2Fetc%2Fca.pem&sslmode=verify-full&connect_timeout=2",
};

static void what_is_good(void **state)
{
    (void)state;
    struct err_buf eb;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (postgres_url_check(good[i], &eb) != 0)
            fail_msg("%s %s", good[i], eb.text);
}

#define AWAY  "leads to \"db1.test\", off this machine"
#define PLAIN "could make commits less durable"
static const struct {
    const char *url, *says;
} bad[] = {
    /* what leaks */
    {"postgresql://hf:geheim@localhost/holdfast", "password_file"},
    {"postgresql://hf:@localhost/holdfast", "password_file"},
    {"postgresql://hf@localhost/holdfast?password=geheim", "password_file"},
    {"postgresql://hf@localhost/holdfast?sslpassword=geheim", "password_file"},
    {"postgresql://hf@localhost/holdfast?passfile=/etc/geheim", "password_file"},
    /* who is not known */
    {"postgresql://hf@db1.test/holdfast", AWAY},
    {"postgresql://hf@localhost,db1.test:5432/holdfast", AWAY},
    {"postgresql:///holdfast?host=db1.test", AWAY},
    {"postgresql://localhost/holdfast?host=localhost,db1.test", AWAY},
    {"postgresql://localhost/holdfast?hostaddr=192.0.2.1", "leads to \"192.0.2.1\""},
    {"postgresql://[2001:db8::1]:5432/holdfast", "leads to \"2001:db8::1\""},
    {"postgresql://%64b1.test/holdfast", AWAY},
    {"postgresql://db1.test/holdfast?sslmode=require&sslrootcert=/etc/ca.pem", AWAY},
    {"postgresql://db1.test/holdfast?sslmode=verify-ca&sslrootcert=/etc/ca.pem", AWAY},
    {"postgresql://db1.test/holdfast?sslmode=verify-full", AWAY},
    {"postgresql://127.0.0.1/holdfast?sslmode=sometimes", "has an sslmode that PostgreSQL does not know"},
    /* what would weaken it */
    {"postgresql:///holdfast?target_session_attrs=any", "target_session_attrs"},
    {"postgresql:///holdfast?options=-csynchronous_commit%3Doff", PLAIN},
    {"postgresql:///holdfast?replication=database", "\"replication\" that is not for this"},
    {"postgresql:///holdfast?sslmode=verify-full&sslmode=disable", "\"sslmode\" twice"},
    /* what is none */
    {"postgresql:", "must go on with \"//\""},
    {"postgresql:/holdfast", "must go on with \"//\""},
    {"postgresql://localhost", "names no database"},
    {"postgresql://localhost/", "names no database"},
    {"postgresql://localhost/?user=hf", "names no database"},
    {"postgresql://localhost:70000/holdfast", "has a port"},
    {"postgresql://localhost:0/holdfast", "has a port"},
    {"postgresql://localhost:x/holdfast", "has a port"},
    {"postgresql:///holdfast?port=5432,x", "has a port"},
    {"postgresql://[::1/holdfast", "without a ]"},
    {"postgresql://[::1]x/holdfast", "between a ] and its port"},
    {"postgresql:///hold%xast", "hexadecimal"},
    {"postgresql:///holdfast%", "hexadecimal"},
    {"postgresql:///holdfast%0", "hexadecimal"},
    {"postgresql://local%00host/holdfast", "hexadecimal"},
    {"postgresql:///holdfast?user", "\"user\" without a value"},
    {"postgresql:///holdfast?&user=hf", "without a value"},
    {"postgresql:///holdfast?sslrootcert=ca.pem", "not absolute"},
    {"postgresql:///holdfast?sslkey=key.pem", "not absolute"},
};

static void what_is_bad_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err_buf eb = {""};
        int err = postgres_url_check(bad[i].url, &eb);
        if (err != ERR_INVALID || !strstr(eb.text, bad[i].says))
            fail_msg("%s: %d %s", bad[i].url, err, eb.text);
        assert_null(strstr(eb.text, "geheim"));
    }
}

static void long_ones_have_an_end(void **state)
{
    (void)state;
    struct err_buf eb;
    char *hosts = mem_alloc(3000), *url;
    memset(hosts, ',', 2999);
    hosts[2999] = '\0';
    url = mem_asprintf("postgresql://%s/holdfast", hosts);
    assert_err(postgres_url_check(url, &eb), ERR_INVALID);
    free(url);
    url = mem_asprintf("postgresql://%.900s/holdfast", hosts);
    assert_ok(postgres_url_check(url, &eb));
    free(url);
    memset(hosts, 'h', 2999);
    url = mem_asprintf("postgresql://%.256s/holdfast", hosts);
    assert_err(postgres_url_check(url, &eb), ERR_INVALID);
    assert_non_null(strstr(eb.text, "too long"));
    free(url);
    free(hosts);
}

struct seen {
    char servers[200], files[200];
};

static void on_server(void *arg, const char *host, const char *port)
{
    struct seen *s = arg;
    size_t len = strlen(s->servers);
    snprintf(s->servers + len, sizeof(s->servers) - len, "%s %s;", host, port);
}

static void on_file(void *arg, const char *parameter, const char *path)
{
    struct seen *s = arg;
    size_t len = strlen(s->files);
    snprintf(s->files + len, sizeof(s->files) - len, "%s %s;", parameter, path);
}

static void what_it_leads_to(void **state)
{
    (void)state;
    static const struct {
        const char *url, *servers, *files;
    } cases[] = {
        {"postgresql://hf@db%2e1:99,[::1],/h", "db.1 99;::1 5432;", ""},
        {"postgresql://%2Frun,db2:1/h?sslrootcert=/a%20b&sslcrldir=/c&sslkey=/k", "db2 1;",
         "sslrootcert /a b;sslkey /k;"},
        {"postgresql://db1/h?hostaddr=127.0.0.1", "", ""},
        {"postgresql:///h?host=db1", "", ""},
        {"postgresql://db1/h?port=99", "", ""},
        {"sqlite:h", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {"", ""};
        const struct postgres_url_visitor v = {on_server, on_file, &seen}, blind = {0};
        postgres_url_visit(cases[i].url, &v);
        assert_string_equal(seen.servers, cases[i].servers);
        assert_string_equal(seen.files, cases[i].files);
        postgres_url_visit(cases[i].url, &blind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good),
        cmocka_unit_test(what_is_bad_and_why),
        cmocka_unit_test(long_ones_have_an_end),
        cmocka_unit_test(what_it_leads_to),
    };
    return cmocka_run_group_tests_name("config, URI of PostgreSQL", tests, NULL, NULL);
}
