/* The IMAP session from the login on, over the memory store. */
#include "rig.h"

#define MESSAGE                                                                                              \
    "From: a@x.test\r\nTo: b@y.test\r\nSubject: first\r\nDate: Mon, 1 Jan 2024 00:00:00 "                    \
    "+0000\r\n\r\nHello.\r\n"

static struct rig *rig;
static struct talk *t;

static int setup(void **state)
{
    (void)state;
    rig = rig_new();
    rig_deliver(rig, "alice@x", MESSAGE);
    rig_deliver(rig, "alice@x", "Subject: second\r\n\r\nTwo\r\n");
    rig_deliver(rig, "alice@x", "Subject: third\r\n\r\nThree\r\n");
    t = talk_login(rig, "alice@x");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    talk_free(t);
    rig_free(rig);
    return 0;
}

static void select_inbox(void)
{
    talk_send(t, "s SELECT inbox\r\n");
    assert_non_null(strstr(talk_take(t), "s OK [READ-WRITE]"));
}

static void the_greeting_names_the_instance(void **state)
{
    (void)state;
    struct talk *other = talk_new(rig, true);
    assert_string_equal(talk_take(other), "* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN] "
                                          "mail1.example.test Holdfast IMAP instance=7@east1\r\n");
    talk_free(other);
}

static void logins(void **state)
{
    (void)state;
    struct talk *other = talk_new(rig, false);
    assert_non_null(strstr(talk_take(other), "LOGINDISABLED"));
    assert_talk(other, "a LOGIN alice@x secret\r\n",
                "a NO [PRIVACYREQUIRED] Not without encryption from there\r\n");
    talk_free(other);

    other = talk_new(rig, true);
    talk_take(other);
    assert_talk(other, "a SELECT INBOX\r\n", "a BAD Log in first\r\n");
    assert_talk(other, "a LOGIN alice@x wrong\r\n",
                "a NO [AUTHENTICATIONFAILED] User or password is wrong\r\n");
    /* \0alice@x\0secret */
    assert_talk(other, "a AUTHENTICATE PLAIN\r\n", "+ \r\n");
    assert_talk(other, "*\r\n", "a BAD Cancelled\r\n");
    assert_talk_has(other, "a AUTHENTICATE PLAIN AGFsaWNlQHgAc2VjcmV0\r\n", "a OK [CAPABILITY ");
    assert_string_equal(imap_session_user(other->session).ptr, "alice@x");
    assert_talk(other, "b LOGIN a b\r\n", "b BAD Not while logged in\r\n");
    talk_free(other);

    other = talk_new(rig, true);
    talk_take(other);
    talk_send(other, "a LOGIN x x\r\nb LOGIN x x\r\nc LOGIN x x\r\nd LOGIN alice@x secret\r\n");
    assert_true(imap_session_finished(other->session));
    assert_null(strstr(talk_take(other), "d NO"));
    talk_free(other);
}

static void selecting(void **state)
{
    (void)state;
    assert_talk(t, "a EXAMINE INBOX\r\n",
                "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)\r\n"
                "* OK [PERMANENTFLAGS ()] Flags permitted\r\n"
                "* 3 EXISTS\r\n* 3 RECENT\r\n* OK [UNSEEN 1] First unseen\r\n"
                "* OK [UIDVALIDITY V] UIDs hold\r\n* OK [UIDNEXT 4] Next UID\r\n"
                "a OK [READ-ONLY] Selected\r\n");
}

