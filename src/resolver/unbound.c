#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <idn2.h>
#include <unbound.h>

#include "base/mem.h"
#include "resolver/rdata.h"
#include "wire/dns.h"
#include "wire/dns_name.h"

/* libunbound asks again and elsewhere for as long as it is patient, minutes; mail can wait for another try.
 */
#define ANSWER_TIMEOUT_MS 30000

struct unbound {
    struct resolver base;
    struct loop *loop;
    struct ub_ctx *ctx;
    struct loop_watch *watch; /* its descriptor: answers are there */
    size_t asked;             /* under way */
};

struct question {
    struct resolver_question base;
    struct unbound *unbound;
    enum resolver_type type;
    void (*on_answer)(void *arg, const struct resolver_answer *answer);
    void *arg;
    int id;                      /* libunbound's */
    bool there;                  /* libunbound has it, and will call back */
    enum resolver_status status; /* without its answer, when the timer fires: what is told, and why */
    const char *detail;
    struct loop_timer *timer; /* its patience */
};

static void question_free(struct question *q)
{
    if (q->there)
        ub_cancel(q->unbound->ctx, q->id);
    loop_timer_free(q->timer);
    q->unbound->asked--;
    free(q);
}

static void tell(struct question *q, const struct resolver_answer *answer)
{
    void (*on_answer)(void *, const struct resolver_answer *) = q->on_answer;
    void *arg = q->arg;
    question_free(q);
    on_answer(arg, answer);
}

static void tell_failed(struct question *q, const char *detail)
{
    tell(q, &(struct resolver_answer){.status = RESOLVER_FAILED, .detail = detail});
}

/* ---- answers ---- */

struct records {
    struct resolver_mx mx[RESOLVER_RECORDS_MAX];
    struct addr addrs[RESOLVER_RECORDS_MAX];
    size_t count;
};

static void take_records(const struct question *q, const struct ub_result *result, struct records *to)
{
    for (size_t i = 0; result->data[i] && to->count < RESOLVER_RECORDS_MAX; i++) {
        struct str data = {result->data[i], (size_t)result->len[i]};
        int err = q->type == RESOLVER_MX ? rdata_parse_mx(data, &to->mx[to->count])
                                         : rdata_parse_addr(data, q->type, &to->addrs[to->count]);
        to->count += err == 0;
    }
}

static enum resolver_status status_of(const struct ub_result *result)
{
    if (result->bogus)
        return RESOLVER_FAILED;
    if (result->nxdomain)
        return RESOLVER_NO_NAME;
    if (result->rcode != DNS_NOERROR)
        return RESOLVER_FAILED;
    return result->havedata ? RESOLVER_FOUND : RESOLVER_NO_DATA;
}

static const char *detail_of(const struct ub_result *result)
{
    if (result->bogus)
        return result->why_bogus ? result->why_bogus : "the answer does not validate";
    return "the name servers do not answer";
}

static void take_result(struct question *q, const struct ub_result *result)
{
    struct records *records = mem_zalloc(sizeof(*records));
    struct resolver_answer answer = {.status = status_of(result), .detail = ""};
    if (answer.status == RESOLVER_FOUND)
        take_records(q, result, records);
    if (answer.status == RESOLVER_FAILED)
        answer.detail = detail_of(result);
    if (q->type == RESOLVER_MX) {
        answer.mx = records->mx;
        answer.mx_count = records->count;
    } else {
        answer.addrs = records->addrs;
        answer.addr_count = records->count;
    }
    tell(q, &answer);
    free(records);
}

/* On the loop's thread, from inside ub_process. */
static void on_result(void *arg, int err, struct ub_result *result)
{
    struct question *q = arg;
    q->there = false;
    if (err != 0)
        tell_failed(q, ub_strerror(err));
    else
        take_result(q, result);
    ub_resolve_free(result);
}

static void on_ready(void *arg, bool readable, bool writable)
{
    struct unbound *u = arg;
    (void)readable, (void)writable;
    (void)ub_process(u->ctx); /* an error is of one question, which its timer ends */
}

static void on_timer(void *arg)
{
    struct question *q = arg;
    tell(q, &(struct resolver_answer){.status = q->status, .detail = q->detail});
}

/* ---- questions ---- */

