/* Playing a script against a peer. */
#include <regex.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dialogue/dialogue.h"

#define PATTERN_MAX     65536 /* with what is put into it */
#define GROUPS_MAX      10
#define BYTES_MAX       8192 /* what is longer is cut into small pieces, not into bytes */
#define SMALL_PIECE     97
#define RANDOM_PIECE    40
#define SEND_BUFFER_MAX (128 << 20)

const char *const segments_names[SEGMENTS_COUNT] = {"whole", "bytes", "random"};

struct play {
    const struct script *script;
    struct dialogue_peer *peer;
    enum segments segments;
    uint32_t random;
    struct buf to_send; /* lines of the client that were not sent yet */
    char *groups[GROUPS_MAX];
    const struct step *step;
    struct err_buf *eb;
};

uint32_t dialogue_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A literal asterisk is "\*" in a pattern. */
bool glob_matches(const char *pattern, struct str text)
{
    for (; *pattern; pattern++) {
        if (*pattern == '*') {
            for (size_t at = 0; at <= text.len; at++)
                if (glob_matches(pattern + 1, str_sub(text, at, text.len)))
                    return true;
            return false;
        }
        if (pattern[0] == '\\' && pattern[1] == '*')
            pattern++;
        if (text.len == 0 || text.ptr[0] != *pattern)
            return false;
        text = str_sub(text, 1, text.len);
    }
    return text.len == 0;
}

/* ---- what went wrong ---- */

static int failed(struct play *p, const char *what, struct str got)
{
    struct buf shown;
    buf_init(&shown, 1024);
    log_escape(&shown, str_sub(got, 0, 200));
    err_set(p->eb, ERR_INVALID, "%s:%d: %s \"%s\", got %s%s%s", p->script->path, p->step->line_number, what,
            buf_data(&p->step->text), got.ptr ? "\"" : "", got.ptr ? buf_data(&shown) : "nothing",
            got.ptr ? "\"" : "");
    buf_fini(&shown);
    return ERR_INVALID;
}

/* ---- the client's side ---- */

static void add_substituted(struct play *p, struct buf *out, struct str text)
{
    for (size_t at = 0; at < text.len; at++) {
        if (text.len - at >= 4 && memcmp(text.ptr + at, "${", 2) == 0 && ascii_isdigit(text.ptr[at + 2]) &&
            text.ptr[at + 3] == '}') {
            const char *group = p->groups[text.ptr[at + 2] - '0'];
            buf_append_text(out, group ? group : "");
            at += 3;
        } else {
            buf_append_char(out, text.ptr[at]);
        }
    }
}

static size_t piece_len(struct play *p, size_t total, size_t left)
{
    size_t len = left;
    if (p->segments == SEGMENTS_BYTES)
        len = total > BYTES_MAX ? SMALL_PIECE : 1;
    else if (p->segments == SEGMENTS_RANDOM)
        len = 1 + dialogue_random(&p->random) % (total > BYTES_MAX ? total / 50 : RANDOM_PIECE);
    return len < left ? len : left;
}

static void send_all(struct play *p)
{
    struct str rest = buf_str(&p->to_send);
    size_t total = rest.len;
    while (rest.len > 0) {
        size_t len = piece_len(p, total, rest.len);
        p->peer->send(p->peer, rest.ptr, len);
        rest = str_sub(rest, len, rest.len);
    }
    buf_clear(&p->to_send);
}

/* ---- the server's side ---- */

static int read_line(struct play *p, struct str *ret_line)
{
    struct str line;
    int rc = p->peer->read_line(p->peer, &line);
    if (rc == 0)
        return failed(p, "the server closed before", (struct str){NULL, 0});
    if (rc < 0)
        return failed(p, "expected", (struct str){NULL, 0});
    if (line.len < 2 || line.ptr[line.len - 2] != '\r')
        return failed(p, "no CRLF at the end of a line, expected", line);
    *ret_line = str_sub(line, 0, line.len - 2);
    return 0;
}