static void fetching(void **state)
{
    (void)state;
    select_inbox();
    assert_talk(
        t, "a FETCH 1 (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n",
        "* 1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE 94 INTERNALDATE \"14-Nov-2023 22:13:20 +0000\")\r\n"
        "a OK Fetched\r\n");
    assert_talk(
        t, "a UID FETCH 2:* BODY.PEEK[TEXT]\r\n",
        "* 2 FETCH (UID 2 BODY[TEXT] {5}\r\nTwo\r\n)\r\n* 3 FETCH (UID 3 BODY[TEXT] {7}\r\nThree\r\n)\r\n"
        "a OK Fetched\r\n");
    assert_talk(t, "a FETCH 1 BODY[HEADER.FIELDS (subject x)]<1.8>\r\n",
                "* 1 FETCH (BODY[HEADER.FIELDS (subject x)]<1> {8}\r\nubject: )\r\n"
                "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\na OK Fetched\r\n");
    assert_talk(t, "a FETCH 2 (BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[]<1000.5>)\r\n",
                "* 2 FETCH (BODY[1] {5}\r\nTwo\r\n BODY[2] NIL BODY[]<1000> \"\")\r\na OK Fetched\r\n");
    assert_talk(t, "a FETCH 4 FLAGS\r\n", "a BAD Arguments not understood\r\n");
    assert_talk(t, "a UID FETCH 99 FLAGS\r\n", "a OK Fetched\r\n");
}

static void storing(void **state)
{
    (void)state;
    select_inbox();
    assert_talk(
        t, "a STORE 1:2 +FLAGS (\\Deleted k)\r\n",
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft k)\r\n"
        "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft k \\*)] Flags permitted\r\n"
        "* 1 FETCH (FLAGS (\\Deleted \\Recent k))\r\n* 2 FETCH (FLAGS (\\Deleted \\Recent k))\r\na OK "
        "Stored\r\n");
    assert_talk(t, "a UID STORE 1 -FLAGS.SILENT (\\Deleted k)\r\n", "a OK Stored\r\n");
    assert_talk(
        t, "a STORE 3 FLAGS.SILENT (b a)\r\n",
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft k a b)\r\n"
        "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft k a b \\*)] Flags permitted\r\n"
        "a OK Stored\r\n");
    assert_talk(t, "a FETCH 1:3 FLAGS\r\n",
                "* 1 FETCH (FLAGS (\\Recent))\r\n* 2 FETCH (FLAGS (\\Deleted \\Recent k))\r\n"
                "* 3 FETCH (FLAGS (\\Recent a b))\r\na OK Fetched\r\n");
    assert_talk(t, "a EXPUNGE\r\n", "* 2 EXPUNGE\r\na OK Expunged\r\n");
    assert_talk(t, "a UID SEARCH ALL\r\n", "* SEARCH 1 3\r\na OK Searched\r\n");
}

static void appending(void **state)
{
    (void)state;
    select_inbox();
    assert_talk(t, "a APPEND INBOX (\\Seen $x) \"01-Jan-2024 00:00:00 +0000\" {5}\r\n",
                "+ Ready for the message\r\n");
    assert_talk(
        t, "A: 1\n\r\n",
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $x)\r\n"
        "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $x \\*)] Flags permitted\r\n"
        "* 4 EXISTS\r\n* 3 RECENT\r\na OK [APPENDUID V 4] Appended\r\n");
    assert_talk_has(t, "a APPEND INBOX {3+}\r\nabc\r\n", "a OK [APPENDUID V 5]");
    assert_talk(t, "a APPEND {7+}\r\nmissing {3+}\r\nabc\r\n",
                "a NO [TRYCREATE] There is no such mailbox\r\n");
    assert_talk(t, "a APPEND INBOX {2000000}\r\n",
                "a NO [TOOBIG] The message is larger than this server takes\r\n");
    assert_talk(t, "a APPEND INBOX {0+}\r\n\r\nb NOOP\r\n",
                "a NO [CANNOT] An empty message\r\nb OK Done\r\n");
    assert_talk(t, "a APPEND INBOX {3+}\r\nabc {3+}\r\ndef\r\nb NOOP\r\n",
                "a BAD After the message its line's end is wanted\r\nb OK Done\r\n");
    assert_talk(t, "a APPEND INBOX\r\n", "a BAD A mailbox and a message as a literal are wanted\r\n");
    assert_talk(
        t, "a FETCH 4 (FLAGS INTERNALDATE BODY.PEEK[])\r\n",
        "* 4 FETCH (FLAGS (\\Seen $x) INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" BODY[] {5}\r\nA: 1\n)\r\n"
        "a OK Fetched\r\n");
}

