#include "unit/unit.h"

#include "dns/steering.h"

/* Each row of the table in the header; relays as initials: O operational, S
 * suspect, U unknown, I inoperable, R recovering. The answer: H the host, digits
 * the relays. */
struct row {
    const char *name;
    enum health_state server;
    bool leased;
    const char *relays;
    const char *answer;
};

static const struct row rows[] = {
    {"operational", HEALTH_OPERATIONAL, true, "OO", "H01"},
    {"suspect", HEALTH_SUSPECT, true, "OO", "H01"},
    {"recovering", HEALTH_RECOVERING, true, "OO", "01H"},
    {"unknown", HEALTH_UNKNOWN, true, "UU", "01H"},
    {"inoperable", HEALTH_INOPERABLE, true, "OO", "01"},
    {"fenced", HEALTH_FENCED, true, "OO", "01"},
    {"creating", HEALTH_CREATING, true, "OO", "01"},
    {"retired", HEALTH_RETIRED, true, "OO", "01"},
    {"operational, route lease run out", HEALTH_OPERATIONAL, false, "OO", "01"},
    {"recovering, route lease run out", HEALTH_RECOVERING, false, "OO", "01"},
    {"operational, a relay dead", HEALTH_OPERATIONAL, true, "IO", "H1"},
    {"operational, a relay suspect", HEALTH_OPERATIONAL, true, "SO", "H01"},
    {"operational, all relays dead", HEALTH_OPERATIONAL, true, "II", "H"},
    {"operational, no relay", HEALTH_OPERATIONAL, true, "", "H"},
    {"recovering, all relays dead", HEALTH_RECOVERING, true, "II", "H"},
    {"inoperable, a relay dead", HEALTH_INOPERABLE, true, "IO", "1"},
    {"inoperable, a relay recovering", HEALTH_INOPERABLE, true, "RO", "1"},
    {"inoperable, all relays dead", HEALTH_INOPERABLE, true, "II", "01H"},
    {"inoperable, all relays dead or recovering", HEALTH_INOPERABLE, true, "IR", "01H"},
    {"inoperable, no relay", HEALTH_INOPERABLE, true, "", "H"},
    {"retired, all relays dead", HEALTH_RETIRED, true, "II", "01H"},
    {"lease run out, all relays dead", HEALTH_OPERATIONAL, false, "II", "01H"},
};

static enum health_state state_of(char initial)
{
    static const char initials[] = "UOSIR";
    return (enum health_state)(strchr(initials, initial) - initials);
}

static void steer(void **state)
{
    const struct row *r = *state;
    enum health_state relays[4];
    struct dns_exchangers e;
    char answer[DNS_HOSTS_MAX + 1] = "";
    size_t count = strlen(r->relays);
    for (size_t i = 0; i < count; i++)
        relays[i] = state_of(r->relays[i]);
    dns_steer(r->server, r->leased, relays, count, &e);
    for (size_t i = 0; i < e.count; i++)
        answer[i] = e.hosts[i] == DNS_HOST_SERVER ? 'H' : (char)('0' + e.hosts[i]);
    assert_string_equal(answer, r->answer);
}

static void more_relays_than_an_answer_holds_are_cut(void **state)
{
    (void)state;
    enum health_state relays[100] = {HEALTH_UNKNOWN};
    struct dns_exchangers e;
    dns_steer(HEALTH_RECOVERING, true, relays, 100, &e);
    assert_int_equal(e.count, DNS_HOSTS_MAX);
    assert_int_equal(e.hosts[DNS_HOSTS_MAX - 1], DNS_HOST_SERVER);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(rows) + 1] = {
        cmocka_unit_test(more_relays_than_an_answer_holds_are_cut)};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tests[1 + i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = steer, .initial_state = (void *)(uintptr_t)&rows[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
