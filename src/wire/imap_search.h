/* SEARCH's program (RFC 3501 6.4.4) as a tree. Pure. */
#ifndef HOLDFAST_WIRE_IMAP_SEARCH_H
#define HOLDFAST_WIRE_IMAP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/imap_parse.h"

#define IMAP_SEARCH_DEPTH_MAX 32 /* of parentheses, NOT and OR */
#define IMAP_SEARCH_TEXTS_MAX 64 /* keys that need the message's text */

enum imap_search_op {
    IMAP_SEARCH_ALL,
    IMAP_SEARCH_AND, /* its children */
    IMAP_SEARCH_OR,
    IMAP_SEARCH_NOT,
    IMAP_SEARCH_SET, /* sequence numbers */
    IMAP_SEARCH_UID,
    IMAP_SEARCH_FLAG, /* has all of `flags` */
    IMAP_SEARCH_RECENT,
    IMAP_SEARCH_KEYWORD, /* text */
    IMAP_SEARCH_BEFORE,  /* internal date, days */
    IMAP_SEARCH_ON,
    IMAP_SEARCH_SINCE,
    IMAP_SEARCH_LARGER, /* number */
    IMAP_SEARCH_SMALLER,
    IMAP_SEARCH_SENTBEFORE, /* from here on the message's text is needed */
    IMAP_SEARCH_SENTON,
    IMAP_SEARCH_SENTSINCE,
    IMAP_SEARCH_HEADER, /* field and text */
    IMAP_SEARCH_BODY,
    IMAP_SEARCH_TEXT,
};

struct imap_search {
    enum imap_search_op op;
    struct imap_search *child, *next;
    struct imap_set set;
    uint32_t flags;
    struct str field, text; /* text: case folded UTF-8 */
    int64_t days;
    uint64_t number;
    size_t text_index; /* of those that need the message's text: 0, 1, ... */
};

struct imap_search_program {
    struct imap_search *root; /* IMAP_SEARCH_AND */
    size_t text_count;        /* nodes with a text_index */
    bool needs_body;          /* BODY or TEXT is among them */
};

/* To the end of the command. ERR_UNSUPPORTED: a charset other than UTF-8 and
 * US-ASCII ([BADCHARSET]). */
int imap_parse_search(struct imap_cursor *c, struct imap_search_program *ret_program) MUST_USE;

#endif
