/* FETCH's data items and body sections (RFC 3501 6.4.5). Pure. */
#ifndef HOLDFAST_WIRE_IMAP_FETCH_H
#define HOLDFAST_WIRE_IMAP_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/imap_parse.h"

#define IMAP_FETCH_ITEMS_MAX    64 /* a real client asks for about ten */
#define IMAP_SECTION_DEPTH_MAX  32 /* deeper than mime_parser goes */
#define IMAP_SECTION_FIELDS_MAX 256

enum imap_fetch_kind {
    IMAP_FETCH_FLAGS,
    IMAP_FETCH_UID,
    IMAP_FETCH_INTERNALDATE,
    IMAP_FETCH_SIZE,
    IMAP_FETCH_ENVELOPE,
    IMAP_FETCH_BODY, /* structure without extension data */
    IMAP_FETCH_BODYSTRUCTURE,
    IMAP_FETCH_SECTION,
};

enum imap_section_text {
    IMAP_SECTION_ALL,
    IMAP_SECTION_HEADER,
    IMAP_SECTION_FIELDS,
    IMAP_SECTION_FIELDS_NOT,
    IMAP_SECTION_TEXT,
    IMAP_SECTION_MIME,
};

struct imap_section {
    uint32_t path[IMAP_SECTION_DEPTH_MAX]; /* part numbers, from 1 */
    size_t path_len;
    enum imap_section_text text;
    struct str *fields; /* in the command's arena */
    size_t field_count;
};

struct imap_fetch_item {
    enum imap_fetch_kind kind;
    struct imap_section section; /* IMAP_FETCH_SECTION */
    bool peek;                   /* does not set \Seen */
    bool partial;
    uint64_t offset, length; /* when partial */
    const char *alias;       /* answered under this name (RFC822.TEXT); NULL: as BODY[...] */
};

struct imap_fetch_items {
    struct imap_fetch_item *items;
    size_t count;
};

/* One item, a list in parentheses, or a macro (ALL, FAST, FULL). */
int imap_parse_fetch_items(struct imap_cursor *c, struct imap_fetch_items *ret_items) MUST_USE;
/* The item's name in the response: `BODY[1.HEADER.FIELDS (From)]<0>`. */
void imap_write_fetch_name(struct buf *out, const struct imap_fetch_item *item);
bool imap_section_wants_field(const struct imap_section *section, struct str field);

#endif
