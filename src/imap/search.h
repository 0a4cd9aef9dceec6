/* The run of one SEARCH: cmd_search.c goes from message to message,
 * search_eval.c judges one by what is known of it, search_text.c looks into its
 * text, as far as that is still needed. */
#ifndef HOLDFAST_IMAP_SEARCH_H
#define HOLDFAST_IMAP_SEARCH_H

#include "imap/source.h"
#include "wire/imap_search.h"
#include "wire/mime_decode.h"
#include "wire/mime_text.h"

enum search_answer { SEARCH_NO, SEARCH_YES, SEARCH_UNKNOWN };

/* One key that needs the text; Knuth, Morris and Pratt's matcher, so that the
 * text may come in pieces. */
struct search_key {
    const struct imap_search *node;
    uint32_t *failure; /* of node->text */
    size_t at;
    bool found;
};

struct search_text {
    struct search_key *keys; /* by text_index; in the command's arena */
    size_t key_count;
    struct arena arena; /* of the message's structure */
    struct mime_parser parser;
    bool active;
    bool header_over, over;       /* then what was not found is not there */
    const struct mime_part *part; /* whose body is being read */
    struct mime_decoder decoder;
    struct mime_text text;
    struct buf decoded, folded;
};

/* ERR_LIMIT: the command's arena is full. */
int search_text_init(struct search_text *t, struct arena *arena,
                     const struct imap_search_program *program) MUST_USE;
void search_text_fini(struct search_text *t);
void search_text_forget(struct search_text *t);                /* of the next message nothing is known */
void search_text_begin(struct search_text *t);                 /* its bytes will follow */
void search_text_feed(struct search_text *t, struct str data); /* empty: its end */

/* Resolves the sets in the tree. ERR_SYNTAX: a sequence number that is not there. */
int search_resolve(struct imap_search *node, const struct imap_view *v) MUST_USE;
enum search_answer search_eval(const struct imap_search *node, const struct imap_view *v, size_t index,
                               const struct search_text *t);

#endif
