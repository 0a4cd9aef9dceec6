#include "dialogue/smtp_owner.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "smtp/map_error.h"

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void smtp_owner_init(struct smtp_owner *o, uint32_t random)
{
    *o = (struct smtp_owner){.random = random};
    buf_init(&o->message, 64 << 20);
    buf_init(&o->echo, 4096);
}

void smtp_owner_fini(struct smtp_owner *o)
{
    CHECK(!o->asked && !o->transaction && !o->in_auth);
    buf_fini(&o->message);
    buf_fini(&o->echo);
}

/* ---- answers ---- */

static void give_recipients(struct smtp_owner *o)
{
    size_t count = o->recipient_count;
    for (size_t i = 0; i + 1 < count; i++)
        smtp_server_reply_recipient(o->server, o->finals[i].code ? &o->finals[i] : NULL);
    smtp_server_reply(o->server, o->finals[count - 1].code ? &o->finals[count - 1] : NULL);
}

static void give(struct smtp_owner *o)
{
    struct owner_answer a = o->answer;
    CHECK(o->asked);
    o->asked = false;
    o->kept = false;
    if (o->at_data_end)
        o->transaction = o->at_data_end = false;
    switch (a.kind) {
    case ANSWER_REPLY:
        smtp_server_reply(o->server, a.reply.code ? &a.reply : NULL);
        break;
    case ANSWER_CHALLENGE:
        smtp_server_auth_challenge(o->server, a.text);
        break;
    case ANSWER_USER:
        smtp_server_auth_done(o->server, a.text);
        break;
    case ANSWER_RECIPIENTS:
        give_recipients(o);
        break;
    }
}

static void answer(struct smtp_owner *o, struct owner_answer a)
{
    CHECK(!o->asked);
    o->asked = true;
    o->answer = a;
    o->kept = o->random && next_random(&o->random) % 2;
    if (!o->kept)
        give(o);
}

static void answer_reply(struct smtp_owner *o, struct smtp_reply r)
{
    answer(o, (struct owner_answer){.kind = ANSWER_REPLY, .reply = r});
}

static void answer_yes(struct smtp_owner *o)
{
    answer_reply(o, (struct smtp_reply){.code = 0});
}

bool smtp_owner_tick(struct smtp_owner *o)
{
    if (o->kept) {
        give(o);
        return true;
    }
    if (o->data_full) {
        o->data_full = false;
        smtp_server_resume(o->server);
        return true;
    }
    return false;
}

/* ---- questions ---- */

static void on_connect(void *arg)
{
    struct smtp_owner *o = arg;
    if (o->greeting == 421)
        answer_reply(o, SMTP_REPLY_UNAVAILABLE);
    else if (o->greeting)
        answer_reply(o, SMTP_REPLY(554, 5, 7, 1, "No service for you"));
    else
        answer_yes(o);
}

static void on_helo(void *arg, struct str name)
{
    struct smtp_owner *o = arg;
    CHECK(name.len > 0);
    if (str_eq(name, STR("bad.example")))
        answer_reply(o, SMTP_REPLY(550, 5, 7, 1, "Not you"));
    else
        answer_yes(o);
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct smtp_owner *o = arg;
    CHECK(!o->transaction);
    if (str_starts(mail->reverse_path, STR("no@"))) {
        answer_reply(o, SMTP_REPLY(550, 5, 7, 1, "Sender refused"));
        return;
    }
    snprintf(o->sender, sizeof(o->sender), "%.*s",
             STR_ARG(str_sub(mail->reverse_path, 0, sizeof(o->sender) - 1)));
    o->transaction = true;
    o->recipient_count = 0;
    o->to_echo = false;
    buf_clear(&o->message);
    if (mail->custody_id) {
        char id[CUSTODY_ID_TEXT_MAX];
        custody_id_format(mail->custody_id, id);
        CHECK(smtp_server_peer_node(o->server).len > 0 && strlen(id) == CUSTODY_ID_TEXT_MAX - 1);
        answer_reply(o, SMTP_REPLY(250, 2, 1, 0, "Ok, custody"));
    } else if (mail->dsn.ret != DSN_RET_UNSAID || mail->dsn.envid.len > 0) {
        buf_clear(&o->echo);
        buf_append_fmt(&o->echo, "Ok, %s %.*s", mail->dsn.ret == DSN_RET_HDRS ? "HDRS" : "other",
                       STR_ARG(mail->dsn.envid));
        answer_reply(o, (struct smtp_reply){250, {2, 1, 0}, buf_str(&o->echo)});
    } else {
        answer_yes(o);
    }
}

