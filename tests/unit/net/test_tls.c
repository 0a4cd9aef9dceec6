/* Who trusts whom, which certificate is shown, and when it is read again. */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file_look.h"
#include "certificates.h"
#include "loop/sim.h"
#include "net/tls_certificate.h"
#include "net/tls_client.h"
#include "net/tls_server.h"
#include "unit/unit.h"

#define TWO_YEARS_MS (730LL * 24 * 3600 * 1000)

static struct certificates certificates;

struct bench {
    struct sim_world *world;
    struct loop *loop;
    struct tls_server *server;
    struct loop_listener *listener;
    struct addr at;
    struct loop_stream *accepted, *connected;
    struct tls_client *client; /* of the connection under way */
    int server_calls, client_calls, server_err, client_err;
    uint8_t (*look)[TLS_CHANNEL_BYTES]; /* gets what both ends have of the channel; NULL: nobody looks */
    const char
        *authorities_break; /* the client is set again, with authorities that cannot be read: this file */
    char detail[512];
};

static void on_server_ready(void *arg, int err, const char *detail)
{
    struct bench *b = arg;
    (void)detail;
    b->server_calls++;
    b->server_err = err;
}

static void on_client_ready(void *arg, int err, const char *detail)
{
    struct bench *b = arg;
    b->client_calls++;
    b->client_err = err;
    snprintf(b->detail, sizeof(b->detail), "%s", detail);
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct bench *b = arg;
    (void)peer;
    b->accepted = tls_server_stream(b->server, s, on_server_ready, b);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct bench *b = arg;
    assert_int_equal(err, 0);
    b->connected = tls_client_stream(b->client, s, on_client_ready, b);
}

