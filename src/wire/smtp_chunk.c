#include "wire/smtp_chunk.h"

#include <string.h>

#include "base/err.h"

void smtp_chunk_init(struct smtp_chunk *c, bool lenient)
{
    *c = (struct smtp_chunk){.line_end = true, .lenient = lenient};
}

/* Lines whose ends are CRLF; whatever else has a CR or LF makes it bare. */
static void look_for_bare(struct smtp_chunk *c, const char *at, const char *end)
{
    if (c->cr && *at != '\n')
        c->bare = true;
    while (at < end && !c->bare) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = lf ? lf : end;
        const char *cr = memchr(at, '\r', (size_t)(line_end - at));
        if (lf && lf == at)
            c->bare = !c->cr; /* its CR was in the piece before */
        else if (lf)
            c->bare = cr != lf - 1;
        else
            c->bare = cr && cr != end - 1;
        c->cr = false;
        at = lf ? lf + 1 : end;
    }
    c->line_end = end[-1] == '\n';
    c->cr = end[-1] == '\r';
}

static void look_at_octets(struct smtp_chunk *c, struct str piece)
{
    unsigned char all = 0;
    for (size_t i = 0; i < piece.len; i++)
        all |= (unsigned char)piece.ptr[i];
    c->eight_bit = c->eight_bit || all > 127;
    c->nul = c->nul || memchr(piece.ptr, '\0', piece.len);
}

void smtp_chunk_feed(struct smtp_chunk *c, struct str piece)
{
    if (piece.len == 0)
        return;
    look_at_octets(c, piece);
    if (!c->lenient)
        look_for_bare(c, piece.ptr, piece.ptr + piece.len);
}

void smtp_chunk_end(struct smtp_chunk *c)
{
    c->bare = c->bare || c->cr;
}

int smtp_chunk_args_parse(struct str args, uint64_t *ret_size_bytes, bool *ret_last)
{
    struct str rest = args, number;
    uint64_t size;
    if (!str_split(&rest, ' ', &number) || number.len > 20)
        return ERR_SYNTAX;
    rest = str_trim(rest);
    if (rest.len > 0 && !str_ieq(rest, STR("LAST")))
        return ERR_SYNTAX;
    int rc = str_to_u64(number, UINT64_MAX, &size);
    if (rc != 0)
        return rc;
    *ret_size_bytes = size;
    *ret_last = rest.len > 0;
    return 0;
}
