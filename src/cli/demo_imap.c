#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/demo_message.h"
#include "cli/demo_reader.h"

#define RESPONSE_MAX (1u << 20) /* a message of ours and its framing, many times over */

typedef void on_untagged(void *arg, struct str response);

void demo_seen_list_add(struct demo_seen_list *list, const struct ledger_seen *seen)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 256;
        list->items = mem_reallocarray(list->items, list->capacity, sizeof(*list->items));
    }
    list->items[list->count++] = *seen;
}

void demo_seen_list_fini(struct demo_seen_list *list)
{
    free(list->items);
    *list = (struct demo_seen_list){0};
}

/* The number of a literal announced at a line's end: "{123}". */
static bool literal_at_end(struct str line, size_t *ret_len)
{
    const char *open = line.ptr ? memrchr(line.ptr, '{', line.len) : NULL;
    uint64_t len;
    if (!open || !str_ends(line, STR("}")))
        return false;
    size_t at = (size_t)(open - line.ptr) + 1;
    if (str_to_u64(str_sub(line, at, line.len - at - 1), RESPONSE_MAX, &len) < 0)
        return false;
    *ret_len = (size_t)len;
    return true;
}

/* One response whole, its literals in place. */
static int read_response(struct demo_link *l, struct buf *out)
{
    struct str line;
    size_t len;
    buf_clear(out);
    for (;;) {
        int rc = demo_link_line(l, &line);
        if (rc < 0)
            return rc;
        bool goes_on = literal_at_end(line, &len);
        buf_append_str(out, line);
        if (!goes_on)
            return out->overflow ? ERR_LIMIT : 0;
        buf_append_text(out, "\r\n");
        rc = demo_link_bytes(l, len, out);
        if (rc < 0)
            return rc;
    }
}

/* Reads up to the tagged response. ERR_REFUSED when that is not OK; its text
 * stays in out. */
static int read_answers(struct demo_imap *im, struct buf *out, on_untagged *untagged, void *arg)
{
    char tag[16];
    snprintf(tag, sizeof(tag), "d%u ", im->tag);
    for (;;) {
        int rc = read_response(&im->link, out);
        if (rc < 0)
            return rc;
        if (str_starts(buf_str(out), str_from(tag)))
            break;
        if (untagged)
            untagged(arg, buf_str(out));
    }
    return str_istarts(str_sub(buf_str(out), strlen(tag), SIZE_MAX), STR("OK ")) ? 0 : ERR_REFUSED;
}

/* Sends a command and waits for its end. */
static int command(struct demo_imap *im, struct err_buf *eb, on_untagged *untagged, void *arg,
                   const char *text)
{
    struct buf out;
    buf_init(&out, RESPONSE_MAX);
    int rc = demo_link_sendf(&im->link, "d%u %s\r\n", ++im->tag, text);
    if (rc == 0)
        rc = read_answers(im, &out, untagged, arg);
    if (rc < 0) {
        struct str verb, rest = str_from(text);
        str_split(&rest, ' ', &verb);
        err_set(eb, rc, "IMAP %.*s: %s: %.*s", STR_ARG(verb), err_name(rc), STR_ARG(buf_str(&out)));
    }
    buf_fini(&out);
    return rc;
}

/* ---- responses ---- */

/* What stands between two texts; NULL ptr when it is not there. */
static struct str between(struct str s, const char *before, const char *after)
{
    const char *start = memmem(s.ptr, s.len, before, strlen(before));
    if (!start)
        return (struct str){NULL, 0};
    struct str rest = str_sub(s, (size_t)(start - s.ptr) + strlen(before), SIZE_MAX);
    const char *end = memmem(rest.ptr, rest.len, after, strlen(after));
    return end ? str_sub(rest, 0, (size_t)(end - rest.ptr)) : (struct str){NULL, 0};
}

