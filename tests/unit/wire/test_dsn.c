#include "wire/dsn.h"

#include <stdio.h>

#include "unit/unit.h"

static const struct custody_id notice = {{1}}, about = {{2}};

static struct dsn_recipient failed_one(void)
{
    return (struct dsn_recipient){.address = STR("bob@example.test"),
                                  .orcpt = STR("rfc822;Bob+2Bx@example.test"),
                                  .status = STR("5.1.1"),
                                  .reply = STR("550 5.1.1 No such user"),
                                  .remote_mta = STR("mail1.example.test"),
                                  .at = {1764000000000}};
}

static struct dsn_message failed(const struct dsn_recipient *r)
{
    return (struct dsn_message){.action = DSN_FAILED,
                                .hostname = STR("relay.example.test"),
                                .to = STR("alice@example.test"),
                                .id = &notice,
                                .about = &about,
                                .envid = STR("QQ+2B1"),
                                .at = {1764000001000},
                                .received_at = {1763990000000},
                                .recipients = r,
                                .recipient_count = 1,
                                .content = STR("Subject: x\r\n")};
}

static char *format(const struct dsn_message *m)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    dsn_message_format(&out, m);
    assert_false(out.overflow);
    return buf_steal(&out);
}

static void has(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        fail_msg("no \"%s\" in:\n%s", piece, text);
}

static void a_failure_says_who_and_why(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    char *text = format(&m);
    (void)state;
    has(text, "From: Mail Delivery System <MAILER-DAEMON@relay.example.test>\r\n");
    has(text, "To: <alice@example.test>\r\n");
    has(text, "Auto-Submitted: auto-replied\r\n");
    has(text, "Content-Type: multipart/report; report-type=delivery-status;\r\n");
    has(text, "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;relay.example.test\r\n"
              "Original-Envelope-Id: QQ+1\r\n");
    has(text, "\r\n\r\nOriginal-Recipient: rfc822;Bob+x@example.test\r\n"
              "Final-Recipient: rfc822;bob@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
              "Remote-MTA: dns;mail1.example.test\r\nDiagnostic-Code: smtp;550 5.1.1 No such user\r\n");
    has(text, "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n");
    assert_null(strstr(text, "8bit"));
    free(text);
}

static void a_delay_says_how_long_it_is_tried(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    r.status = STR("4.4.1");
    r.reply = STR("nobody there");
    r.until = (struct wall_time){1764400000000};
    m.action = DSN_DELAYED;
    char *text = format(&m);
    (void)state;
    has(text, "Action: delayed\r\nStatus: 4.4.1\r\n");
    has(text, "Will-Retry-Until: Sat, 29 Nov 2025 07:06:40 +0000\r\n");
    assert_null(strstr(text, "Diagnostic-Code")); /* it is no reply */
    free(text);
}

/* A name, an address or a reply is no way into a header. */
static void a_peer_adds_no_line(void **state)
{
    static char reply[5000];
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    memset(reply, 'x', sizeof(reply) - 1);
    memcpy(reply, "550 ", 4);
    r.address = STR("bob\r\nBcc: evil\x80@example.test");
    r.reply = str_from(reply);
    r.orcpt = STR("rfc822;a+0D+0AEvil:+201");
    m.to = STR("alice\nEvil: 1@example.test");
    char *text = format(&m);
    has(text, "To: <alice?Evil: 1@example.test>\r\n");
    has(text, "rfc822;a??Evil: 1\r\n");
    has(text, "<bob??Bcc: evil?@example.test>\r\n");
    for (char *line = text; line; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL)
        assert_true(!strstr(line, "\r\n") || strstr(line, "\r\n") - line < 998);
    assert_true(strlen(text) < 5000);
    free(text);
}

