#include "relay/asker.h"

#include "base/mem.h"
#include "smtp/client_connection.h"

#define CONNECT_TIMEOUT_MS 5000  /* as deliveries */
#define IDLE_MS            30000 /* a kept session saves a greeting; servers wait for minutes */
#define QUESTIONS_MAX      100   /* in a session: some servers count RSET (Sendmail slows down after 200) */

struct session {
    struct list node;
    struct asker *asker;
    struct smtp_client_connection *connection;
    struct smtp_client *client;
    struct loop_timer *idle;
    struct asker_question *question; /* under way, or NULL */
    struct str address;              /* its: the client keeps a pointer */
    int asked, refused;
    bool ready; /* it was, at least once */
    bool ending;
};

struct asker {
    struct loop *loop;
    const struct smtp_client_options *options;
    struct addr to;
    struct list sessions, waiting;
    size_t session_count, waiting_count;
    struct loop_timer *timer; /* looks what is to be done, outside of all callbacks */
};

static void push(struct asker *a, struct asker_question *q, bool first)
{
    if (first)
        list_prepend(&a->waiting, &q->node);
    else
        list_append(&a->waiting, &q->node);
    a->waiting_count++;
    loop_timer_start(a->timer, 0);
}

static struct asker_question *pop(struct asker *a)
{
    if (list_empty(&a->waiting))
        return NULL;
    struct asker_question *q = LIST_ENTRY(a->waiting.next, struct asker_question, node);
    list_remove(&q->node);
    a->waiting_count--;
    return q;
}

/* ---- a session ---- */

static bool can_ask(const struct session *s)
{
    return s->ready && !s->ending && !s->question && smtp_client_is_ready(s->client);
}

static void ask_next(struct session *s)
{
    if (s->asked >= QUESTIONS_MAX || s->refused >= ASKER_REFUSALS_MAX) {
        s->ending = true;
        smtp_client_quit(s->client);
        return;
    }
    s->question = pop(s->asker);
    if (!s->question) {
        loop_timer_start(s->idle, IDLE_MS);
        return;
    }
    loop_timer_stop(s->idle);
    s->asked++;
    s->address = str_from(s->question->address);
    struct smtp_client_message message = {.reverse_path = STR_EMPTY,
                                          .recipients = &s->address,
                                          .recipient_count = 1,
                                          .question = true,
                                          .smtputf8 = !str_is_ascii(s->address)};
    smtp_client_send(s->client, &message);
}

static void on_idle(void *arg)
{
    struct session *s = arg;
    s->ending = true;
    smtp_client_quit(s->client);
}

static void on_ready(void *arg)
{
    struct session *s = arg;
    s->ready = true;
    ask_next(s);
}

/* A session that was kept may have been closed by the server just then: that says nothing about the server.
 */
static bool ask_again(const struct session *s, const struct smtp_client_result *result)
{
    bool lost = result->outcome == SMTP_OUTCOME_LOST || result->outcome == SMTP_OUTCOME_UNSENT;
    return lost && s->asked > 1 && !s->question->again;
}

static enum asker_outcome outcome_of(const struct smtp_client_result *result)
{
    if (result->reply.code == 0)
        return ASKER_NO_REPLY;
    return result->stage == SMTP_STAGE_RCPT && result->reply.code != 421 ? ASKER_ANSWERED : ASKER_TROUBLE;
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *result)
{
    struct session *s = arg;
    struct asker_question *q = s->question;
    (void)index;
    s->refused += smtp_reply_class(&result->reply) >= 4;
    if (ask_again(s, result)) {
        q->again = true;
        s->question = NULL;
        push(s->asker, q, true);
        return;
    }
    s->question = NULL;
    q->on_answer(q, outcome_of(result), &result->reply);
}

static void on_done(void *arg)
{
    struct session *s = arg;
    if (can_ask(s))
        ask_next(s);
}

static void session_free(struct session *s)
{
    smtp_client_connection_free(s->connection);
    loop_timer_free(s->idle);
    list_remove(&s->node);
    s->asker->session_count--;
    free(s);
}

static bool any_ready(const struct asker *a)
{
    LIST_FOREACH (it, &a->sessions)
        if (LIST_ENTRY(it, struct session, node)->ready)
            return true;
    return false;
}

/* The server cannot be reached, or serves nobody: who waits need not wait for more tries. */
static void fail_waiting(struct asker *a, enum asker_outcome outcome, const struct smtp_reply *reply)
{
    struct asker_question *q;
    for (size_t n = a->waiting_count; n > 0 && (q = pop(a)); n--)
        q->on_answer(q, outcome, reply);
}

/* 421 before it was asked anything: it is not available (RFC 5321 3.8). */
static enum asker_outcome outcome_of_end(enum smtp_client_end end, const struct smtp_reply *reply)
{
    bool silent = end == SMTP_END_CONNECT || end == SMTP_END_LOST || end == SMTP_END_TIMEOUT;
    return silent || reply->code == 421 ? ASKER_NO_REPLY : ASKER_TROUBLE;
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct session *s = arg;
    struct asker *a = s->asker;
    bool useless = !s->ready;
    (void)stage, (void)why;
    session_free(s);
    if (useless && !any_ready(a))
        fail_waiting(a, outcome_of_end(end, reply), reply);
    loop_timer_start(a->timer, 0);
}

static const struct smtp_client_ops client_ops = {
    .ready = on_ready, .result = on_result, .done = on_done, .end = on_end};

static void session_start(struct asker *a)
{
    struct session *s = mem_zalloc(sizeof(*s));
    s->asker = a;
    s->idle = loop_timer_new(a->loop, on_idle, s);
    s->connection =
        smtp_client_connection_new(a->loop, &a->to, NULL, CONNECT_TIMEOUT_MS, a->options, &client_ops, s);
    s->client = smtp_client_connection_session(s->connection);
    list_append(&a->sessions, &s->node);
    a->session_count++;
}

/* ---- all of them ---- */

static size_t starting(const struct asker *a)
{
    size_t count = 0;
    LIST_FOREACH (it, &a->sessions)
        count += !LIST_ENTRY(it, struct session, node)->ready;
    return count;
}

static void on_timer(void *arg)
{
    struct asker *a = arg;
    LIST_FOREACH (it, &a->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        if (a->waiting_count > 0 && can_ask(s))
            ask_next(s);
    }
    while (a->waiting_count > starting(a) && a->session_count < ASKER_SESSIONS_MAX)
        session_start(a);
}

static void cut_sessions(struct asker *a)
{
    LIST_FOREACH (it, &a->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        if (s->question)
            push(a, s->question, true);
        session_free(s);
    }
}

struct asker *asker_new(struct loop *l, const struct smtp_client_options *client)
{
    struct asker *a = mem_zalloc(sizeof(*a));
    a->loop = l;
    a->options = client;
    list_init(&a->sessions);
    list_init(&a->waiting);
    a->timer = loop_timer_new(l, on_timer, a);
    return a;
}

void asker_free(struct asker *a)
{
    if (!a)
        return;
    cut_sessions(a);
    loop_timer_free(a->timer);
    free(a);
}

bool asker_ask(struct asker *a, const struct addr *to, struct asker_question *q)
{
    if (a->waiting_count >= ASKER_WAITING_MAX)
        return false;
    if (!addr_eq(&a->to, to)) {
        cut_sessions(a);
        a->to = *to;
    }
    q->again = false;
    push(a, q, false);
    return true;
}