static void a_large_message_passes_through(void **state)
{
    (void)state;
    static char text[900001];
    char head[100], expected[100];
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 77 == 76 ? '\n' : (char)('a' + i / 77 % 26);
    select_inbox();
    snprintf(head, sizeof(head), "a APPEND INBOX {%zu+}\r\n", sizeof(text) - 1);
    talk_send(t, head);
    for (size_t at = 0; at < sizeof(text) - 1; at += 50000)
        talk_send_bytes(t, str_sub((struct str){text, sizeof(text) - 1}, at, 50000));
    assert_talk_has(t, "\r\n", "a OK [APPENDUID V 4]");
    talk_send(t, "a FETCH 4 BODY.PEEK[]\r\n");
    snprintf(expected, sizeof(expected), "* 4 FETCH (BODY[] {%zu}\r\n", sizeof(text) - 1);
    const char *answer = talk_take(t);
    assert_memory_equal(answer, expected, strlen(expected));
    assert_memory_equal(answer + strlen(expected), text, sizeof(text) - 1);
    assert_string_equal(answer + strlen(expected) + sizeof(text) - 1, ")\r\na OK Fetched\r\n");
}

static void searching(void **state)
{
    (void)state;
    static const struct {
        const char *program, *found;
    } cases[] = {
        {"ALL", " 1 2 3"},
        {"2:3", " 2 3"},
        {"UNSEEN NOT 1", " 2 3"},
        {"OR 1 UID 3", " 1 3"},
        {"SUBJECT FIRST", " 1"},
        {"HEADER subject \"\"", " 1 2 3"},
        {"HEADER To \"\"", " 1"},
        {"FROM a@x BODY hello", " 1"},
        {"BODY t", " 2 3"},
        {"TEXT first", " 1"},
        {"NOT TEXT first", " 2 3"},
        {"SENTON 1-Jan-2024", " 1"},
        {"SENTSINCE 2-Jan-2024", ""},
        {"ON 14-Nov-2023", " 1 2 3"},
        {"BEFORE 14-Nov-2023", ""},
        {"LARGER 50", " 1"},
        {"SMALLER 50", " 2 3"},
        {"CHARSET UTF-8 (SUBJECT th OR SEEN UNSEEN)", " 3"},
        {"KEYWORD x", ""},
        {"NEW", " 1 2 3"},
        {"OLD", ""},
    };
    select_inbox();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char command[200], answer[200];
        snprintf(command, sizeof(command), "a SEARCH %s\r\n", cases[i].program);
        snprintf(answer, sizeof(answer), "* SEARCH%s\r\na OK Searched\r\n", cases[i].found);
        assert_talk(t, command, answer);
    }
    assert_talk(t, "a SEARCH CHARSET KOI8-R TEXT x\r\n",
                "a NO [BADCHARSET (UTF-8 US-ASCII)] This charset is not known here\r\n");
    assert_talk(t, "a SEARCH 4\r\n", "a BAD Arguments not understood\r\n");
    assert_talk(t, "a SEARCH\r\n", "a BAD Arguments not understood\r\n");
}

static void copying_and_moving(void **state)
{
    (void)state;
    select_inbox();
    assert_talk(t, "a COPY 1 Saved\r\n", "a NO [TRYCREATE] There is no such mailbox\r\n");
    assert_talk(t, "a CREATE Saved\r\n", "a OK Done\r\n");
    assert_talk_has(t, "a COPY 1,3 Saved\r\n", " 1,3 1:2] Done\r\n");
    talk_send(t, "a UID MOVE 2 Saved\r\n");
    const char *answer = talk_take(t);
    assert_non_null(strstr(answer, "* OK [COPYUID "));
    assert_non_null(strstr(answer, " 2 3] Moved\r\n* 2 EXPUNGE\r\na OK  Done\r\n"));
    assert_talk_has(t, "a STATUS Saved (MESSAGES UIDNEXT UNSEEN)\r\n",
                    "* STATUS \"Saved\" (MESSAGES 3 UIDNEXT 4 UNSEEN 3)\r\na OK");
}