static void keep_groups(struct play *p, const char *text, const regmatch_t *matches)
{
    for (size_t i = 0; i < GROUPS_MAX; i++) {
        if (matches[i].rm_so < 0)
            continue;
        free(p->groups[i]);
        p->groups[i] = mem_strndup(text + matches[i].rm_so, (size_t)(matches[i].rm_eo - matches[i].rm_so));
    }
}

static int expect_regex(struct play *p, struct str line)
{
    regex_t regex;
    regmatch_t matches[GROUPS_MAX];
    char *whole = mem_asprintf("^(%s)$", buf_data(&p->step->text));
    char *text = str_dup(line);
    if (regcomp(&regex, whole, REG_EXTENDED) != 0) {
        free(whole);
        free(text);
        return failed(p, "a regular expression with an error", line);
    }
    bool matched = regexec(&regex, text, GROUPS_MAX, matches, 0) == 0;
    if (matched) /* group 1 is the one around all */
        keep_groups(p, text,
                    (regmatch_t[GROUPS_MAX]){matches[1],
                                             matches[2],
                                             matches[3],
                                             matches[4],
                                             matches[5],
                                             matches[6],
                                             matches[7],
                                             matches[8],
                                             matches[9],
                                             {-1, -1}});
    regfree(&regex);
    free(whole);
    free(text);
    return matched ? 0 : failed(p, "expected", line);
}

static bool pattern_matches(struct play *p, struct str line)
{
    struct buf pattern;
    buf_init(&pattern, PATTERN_MAX);
    add_substituted(p, &pattern, buf_str(&p->step->text));
    bool matches = glob_matches(buf_data(&pattern), line);
    buf_fini(&pattern);
    return matches;
}

static int expect_line(struct play *p)
{
    struct str line;
    int rc;
    do {
        rc = read_line(p, &line);
        if (rc != 0)
            return rc;
        if (p->step->kind == STEP_REGEX)
            return expect_regex(p, line);
        if (pattern_matches(p, line))
            return 0;
    } while (p->step->kind == STEP_SKIP);
    return failed(p, "expected", line);
}

static int expect_end(struct play *p)
{
    struct str line = {NULL, 0};
    int rc = p->peer->read_line(p->peer, &line);
    if (rc == 0)
        return 0;
    return failed(p, "expected the server to close", rc == 1 ? line : (struct str){NULL, 0});
}

static int take_step(struct play *p)
{
    const struct step *step = p->step;
    if (step->kind != STEP_SEND)
        send_all(p);
    switch (step->kind) {
    case STEP_SEND:
        if (step->substitute)
            add_substituted(p, &p->to_send, buf_str(&step->text));
        else
            buf_append_str(&p->to_send, buf_str(&step->text));
        return 0;
    case STEP_CLIENT_END:
        p->peer->shut(p->peer);
        return 0;
    case STEP_TIMEOUT:
        if (p->peer->timeout)
            p->peer->timeout(p->peer);
        return 0;
    case STEP_SERVER_END:
        return expect_end(p);
    default:
        return expect_line(p);
    }
}

/* Nothing more may come; only a machine can be asked that without waiting. */
static int expect_silence(struct play *p)
{
    struct str line;
    send_all(p);
    if (!p->peer->timeout || p->peer->read_line(p->peer, &line) != 1)
        return 0;
    return failed(p, "after the last line", line);
}

int script_play(const struct script *s, struct dialogue_peer *peer, enum segments segments, uint32_t seed,
                struct err_buf *eb)
{
    struct play p = {.script = s, .peer = peer, .segments = segments, .random = seed, .eb = eb};
    int rc = 0;
    buf_init(&p.to_send, SEND_BUFFER_MAX);
    for (size_t i = 0; i < s->step_count && rc == 0; i++) {
        p.step = &s->steps[i];
        rc = take_step(&p);
    }
    if (rc == 0 && s->step_count > 0)
        rc = expect_silence(&p);
    for (size_t i = 0; i < GROUPS_MAX; i++)
        free(p.groups[i]);
    buf_fini(&p.to_send);
    return rc;
}