/* err: libunbound's, of taking the question. */
static void set_fallback(struct question *q, int err)
{
    q->there = err == 0;
    q->status = err == UB_SYNTAX ? RESOLVER_NO_NAME : RESOLVER_FAILED;
    q->detail = err == 0 ? "the name servers did not answer in time" : ub_strerror(err);
    loop_timer_start(q->timer, err == 0 ? ANSWER_TIMEOUT_MS : 0);
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 128)
        text++;
    return *text == '\0';
}

/* libunbound takes what is no name, and says later only that it failed. */
static int begin_ascii(struct question *q, const char *name, int rtype)
{
    struct dns_name checked;
    if (dns_name_from_text(str_from(name), &checked) < 0)
        return UB_SYNTAX;
    return ub_resolve_async(q->unbound->ctx, name, rtype, DNS_CLASS_IN, q, on_result, &q->id);
}

static int begin(struct question *q, const char *name, int rtype)
{
    char *ascii = NULL;
    if (is_ascii(name))
        return begin_ascii(q, name, rtype);
    /* An international name is asked for in its ASCII form (RFC 5891). */
    if (idn2_to_ascii_8z(name, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return UB_SYNTAX;
    int err = begin_ascii(q, ascii, rtype);
    idn2_free(ascii);
    return err;
}

static struct resolver_question *
unbound_ask(struct resolver *r, enum resolver_type type, const char *name,
            void (*on_answer)(void *arg, const struct resolver_answer *answer), void *arg)
{
    static const int types[] = {
        [RESOLVER_MX] = DNS_TYPE_MX, [RESOLVER_A] = DNS_TYPE_A, [RESOLVER_AAAA] = DNS_TYPE_AAAA};
    struct unbound *u = CONTAINER_OF(r, struct unbound, base);
    struct question *q = mem_zalloc(sizeof(*q));
    q->base.ops = r->ops;
    q->unbound = u;
    q->type = type;
    q->on_answer = on_answer;
    q->arg = arg;
    q->timer = loop_timer_new(u->loop, on_timer, q);
    u->asked++;
    set_fallback(q, begin(q, name, types[type]));
    return &q->base;
}

static void unbound_cancel(struct resolver_question *base)
{
    question_free(CONTAINER_OF(base, struct question, base));
}

/* ---- life ---- */

static void unbound_free(struct resolver *r)
{
    struct unbound *u = CONTAINER_OF(r, struct unbound, base);
    CHECK(u->asked == 0);
    loop_watch_free(u->watch);
    ub_ctx_delete(u->ctx);
    free(u);
}

static const struct resolver_ops unbound_ops = {
    .ask = unbound_ask, .cancel = unbound_cancel, .free = unbound_free};

static int add_forwarder(struct ub_ctx *ctx, const struct addr *a)
{
    char ip[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];
    addr_format_ip(a, ip);
    snprintf(text, sizeof(text), "%s@%u", ip, addr_port(a));
    return ub_ctx_set_fwd(ctx, text);
}

static int configure(struct ub_ctx *ctx, const struct resolver_options *o)
{
    int err = ub_ctx_async(ctx, 1); /* threads, not processes */
    if (err == 0)                   /* a recursive server of this machine is the usual one */
        err = ub_ctx_set_option(ctx, "do-not-query-localhost:", "no");
    for (size_t i = 0; err == 0 && i < o->forwarder_count; i++)
        err = add_forwarder(ctx, &o->forwarders[i]);
    if (err == 0 && o->forwarder_count == 0)
        err = ub_ctx_resolvconf(ctx, NULL);
    if (err == 0 && o->trust_anchor[0])
        err = ub_ctx_add_ta_file(ctx, o->trust_anchor);
    return err;
}

int resolver_unbound_new(struct loop *l, const struct resolver_options *options,
                         struct resolver **ret_resolver, struct err_buf *eb)
{
    struct unbound *u = mem_zalloc(sizeof(*u));
    u->base.ops = &unbound_ops;
    u->loop = l;
    u->ctx = ub_ctx_create();
    int err = u->ctx ? configure(u->ctx, options) : UB_NOMEM;
    if (err != 0) {
        if (u->ctx)
            ub_ctx_delete(u->ctx);
        free(u);
        return err_set(eb, ERR_INVALID, "resolver: %s", ub_strerror(err));
    }
    u->watch = loop_watch_new(l, ub_fd(u->ctx), on_ready, u);
    loop_watch_set(u->watch, true, false);
    *ret_resolver = &u->base;
    return 0;
}