static void mailboxes(void **state)
{
    (void)state;
    assert_talk(t, "a CREATE a/b\r\n", "a OK Done\r\n");
    assert_talk(t, "a CREATE a/b\r\n", "a NO [ALREADYEXISTS] A mailbox of this name exists already\r\n");
    assert_talk(t, "a CREATE \"&ZeVnLIqe-\"\r\n", "a OK Done\r\n");
    assert_talk(t, "a LIST \"\" *\r\n",
                "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n* LIST (\\HasChildren) \"/\" \"a\"\r\n"
                "* LIST (\\HasNoChildren) \"/\" \"a/b\"\r\n* LIST (\\HasNoChildren) \"/\" \"&ZeVnLIqe-\"\r\n"
                "a OK That is all\r\n");
    assert_talk(t, "a LIST a/ %\r\n", "* LIST (\\HasNoChildren) \"/\" \"a/b\"\r\na OK That is all\r\n");
    assert_talk(t, "a LIST \"\" inb%\r\n",
                "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\na OK That is all\r\n");
    assert_talk(t, "a LIST \"\" \"\"\r\n", "* LIST (\\Noselect) \"/\" \"\"\r\na OK That is it\r\n");
    assert_talk(t, "a SUBSCRIBE a/b\r\n", "a OK Done\r\n");
    assert_talk(t, "a LSUB \"\" %\r\n", "* LSUB (\\Noselect) \"/\" \"a\"\r\na OK That is all\r\n");
    assert_talk(t, "a LSUB \"\" *\r\n", "* LSUB () \"/\" \"a/b\"\r\na OK That is all\r\n");
    assert_talk(t, "a RENAME a c\r\n", "a OK Done\r\n");
    assert_talk_has(t, "a SELECT c/b\r\n", "a OK [READ-WRITE] Selected\r\n");
    assert_talk(t, "a DELETE c/b\r\n", "a OK Done\r\n");
    assert_talk(t, "a FETCH 1 FLAGS\r\n", "a BAD Select a mailbox first\r\n");
    assert_talk(t, "a DELETE INBOX\r\n", "a NO [CANNOT] INBOX stays\r\n");
    assert_talk(t, "a DELETE nothing\r\n", "a NO [NONEXISTENT] There is no such mailbox or message\r\n");
}

static void other_sessions_changes_come_where_they_may(void **state)
{
    (void)state;
    struct talk *other = talk_login(rig, "alice@x");
    select_inbox();
    talk_send(
        other,
        "a SELECT INBOX\r\na STORE 1 +FLAGS (\\Deleted)\r\nb STORE 3 +FLAGS (\\Flagged)\r\nc EXPUNGE\r\n");
    rig_deliver(rig, "alice@x", "Subject: fourth\r\n\r\n");
    /* No EXPUNGE while the numbers are used: RFC 3501 7.4.1. */
    assert_talk(t, "a FETCH 2 UID\r\n",
                "* 2 FETCH (UID 2)\r\n* 4 EXISTS\r\n* 3 RECENT\r\n* 3 FETCH (FLAGS (\\Flagged "
                "\\Recent))\r\na OK Fetched\r\n");
    assert_talk(t, "a FETCH 3 UID\r\n", "* 3 FETCH (UID 3)\r\na OK Fetched\r\n");
    assert_talk(t, "a FETCH 1 BODY.PEEK[]\r\n",
                "a NO [EXPUNGEISSUED] Some of them were expunged meanwhile\r\n");
    assert_talk(t, "a SEARCH SUBJECT {70000}\r\n", "a BAD Command line or literal too long\r\n");
    assert_talk(t, "a NOOP\r\n", "* 1 EXPUNGE\r\na OK Done\r\n");
    assert_talk(t, "a FETCH 1:* UID\r\n",
                "* 1 FETCH (UID 2)\r\n* 2 FETCH (UID 3)\r\n* 3 FETCH (UID 4)\r\na OK Fetched\r\n");
    talk_free(other);
}

static void idling(void **state)
{
    (void)state;
    select_inbox();
    assert_talk(t, "a IDLE\r\n", "+ Idling\r\n");
    rig_deliver(rig, "alice@x", "Subject: fourth\r\n\r\n");
    talk_wait(t, "* 4 EXISTS\r\n");
    talk_take(t);
    assert_talk(t, "done\r\n", "a OK Idled\r\n");
}

