/* The structure of a message (RFC 5322, RFC 2045, RFC 2046) with the offset of
 * every part, found in one pass over its bytes: IMAP gives back the exact bytes
 * of a part, and never holds a message in memory. Pure: no I/O. Used by the
 * IMAP session (FETCH and SEARCH). The tree lives in the caller's arena.
 *
 * Any bytes are a message: what is malformed becomes a leaf, what is over a
 * bound (depth, count, length of a field, the arena) is left out of the tree,
 * but its bytes stay in the part that encloses it. */
#ifndef HOLDFAST_WIRE_MIME_H
#define HOLDFAST_WIRE_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define MIME_DEPTH_MAX          24 /* real mail stays below ten */
#define MIME_PARTS_MAX          1000
#define MIME_FIELD_MAX_BYTES    65536 /* of one unfolded header field; the rest is not looked at */
#define MIME_BOUNDARY_MAX_BYTES 200   /* RFC 2046 5.1.1 has 70; some senders do not keep to it */

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

struct mime_param {
    struct str name, value;
    struct mime_param *next;
};

/* The fields of ENVELOPE, unfolded, else as they are; ptr NULL: absent. */
struct mime_envelope {
    struct str date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id;
};

struct mime_part {
    enum mime_kind kind;
    struct mime_part *parent, *first, *last, *next; /* a MIME_MESSAGE has one child: the message */
    uint64_t header_offset; /* the header, its empty line too, is [header_offset, body_offset) */
    uint64_t body_offset;   /* the body is [body_offset, end_offset) */
    uint64_t end_offset;
    uint64_t lines;           /* of the body */
    struct str type, subtype; /* as written; ptr NULL: none, the default holds */
    struct mime_param *params;
    struct str id, description, encoding, md5, disposition, language, location; /* ptr NULL: absent */
    struct mime_param *disposition_params;
    struct mime_envelope *envelope; /* of a message: the root, a MIME_MESSAGE's child; else NULL */
    struct str boundary;            /* MIME_MULTIPART */
    uint64_t lines_before;          /* the parser's own */
    unsigned depth;
    bool closed, digest_child;
};

/* Called while the parser runs; each may be NULL. Views are valid in the call. */
struct mime_sink {
    void *arg;
    /* A header field, its value unfolded and trimmed. */
    void (*on_field)(void *arg, const struct mime_part *part, struct str name, struct str value);
    /* A piece of a leaf's body; the last line end may belong to a boundary. */
    void (*on_body)(void *arg, const struct mime_part *part, struct str data);
};

struct mime_parser {
    struct arena *arena;
    struct mime_sink sink;
    struct mime_part *root, *current;
    size_t part_count;
    bool in_header;
    bool header_done; /* the root's header is complete */
    uint64_t offset;  /* of the next byte */
    uint64_t line_start, lines;
    unsigned last_eol; /* bytes of the line end before line_start: 0, 1, 2 */
    bool last_blank; /* the line before line_start is empty: only a line end, no line of a part that it is not
                        in */
    bool line_held;  /* the line so far is in `line`: it may be a boundary or a field */
    char last_byte;
    struct buf line, field;
};

/* sink may be NULL. The parser owns buffers: fini. The tree stays. */
void mime_parser_init(struct mime_parser *p, struct arena *arena, const struct mime_sink *sink);
void mime_parser_fini(struct mime_parser *p);
void mime_parser_feed(struct mime_parser *p, struct str data);
/* No more bytes. The root; NULL only when the arena had no room for it. */
const struct mime_part *mime_parser_finish(struct mime_parser *p);

/* The part that IMAP's section numbers name (RFC 3501 6.4.5), NULL when there
 * is none; the root for an empty path. */
const struct mime_part *mime_part_find(const struct mime_part *root, const uint32_t *path, size_t path_len);

/* Is it of this type ("text", "plain"; subtype NULL: any), defaults applied? */
bool mime_part_is(const struct mime_part *part, const char *type, const char *subtype);
struct str mime_param_find(const struct mime_param *params, const char *name); /* ptr NULL: none */

#endif
