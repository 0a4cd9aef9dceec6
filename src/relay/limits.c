#include "relay/limits.h"

#include <stdio.h>

static struct rates_limits configured(const struct config_relay *relay)
{
    return (struct rates_limits){
        .of_client = {[RATES_CONNECTIONS] = relay->client_connection_rate,
                      [RATES_MESSAGES] = relay->client_message_rate,
                      [RATES_RECIPIENTS] = relay->client_recipient_rate,
                      [RATES_ERRORS] = relay->client_error_rate},
        .of_all = {[RATES_CONNECTIONS] = relay->connection_rate,
                   [RATES_MESSAGES] = relay->message_rate,
                   [RATES_RECIPIENTS] = relay->recipient_rate,
                   [RATES_ERRORS] = relay->error_rate},
        .clients_max = relay->rate_clients_max,
    };
}

void limits_init(struct limits *l, struct loop *loop, const struct config_relay *relay,
                 struct record_work *work)
{
    struct rates_limits limits = configured(relay);
    l->loop = loop;
    l->relay = relay;
    l->work = work;
    rates_init(&l->rates, &limits);
}

void limits_fini(struct limits *l)
{
    rates_fini(&l->rates);
}

void limits_reload(struct limits *l)
{
    struct rates_limits limits = configured(l->relay);
    rates_configure(&l->rates, &limits);
}

/* Who speaks for others is none of them: a client is counted once he is named. */
bool limits_hold_for(const struct limits *l, const struct addr *client)
{
    return !addr_blocks_have(&l->relay->rate_exempt, client) &&
           !addr_blocks_have(&l->relay->proxy_from, client) &&
           !addr_blocks_have(&l->relay->xclient_from, client);
}

/* ---- what is answered ---- */

static const struct {
    const char *name;
    uint16_t code_of_client, code_of_all;
} kinds[RATES_KINDS] = {
    [RATES_CONNECTIONS] = {"connections", 421, 421},
    [RATES_MESSAGES] = {"messages", 450, 451},
    [RATES_RECIPIENTS] = {"recipients", 450, 451},
    [RATES_ERRORS] = {"errors", 421, 421},
};

static void count(struct record_work *work, enum rates_kind kind)
{
    int64_t *const counters[RATES_KINDS] = {[RATES_CONNECTIONS] = &work->limited_connections,
                                            [RATES_MESSAGES] = &work->limited_messages,
                                            [RATES_RECIPIENTS] = &work->limited_recipients,
                                            [RATES_ERRORS] = &work->limited_errors};
    ++*counters[kind];
}

/* "Too many errors from your address, more than 600/1h; come back in 6s". */
static void describe(enum rates_kind kind, const struct rates_answer *answer, char text[LIMITS_TEXT_MAX])
{
    char rate[RATE_TEXT_MAX], wait[24];
    rate_format(&answer->rate, rate);
    duration_format((answer->wait_ms + 999) / 1000 * 1000, wait, sizeof(wait));
    snprintf(text, LIMITS_TEXT_MAX, "Too many %s %s, more than %s; come back in %s", kinds[kind].name,
             answer->word == RATES_CLIENT_OVER ? "from your address" : "of all clients together", rate, wait);
}

/* RFC 3463: 4.7.x is policy about this client, 4.3.2 a system that does not take more now. */
static struct smtp_reply reply_to(struct limits *l, enum rates_kind kind, const struct rates_answer *answer,
                                  char text[LIMITS_TEXT_MAX])
{
    if (answer->word == RATES_GRANTED)
        return (struct smtp_reply){.code = 0};
    count(l->work, kind);
    describe(kind, answer, text);
    if (answer->word == RATES_ALL_OVER)
        return (struct smtp_reply){kinds[kind].code_of_all, {4, 3, 2}, str_from(text)};
    uint16_t code = kinds[kind].code_of_client;
    return (struct smtp_reply){code, {4, 7, code == 421 ? 0 : 1}, str_from(text)};
}

struct smtp_reply limits_connect(struct limits *l, const struct addr *client, char text[LIMITS_TEXT_MAX])
{
    struct rates_answer errors = rates_ask(&l->rates, RATES_ERRORS, client, loop_now(l->loop));
    if (errors.word == RATES_CLIENT_OVER)
        return reply_to(l, RATES_ERRORS, &errors, text);
    return limits_take(l, RATES_CONNECTIONS, client, text);
}

struct smtp_reply limits_take(struct limits *l, enum rates_kind kind, const struct addr *client,
                              char text[LIMITS_TEXT_MAX])
{
    struct rates_answer answer = rates_take(&l->rates, kind, client, loop_now(l->loop));
    return reply_to(l, kind, &answer, text);
}
