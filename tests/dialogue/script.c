/* Reading scripts. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "dialogue/dialogue.h"

#define SEND_MAX (64 << 20)

const char *dialogue_option(const struct dialogue_options *o, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < o->count; i++)
        if (strncmp(o->items[i], key, len) == 0 && o->items[i][len] == '=')
            return o->items[i] + len + 1;
    return NULL;
}

static struct step *add_step(struct script *s, enum step_kind kind, int line_number)
{
    s->steps = mem_reallocarray(s->steps, s->step_count + 1, sizeof(*s->steps));
    struct step *step = &s->steps[s->step_count++];
    *step = (struct step){.kind = kind, .line_number = line_number};
    buf_init(&step->text, SEND_MAX);
    return step;
}

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return ascii_isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends one escaped character, moves *at behind it. */
static int unescape_one(struct buf *out, struct str text, size_t *at)
{
    static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
    char c = *at < text.len ? text.ptr[(*at)++] : '\0';
    const char *name = c ? strchr(names, c) : NULL;
    if (name) {
        buf_append_char(out, values[name - names]);
        return 0;
    }
    if (c != 'x' || text.len - *at < 2 || hex_digit(text.ptr[*at]) < 0 || hex_digit(text.ptr[*at + 1]) < 0)
        return ERR_SYNTAX;
    buf_append_char(out, (char)(hex_digit(text.ptr[*at]) * 16 + hex_digit(text.ptr[*at + 1])));
    *at += 2;
    return 0;
}

static int unescape(struct buf *out, struct str text)
{
    for (size_t at = 0; at < text.len;) {
        char c = text.ptr[at++];
        if (c != '\\')
            buf_append_char(out, c);
        else if (unescape_one(out, text, &at) != 0)
            return ERR_SYNTAX;
    }
    return 0;
}

static int parse_repeat(struct buf *out, struct str rest)
{
    struct str count_text;
    struct buf one;
    uint64_t count;
    str_split(&rest, ' ', &count_text);
    if (str_to_u64(count_text, SEND_MAX, &count) != 0)
        return ERR_SYNTAX;
    buf_init(&one, SEND_MAX);
    int rc = unescape(&one, rest);
    for (uint64_t i = 0; rc == 0 && i < count; i++)
        rc = buf_append_str(out, buf_str(&one));
    buf_fini(&one);
    return rc;
}

static int parse_option(struct script *s, struct str rest)
{
    if (str_find(rest, '=', 0) == SIZE_MAX || s->options.count == DIALOGUE_OPTIONS_MAX)
        return ERR_SYNTAX;
    s->options.items[s->options.count++] = str_dup(rest);
    return 0;
}

/* "machine: why". */
static int parse_only(struct script *s, struct str rest)
{
    struct str why = STR("machine: ");
    s->only_machine = true;
    return str_starts(rest, why) && rest.len > why.len ? 0 : ERR_SYNTAX;
}

static int parse_send_line(struct script *s, struct str rest, int number)
{
    struct step *step = add_step(s, STEP_SEND, number);
    step->substitute = true;
    buf_append_str(&step->text, rest);
    buf_append_text(&step->text, "\r\n");
    return 0;
}

/* Without the blank that follows the keyword. */
static bool take(struct str *line, const char *keyword)
{
    struct str k = str_from(keyword);
    if (!str_starts(*line, k) || (line->len > k.len && line->ptr[k.len] != ' '))
        return false;
    *line = str_sub(*line, k.len + 1, line->len);
    return true;
}

static int parse_line(struct script *s, struct str line, int number)
{
    static const struct {
        const char *keyword;
        enum step_kind kind;
        bool has_text;
    } steps[] = {
        {"C-end", STEP_CLIENT_END, false}, {"S:", STEP_LINE, true},
        {"S~", STEP_REGEX, true},          {"S...", STEP_SKIP, true},
        {"S-end", STEP_SERVER_END, false}, {"timeout", STEP_TIMEOUT, false},
    };
    if (line.len == 0 || line.ptr[0] == '#')
        return 0;
    if (take(&line, "C:"))
        return parse_send_line(s, line, number);
    if (take(&line, "C-raw:"))
        return unescape(&add_step(s, STEP_SEND, number)->text, line);
    if (take(&line, "C-repeat:"))
        return parse_repeat(&add_step(s, STEP_SEND, number)->text, line);
    if (take(&line, "option:"))
        return parse_option(s, line);
    if (take(&line, "only:"))
        return parse_only(s, line);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (take(&line, steps[i].keyword)) {
            buf_append_str(&add_step(s, steps[i].kind, number)->text, line);
            return steps[i].has_text || line.len == 0 ? 0 : ERR_SYNTAX;
        }
    }
    return ERR_SYNTAX;
}

int script_read(const char *path, struct script **ret_script, struct err_buf *eb)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    int rc = 0, number = 0;
    if (!file)
        return err_set(eb, err_from_errno(errno), "%s: %s", path, strerror(errno));
    struct script *s = mem_zalloc(sizeof(*s));
    s->path = mem_strdup(path);
    while (rc == 0 && (len = getline(&line, &capacity, file)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            len--;
        rc = parse_line(s, (struct str){line, (size_t)len}, ++number);
    }
    if (rc != 0)
        err_set(eb, rc, "%s:%d: no line of a script: %.*s", path, number, (int)len, line);
    free(line);
    fclose(file);
    if (rc == 0)
        *ret_script = s;
    else
        script_free(s);
    return rc;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->options.count; i++)
        free(s->options.items[i]);
    for (size_t i = 0; i < s->step_count; i++)
        buf_fini(&s->steps[i].text);
    free(s->steps);
    free(s->path);
    free(s);
}