bool demo_imap_fetched(struct str response, const char *run, struct ledger_seen *ret_seen)
{
    uint64_t uid = 0;
    struct str head = between(response, " FETCH (", "\r\n"); /* up to the literal */
    if (!str_starts(response, STR("* ")) || !head.ptr)
        return false;
    struct str flags = between(head, "FLAGS (", ")");
    struct str digits = between(head, "UID ", " ");
    demo_message_read(run, response, ret_seen);
    if (digits.ptr && str_to_u64(digits, UINT32_MAX, &uid) == 0)
        ret_seen->uid = (uint32_t)uid;
    ret_seen->flags_known = flags.ptr != NULL;
    ret_seen->flags = demo_message_flags(flags);
    return true;
}

static void on_select(void *arg, struct str response)
{
    struct demo_imap *im = arg;
    uint64_t exists;
    if (!str_starts(response, STR("* ")) || !str_iends(response, STR(" EXISTS")))
        return;
    struct str number = str_sub(response, 2, response.len - strlen("* ") - strlen(" EXISTS"));
    if (str_to_u64(number, UINT32_MAX, &exists) == 0)
        im->exists = (uint32_t)exists;
}

struct look {
    const char *run;
    struct demo_seen_list *list;
};

static void on_fetch(void *arg, struct str response)
{
    struct look *look = arg;
    struct ledger_seen seen;
    if (demo_imap_fetched(response, look->run, &seen))
        demo_seen_list_add(look->list, &seen);
}

/* ---- commands ---- */

static int greet(struct demo_imap *im, struct err_buf *eb)
{
    struct str line;
    int rc = demo_link_line(&im->link, &line);
    if (rc == 0 && !str_istarts(line, STR("* OK")))
        rc = ERR_REFUSED;
    if (rc < 0)
        return err_set(eb, rc, "no IMAP greeting: %s", err_name(rc));
    im->epoch = demo_link_epoch(line);
    return 0;
}

int demo_imap_open(struct demo_imap *im, const struct addr *at, const struct demo_login *login,
                   struct err_buf *eb)
{
    char text[512];
    *im = (struct demo_imap){.tag = 0};
    int rc = demo_link_open(&im->link, at, eb);
    if (rc < 0)
        return rc;
    rc = greet(im, eb);
    snprintf(text, sizeof(text), "LOGIN \"%s\" \"%s\"", login->user, login->password);
    if (rc == 0)
        rc = command(im, eb, NULL, NULL, text);
    if (rc == 0)
        rc = command(im, eb, on_select, im, "SELECT INBOX");
    if (rc < 0)
        demo_link_close(&im->link);
    return rc;
}

void demo_imap_close(struct demo_imap *im)
{
    (void)command(im, NULL, NULL, NULL, "LOGOUT"); /* a courtesy */
    demo_link_close(&im->link);
}

int demo_imap_look(struct demo_imap *im, const char *run, struct demo_seen_list *list, struct err_buf *eb)
{
    struct look look = {run, list};
    return im->exists == 0 ? 0 : command(im, eb, on_fetch, &look, "FETCH 1:* (UID FLAGS BODY.PEEK[])");
}

int demo_imap_flag(struct demo_imap *im, uint32_t uid, unsigned flags, struct err_buf *eb)
{
    char text[160], names[96];
    demo_message_flags_format(flags, names, sizeof(names));
    snprintf(text, sizeof(text), "UID STORE %u +FLAGS (%s)", uid, names);
    return command(im, eb, NULL, NULL, text);
}

int demo_imap_expunge(struct demo_imap *im, struct err_buf *eb)
{
    return command(im, eb, NULL, NULL, "EXPUNGE");
}

int demo_imap_greeting(const struct addr *at, int64_t *ret_epoch, struct err_buf *eb)
{
    struct demo_imap im = {.tag = 0};
    int rc = demo_link_open(&im.link, at, eb);
    if (rc < 0)
        return rc;
    rc = greet(&im, eb);
    if (rc == 0)
        *ret_epoch = im.epoch;
    demo_link_close(&im.link);
    return rc;
}
