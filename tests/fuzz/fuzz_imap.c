/* An IMAP session over the memory store in a simulated world, with another hand
 * in the same mailbox. The input: a byte of options, a byte that seeds how the
 * rest is cut and what the other hand does, then what the client sends.
 *
 * Asserted, beside what the sanitizers see: every response is framed (lines with
 * CRLF, literals of the announced length) and begins with `*`, `+` or a tag;
 * sequence numbers are right for a client that counts EXISTS and EXPUNGE; no
 * EXPUNGE comes while FETCH, STORE or SEARCH runs; the session comes to rest. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "dialogue/reader_rig.h"
#include "imap/session.h"
#include "wire/imap_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES_MAX        64              /* how often the other hand gets its turn */
#define KEEPS_NUMBERS_TAG "KEEPS-NUMBERS" /* nothing that a mutation makes of another tag */

struct client {
    struct imap_frame frame; /* of what the server sends */
    size_t exists;
    bool shrunk;     /* EXISTS went down: right for a new SELECT only, which UIDVALIDITY tells of */
    size_t expunged; /* since the last tagged response */
};

struct fuzz {
    struct reader_rig *rig;
    struct imap_options options;
    struct imap_session *session;
    struct client client;
    uint32_t random;
};

static uint32_t next_random(struct fuzz *f, uint32_t n)
{
    f->random = f->random * 1664525u + 1013904223u;
    return (f->random >> 8) % n;
}

/* ---- the owner ---- */

