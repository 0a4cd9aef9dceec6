#include "simulation/senders.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "simulation/strangers.h"
#include "smtp/client_connection.h"

#define CONNECT_TIMEOUT_MS 2000
#define REPLY_TIMEOUT_MS   8000 /* no sender waits its ten minutes here */
#define AGAIN_MIN_MS       200
#define AGAIN_SPAN_MS      1500
#define SMALL_MAX_BYTES    3000
#define LARGE_MAX_BYTES    150000 /* three chunks of the store */
#define LARGE_EVERY        12
#define LINE_BYTES         70
#define MESSAGE_MAX_BYTES  200000
#define HOPS_MAX           3
#define OTHERS_EVERY       5 /* letters, where one user gets most of them */
#define FAREWELL_SPAN_MS   2000

struct letter {
    struct senders *senders;
    size_t number, size_bytes;
    bool is_farewell;           /* to the leaver, one of many */
    const char *hops[HOPS_MAX]; /* IP; NULL: who is said to have the domain's mail */
    size_t hop_count, hop;
    struct str recipients[WORLD_USERS]; /* not accepted yet */
    size_t recipient_count;
    bool done[WORLD_USERS]; /* accepted, or given up */
    struct loop_timer *timer;
    struct smtp_client_connection *connection;
    bool sent;
    int64_t tag;        /* of the attempt under way */
    const char *domain; /* of the reverse-path; NULL: it is null */
    unsigned notify;    /* of enum dsn_notify, for all recipients */
    struct dsn_request requests[WORLD_USERS];
    char reverse_path[64], envid[24];
    struct buf message;
    size_t offset;
};

struct senders {
    struct world *world;
    struct smtp_client_options options;
    struct letter *letters;
    size_t count;
};

/* ---- the message ---- */

static void write_line(struct letter *l)
{
    struct sim_world *w = l->senders->world->sim;
    char line[LINE_BYTES + 2];
    size_t len = (size_t)sim_random_below(w, LINE_BYTES);
    for (size_t i = 0; i < len; i++)
        line[i] = (char)('a' + sim_random_below(w, 26));
    if (len > 0 && sim_random_below(w, 10) == 0)
        line[0] = '.';
    memcpy(line + len, "\r\n", 2);
    buf_append(&l->message, line, len + 2);
}

static void write_message(struct letter *l)
{
    buf_clear(&l->message);
    buf_append_fmt(&l->message,
                   "Ledger-Tag: %lld\r\nFrom: <sender@elsewhere.test>\r\nSubject: ledger %lld\r\n\r\n",
                   (long long)l->tag, (long long)l->tag);
    while (l->message.len < l->size_bytes)
        write_line(l);
    l->offset = 0;
}

/* ---- an attempt ---- */

static void begin(void *arg);

/* The next host at once, from the first again after a while. */
static void next_hop(struct letter *l)
{
    struct sim_world *w = l->senders->world->sim;
    l->hop = (l->hop + 1) % l->hop_count;
    loop_timer_start(l->timer, l->hop ? 0 : AGAIN_MIN_MS + (int64_t)sim_random_below(w, AGAIN_SPAN_MS));
}

static void end_attempt(struct letter *l)
{
    size_t open = 0;
    for (size_t i = 0; i < l->recipient_count; i++)
        if (!l->done[i])
            l->recipients[open++] = l->recipients[i];
    l->recipient_count = open;
    l->tag = 0;
    smtp_client_connection_free(l->connection);
    l->connection = NULL;
    if (open > 0)
        next_hop(l);
}

/* By RFC 3461, and "bounce": what the relays shall tell. */
static unsigned reports_due(const struct letter *l)
{
    const struct world *w = l->senders->world;
    bool named = w->config->relays[0].bounce == BOUNCE_ALWAYS;
    bool failure = l->notify == 0 || (l->notify & DSN_NOTIFY_FAILURE);
    bool delay = (l->notify & DSN_NOTIFY_DELAY) || (l->notify == 0 && named);
    bool success = (l->notify & DSN_NOTIFY_SUCCESS) && !strangers_server_tells(w->strangers);
    if (!l->domain || (l->notify & DSN_NOTIFY_NEVER))
        return 0;
    return (unsigned)(failure && named) << LEDGER_FAILED | (unsigned)delay << LEDGER_DELAYED |
           (unsigned)success << LEDGER_SUCCEEDED;
}

static void ask_for_reports(struct letter *l)
{
    for (size_t i = 0; i < l->recipient_count; i++) {
        l->requests[i] = (struct dsn_request){.notify = l->notify, .orcpt = STR_EMPTY};
        ledger_asked(l->senders->world->ledger, l->tag, l->recipients[i], reports_due(l));
    }
}