static void bad_commands(void **state)
{
    (void)state;
    select_inbox();
    assert_talk(t, "\r\n", "* BAD Not a command: a tag, a space and a command are wanted\r\n");
    assert_talk(t, "a\r\n", "a BAD Not a command: a tag, a space and a command are wanted\r\n");
    assert_talk(t, "a FROB\r\n", "a BAD Unknown command\r\n");
    assert_talk(t, "a UID NOOP\r\n", "a BAD Unknown command\r\n");
    assert_talk(t, "a FETCH 1 NONSENSE\r\n", "a BAD Arguments not understood\r\n");
    assert_talk(t, "a LIST {100000}\r\n", "a BAD Command line or literal too long\r\n");
    talk_send_bytes(t, (struct str){"a NOOP \0\r\n", 10});
    assert_string_equal(talk_take(t), "a BAD Arguments not understood\r\n");
    for (int i = 0; i < 60 && !imap_session_finished(t->session); i++)
        talk_send(t, "x FROB\r\n");
    assert_true(imap_session_finished(t->session));
}

static void a_store_that_is_away(void **state)
{
    (void)state;
    select_inbox();
    rig_faults(rig, &(struct store_memory_faults){.unreachable = true});
    assert_talk(t, "a STORE 1 +FLAGS (\\Seen)\r\n",
                "a NO [UNAVAILABLE] The mail store is not available now, nothing was changed\r\n");
    rig_faults(rig, &(struct store_memory_faults){0});
    assert_talk_has(t, "a STORE 1 +FLAGS (\\Seen)\r\n", "a OK Stored");
}

static void a_stale_instance_ends_the_session(void **state)
{
    (void)state;
    select_inbox();
    rig_fence(rig);
    talk_send(t, "a STORE 1 +FLAGS (\\Seen)\r\n");
    assert_true(imap_session_finished(t->session));
    assert_true(t->fenced);
    assert_string_equal(talk_take(t), "* BYE [UNAVAILABLE] This instance was replaced by another one\r\n");
}

static void logging_out(void **state)
{
    (void)state;
    assert_talk(t, "a LOGOUT\r\nb NOOP\r\n", "* BYE Until next time\r\na OK Logged out\r\n");
    assert_true(imap_session_finished(t->session));
}

static void silence_ends_it(void **state)
{
    (void)state;
    assert_true(imap_session_timeout_ms(t->session) >= 30 * 60 * 1000);
    imap_session_timeout(t->session);
    assert_non_null(strstr(imap_session_output(t->session).ptr, "* BYE "));
}

static void tls_may_come_before_the_greeting(void **state)
{
    static const struct imap_options options = {.hostname = "mail1.example.test", .instance = "7@east1"};
    static const struct imap_ops ops = {.now = NULL};
    struct imap_session *s = imap_session_new(&options, &ops, NULL, rig->mail, false, true);
    (void)state;
    imap_session_begin_with_tls(s);
    assert_true(imap_session_wants_tls(s));
    assert_false(imap_session_wants_input(s));
    assert_int_equal(imap_session_output(s).len, 0);
    imap_session_tls_started(s);
    assert_false(imap_session_wants_tls(s));
    assert_true(str_starts(imap_session_output(s), STR("* OK [CAPABILITY ")));
    assert_non_null(strstr(imap_session_output(s).ptr, "AUTH=PLAIN"));
    assert_null(strstr(imap_session_output(s).ptr, "STARTTLS"));
    imap_session_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_greeting_names_the_instance),
        TEST(logins),
        TEST(selecting),
        TEST(fetching),
        TEST(storing),
        TEST(appending),
        TEST(a_large_message_passes_through),
        TEST(searching),
        TEST(copying_and_moving),
        TEST(mailboxes),
        TEST(other_sessions_changes_come_where_they_may),
        TEST(idling),
        TEST(bad_commands),
        TEST(a_store_that_is_away),
        TEST(a_stale_instance_ends_the_session),
        TEST(logging_out),
        TEST(silence_ends_it),
        TEST(tls_may_come_before_the_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
