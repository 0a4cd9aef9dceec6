#include "unit/unit.h"

#include "base/mem.h"
#include "web/metrics.h"

static const char status[] =
    "{'servers': [{'name': 'mail1', 'state': 'suspect', 'epoch': 2, 'queued': 5, 'held': 1, 'quarantined': 0,"
    "  'oldest_age_ms': 1500, 'observers': [{'node': 'east1', 'failed': 3, 'heard': false}]},"
    "  {'name': 'old', 'state': 'fencing', 'epoch': 0, 'queued': 0, 'observers': []}],"
    " 'relays': [{'name': 'relay-east', 'alive': true, 'queued': 5, 'counted': false,"
    "   'work': {'sessions': 9, 'accepted': 4, 'spooled': 3, 'spool_waiting': 8, 'refused_later': 1, "
    "'refused_for_good': 2, 'delivered': 3, "
    "'expired': 6}},"
    "  {'name': 'relay-west', 'alive': true, 'queued': 0, 'counted': true, 'work': null,"
    "   'unroutable': 7}],"
    " 'removed_relays': [{'name': 'relay-old', 'queued': 2, 'unroutable': 2, 'counted': true}],"
    " 'nodes': [{'name': 'east1', 'alive': false, 'director': null},"
    "  {'name': 'west1', 'alive': true, 'director': false}],"
    " 'sites': [{'name': 'east', 'lost': true}],"
    " 'routes': {'a\\\"\\n\\\\.test': {'server': 'mail1', 'generation': 7}},"
    " 'lease': {'holder': 'west1', 'held': true},"
    " 'store': {'network': {'health': 'ok', 'size_bytes': 8192}, 'mail': {'health': 'fenced'},"
    "           'queues': {'relay-east': {'health': 'sync'}}}}";

static char *write(void)
{
    struct buf out;
    char *text = strdup(status);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    buf_init(&out, 1 << 20);
    metrics_write(&out, value);
    json_decref(value);
    free(text);
    return buf_steal(&out);
}

static void assert_line(const char *text, const char *line)
{
    char *wanted = mem_asprintf("\n%s\n", line);
    if (!strstr(text, wanted))
        fail_msg("no line '%s' in:\n%s", line, text);
    free(wanted);
}

static void test_numbers(void **state)
{
    (void)state;
    char *text = write();
    static const char *const lines[] = {
        "holdfast_server_up{server=\"mail1\"} 1",
        "holdfast_server_up{server=\"old\"} 0",
        "holdfast_server_state{server=\"old\",state=\"fencing\"} 1",
        "holdfast_server_epoch{server=\"mail1\"} 2",
        "holdfast_server_queued{server=\"mail1\"} 5",
        "holdfast_server_held{server=\"mail1\"} 1",
        "holdfast_server_oldest_age_seconds{server=\"mail1\"} 1.5",
        "holdfast_relay_alive{relay=\"relay-east\"} 1",
        "holdfast_relay_counted{relay=\"relay-east\"} 0",
        "holdfast_relay_unroutable{relay=\"relay-west\"} 7",
        "holdfast_relay_unroutable{relay=\"relay-old\"} 2",
        "holdfast_relay_queued{relay=\"relay-old\"} 2",
        "holdfast_relay_sessions_total{relay=\"relay-east\"} 9",
        "holdfast_relay_accepted_total{relay=\"relay-east\"} 4",
        "holdfast_relay_spooled_total{relay=\"relay-east\"} 3",
        "holdfast_relay_spool_waiting{relay=\"relay-east\"} 8",
        "holdfast_relay_refused_total{relay=\"relay-east\",for=\"now\"} 1",
        "holdfast_relay_refused_total{relay=\"relay-east\",for=\"good\"} 2",
        "holdfast_relay_deliveries_total{relay=\"relay-east\",outcome=\"delivered\"} 3",
        "holdfast_relay_expired_total{relay=\"relay-east\"} 6",
        "holdfast_node_alive{node=\"east1\"} 0",
        "holdfast_node_director_alive{node=\"west1\"} 0",
        "holdfast_site_lost{site=\"east\"} 1",
        "holdfast_observation_failed{server=\"mail1\",node=\"east1\"} 3",
        "holdfast_director_lease_held 1",
        "holdfast_director_leads{node=\"east1\"} 0",
        "holdfast_director_leads{node=\"west1\"} 1",
        "holdfast_store_healthy{part=\"network\"} 1",
        "holdfast_store_healthy{part=\"mail\"} 1",
        "holdfast_store_healthy{part=\"relay-east\"} 0",
        "holdfast_store_size_bytes{part=\"network\"} 8192",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_line(text, lines[i]);
    assert_null(strstr(text, "holdfast_node_director_alive{node=\"east1\"}")); /* it has none */
    free(text);
}

static void test_values_of_labels_are_escaped(void **state)
{
    (void)state;
    char *text = write();
    assert_line(text, "holdfast_route_generation{domain=\"a\\\"\\n\\\\.test\",server=\"mail1\"} 7");
    free(text);
}

/* Prometheus wants all samples of a family behind its one TYPE line. */
static void test_each_family_is_in_one_piece(void **state)
{
    (void)state;
    char *text = write(), *rest = NULL, type[128] = "";
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "# TYPE ", 7) == 0)
            assert_int_equal(sscanf(line, "# TYPE %127s", type), 1);
        else if (line[0] != '#')
            assert_memory_equal(line, type, strlen(type));
    }
    free(text);
}

static void test_what_is_known_at_the_moment_only(void **state)
{
    (void)state;
    struct buf out;
    struct metrics_live live = {.store_answers = true, .store_age_ms = 250, .requests = 7, .refused = 2};
    buf_init(&out, 1 << 16);
    metrics_write_live(&out, &live);
    assert_line(buf_data(&out), "holdfast_store_answers 1");
    assert_line(buf_data(&out), "holdfast_store_read_age_seconds 0.25");
    assert_line(buf_data(&out), "holdfast_web_requests_total 7");
    buf_clear(&out);
    live.store_age_ms = -1;
    metrics_write_live(&out, &live);
    assert_null(strstr(buf_data(&out), "read_age"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_values_of_labels_are_escaped),
        cmocka_unit_test(test_each_family_is_in_one_piece),
        cmocka_unit_test(test_what_is_known_at_the_moment_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