static void what_is_not_ascii_is_declared(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    m.content = STR("Subject: \xc3\xa4\r\n\r\nx\r\n");
    m.whole = true;
    assert_true(dsn_message_eight_bit(&m));
    char *text = format(&m);
    has(text, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n");
    free(text);
    m.smtputf8 = m.content_smtputf8 = true;
    r.address = STR("b\xc3\xb6"
                    "b@example.test");
    text = format(&m);
    has(text, "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n");
    has(text, "Final-Recipient: utf-8;b\xc3\xb6"
              "b@example.test\r\n");
    has(text, "Content-Type: message/global\r\n");
    free(text);
}

/* RFC 6533 section 3, for a sender whose own server may take no SMTPUTF8. */
static void without_smtputf8_programs_read_ascii(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    r.address = STR("b\xc3\xb6"
                    "b@example.test");
    r.orcpt = STR("utf-8;J\\x{FC}rgen@example.test");
    m.content = STR("Subject: \xc3\xa4\r\n");
    m.content_smtputf8 = true;
    assert_true(dsn_message_eight_bit(&m));
    char *text = format(&m);
    has(text, "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
    has(text, "\r\n  <b\xc3\xb6"
              "b@example.test>\r\n");
    has(text, "Content-Type: message/delivery-status\r\n\r\n");
    has(text, "Original-Recipient: utf-8;J\\x{FC}rgen@example.test\r\n"
              "Final-Recipient: utf-8;b\\x{F6}b@example.test\r\n");
    has(text, "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n");
    free(text);
    m.smtputf8 = true;
    text = format(&m);
    has(text, "Original-Recipient: utf-8;J\xc3\xbcrgen@example.test\r\n");
    free(text);
}

/* Another recipient's address makes the text UTF-8. */
static void what_is_no_utf8_stays_out(void **state)
{
    struct dsn_recipient r[] = {failed_one(), failed_one()};
    struct dsn_message m = failed(r);
    (void)state;
    r[0].address = STR("b\xc3\xb6"
                       "b@example.test");
    r[1].address = STR("c\x80@example.test");
    m.recipient_count = 2;
    char *text = format(&m);
    has(text, "  <b\xc3\xb6"
              "b@example.test>\r\n");
    has(text, "  <c?@example.test>\r\n");
    has(text, "Final-Recipient: utf-8;c?@example.test\r\n");
    free(text);
}

/* "b\xc3\xb6..." so many times, at a domain. */
static struct str long_address(char *into, size_t times)
{
    size_t len = 0;
    for (size_t i = 0; i < times; i++)
        len += (size_t)sprintf(into + len, "\xc3\xb6");
    len += (size_t)sprintf(into + len, "@example.test");
    return (struct str){into, len};
}

/* An address that no line holds is not shown as another, nor cut amid a character's escape. */
static void an_address_is_whole_or_says_that_it_is_not(void **state)
{
    char address[600];
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    r.address = long_address(address, 127); /* the longest local part of them */
    char *text = format(&m);
    has(text, "\\x{F6}\\x{F6}@example.test\r\nAction");
    free(text);
    r.address = long_address(address, 250);
    text = format(&m);
    has(text, "Final-Recipient: utf-8;\\x{F6}");
    has(text, "\\x{F6}\\x{F6}...\r\nAction");
    assert_true(strstr(text, "...\r\nAction") - strstr(text, "Final-Recipient") < 998);
    free(text);
}

/* With SMTPUTF8, too: C1 controls, and the ends of lines that are characters. */
static void no_character_of_a_peer_ends_a_line(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    m.smtputf8 = true;
    r.orcpt = STR("rfc822;a+E2+80+A8b");
    r.address = STR("\xc3\xb6\xe2\x80\xa9\xc2\x85@example.test");
    m.to = STR("\xc3\xb6\xe2\x80\xa8@example.test");
    char *text = format(&m);
    has(text, "To: <\xc3\xb6?@example.test>\r\n");
    has(text, "Original-Recipient: rfc822;a?b\r\n");
    has(text, "Final-Recipient: utf-8;\xc3\xb6??@example.test\r\n");
    assert_null(strstr(text, "\xe2\x80"));
    free(text);
    r.orcpt = STR("utf-8;a\\x{2028}b");
    text = format(&m);
    assert_null(strstr(text, "Original-Recipient"));
    free(text);
}

static void a_long_text_is_cut_at_a_whole_character(void **state)
{
    char address[2000];
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    m.smtputf8 = true;
    address[0] = 'b';
    long_address(address + 1, 700);
    r.address = str_from(address);
    char *text = format(&m);
    has(text, "\xc3\xb6\xc3\xb6\r\nAction");
    free(text);
}

static void what_expired_says_what_was_answered_last(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    r.expired = true;
    r.status = STR("4.4.7");
    r.reply = STR("452 4.2.2 mailbox full");
    r.at = (struct wall_time){0};
    char *text = format(&m);
    has(text,
        "    It waited for as long as mail is tried.\r\n    The last answer was: 452 4.2.2 mailbox full\r\n");
    has(text, "Status: 4.4.7\r\n");
    has(text, "Diagnostic-Code: smtp;452 4.2.2 mailbox full\r\n");
    assert_null(strstr(text, "Last-Attempt-Date"));
    free(text);
}

/* It looks as one. */
static void what_no_server_said_is_no_servers_word(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    r.remote_mta = STR_EMPTY;
    char *text = format(&m);
    has(text, "    550 5.1.1 No such user\r\n");
    assert_null(strstr(text, "Remote-MTA"));
    assert_null(strstr(text, "Diagnostic-Code"));
    free(text);
}

static void without_content_there_is_no_third_part(void **state)
{
    struct dsn_recipient r = failed_one();
    struct dsn_message m = failed(&r);
    (void)state;
    m.content = STR_EMPTY;
    char *text = format(&m);
    assert_null(strstr(text, "rfc822-headers"));
    free(text);
}

static void status(void **state)
{
    (void)state;
    assert_str(dsn_status_of(STR("550 5.1.1 No such user"), STR("5.0.0")), "5.1.1");
    assert_str(dsn_status_of(STR("450 4.7.100"), STR("4.4.7")), "4.7.100");
    assert_str(dsn_status_of(STR("550 No such user"), STR("5.4.7")), "5.0.0");
    assert_str(dsn_status_of(STR("450 5.1.1 mixed up"), STR("5.4.7")), "4.0.0");
    assert_str(dsn_status_of(STR("550 5.1.1000 x"), STR("5.4.7")), "5.0.0");
    assert_str(dsn_status_of(STR("550 5..1 x"), STR("5.4.7")), "5.0.0");
    assert_str(dsn_status_of(STR("5.1.10 it takes no mail"), STR("4.4.7")), "5.1.10");
    assert_str(dsn_status_of(STR("5.1 is no code"), STR("4.4.7")), "4.4.7");
    assert_str(dsn_status_of(STR("10.0.0.1 refused"), STR("4.4.7")), "4.4.7");
    assert_str(dsn_status_of(STR("expired: too old"), STR("5.4.7")), "5.4.7");
    assert_str(dsn_status_of(STR_EMPTY, STR("5.4.7")), "5.4.7");
}

static void the_header_ends_at_the_blank_line(void **state)
{
    (void)state;
    assert_str(dsn_header_of(STR("A: 1\r\nB: 2\r\n\r\nbody\r\n"), 1000), "A: 1\r\nB: 2\r\n");
    assert_str(dsn_header_of(STR("A: 1\r\nB: 2\r\n\r\nbody\r\n"), 9), "A: 1\r\n");
    assert_str(dsn_header_of(STR("A: 1\r\n"), 1000), "A: 1\r\n");
    assert_str(dsn_header_of(STR("\r\nbody\r\n"), 1000), "");
    assert_str(dsn_header_of(STR("no line"), 1000), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_says_who_and_why),
        cmocka_unit_test(a_delay_says_how_long_it_is_tried),
        cmocka_unit_test(a_peer_adds_no_line),
        cmocka_unit_test(what_is_not_ascii_is_declared),
        cmocka_unit_test(without_smtputf8_programs_read_ascii),
        cmocka_unit_test(what_is_no_utf8_stays_out),
        cmocka_unit_test(an_address_is_whole_or_says_that_it_is_not),
        cmocka_unit_test(no_character_of_a_peer_ends_a_line),
        cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
        cmocka_unit_test(what_expired_says_what_was_answered_last),
        cmocka_unit_test(what_no_server_said_is_no_servers_word),
        cmocka_unit_test(without_content_there_is_no_third_part),
        cmocka_unit_test(status),
        cmocka_unit_test(the_header_ends_at_the_blank_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
