#include "web/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/mem.h"

#define BACKLOG         64
#define CONNECTIONS_MAX 64 /* people with a browser, a scraper or two */
#define CONNECTION_MEMORY_BYTES                                                                              \
    (32 << 10)            /* request line and headers, and what a response is sent through                   \
                           */
#define IDLE_TIMEOUT_S 15 /* many times the page's interval of one second */

/* All that the page needs is its own. */
#define CONTENT_POLICY                                                                                       \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "          \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct http {
    struct loop *loop;
    struct pages *pages;
    struct MHD_Daemon *daemon;
};

static void free_reply(void *arg)
{
    struct page_reply *r = arg;
    page_reply_fini(r);
    free(r);
}

static void add_headers(struct MHD_Response *response, const struct page_reply *r)
{
    char age[32];
    MHD_add_response_header(response, "Content-Type", r->type);
    MHD_add_response_header(response, "Cache-Control", r->cache);
    MHD_add_response_header(response, "Content-Security-Policy", CONTENT_POLICY);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    if (r->age_s >= 0) {
        snprintf(age, sizeof(age), "%lld", (long long)r->age_s);
        MHD_add_response_header(response, "Age", age);
    }
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct page_reply *r)
{
    void *body = (void *)(uintptr_t)r->body.ptr; /* it only reads */
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(r->body.len, body, free_reply, r);
    if (!response) {
        free_reply(r);
        return MHD_NO;
    }
    unsigned status = r->status; /* r may be gone with the response */
    add_headers(response, r);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static struct str query_value(struct MHD_Connection *connection, const char *name)
{
    const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return text ? str_from(text) : (struct str){NULL, 0};
}

/* Called with the headers first, then for each piece of a body, then at the
 * request's end. MHD_NO cuts the connection. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **seen)
{
    struct http *h = arg;
    (void)version, (void)upload;
    bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (*upload_bytes > 0)
        return MHD_NO;
    if (reads && !*seen) {
        *seen = h;
        return MHD_YES;
    }
    struct page_reply *r = mem_zalloc(sizeof(*r));
    const struct page_query query = {query_value(connection, "after"), query_value(connection, "limit")};
    pages_answer(h->pages, str_from(method), str_from(path), &query, loop_now(h->loop), r);
    return send_reply(connection, r);
}

int http_start(struct loop *l, struct pages *pages, int fd, struct http **ret_http, struct err_buf *eb)
{
    if (listen(fd, BACKLOG) != 0) {
        int err = err_set(eb, err_from_errno(errno), "cannot listen: %s", strerror(errno));
        close(fd);
        return err;
    }
    struct http *h = mem_zalloc(sizeof(*h));
    h->loop = l;
    h->pages = pages;
    h->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL,
                                 on_request, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!h->daemon) {
        free(h);
        return err_set(eb, ERR_IO, "the HTTP server cannot be started");
    }
    *ret_http = h;
    return 0;
}

void http_stop(struct http *h)
{
    if (!h)
        return;
    MHD_stop_daemon(h->daemon);
    free(h);
}