static void answer_rcpt(struct smtp_owner *o, const struct dsn_request *dsn)
{
    if (dsn->notify == 0 && dsn->orcpt.len == 0) {
        answer_yes(o);
        return;
    }
    buf_clear(&o->echo);
    buf_append_fmt(&o->echo, "Ok, %u %.*s", dsn->notify, STR_ARG(dsn->orcpt));
    answer_reply(o, (struct smtp_reply){250, {2, 1, 5}, buf_str(&o->echo)});
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    static const char *const users[] = {"alice", "bob", "carol", "echo", "postmaster", "later", "never"};
    struct smtp_owner *o = arg;
    struct smtp_reply final = {.code = 0};
    CHECK(o->transaction && rcpt->index == o->recipient_count);
    if (str_ieq(rcpt->local_part, STR("full"))) {
        answer_reply(o, SMTP_REPLY(452, 4, 2, 2, "Mailbox full"));
        return;
    }
    if (str_ieq(rcpt->local_part, STR("gone"))) {
        o->transaction = true;
        answer_reply(o, SMTP_REPLY_UNAVAILABLE);
        return;
    }
    if (rcpt->domain.len > 0 && !str_eq(rcpt->domain, STR("example.test"))) {
        answer_reply(o, SMTP_REPLY(550, 5, 7, 1, "Relaying denied"));
        return;
    }
    if (str_ieq(rcpt->local_part, STR("later")))
        final = SMTP_REPLY(450, 4, 2, 1, "Not now");
    else if (str_ieq(rcpt->local_part, STR("never")))
        final = SMTP_REPLY(554, 5, 6, 0, "Not that");
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        if (str_ieq(rcpt->local_part, str_from(users[i])) && o->recipient_count < OWNER_RECIPIENTS_MAX) {
            o->to_echo = o->to_echo || strcmp(users[i], "echo") == 0;
            o->finals[o->recipient_count++] = final;
            o->accepted++;
            answer_rcpt(o, &rcpt->dsn);
            return;
        }
    }
    answer_reply(o, SMTP_REPLY(550, 5, 1, 1, "No such user"));
}

static void on_data_begin(void *arg)
{
    struct smtp_owner *o = arg;
    CHECK(o->transaction && o->recipient_count > 0);
    if (str_starts(str_from(o->sender), STR("nodata@")))
        answer_reply(o, SMTP_REPLY(451, 4, 3, 0, "Not now"));
    else
        answer_yes(o);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct smtp_owner *o = arg;
    CHECK(o->transaction && len > 0 && !o->data_full);
    CHECK(buf_append(&o->message, data, len) == 0);
    o->data_full = o->random && next_random(&o->random) % 3 == 0;
    return !o->data_full;
}

static int error_named(struct str name)
{
    for (int err = ERR_CANCELLED; err < 0; err++)
        if (str_eq(str_from(err_name(err)), name))
            return err;
    return 0;
}

static struct smtp_reply final_reply(struct smtp_owner *o)
{
    struct str sender = str_from(o->sender), name;
    if (str_starts(sender, STR("err-"))) {
        str_split(&sender, '@', &name);
        return smtp_reply_for_error(error_named(str_sub(name, 4, name.len)));
    }
    buf_clear(&o->echo);
    buf_append_fmt(&o->echo, "Ok, %zu octets", o->message.len);
    if (o->to_echo) {
        buf_append_text(&o->echo, ": ");
        log_escape(&o->echo, str_sub(buf_str(&o->message), 0, 200));
    }
    return (struct smtp_reply){250, {2, 0, 0}, buf_str(&o->echo)};
}

