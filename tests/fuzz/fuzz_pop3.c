/* A POP3 session over the memory store in a simulated world. The input: a byte
 * of options, a byte that seeds how the rest is cut, then what the client sends.
 *
 * Asserted, beside what the sanitizers see: every response begins with +OK, -ERR
 * or `+ ` and ends with CRLF; nothing is deleted without QUIT; the session comes
 * to rest. */
#include <stdint.h>
#include <string.h>

#include "dialogue/reader_rig.h"
#include "pop3/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct reader_rig *rig;
    struct pop3_options options;
    struct pop3_session *session;
    uint32_t random;
    char last[2]; /* bytes of the output */
    size_t total;
};

static uint32_t next_random(struct fuzz *f, uint32_t n)
{
    f->random = f->random * 1664525u + 1013904223u;
    return (f->random >> 8) % n;
}

static void answer(void *arg, int err, struct str user)
{
    struct fuzz *f = arg;
    pop3_session_authenticated(f->session, err, user);
}

static void authenticate(void *arg, struct str user, struct str password)
{
    struct fuzz *f = arg;
    reader_rig_login(f->rig, user, password, answer, f);
}

static void cancel(void *arg)
{
    struct fuzz *f = arg;
    reader_rig_cancel(f->rig);
}

static void fenced(void *arg)
{
    (void)arg;
}

static void look(struct fuzz *f, struct str out)
{
    if (f->total == 0)
        CHECK(out.ptr[0] == '+' || out.ptr[0] == '-');
    for (size_t i = 0; i < out.len; i++) {
        f->last[0] = f->last[1];
        f->last[1] = out.ptr[i];
    }
    f->total += out.len;
}

static void collect(struct fuzz *f)
{
    struct str out;
    while ((out = pop3_session_output(f->session)).len > 0) {
        size_t len = 1 + next_random(f, (uint32_t)out.len);
        look(f, str_sub(out, 0, len));
        pop3_session_output_taken(f->session, len);
    }
}

static void settle(struct fuzz *f)
{
    do {
        collect(f);
    } while (sim_step(f->rig->world));
    collect(f);
    CHECK(pop3_session_finished(f->session) || pop3_session_wants_input(f->session));
    CHECK(f->last[0] == '\r' && f->last[1] == '\n');
}

static void say(struct fuzz *f, struct str bytes)
{
    if (pop3_session_finished(f->session))
        return;
    f->total = 0;
    pop3_session_input(f->session, bytes.ptr, bytes.len);
    settle(f);
}

static void on_find(void *arg, int err, const struct mail_mailbox *box)
{
    uint32_t *messages = arg;
    if (!err)
        *messages = box->messages;
}

static uint32_t count_messages(struct fuzz *f)
{
    uint32_t messages = 0;
    mail_mailbox_find(f->rig->mail, STR("alice@example.test"), STR("INBOX"), on_find, &messages);
    reader_rig_settle(f->rig);
    return messages;
}

static void begin(struct fuzz *f, uint8_t options, uint8_t seed)
{
    static const struct pop3_ops ops = {authenticate, cancel, fenced};
    static const char *const stores[] = {NULL, NULL, NULL, NULL, NULL, "away", "full", "fenced"};
    f->random = seed;
    f->rig = reader_rig_new(options & 3, stores[options >> 2 & 7], options & 0x20 ? 1 : seed + 2);
    f->options = (struct pop3_options){.hostname = "h.test", .instance = "7@n"};
    f->session = pop3_session_new(&f->options, &ops, f, f->rig->mail, true, false);
    settle(f);
    if (!(options & 0x40))
        say(f, STR("USER alice@example.test\r\nPASS holdfast\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {0};
    if (size < 2)
        return 0;
    struct str rest = {(const char *)data + 2, size - 2};
    begin(&f, data[0], data[1]);
    uint32_t before = count_messages(&f);
    while (rest.len > 0) {
        struct str piece = str_sub(rest, 0, 1 + next_random(&f, 60));
        say(&f, piece);
        rest = str_sub(rest, piece.len, SIZE_MAX);
    }
    if (!pop3_session_finished(f.session))
        CHECK(count_messages(&f) == before);
    pop3_session_free(f.session);
    reader_rig_settle(f.rig);
    reader_rig_free(f.rig);
    return 0;
}
