/* The page's answers: (method, path) -> reply. No I/O and no library of HTTP in
 * it; the time is passed in.
 *
 *   /               the page; its files beside it
 *   /api/v1/status  the JSON object of `holdfast status --json`
 *   /api/v1/events  the newest events; ?after=NUMBER what follows one, ?limit=N that many (web/events.h)
 *   /metrics        Prometheus' text format 0.0.4
 *   /healthz        200 "ok" while the store answers, else 503
 *
 * All read-only: GET and HEAD. Threads: any; a reply belongs to one. */
#ifndef HOLDFAST_WEB_PAGES_H
#define HOLDFAST_WEB_PAGES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/str.h"
#include "base/time.h"
#include "web/board.h"

struct pages {
    struct board *board;
    int64_t stale_ms;             /* a notice older than this: the store does not answer */
    _Atomic uint64_t requests;    /* answered, of any kind */
    _Atomic uint64_t bad_methods; /* refused with 405 */
    _Atomic uint64_t not_found;   /* refused with 404 */
};

struct page_reply {
    unsigned status;            /* HTTP's */
    const char *type;           /* media type; static */
    const char *cache;          /* Cache-Control; static */
    struct str body;            /* valid until page_reply_fini */
    int64_t age_s;              /* since the store was read, for Age (RFC 9111 5.1); -1: not said */
    struct board *board;        /* of the notice */
    const struct notice *shown; /* that body is of, or NULL */
    char *made;                 /* body that was made for this reply, or NULL */
};

/* Of the address; ptr NULL: not there. */
struct page_query {
    struct str after, limit;
};

void pages_init(struct pages *p, struct board *board, int64_t stale_ms);
/* method, path (without its query) and query as the client sent them. */
void pages_answer(struct pages *p, struct str method, struct str path, const struct page_query *query,
                  struct mono_time now, struct page_reply *ret_reply);
void page_reply_fini(struct page_reply *r);

#endif
