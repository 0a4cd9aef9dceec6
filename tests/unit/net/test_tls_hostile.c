/* What a hostile or odd client may do to a server's TLS stream: the client here is OpenSSL by itself, so that
 * each byte can be chosen. */
#include <openssl/ssl.h>
#include <stdio.h>

#include "certificates.h"
#include "loop/sim.h"
#include "net/tls_server.h"
#include "unit/unit.h"

static struct certificates certificates;

struct bench {
    struct sim_world *world;
    struct loop *loop;
    struct tls_server *server;
    struct loop_listener *listener;
    struct loop_stream *accepted, *raw; /* the server's end, and the client's without TLS */
    int ready, ready_err;
    char detail[256];
    char got[65536]; /* by the server, plain */
    size_t got_len;
    int end_err;
    char answer[65536]; /* by the client, raw */
    size_t answer_len;

    SSL_CTX *context;
    SSL *ssl; /* the client's */
};

static void on_server_read(void *arg, const char *data, size_t len, int err)
{
    struct bench *b = arg;
    assert_true(b->got_len + len <= sizeof(b->got));
    memcpy(b->got + b->got_len, data ? data : "", len);
    b->got_len += len;
    b->end_err = err;
}

static void on_ready(void *arg, int err, const char *detail)
{
    struct bench *b = arg;
    b->ready++;
    b->ready_err = err;
    snprintf(b->detail, sizeof(b->detail), "%s", detail);
    if (err == 0)
        loop_stream_read_start(b->accepted, on_server_read, b);
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct bench *b = arg;
    (void)peer;
    b->accepted = tls_server_stream(b->server, s, on_ready, b);
}

static void on_raw_read(void *arg, const char *data, size_t len, int err)
{
    struct bench *b = arg;
    (void)err;
    size_t room = sizeof(b->answer) - b->answer_len;
    memcpy(b->answer + b->answer_len, data ? data : "", len < room ? len : room);
    b->answer_len += len < room ? len : room;
    if (b->ssl && len > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(b->ssl), data, (int)len), len);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct bench *b = arg;
    assert_int_equal(err, 0);
    b->raw = s;
    loop_stream_read_start(s, on_raw_read, b);
}

static void settle(struct bench *b)
{
    sim_run_until(b->world, mono_add_ms(sim_now(b->world), 50));
}

static int setup(void **state)
{
    static struct bench b;
    struct addr at;
    struct err_buf eb;
    struct loop_connect *connect;
    struct tls_files files = {"test", certificates_path(&certificates, "test.pem"),
                              certificates_path(&certificates, "test.key")};
    b = (struct bench){.world = sim_world_new(5)};
    b.loop = sim_loop_new(b.world, "host", "test");
    b.server = tls_server_new(b.loop, (struct tls_files *[]){&files}, 1);
    assert_ok(addr_parse(STR("10.1.0.1:25"), &at));
    assert_ok(loop_listen(b.loop, &at, on_accept, &b, &b.listener, &eb));
    loop_connect(b.loop, &at, NULL, 10000, on_connect, &b, &connect);
    settle(&b);
    assert_non_null(b.raw);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    SSL_free(b->ssl);
    SSL_CTX_free(b->context);
    loop_stream_free(b->raw);
    loop_stream_free(b->accepted);
    loop_listener_free(b->listener);
    tls_server_free(b->server);
    sim_loop_free(b->loop);
    sim_world_free(b->world);
    return 0;
}

/* ---- the client's OpenSSL ---- */

static void make_client(struct bench *b, int version_max)
{
    b->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(b->context, version_max);
    SSL_CTX_set_min_proto_version(b->context, TLS1_VERSION);
    SSL_CTX_set_security_level(b->context, 0);
    b->ssl = SSL_new(b->context);
    SSL_set_bio(b->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(b->ssl), -1);
    SSL_set_connect_state(b->ssl);
}

/* Sends what the client's OpenSSL has put out, in pieces of so many bytes, each alone under way. */
static void send_client(struct bench *b, size_t piece)
{
    char *data;
    long len = BIO_get_mem_data(SSL_get_wbio(b->ssl), &data);
    for (size_t at = 0; at < (size_t)len; at += piece) {
        loop_stream_write(b->raw, data + at, (size_t)len - at < piece ? (size_t)len - at : piece);
        settle(b);
    }
    (void)BIO_reset(SSL_get_wbio(b->ssl));
    settle(b);
}

static int shake_hands(struct bench *b, size_t piece)
{
    int rc = 0;
    for (int i = 0; i < 5 && rc != 1; i++) {
        rc = SSL_do_handshake(b->ssl);
        send_client(b, piece);
    }
    return rc;
}

static void say(struct bench *b, const char *text)
{
    assert_int_equal(SSL_write(b->ssl, text, (int)strlen(text)), strlen(text));
}

/* ---- tests ---- */

