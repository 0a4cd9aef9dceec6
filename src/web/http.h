/* The HTTP server of one listening socket: libmicrohttpd with one thread of its
 * own, which reads pages and never touches the loop but for its clock. Bounded
 * in connections, memory for each and idle time. */
#ifndef HOLDFAST_WEB_HTTP_H
#define HOLDFAST_WEB_HTTP_H

#include "base/err.h"
#include "loop/loop.h"
#include "web/pages.h"

struct http;

/* Takes fd, bound, also on failure; l and pages must outlive it. ERR_BUSY (the address is
 * taken since), ERR_IO. */
int http_start(struct loop *l, struct pages *pages, int fd, struct http **ret_http,
               struct err_buf *eb) MUST_USE;
/* Cuts what is under way and waits for the thread, which waits for nothing. NULL is allowed. */
void http_stop(struct http *h);

#endif
