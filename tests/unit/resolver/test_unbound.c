/* libunbound behind its seam: a real loop, and a name server on a thread that answers every question by its
 * name. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/real.h"
#include "resolver/resolver.h"
#include "unit/unit.h"

#define HEAD 12

/* What it answers: by the first label. "ok": an address; "mx": two MX, one of them no host; "none": no data;
 * "no": no name; "bad": SERVFAIL; "mute": nothing. Others: what they say. */
struct server {
    int fd;
    struct addr at;
    pthread_t thread;
    char asked[64]; /* the first label of the last question */
};

struct world {
    struct server server;
    struct loop *loop;
    struct resolver *resolver;
    struct loop_timer *timer;
    bool answered;
    enum resolver_status status;
    size_t count;
    char text[RESOLVER_NAME_MAX + 8];
};

static size_t append(uint8_t *out, size_t len, const void *data, size_t bytes)
{
    memcpy(out + len, data, bytes);
    return len + bytes;
}

static size_t append_record(uint8_t *out, size_t len, uint8_t type, const void *data, uint8_t bytes)
{
    const uint8_t head[] = {0xc0, HEAD, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes};
    return append(out, append(out, len, head, sizeof(head)), data, bytes);
}

/* The answer is made in place: the question stays. */
static size_t make_answer(struct server *s, uint8_t *m, size_t len)
{
    uint8_t type = m[len - 3], rcode = 0, count = 0;
    snprintf(s->asked, sizeof(s->asked), "%.*s", m[HEAD], (const char *)m + HEAD + 1);
    if (strcmp(s->asked, "ok") == 0 || strncmp(s->asked, "xn--", 4) == 0) {
        len = append_record(m, len, 1, "\xc0\0\2\1", 4);
        count = 1;
    } else if (strcmp(s->asked, "mx") == 0 && type == 15) {
        len = append_record(m, len, 15, "\0\12\1a\7example\0", 13);
        len = append_record(m, len, 15, "\0\24\1 \7example\0", 13);
        count = 2;
    } else if (strcmp(s->asked, "bad") == 0) {
        rcode = 2;
    } else if (strcmp(s->asked, "no") == 0) {
        rcode = 3;
    }
    m[2] = 0x81;
    m[3] = (uint8_t)(0x80 | rcode);
    m[7] = count;
    m[11] = 0; /* no EDNS */
    return len;
}

/* Without what EDNS put behind the question. */
static size_t question_end(const uint8_t *m, size_t len)
{
    size_t at = HEAD;
    while (at < len && m[at])
        at += m[at] + 1U;
    return at + 5;
}

static void *serve(void *arg)
{
    struct server *s = arg;
    uint8_t m[512];
    struct sockaddr_storage from;
    for (;;) {
        socklen_t from_len = sizeof(from);
        ssize_t got = recvfrom(s->fd, m, sizeof(m) - 64, 0, (struct sockaddr *)&from, &from_len);
        if (got <= HEAD)
            return NULL;
        size_t len = make_answer(s, m, question_end(m, (size_t)got));
        if (strcmp(s->asked, "mute") != 0)
            (void)!sendto(s->fd, m, len, 0, (struct sockaddr *)&from, from_len);
    }
}

static void server_start(struct server *s)
{
    socklen_t len = sizeof(s->at.u);
    assert_ok(addr_parse(STR("127.0.0.1:0"), &s->at));
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, &s->at.u.sa, addr_len(&s->at)), 0);
    assert_int_equal(getsockname(s->fd, &s->at.u.sa, &len), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* An empty datagram ends it. */
static void server_stop(struct server *s)
{
    (void)!sendto(s->fd, "", 0, 0, &s->at.u.sa, addr_len(&s->at));
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static void on_late(void *arg)
{
    (void)arg;
    fail_msg("no answer");
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct err_buf eb = {""};
    server_start(&w->server);
    w->loop = loop_real_new();
    w->timer = loop_timer_new(w->loop, on_late, w);
    loop_timer_start(w->timer, 60000);
    struct resolver_options options = {.forwarders = &w->server.at, .forwarder_count = 1, .trust_anchor = ""};
    assert_ok(resolver_unbound_new(w->loop, &options, &w->resolver, &eb));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    resolver_free(w->resolver);
    loop_timer_free(w->timer);
    loop_real_free(w->loop);
    server_stop(&w->server);
    free(w);
    return 0;
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct world *w = arg;
    w->answered = true;
    w->status = answer->status;
    w->count = answer->mx_count + answer->addr_count;
    if (answer->mx_count > 0)
        snprintf(w->text, sizeof(w->text), "%u %s", answer->mx[0].preference, answer->mx[0].host);
    if (answer->addr_count > 0)
        addr_format_ip(&answer->addrs[0], w->text);
    loop_stop(w->loop);
}

static enum resolver_status ask(struct world *w, enum resolver_type type, const char *name)
{
    w->answered = false;
    assert_non_null(resolver_ask(w->resolver, type, name, on_answer, w));
    assert_false(w->answered);
    loop_run(w->loop);
    assert_true(w->answered);
    return w->status;
}

static void records_are_found(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, RESOLVER_A, "ok.example"), RESOLVER_FOUND);
    assert_string_equal(w->text, "192.0.2.1");
    assert_int_equal(ask(w, RESOLVER_MX, "mx.example"), RESOLVER_FOUND);
    assert_string_equal(w->text, "10 a.example");
    assert_int_equal(w->count, 1);
}

static void what_is_not_there_is_told_apart(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, RESOLVER_MX, "none.example"), RESOLVER_NO_DATA);
    assert_int_equal(ask(w, RESOLVER_A, "no.example"), RESOLVER_NO_NAME);
    assert_int_equal(ask(w, RESOLVER_A, "bad.example"), RESOLVER_FAILED);
}

static void an_international_name_is_asked_for_in_ascii(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, RESOLVER_A,
                         "b\xc3\xbc"
                         "cher.example"),
                     RESOLVER_FOUND);
    assert_string_equal(w->server.asked, "xn--bcher-kva");
}

static void what_is_no_name_is_not_there(void **state)
{
    struct world *w = *state;
    char name[400];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(ask(w, RESOLVER_A, name), RESOLVER_NO_NAME);
    assert_int_equal(ask(w, RESOLVER_A, "\xff\xfe.example"), RESOLVER_NO_NAME);
}

static void on_never(void *arg, const struct resolver_answer *answer)
{
    (void)arg, (void)answer;
    fail_msg("a cancelled question was answered");
}

static void a_cancelled_question_is_not_answered(void **state)
{
    struct world *w = *state;
    resolver_cancel(resolver_ask(w->resolver, RESOLVER_A, "ok.example", on_never, w));
    resolver_cancel(resolver_ask(w->resolver, RESOLVER_A, "mute.example", on_never, w));
    assert_int_equal(ask(w, RESOLVER_MX, "mx.example"), RESOLVER_FOUND);
    assert_string_equal(w->text, "10 a.example");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_found),
        TEST(what_is_not_there_is_told_apart),
        TEST(an_international_name_is_asked_for_in_ascii),
        TEST(what_is_no_name_is_not_there),
        TEST(a_cancelled_question_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