static struct tls_files *files_of(const char *name)
{
    static struct tls_files files[2]; /* of the last two calls */
    static unsigned next;
    struct tls_files *f = &files[next++ % 2];
    char pem[64], key[64];
    snprintf(pem, sizeof(pem), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    *f = (struct tls_files){name, certificates_path(&certificates, pem),
                            certificates_path(&certificates, key)};
    return f;
}

static int setup(void **state)
{
    static struct bench b;
    struct err_buf eb;
    b = (struct bench){.world = sim_world_new(3)};
    b.loop = sim_loop_new(b.world, "host", "test");
    /* a copy of the first, for what changes it */
    assert_int_equal(
        link(certificates_path(&certificates, "first.pem"), certificates_path(&certificates, "now.pem")), 0);
    assert_int_equal(
        link(certificates_path(&certificates, "first.key"), certificates_path(&certificates, "now.key")), 0);
    struct tls_files *const files[] = {files_of("now"), files_of("second")};
    b.server = tls_server_new(b.loop, files, 2);
    assert_ok(addr_parse(STR("10.1.0.1:25"), &b.at));
    assert_ok(loop_listen(b.loop, &b.at, on_accept, &b, &b.listener, &eb));
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    loop_listener_free(b->listener);
    tls_server_free(b->server);
    sim_loop_free(b->loop);
    sim_world_free(b->world);
    unlink(certificates_path(&certificates, "now.pem"));
    unlink(certificates_path(&certificates, "now.key"));
    return 0;
}

static void pass_ms(struct bench *b, int64_t ms)
{
    sim_run_until(b->world, mono_add_ms(sim_now(b->world), ms));
}

/* Connects under that policy; what came of it is in b. */
static int try(struct bench *b, const struct tls_client_options *options)
{
    struct loop_connect *connect;
    b->server_calls = b->client_calls = 0;
    b->accepted = b->connected = NULL;
    b->client = tls_client_new(b->loop);
    assert_ok(tls_client_set(b->client, options, NULL));
    if (b->authorities_break) {
        struct tls_client_options broken = *options;
        broken.ca_file = certificates_path(&certificates, b->authorities_break);
        assert_err(tls_client_set(b->client, &broken, NULL), ERR_SYNTAX);
    }
    loop_connect(b->loop, &b->at, NULL, 10000, on_connect, b, &connect);
    pass_ms(b, 100);
    assert_int_equal(b->client_calls, 1);
    assert_int_equal(b->server_calls, 1);
    if (b->look) {
        assert_ok(tls_stream_channel(b->connected, b->look[0]));
        assert_ok(tls_stream_channel(b->accepted, b->look[1]));
    }
    loop_stream_free(b->connected);
    loop_stream_free(b->accepted);
    tls_client_free(b->client);
    return b->client_err;
}

/* Whether the certificate of that file is what the server shows to who asks for name. */
static bool shows(struct bench *b, const char *file, const char *name)
{
    struct tls_client_options options = {
        .policy = TLS_REQUIRED, .name = name, .ca_file = certificates_path(&certificates, file)};
    return try(b, &options) == 0;
}

/* The simulated clock, which begins in the past. */
static void set_clock(struct bench *b, int64_t ahead_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    sim_loop_set_clock(b->loop, 0, 0);
    sim_loop_set_clock(b->loop, (int64_t)now.tv_sec * 1000 + ahead_ms - loop_wall(b->loop).ms, 0);
}

static void the_name_chooses_the_certificate(void **state)
{
    struct bench *b = *state;
    set_clock(b, 0);
    assert_true(shows(b, "first.pem", "a.test"));
    assert_true(shows(b, "second.pem", "b.test"));
    assert_true(shows(b, "second.pem", "mx.wild.test"));
    assert_false(shows(b, "second.pem", "a.test"));
    assert_non_null(strstr(b->detail, "not trusted: self-signed certificate"));
    assert_false(shows(b, "second.pem", "other.test"));
}

static void the_name_must_be_proved(void **state)
{
    struct bench *b = *state;
    set_clock(b, 0);
    assert_false(shows(b, "first.pem", "other.test")); /* the first one is shown, and is for another */
    assert_int_equal(b->client_err, ERR_REFUSED);
    assert_non_null(strstr(b->detail, "hostname mismatch"));
}

static void the_loops_clock_judges_age(void **state)
{
    struct bench *b = *state;
    set_clock(b, 0);
    assert_true(shows(b, "first.pem", "a.test"));
    set_clock(b, TWO_YEARS_MS);
    assert_false(shows(b, "first.pem", "a.test"));
    assert_non_null(strstr(b->detail, "expired"));
}

static void opportunistic_takes_any(void **state)
{
    struct bench *b = *state;
    struct tls_client_options options = {.policy = TLS_OPPORTUNISTIC, .name = "other.test"};
    assert_ok(try(b, &options));
}

/* What both ends know of it is of this one alone. */
static void each_channel_is_its_own(void **state)
{
    struct bench *b = *state;
    struct tls_client_options options = {.policy = TLS_OPPORTUNISTIC, .name = "a.test"};
    uint8_t channels[2][2][TLS_CHANNEL_BYTES];
    for (size_t i = 0; i < 2; i++) {
        b->look = channels[i];
        assert_ok(try(b, &options));
        assert_memory_equal(channels[i][0], channels[i][1], TLS_CHANNEL_BYTES);
    }
    assert_memory_not_equal(channels[0][0], channels[1][0], TLS_CHANNEL_BYTES);
}

/* The pin of second.pem, as an operator makes it. */
static struct tls_pin pin_of_second(void)
{
    char command[512], hex[2 * TLS_PIN_BYTES + 1] = "";
    struct tls_pin pin;
    snprintf(command, sizeof(command),
             "openssl x509 -in %s -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum",
             certificates_path(&certificates, "second.pem"));
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_int_equal(fread(hex, 1, sizeof(hex) - 1, out), sizeof(hex) - 1);
    pclose(out);
    for (size_t i = 0; i < TLS_PIN_BYTES; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        pin.sha256[i] = (unsigned char)byte;
    }
    return pin;
}

static void only_a_pinned_key_will_do(void **state)
{
    struct bench *b = *state;
    struct tls_pin pins[] = {{{1, 2, 3}}, pin_of_second()};
    struct tls_client_options options = {
        .policy = TLS_PINNED, .name = "b.test", .pins = pins, .pin_count = 2};
    assert_ok(try(b, &options));
    options.pin_count = 1;
    assert_err(try(b, &options), ERR_REFUSED);
    assert_non_null(strstr(b->detail, "none of those that are pinned"));
    options.pin_count = 2;
    options.name = "a.test"; /* the other key */
    assert_err(try(b, &options), ERR_REFUSED);
}

static void replace(const char *from, const char *to)
{
    unlink(certificates_path(&certificates, "next"));
    assert_int_equal(link(certificates_path(&certificates, from), certificates_path(&certificates, "next")),
                     0);
    assert_int_equal(rename(certificates_path(&certificates, "next"), certificates_path(&certificates, to)),
                     0);
}

static void a_new_certificate_is_read_without_a_restart(void **state)
{
    struct bench *b = *state;
    set_clock(b, 0);
    assert_true(shows(b, "first.pem", "a.test"));
    replace("renewed.pem", "now.pem"); /* the key is not there yet */
    pass_ms(b, 3 * FILE_LOOK_MS);
    assert_true(shows(b, "first.pem", "a.test"));
    replace("renewed.key", "now.key");
    pass_ms(b, 3 * FILE_LOOK_MS);
    assert_true(shows(b, "renewed.pem", "a.test"));
    unlink(certificates_path(&certificates, "now.pem"));
    pass_ms(b, 3 * FILE_LOOK_MS);
    assert_true(shows(b, "renewed.pem", "a.test"));
}

static void a_reload_reads_at_once(void **state)
{
    struct bench *b = *state;
    set_clock(b, 0);
    replace("renewed.pem", "now.pem");
    replace("renewed.key", "now.key");
    struct tls_files *const files[] = {files_of("now")};
    tls_server_set(b->server, files, 1);
    assert_true(shows(b, "renewed.pem", "a.test"));
    assert_false(shows(b, "second.pem", "b.test")); /* it is gone */
    replace("second.key", "now.key");
    tls_server_set(b->server, files, 1);
    assert_true(tls_server_usable(b->server));
    assert_true(shows(b, "renewed.pem", "a.test"));
}

static void without_a_certificate_none_is_offered(void **state)
{
    struct bench *b = *state;
    struct tls_files none = {"none", "/nowhere/a.pem", "/nowhere/a.key"};
    struct tls_files *const files[] = {&none, files_of("second")};
    struct tls_server *t = tls_server_new(b->loop, files, 1);
    assert_false(tls_server_usable(t));
    tls_server_set(t, files, 2);
    assert_true(tls_server_usable(t));
    tls_server_free(t);
}

static int load(const char *file, const char *key, struct err_buf *eb)
{
    struct tls_certificate *c = NULL;
    int rc = tls_certificate_load(certificates_path(&certificates, file),
                                  certificates_path(&certificates, key), &c, eb);
    tls_certificate_free(c);
    return rc;
}

static void what_is_wrong_with_the_files_is_said(void **state)
{
    struct err_buf eb = {""};
    (void)state;
    assert_ok(load("first.pem", "first.key", &eb));
    assert_err(load("none.pem", "first.key", &eb), ERR_NOT_FOUND);
    assert_non_null(strstr(eb.text, "none.pem cannot be read: No such file"));
    assert_err(load("first.key", "first.key", &eb), ERR_SYNTAX);
    assert_non_null(strstr(eb.text, "first.key holds no certificate in PEM"));
    assert_err(load("first.pem", "first.pem", &eb), ERR_SYNTAX);
    assert_non_null(strstr(eb.text, "first.pem holds no private key"));
    assert_err(load("first.pem", "second.key", &eb), ERR_CONFLICT);
    assert_non_null(strstr(eb.text, "second.key is not the key of the certificate in"));
}

/* The first `bytes` of a file are another's content. */
static void cut(const char *from, const char *to, long bytes)
{
    char command[512];
    snprintf(command, sizeof(command), "head -c %ld %s >%s", bytes, certificates_path(&certificates, from),
             certificates_path(&certificates, to));
    assert_int_equal(system(command), 0);
}

static void a_chain_that_is_not_whole_is_refused(void **state)
{
    struct err_buf eb = {""};
    (void)state;
    struct stat info;
    assert_int_equal(stat(certificates_path(&certificates, "leaf.pem"), &info), 0);
    assert_ok(load("leaf.pem", "leaf.key", &eb));
    cut("leaf.pem", "cut.pem", info.st_size - 100);
    assert_err(load("cut.pem", "leaf.key", &eb), ERR_SYNTAX);
    assert_non_null(strstr(eb.text, "cut.pem is damaged or not whole"));
}

static void a_key_that_no_peer_takes_is_refused(void **state)
{
    struct err_buf eb = {""};
    (void)state;
    assert_err(load("weak.pem", "weak.key", &eb), ERR_SYNTAX);
    assert_non_null(strstr(eb.text, "weak.pem cannot be used: ee key too small"));
}

static void the_chain_is_shown(void **state)
{
    struct bench *b = *state;
    set_clock(b, 0);
    struct tls_files *const files[] = {files_of("leaf")};
    tls_server_set(b->server, files, 1);
    assert_true(shows(b, "root.pem", "leaf.test")); /* the middle is known from the chain alone */
    assert_false(shows(b, "first.pem", "leaf.test"));
}

static void authorities_that_were_read_stay(void **state)
{
    struct bench *b = *state;
    struct err_buf eb = {""};
    struct tls_client_options options = {
        .policy = TLS_REQUIRED, .name = "a.test", .ca_file = certificates_path(&certificates, "first.pem")};
    set_clock(b, 0);
    b->authorities_break = "first.key";
    assert_ok(try(b, &options));
    b->authorities_break = NULL;
    struct tls_client *t = tls_client_new(b->loop);
    options.policy = TLS_OPPORTUNISTIC;
    assert_ok(tls_client_set(t, &options, &eb));
    options = (struct tls_client_options){.policy = TLS_REQUIRED, .name = "a.test", .ca_file = "/nowhere"};
    assert_err(tls_client_set(t, &options, &eb), ERR_NOT_FOUND);
    assert_int_equal(tls_client_policy(t),
                     TLS_REQUIRED); /* what is asked for holds, though nobody is trusted */
    tls_client_free(t);
}

static void authorities_that_cannot_be_read_are_trusted_by_nobody(void **state)
{
    struct bench *b = *state;
    struct err_buf eb = {""};
    struct tls_client *t = tls_client_new(b->loop);
    struct tls_client_options options = {
        .policy = TLS_REQUIRED, .name = "a.test", .ca_file = certificates_path(&certificates, "first.key")};
    assert_err(tls_client_set(t, &options, &eb), ERR_SYNTAX);
    assert_non_null(strstr(eb.text, "first.key holds no certificates"));
    assert_int_equal(tls_client_policy(t), TLS_REQUIRED);
    options.ca_file = "/nowhere/ca.pem";
    assert_err(tls_client_set(t, &options, &eb), ERR_NOT_FOUND);
    assert_err(tls_client_check_authorities(options.ca_file, &eb), ERR_NOT_FOUND);
    assert_ok(tls_client_check_authorities(certificates_path(&certificates, "first.pem"), &eb));
    tls_client_free(t);
}

static int make_certificates(void **state)
{
    (void)state;
    certificates_open(&certificates);
    certificates_make(&certificates, "first", "ec", "DNS:a.test");
    certificates_make(&certificates, "second", "rsa", "DNS:b.test,DNS:*.wild.test");
    certificates_make(&certificates, "renewed", "ec", "DNS:a.test");
    certificates_make(&certificates, "weak", "weak", "DNS:a.test");
    certificates_make(&certificates, "root", "ec", "DNS:root.test");
    certificates_sign(&certificates, "middle", "root", "DNS:middle.test");
    certificates_sign(&certificates, "leaf", "middle", "DNS:leaf.test");
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_close(&certificates);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_name_chooses_the_certificate),
        TEST(the_name_must_be_proved),
        TEST(the_loops_clock_judges_age),
        TEST(opportunistic_takes_any),
        TEST(each_channel_is_its_own),
        TEST(only_a_pinned_key_will_do),
        TEST(a_new_certificate_is_read_without_a_restart),
        TEST(a_reload_reads_at_once),
        TEST(without_a_certificate_none_is_offered),
        cmocka_unit_test(what_is_wrong_with_the_files_is_said),
        cmocka_unit_test(a_chain_that_is_not_whole_is_refused),
        cmocka_unit_test(a_key_that_no_peer_takes_is_refused),
        TEST(the_chain_is_shown),
        TEST(authorities_that_were_read_stay),
        TEST(authorities_that_cannot_be_read_are_trusted_by_nobody),
    };
    return cmocka_run_group_tests_name("TLS contexts", tests, make_certificates, remove_certificates);
}