static void write_envelope(struct letter *l)
{
    l->reverse_path[0] = '\0';
    if (l->domain)
        snprintf(l->reverse_path, sizeof(l->reverse_path), "%lld@%s", (long long)l->tag, l->domain);
    snprintf(l->envid, sizeof(l->envid), "%lld", (long long)l->tag);
    if (l->senders->world->strangers)
        ask_for_reports(l);
}

static void on_ready(void *arg)
{
    struct letter *l = arg;
    if (l->sent)
        return;
    l->sent = true;
    l->tag = ledger_attempt(l->senders->world->ledger, l->recipients, l->recipient_count);
    memset(l->done, 0, sizeof(l->done));
    write_message(l);
    ledger_content(l->senders->world->ledger, l->tag, buf_str(&l->message));
    write_envelope(l);
    log_event(LOG_INFO, "sends", LOG_I64("tag", l->tag), LOG_I64("letter", (int64_t)l->number),
              LOG_TEXT("to", l->hops[l->hop] ? l->hops[l->hop] : "the server"),
              LOG_I64("size", (int64_t)l->message.len));
    struct smtp_client_message message = {
        .reverse_path = str_from(l->reverse_path),
        .recipients = l->recipients,
        .recipient_count = l->recipient_count,
        .size_bytes = l->message.len,
    };
    if (l->senders->world->strangers) {
        message.dsn.envid = str_from(l->envid);
        message.requests = l->requests;
    }
    smtp_client_send(smtp_client_connection_session(l->connection), &message);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct letter *l = arg;
    struct str piece = str_sub(buf_str(&l->message), l->offset, len_max);
    l->offset += piece.len;
    smtp_client_body(smtp_client_connection_session(l->connection), piece.ptr, piece.len);
}

/* 421 to the final dot says that the server goes, not what became of the message. */
static enum ledger_answer answer_of(const struct smtp_client_result *r)
{
    if (r->outcome == SMTP_OUTCOME_DELIVERED)
        return LEDGER_ACCEPTED;
    bool going = r->stage == SMTP_STAGE_DATA_END && r->reply.code == 421;
    return r->outcome == SMTP_OUTCOME_UNKNOWN || going ? LEDGER_OPEN : LEDGER_REFUSED;
}

/* For good: a user that may have been removed. The others are there, and what is refused is sent again. */
static bool may_be_refused(struct str recipient)
{
    return str_eq(recipient, str_from(world_users[WORLD_LEAVER]));
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *result)
{
    struct letter *l = arg;
    char reply[SMTP_REPLY_TEXT_MAX];
    enum ledger_answer answer = answer_of(result);
    smtp_reply_describe(&result->reply, reply, sizeof(reply));
    log_event(LOG_INFO, "answered", LOG_I64("tag", l->tag), LOG_STR("recipient", l->recipients[index]),
              LOG_TEXT("outcome", smtp_outcome_name(result->outcome)),
              LOG_TEXT("stage", smtp_stage_name(result->stage)), LOG_TEXT("reply", reply));
    if (answer != LEDGER_OPEN)
        ledger_answer(l->senders->world->ledger, l->tag, l->recipients[index], answer);
    l->done[index] = answer == LEDGER_ACCEPTED ||
                     (result->outcome == SMTP_OUTCOME_REFUSED && may_be_refused(l->recipients[index]));
}

static void on_done(void *arg)
{
    struct letter *l = arg;
    struct smtp_client *client = smtp_client_connection_session(l->connection);
    if (smtp_client_is_ready(client))
        smtp_client_quit(client);
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct letter *l = arg;
    (void)end;
    (void)stage;
    (void)reply;
    (void)why;
    if (l->sent)
        end_attempt(l);
    else {
        smtp_client_connection_free(l->connection);
        l->connection = NULL;
        next_hop(l);
    }
}

static const struct smtp_client_ops client_ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

static bool find_host(const struct letter *l, struct addr *ret_addr)
{
    const struct world *w = l->senders->world;
    if (!l->hops[l->hop] && layout_is_external(w->layout)) {
        *ret_addr = w->server->address.addrs[0];
        addr_set_port(ret_addr, (uint16_t)w->server->smtp_port);
        return true;
    }
    struct record_instance exchanger = world_exchanger(w);
    struct str ip = l->hops[l->hop] ? str_from(l->hops[l->hop]) : exchanger.address;
    return ip.len > 0 && addr_parse_ip(ip, 2525, ret_addr) == 0;
}

static void begin(void *arg)
{
    struct letter *l = arg;
    struct addr to;
    if (!find_host(l, &to)) {
        next_hop(l);
        return;
    }
    l->sent = false;
    l->connection = smtp_client_connection_new(l->senders->world->client.loop, &to, NULL, CONNECT_TIMEOUT_MS,
                                               &l->senders->options, &client_ops, l);
}

