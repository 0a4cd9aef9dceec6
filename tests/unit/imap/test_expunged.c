/* What a session is told of messages that another one expunges under its hands: nothing, and that it is so;
 * never a piece, or nothing in the place of the message. */
#include "rig.h"

#include "base/mem.h"

#define LARGE_BYTES 400000 /* more than is read or waits for the client at once */

static struct rig *rig;
static struct talk *t, *other;

static int setup(void **state)
{
    (void)state;
    rig = rig_new();
    rig_deliver(rig, "alice@x", "Subject: first\r\n\r\nOne\r\n");
    rig_deliver(rig, "alice@x", "Subject: second\r\n\r\nTwo\r\n");
    rig_deliver(rig, "alice@x", "Subject: third\r\n\r\nThree\r\n");
    t = talk_login(rig, "alice@x");
    other = talk_login(rig, "alice@x");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    talk_free(other);
    talk_free(t);
    rig_free(rig);
    return 0;
}

static void select_inbox(struct talk *who)
{
    talk_send(who, "s SELECT inbox\r\n");
    assert_non_null(strstr(talk_take(who), "s OK [READ-WRITE]"));
}

static void both_select(void)
{
    select_inbox(t);
    select_inbox(other);
}

static void other_expunges(unsigned number)
{
    char commands[100];
    snprintf(commands, sizeof(commands), "a STORE %u +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n", number);
    talk_send(other, commands);
    assert_non_null(strstr(talk_take(other), "b OK Expunged"));
}

/* The header field X is that long. */
static void deliver_large(void)
{
    char *text = mem_alloc(LARGE_BYTES + 1), *at = text;
    at = stpcpy(at, "X: begin\r\n");
    while (at < text + LARGE_BYTES - 100)
        at = stpcpy(at, " folded, and folded again, and so on until there are many bytes of it\r\n");
    stpcpy(at, "\r\nbody\r\n");
    rig_deliver(rig, "alice@x", text);
    free(text);
}

static void fields_of_the_others_are_given(void **state)
{
    (void)state;
    both_select();
    other_expunges(2);
    assert_talk(
        t, "a FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n",
        "* 1 FETCH (UID 1 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: first\r\n\r\n)\r\n"
        "* 3 FETCH (UID 3 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: third\r\n\r\n)\r\n"
        "a NO [EXPUNGEISSUED] Some of them were expunged meanwhile\r\n");
}

static void nothing_of_it_is_given(void **state)
{
    static const char *const items[] = {
        "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]",
        "BODY",        "BODYSTRUCTURE",     "ENVELOPE",        "BODY.PEEK[HEADER.FIELDS (X)]",
        "BODY[]<0.5>", "(UID BODY.PEEK[])",
    };
    (void)state;
    both_select();
    other_expunges(1);
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        char command[100];
        snprintf(command, sizeof(command), "a FETCH 1 %s\r\n", items[i]);
        assert_talk(t, command, "a NO [EXPUNGEISSUED] Some of them were expunged meanwhile\r\n");
    }
}

/* Its structure was read before. */
static void what_is_remembered_of_it_is_not_enough(void **state)
{
    (void)state;
    both_select();
    assert_talk_has(t, "a FETCH 1 BODYSTRUCTURE\r\n", "a OK Fetched\r\n");
    other_expunges(1);
    assert_talk(t, "a FETCH 1 BODY.PEEK[TEXT]\r\n",
                "a NO [EXPUNGEISSUED] Some of them were expunged meanwhile\r\n");
}

static void a_literal_that_was_begun_ends_the_session(void **state)
{
    static const char command[] = "a FETCH 4 BODY.PEEK[]\r\n";
    (void)state;
    deliver_large();
    both_select();
    imap_session_input(t->session, command, strlen(command)); /* its output is not taken */
    while (imap_session_output(t->session).len < IMAP_SESSION_OUT_HIGH)
        loop_run(rig->loop);
    other_expunges(4);
    talk_send(t, "");
    assert_true(imap_session_finished(t->session));
    const char *answer = talk_take(t);
    assert_memory_equal(answer, "* 4 FETCH (BODY[] {", 19);
    assert_true(strlen(answer) < LARGE_BYTES - 1000);
    assert_null(strstr(answer, "\r\na "));
}

struct answer {
    bool done;
    int err;
    int64_t mailbox_id;
};

static void on_expunged(void *arg, int err)
{
    struct answer *a = arg;
    a->done = true;
    a->err = err;
    loop_stop(rig->loop);
}

static void on_found(void *arg, int err, const struct mail_mailbox *box)
{
    struct answer *a = arg;
    a->mailbox_id = err == 0 ? box->id : 0;
    on_expunged(a, err);
}

static int64_t inbox(void)
{
    struct answer a = {0};
    mail_mailbox_find(rig->mail, STR("alice@x"), STR("INBOX"), on_found, &a);
    rig_wait(rig, &a.done);
    assert_ok(a.err);
    return a.mailbox_id;
}

/* After its first piece was read, and before the next. */
static void a_header_is_given_whole_or_not(void **state)
{
    static const char command[] = "a FETCH 4 (UID BODY.PEEK[HEADER.FIELDS (X)])\r\n";
    const uint32_t uid = 4;
    struct answer x = {0};
    (void)state;
    int64_t box = inbox();
    deliver_large();
    both_select();
    rig_faults(rig, &(struct store_memory_faults){.latency_min_us = 40000, .latency_max_us = 40000});
    imap_session_input(t->session, command, strlen(command));
    mail_expunge(rig->mail, box, &uid, 1, true, on_expunged, &x);
    rig_wait(rig, &x.done);
    assert_ok(x.err);
    talk_send(t, "");
    assert_string_equal(talk_take(t), "a NO [EXPUNGEISSUED] Some of them were expunged meanwhile\r\n");
}

static void a_search_passes_it_over(void **state)
{
    (void)state;
    both_select();
    other_expunges(2);
    assert_talk(t, "a SEARCH SUBJECT d\r\n", "* SEARCH 3\r\na OK Searched\r\n");
    assert_talk(t, "a SEARCH ALL\r\n", "* SEARCH 1 3\r\na OK Searched\r\n");
}

static void it_hides_no_other_failure(void **state)
{
    (void)state;
    both_select();
    other_expunges(3);
    store_memory_corrupt(rig->memory);
    assert_talk_has(t, "a FETCH 1:3 BODY.PEEK[]\r\n", "a NO [CORRUPTION] ");
    assert_talk_has(t, "a SEARCH BODY x\r\n", "a NO [CORRUPTION] ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fields_of_the_others_are_given),
        TEST(nothing_of_it_is_given),
        TEST(what_is_remembered_of_it_is_not_enough),
        TEST(a_literal_that_was_begun_ends_the_session),
        TEST(a_header_is_given_whole_or_not),
        TEST(a_search_passes_it_over),
        TEST(it_hides_no_other_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
