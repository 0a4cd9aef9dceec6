/* What `queue list` says of a delivery, and why it waits. */
#include <jansson.h>

#include "cli/queue_row.h"
#include "cli/waiting.h"
#include "unit/unit.h"

static const char config_text[] =
    "store { url = \"sqlite:store\" }\n"
    "site \"home\" { }\n"
    "node \"n1\" { site = \"home\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "relay \"r1\" { node = \"n1\"  hostname = \"r1.example.test\"  address = {\"127.0.0.2\"}\n"
    "    listen = {\"127.0.0.2:2525\"} }\n"
    "domain \"example.test\" { server = \"mail1\"  relays = {\"r1\"}  recipients = \"any\" }\n"
    "server \"mail1\" { kind = \"external\"  site = \"home\"  hostname = \"mail1.example.test\"\n"
    "    address = {\"127.0.0.10\"} }\n"
    "server \"own\" { kind = \"builtin\"  site = \"home\"  hostname = \"own.example.test\"\n"
    "    address = {\"127.0.0.11\"} }\n";

struct fixture {
    struct config *config;
    struct view_lease lease; /* of the relay that observes */
    struct view_observation observation;
    struct view view;
    struct waiting waiting;
};

static void open_fixture(struct fixture *f, struct str state, struct str detail)
{
    struct config_findings findings = {0};
    int err = config_parse(STR(config_text), "/x/c", "/x/s", &f->config, &findings);
    config_findings_print(&findings, stderr);
    config_findings_free(&findings);
    assert_ok(err);
    f->lease = (struct view_lease){STR("relay/r1"), STR("n1"), 1, 1000};
    f->observation =
        (struct view_observation){STR("n1"), STR("mail1"), {.state = state, .detail = detail}, 10};
    f->view = (struct view){
        .leases = &f->lease, .lease_count = 1, .observations = &f->observation, .observation_count = 1};
    waiting_init(&f->waiting, f->config, &f->view);
}

static void close_fixture(struct fixture *f)
{
    waiting_fini(&f->waiting);
    config_free(f->config);
}

static struct queue_delivery waiting_delivery(void)
{
    return (struct queue_delivery){.reverse_path = STR("a@b.test"),
                                   .recipient = STR("alice@example.test"),
                                   .domain = STR("example.test"),
                                   .home = STR_EMPTY,
                                   .state = QUEUE_WAITING,
                                   .received_at = {1800000000123},
                                   .size_bytes = 77,
                                   .last_reply = STR_EMPTY};
}

static void the_servers_trouble_is_why_mail_waits(void **state)
{
    struct fixture f;
    struct queue_delivery d = waiting_delivery();
    (void)state;
    open_fixture(&f, STR("inoperable"), STR("554 no service"));
    assert_string_equal(waiting_reason(&f.waiting, &d), "mail1 is inoperable: 554 no service");
    d.state = QUEUE_QUARANTINED;
    assert_string_equal(waiting_reason(&f.waiting, &d), "");
    d.state = QUEUE_WAITING;
    d.home = STR("own");
    assert_string_equal(waiting_reason(&f.waiting, &d), "no instance of own runs");
    close_fixture(&f);
}

static void what_the_configuration_has_no_more_is_why(void **state)
{
    struct fixture f;
    struct queue_delivery d = waiting_delivery();
    (void)state;
    open_fixture(&f, STR("operational"), STR("250 ok"));
    d.home = STR("gone");
    assert_string_equal(waiting_reason(&f.waiting, &d),
                        "no server gone in the configuration: add it, or move or remove its mail");
    d.home = STR_EMPTY;
    d.domain = STR("gone.test");
    assert_string_equal(waiting_reason(&f.waiting, &d),
                        "no domain gone.test in the configuration: add it, or move or remove its mail");
    d.home = STR("mail1"); /* moved */
    assert_string_equal(waiting_reason(&f.waiting, &d), "");
    close_fixture(&f);
}

static void a_server_that_serves_is_no_reason(void **state)
{
    struct fixture f;
    struct queue_delivery d = waiting_delivery();
    (void)state;
    open_fixture(&f, STR("operational"), STR("250 ok"));
    assert_string_equal(waiting_reason(&f.waiting, &d), "");
    close_fixture(&f);
}

static void what_a_dead_relay_saw_does_not_count(void **state)
{
    struct fixture f;
    struct queue_delivery d = waiting_delivery();
    (void)state;
    open_fixture(&f, STR("operational"), STR(""));
    waiting_fini(&f.waiting);
    f.lease.remaining_ms = 0;
    waiting_init(&f.waiting, f.config, &f.view);
    assert_string_equal(waiting_reason(&f.waiting, &d), "no relay that lives has tried mail1");
    close_fixture(&f);
}

static void expect_next(const struct queue_delivery *d, const char *expected)
{
    json_t *row = queue_row_json("r1", d, "why");
    const json_t *next = json_object_get(row, "next_at");
    if (expected)
        assert_string_equal(json_string_value(next), expected);
    else
        assert_true(json_is_null(next));
    assert_string_equal(json_string_value(json_object_get(row, "reason")), "why");
    json_decref(row);
}

static void next_at_is_null_where_there_is_none(void **state)
{
    struct queue_delivery d = waiting_delivery();
    (void)state;
    expect_next(&d, NULL); /* never tried */
    d.attempts = 1;
    d.next_at = (struct wall_time){1800000000123};
    expect_next(&d, "2027-01-15T08:00:00.123Z");
    d.state = QUEUE_QUARANTINED;
    expect_next(&d, NULL);
}

static void expect_text(const struct queue_delivery *d, const char *reason, size_t columns,
                        const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    queue_row_text(&out, d, reason, columns);
    assert_string_equal(buf_data(&out), expected);
    buf_fini(&out);
}

static void text_fits_the_terminal(void **state)
{
    struct queue_delivery d = waiting_delivery();
    (void)state;
    d.last_reply = STR("450 not\x1b[2J now");
    expect_text(
        &d, "", 0,
        "00000000000000000000000000 2027-01-15T08:00:00Z waiting             77  a@b.test                 "
        "alice@example.test       450 not\\x1b[2J now\n");
    expect_text(&d, "mail1 is inoperable: connection refused", 72,
                "00000000000000000000000000 2027-01-15T08:00:00Z waiting             77\n"
                "    <a@b.test> <alice@example.test>: mail1 is inoperable: connection re>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_trouble_is_why_mail_waits),
        cmocka_unit_test(what_the_configuration_has_no_more_is_why),
        cmocka_unit_test(a_server_that_serves_is_no_reason),
        cmocka_unit_test(what_a_dead_relay_saw_does_not_count),
        cmocka_unit_test(next_at_is_null_where_there_is_none),
        cmocka_unit_test(text_fits_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