/* ---- all of them ---- */

static void choose_hops(struct letter *l)
{
    static const char *const relays[] = {"127.1.0.2", "127.2.0.2"};
    struct sim_world *w = l->senders->world->sim;
    size_t first = (size_t)sim_random_below(w, 2);
    bool has_smtp = l->senders->world->server->smtp_port > 0;
    if (sim_random_below(w, 3) == 0 && has_smtp)
        l->hops[l->hop_count++] = NULL;
    l->hops[l->hop_count++] = relays[first];
    l->hops[l->hop_count++] = relays[1 - first];
}

static void choose_recipients(struct letter *l)
{
    struct sim_world *w = l->senders->world->sim;
    size_t first = l->is_farewell ? WORLD_LEAVER : (size_t)sim_random_below(w, WORLD_USERS);
    size_t count = sim_random_below(w, 3) == 0 ? 1 + (size_t)sim_random_below(w, WORLD_USERS) : 1;
    for (size_t i = 0; i < count; i++)
        l->recipients[l->recipient_count++] = str_from(world_users[(first + i) % WORLD_USERS]);
}

/* Most are as most senders are: they ask for nothing. */
static void choose_envelope(struct letter *l)
{
    static const unsigned notifies[] = {0,
                                        0,
                                        0,
                                        DSN_NOTIFY_NEVER,
                                        DSN_NOTIFY_FAILURE,
                                        DSN_NOTIFY_SUCCESS,
                                        DSN_NOTIFY_DELAY,
                                        DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY};
    static const char *const domains[] = {STRANGER_DOMAIN, STRANGER_DOMAIN, STRANGER_DOMAIN, STRANGER_DOMAIN,
                                          STRANGER_DOMAIN, "nowhere.test",  "deaf.test",     NULL};
    struct sim_world *w = l->senders->world->sim;
    l->domain = "ledger.test";
    if (!l->senders->world->strangers)
        return;
    l->notify = notifies[sim_random_below(w, ARRAY_LEN(notifies))];
    l->domain = domains[sim_random_below(w, ARRAY_LEN(domains))];
}

static int64_t choose_time(const struct letter *l, int64_t span_ms)
{
    const struct world *w = l->senders->world;
    if (l->is_farewell)
        return w->farewell_ms + (int64_t)sim_random_below(w->sim, FAREWELL_SPAN_MS);
    return (int64_t)sim_random_below(w->sim, (uint64_t)span_ms);
}

static void letter_init(struct letter *l, struct senders *s, size_t number, int64_t span_ms)
{
    struct sim_world *w = s->world->sim;
    size_t max = sim_random_below(w, LARGE_EVERY) == 0 ? LARGE_MAX_BYTES : SMALL_MAX_BYTES;
    l->senders = s;
    l->number = number;
    l->size_bytes = (size_t)sim_random_below(w, max);
    buf_init(&l->message, MESSAGE_MAX_BYTES);
    l->is_farewell = s->world->farewell_ms > 0 && sim_random_below(w, OTHERS_EVERY) > 0;
    choose_hops(l);
    choose_recipients(l);
    choose_envelope(l);
    l->timer = loop_timer_new(s->world->client.loop, begin, l);
    loop_timer_start(l->timer, choose_time(l, span_ms));
}

struct senders *senders_new(struct world *w, size_t count, int64_t span_ms)
{
    struct senders *s = mem_zalloc(sizeof(*s));
    s->world = w;
    s->options = (struct smtp_client_options){
        .flavour = SMTP_CLIENT_SMTP, .hostname = "mx.elsewhere.test", .timeout_ms = REPLY_TIMEOUT_MS};
    s->letters = mem_calloc(count, sizeof(*s->letters));
    s->count = count;
    for (size_t i = 0; i < count; i++)
        letter_init(&s->letters[i], s, i + 1, span_ms);
    return s;
}

void senders_free(struct senders *s)
{
    for (size_t i = 0; i < s->count; i++) {
        smtp_client_connection_free(s->letters[i].connection);
        loop_timer_free(s->letters[i].timer);
        buf_fini(&s->letters[i].message);
    }
    free(s->letters);
    free(s);
}

size_t senders_open(const struct senders *s)
{
    size_t open = 0;
    for (size_t i = 0; i < s->count; i++)
        open += s->letters[i].recipient_count > 0;
    return open;
}

int64_t senders_tag_of_path(struct str path)
{
    uint64_t tag = 0;
    struct str head = STR_EMPTY;
    str_split(&path, '@', &head);
    return str_to_u64(head, INT64_MAX, &tag) == 0 ? (int64_t)tag : 0;
}

int64_t senders_tag_of(struct str reverse_path, struct str envid)
{
    return senders_tag_of_path(reverse_path.len > 0 ? reverse_path : envid);
}
