#include "dns/server.h"

#include <unistd.h>

#include "base/mem.h"
#include "dns/server_tcp.h"
#include "dns/server_udp.h"

#define DEFAULT_THREADS_MAX 8 /* beyond, the network's queues are what holds back */

struct dns_server {
    struct dns_udp *udp;
    struct dns_tcp *tcp;
    bool started;
    struct dns_current current;
};

static size_t thread_count(int64_t wanted)
{
    int64_t max = wanted > 0 ? DNS_READERS_MAX : DEFAULT_THREADS_MAX;
    int64_t count = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    if (count > max)
        count = max;
    return count > 0 ? (size_t)count : 1;
}

/* UDP goes where TCP was bound: when port 0 was asked for, both get the same. */
static int open_udp(struct dns_server *s, size_t count, int64_t udp_threads, struct err_buf *eb)
{
    struct addr *addrs = mem_calloc(count + 1, sizeof(*addrs));
    for (size_t i = 0; i < count; i++)
        dns_tcp_local(s->tcp, i, &addrs[i]);
    int err = dns_udp_open(addrs, count, thread_count(udp_threads), &s->udp, eb);
    free(addrs);
    return err;
}

int dns_server_open(const struct config_listen *listen, int64_t udp_threads, struct dns_server **ret_server,
                    struct err_buf *eb)
{
    struct dns_server *s = mem_zalloc(sizeof(*s));
    int err = dns_tcp_open(listen->addrs, listen->count, &s->tcp, eb);
    if (err == 0)
        err = open_udp(s, listen->count, udp_threads, eb);
    if (err < 0) {
        dns_server_free(s);
        return err;
    }
    *ret_server = s;
    return 0;
}

int dns_server_start(struct dns_server *s, struct loop *l, struct dns_snapshot *first, struct err_buf *eb)
{
    CHECK(!s->started);
    dns_current_init(&s->current, first);
    s->started = true;
    int err = dns_tcp_start(s->tcp, l, &s->current, eb);
    return err == 0 ? dns_udp_start(s->udp, &s->current, eb) : err;
}

void dns_server_publish(struct dns_server *s, struct dns_snapshot *next)
{
    CHECK(s->started);
    dns_current_publish(&s->current, next);
}

void dns_server_local(const struct dns_server *s, size_t index, struct addr *ret_addr)
{
    dns_tcp_local(s->tcp, index, ret_addr);
}

void dns_server_free(struct dns_server *s)
{
    if (s == NULL)
        return;
    dns_tcp_free(s->tcp);
    dns_udp_free(s->udp);
    if (s->started)
        dns_current_fini(&s->current);
    free(s);
}