static void a_byte_at_a_time(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_3_VERSION);
    assert_int_equal(shake_hands(b, 1), 1);
    assert_int_equal(b->ready, 1);
    assert_int_equal(b->ready_err, 0);
    struct tls_info info;
    tls_stream_info(b->accepted, &info);
    assert_string_equal(info.version, "TLSv1.3");
    assert_string_equal(info.cipher, SSL_get_cipher_name(b->ssl));
    assert_true(info.bits >= 128);
    say(b, "EHLO ");
    say(b, "me\r\n");
    send_client(b, 1);
    assert_int_equal(b->got_len, 9);
    assert_memory_equal(b->got, "EHLO me\r\n", 9);
}

static void many_records_in_one_piece(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_2_VERSION);
    assert_int_equal(shake_hands(b, 65536), 1);
    for (int i = 0; i < 500; i++)
        say(b, "x");
    send_client(b, 65536);
    assert_int_equal(b->got_len, 500);
}

static void refused(struct bench *b)
{
    assert_int_equal(b->ready, 1);
    assert_int_equal(b->ready_err, ERR_REFUSED);
    assert_int_equal(b->got_len, 0);
}

static void plain_text_is_no_handshake(void **state)
{
    struct bench *b = *state;
    loop_stream_write(b->raw, "RCPT TO:<injected@example.test>\r\n", 33);
    settle(b);
    refused(b);
    assert_non_null(strstr(b->detail, "the TLS handshake failed: "));
}

/* Its record says more than any record may hold (RFC 8446 5.1). */
static void an_oversized_record_is_refused(void **state)
{
    struct bench *b = *state;
    loop_stream_write(b->raw, "\x16\x03\x01\xff\xff\x01\x00\xff\xfb\x03\x03", 11);
    settle(b);
    refused(b);
}

static void an_oversized_record_ends_what_is_open(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_3_VERSION);
    assert_int_equal(shake_hands(b, 65536), 1);
    loop_stream_write(b->raw, "\x17\x03\x03\xff\xff", 5);
    settle(b);
    assert_int_equal(b->end_err, ERR_IO);
    loop_stream_write(b->accepted, "late", 4); /* dropped: OpenSSL has given up */
    settle(b);
}

static void an_old_version_is_refused(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_1_VERSION);
    assert_int_not_equal(shake_hands(b, 65536), 1);
    refused(b);
    assert_non_null(strstr(b->detail, "protocol"));
}

static void an_end_amid_the_handshake_is_told(void **state)
{
    struct bench *b = *state;
    loop_stream_write(b->raw, "\x16\x03\x01\x02", 4);
    settle(b);
    assert_int_equal(b->ready, 0);
    loop_stream_close(b->raw, 1000);
    b->raw = NULL;
    settle(b);
    assert_int_equal(b->ready, 1);
    assert_int_equal(b->ready_err, ERR_CLOSED);
}

static void an_end_outside_of_tls_is_a_loss(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_3_VERSION);
    assert_int_equal(shake_hands(b, 65536), 1);
    loop_stream_close(b->raw, 1000);
    b->raw = NULL;
    settle(b);
    assert_int_equal(b->end_err, ERR_IO);
}

static void nothing_is_negotiated_twice(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_2_VERSION);
    assert_int_equal(shake_hands(b, 65536), 1);
    assert_int_equal(SSL_renegotiate(b->ssl), 1);
    assert_int_not_equal(shake_hands(b, 65536), 1);
    assert_int_equal(b->ready, 1);
}

/* Each asks for an answer, and no answer is fetched: the server stops reading. */
static void unfetched_answers_are_bounded(void **state)
{
    struct bench *b = *state;
    make_client(b, TLS1_3_VERSION);
    assert_int_equal(shake_hands(b, 65536), 1);
    loop_stream_read_stop(b->raw);
    for (int i = 0; i < 40000; i++) {
        assert_int_equal(SSL_key_update(b->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        SSL_do_handshake(b->ssl);
        if (i % 1000 == 0)
            send_client(b, 65536);
    }
    send_client(b, 65536);
    assert_true(loop_stream_pending(b->accepted) < 200000);
    assert_true(loop_stream_pending(b->raw) > 0);
}

static int make_certificates(void **state)
{
    (void)state;
    certificates_open(&certificates);
    certificates_make(&certificates, "test", "ec", "DNS:a.test");
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
        TEST(a_byte_at_a_time),
        TEST(many_records_in_one_piece),
        TEST(plain_text_is_no_handshake),
        TEST(an_oversized_record_is_refused),
        TEST(an_oversized_record_ends_what_is_open),
        TEST(an_old_version_is_refused),
        TEST(an_end_amid_the_handshake_is_told),
        TEST(an_end_outside_of_tls_is_a_loss),
        TEST(nothing_is_negotiated_twice),
        TEST(unfetched_answers_are_bounded),
    };
    return cmocka_run_group_tests_name("TLS clients", tests, make_certificates, remove_certificates);
}