/* No bare CR, no bare LF. */
static void check_lines(struct str message)
{
    for (size_t i = 0; i < message.len; i++) {
        if (message.ptr[i] == '\r')
            CHECK(i + 1 < message.len && message.ptr[i + 1] == '\n');
        if (message.ptr[i] == '\n')
            CHECK(i > 0 && message.ptr[i - 1] == '\r');
    }
    CHECK(message.len == 0 || message.ptr[message.len - 1] == '\n');
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct smtp_owner *o = arg;
    CHECK(o->transaction && info->size_bytes == o->message.len);
    check_lines(buf_str(&o->message));
    CHECK(!memchr(buf_data(&o->message), '\0', o->message.len));
    o->at_data_end = true;
    o->data_full = false; /* the machine waits for no room any more */
    o->messages++;
    struct smtp_reply r = final_reply(o);
    if (str_starts(str_from(smtp_server_protocol_name(o->server)), STR("LMTP")) &&
        !str_starts(str_from(o->sender), STR("err-")))
        answer(o, (struct owner_answer){.kind = ANSWER_RECIPIENTS});
    else
        answer_reply(o, r);
}

/* ---- AUTH ---- */

static void answer_login(struct smtp_owner *o, bool right)
{
    o->in_auth = false;
    if (right)
        answer(o, (struct owner_answer){.kind = ANSWER_USER, .text = STR("alice@example.test")});
    else
        answer_reply(o, SMTP_REPLY(535, 5, 7, 8, "Authentication failed"));
}

static void challenge(struct smtp_owner *o, struct str text)
{
    o->in_auth = true;
    answer(o, (struct owner_answer){.kind = ANSWER_CHALLENGE, .text = text});
}

static const struct str plain_right = {"\0alice@example.test\0holdfast", 28};

static void on_auth(void *arg, struct str mechanism, const struct str *initial)
{
    struct smtp_owner *o = arg;
    CHECK(!o->in_auth);
    o->login_user_given = false;
    if (str_ieq(mechanism, STR("LOGIN")))
        challenge(o, STR("Username:"));
    else if (!initial)
        challenge(o, STR_EMPTY);
    else
        answer_login(o, str_eq(*initial, plain_right));
}

static void on_auth_response(void *arg, struct str response)
{
    struct smtp_owner *o = arg;
    CHECK(o->in_auth);
    if (str_eq(response, STR("alice@example.test")) && !o->login_user_given) {
        o->login_user_given = true;
        challenge(o, STR("Password:"));
    } else {
        answer_login(o, str_eq(response, plain_right) ||
                            (o->login_user_given && str_eq(response, STR("holdfast"))));
    }
}

static void on_auth_cancel(void *arg)
{
    struct smtp_owner *o = arg;
    CHECK(o->in_auth);
    o->in_auth = false;
}

/* ---- ends ---- */

static void on_reset(void *arg)
{
    struct smtp_owner *o = arg;
    CHECK(o->transaction);
    o->transaction = o->at_data_end = o->data_full = false;
    o->resets++;
}

static void on_cancel(void *arg)
{
    struct smtp_owner *o = arg;
    CHECK(o->asked);
    o->asked = o->kept = o->in_auth = false;
    o->cancels++;
}

const struct smtp_server_ops smtp_owner_ops = {
    .connect = on_connect,
    .helo = on_helo,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_data_begin,
    .data = on_data,
    .data_end = on_data_end,
    .auth = on_auth,
    .auth_response = on_auth_response,
    .auth_cancel = on_auth_cancel,
    .reset = on_reset,
    .cancel = on_cancel,
};