static void answer(void *arg, int err, struct str user)
{
    struct fuzz *f = arg;
    imap_session_authenticated(f->session, err, user);
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

static struct wall_time now(void *arg)
{
    (void)arg;
    return (struct wall_time){1704110400000};
}

static void fenced(void *arg)
{
    (void)arg;
}

/* ---- the client's model ---- */

static void on_number(struct client *c, uint64_t number, struct str word)
{
    if (str_eq(word, STR("EXISTS"))) {
        c->shrunk = c->shrunk || number < c->exists;
        c->exists = (size_t)number;
    } else if (str_eq(word, STR("EXPUNGE"))) {
        CHECK(number >= 1 && number <= c->exists);
        c->exists--;
        c->expunged++;
    } else if (str_starts(word, STR("FETCH"))) {
        CHECK(number >= 1 && number <= c->exists);
    } else {
        CHECK(str_eq(word, STR("RECENT")) && number <= c->exists);
    }
}

static void on_response(struct client *c, struct str line)
{
    struct str rest = line, first, second;
    uint64_t number;
    CHECK(str_split(&rest, ' ', &first) && first.len > 0 && rest.ptr);
    if (str_starts(rest, STR("OK [UIDVALIDITY ")))
        c->shrunk = false;
    if (!str_eq(first, STR("*"))) {
        CHECK(!c->shrunk);
        CHECK(c->expunged == 0 || !str_eq(first, STR(KEEPS_NUMBERS_TAG)));
        c->expunged = 0;
        return;
    }
    CHECK(str_split(&rest, ' ', &second));
    if (str_eq(second, STR("BAD"))) /* ends a line that has no tag */
        c->expunged = 0;
    if (str_to_u64(second, UINT32_MAX, &number) == 0)
        on_number(c, number, rest);
}

static void on_output(struct client *c, struct str out)
{
    struct str piece;
    while (out.len > 0) {
        switch (imap_frame_feed(&c->frame, &out, &piece)) {
        case IMAP_FRAME_COMMAND:
            on_response(c, buf_str(&c->frame.command));
            imap_frame_reset(&c->frame);
            break;
        case IMAP_FRAME_LITERAL:
            imap_frame_gather(&c->frame);
            break;
        case IMAP_FRAME_TOO_LONG: /* more than the frame holds: its bytes were counted all the same */
            imap_frame_reset(&c->frame);
            break;
        default:
            break;
        }
    }
}

static void collect(struct fuzz *f)
{
    struct str out;
    while ((out = imap_session_output(f->session)).len > 0) {
        size_t len = 1 + next_random(f, (uint32_t)out.len);
        on_output(&f->client, str_sub(out, 0, len));
        imap_session_output_taken(f->session, len);
    }
}

/* ---- the other hand ---- */

static void on_done(void *arg, int err)
{
    (void)arg;
    (void)err;
}

static void touch(struct fuzz *f)
{
    uint32_t uids[] = {1 + next_random(f, 8)};
    int64_t inbox = 1; /* the first mailbox that the engine made */
    switch (next_random(f, 6)) {
    case 0:
        reader_rig_deliver(f->rig, "Subject: new\r\n\r\nx\r\n", 19);
        break;
    case 1:
        mail_expunge(f->rig->mail, inbox, uids, 1, true, on_done, NULL);
        break;
    case 2:
        mail_flags_store(f->rig->mail, inbox, uids, 1, MAIL_FLAGS_ADD, MAIL_FLAGGED | MAIL_DELETED, STR("k"),
                         on_done, NULL);
        break;
    default:
        break;
    }
}

static bool settle(struct fuzz *f)
{
    do {
        collect(f);
    } while (sim_step(f->rig->world));
    collect(f);
    return imap_session_finished(f->session) || imap_session_wants_input(f->session);
}

/* FETCH, STORE and SEARCH get a tag by which their answers are known. */
static bool keeps_numbers(struct str line)
{
    static const char *const words[] = {"FETCH ", "STORE ", "SEARCH "};
    size_t blank = str_find(line, ' ', 0);
    struct str rest = blank == SIZE_MAX ? STR_EMPTY : str_sub(line, blank + 1, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_istarts(rest, str_from(words[i])))
            return true;
    return false;
}

static void say(struct fuzz *f, struct str bytes)
{
    if (imap_session_finished(f->session))
        return;
    CHECK(imap_session_wants_input(f->session));
    imap_session_input(f->session, bytes.ptr, bytes.len);
    touch(f);
    CHECK(settle(f));
}

static void say_line(struct fuzz *f, struct str line)
{
    size_t blank = str_find(line, ' ', 0);
    if (keeps_numbers(line)) {
        say(f, STR(KEEPS_NUMBERS_TAG));
        line = str_sub(line, blank, SIZE_MAX);
    }
    say(f, line);
}

static void say_text(struct fuzz *f, const char *text)
{
    say(f, str_from(text));
}

/* ---- a run ---- */

static void begin(struct fuzz *f, uint8_t options, uint8_t seed)
{
    static const struct imap_ops ops = {authenticate, cancel, now, fenced};
    static const char *const stores[] = {NULL, NULL, NULL, NULL, NULL, "away", "full", "fenced"};
    f->random = seed;
    f->rig = reader_rig_new(options & 3, stores[options >> 2 & 7], options & 0x20 ? 1 : seed + 2);
    f->options = (struct imap_options){.hostname = "h.test", .instance = "7@n", .append_max_bytes = 2000};
    f->session = imap_session_new(&f->options, &ops, f, f->rig->mail, true, false);
    imap_frame_init(&f->client.frame);
    CHECK(settle(f));
    if (!(options & 0x40))
        say_text(f, "L LOGIN alice@example.test holdfast\r\n");
    if (!(options & 0xc0))
        say_text(f, "S SELECT INBOX\r\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {0};
    if (size < 2)
        return 0;
    struct str rest = {(const char *)data + 2, size - 2};
    begin(&f, data[0], data[1]);
    for (int i = 0; i < PIECES_MAX && rest.len > 0; i++) {
        size_t end = str_find(rest, '\n', 0);
        bool whole = next_random(&f, 4) != 0 && end != SIZE_MAX;
        struct str piece = str_sub(rest, 0, whole ? end + 1 : 1 + next_random(&f, 40));
        if (whole)
            say_line(&f, piece);
        else
            say(&f, piece);
        rest = str_sub(rest, piece.len, SIZE_MAX);
    }
    say(&f, rest);
    imap_session_free(f.session);
    imap_frame_fini(&f.client.frame);
    reader_rig_settle(f.rig);
    reader_rig_free(f.rig);
    return 0;
}
