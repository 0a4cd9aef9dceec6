#include "relay/schedule.h"

#include "base/check.h"

#define LOSS_BACKOFF_MAX_MS 3600000 /* RFC 5321 4.5.4.1 wants retries at least every few hours */
#define SPREAD_PART         4       /* so much of a message's back-off may be left out */

struct schedule_options schedule_options_of(const struct config_relay *relay,
                                            const struct config_server *server)
{
    return (struct schedule_options){
        .retry_ms = relay->retry_ms,
        .attempts_limit = server->failover.attempts,
        .after_ms = server->failover.after_ms,
        .sessions_max = relay->delivery_sessions_max,
    };
}

void schedule_init(struct schedule *s, const struct schedule_options *options)
{
    CHECK(options->retry_ms > 0 && options->attempts_limit > 0 && options->sessions_max > 0);
    *s = (struct schedule){
        .options = *options,
        .server = SCHEDULE_DOWN,
        .down_since = MONO_NEVER,
    };
    pace_init(&s->pace, options->sessions_max);
}

void schedule_configure(struct schedule *s, const struct schedule_options *options)
{
    CHECK(options->retry_ms > 0 && options->attempts_limit > 0 && options->sessions_max > 0);
    s->options = *options;
    pace_set_max(&s->pace, options->sessions_max);
}

static void note_down(struct schedule *s, struct mono_time now)
{
    if (s->down_since.ns == MONO_NEVER.ns)
        s->down_since = now;
}

static void end_outage(struct schedule *s)
{
    s->down_since = MONO_NEVER;
    s->failed_attempts = 0;
}

void schedule_on_well(struct schedule *s)
{
    if (s->server == SCHEDULE_UP)
        end_outage(s);
}

void schedule_on_server(struct schedule *s, enum schedule_server server, struct mono_time now)
{
    if (server == s->server)
        return;
    if (server == SCHEDULE_DOWN) {
        note_down(s, now);
        s->next_attempt_at = mono_add_ms(now, s->options.retry_ms);
    } else if (s->server == SCHEDULE_DOWN) {
        pace_init(&s->pace, s->options.sessions_max);
        s->backing_off = false;
    }
    if (server == SCHEDULE_UP)
        end_outage(s);
    s->server = server;
}

/* An answer to SMTP may take its ten minutes; a server that is down and says nothing has not the time. */
static bool attempt_hangs(const struct schedule *s, struct mono_time now)
{
    return s->server == SCHEDULE_DOWN && s->sessions > 0 && !mono_before(now, s->next_attempt_at);
}

void schedule_on_probe_failed(struct schedule *s, bool waiting, struct mono_time now)
{
    note_down(s, now);
    if (!waiting || attempt_hangs(s, now))
        s->failed_attempts++;
}

void schedule_on_instance(struct schedule *s, struct mono_time now)
{
    s->failed_attempts = 0;
    pace_init(&s->pace, s->options.sessions_max);
    s->backing_off = false;
    s->next_attempt_at = now;
    if (s->down_since.ns != MONO_NEVER.ns)
        s->down_since = now;
}

static bool periodic(const struct schedule *s)
{
    return s->server == SCHEDULE_DOWN || s->backing_off;
}

int64_t schedule_sessions_allowed(const struct schedule *s)
{
    return periodic(s) || s->server == SCHEDULE_RECOVERING ? 1 : s->pace.window;
}

int64_t schedule_sessions_free(const struct schedule *s, struct mono_time now)
{
    if (periodic(s))
        return s->sessions == 0 && !mono_before(now, s->next_attempt_at) ? 1 : 0;
    int64_t allowed = schedule_sessions_allowed(s);
    return allowed > s->sessions ? allowed - s->sessions : 0;
}

struct mono_time schedule_next(const struct schedule *s)
{
    return periodic(s) && s->sessions == 0 ? s->next_attempt_at : MONO_NEVER;
}

void schedule_on_session_start(struct schedule *s, struct mono_time now)
{
    s->sessions++;
    s->next_attempt_at = mono_add_ms(now, s->options.retry_ms);
}

bool schedule_on_session_progress(struct schedule *s, int64_t taken_in_ns)
{
    int64_t before = schedule_sessions_allowed(s);
    s->failed_attempts = 0;
    s->backing_off = false;
    schedule_on_well(s);
    if (s->server == SCHEDULE_UP && taken_in_ns >= 0)
        (void)pace_on_answer(&s->pace, taken_in_ns);
    return schedule_sessions_allowed(s) > before;
}

void schedule_on_session_end(struct schedule *s, bool failed, struct mono_time now)
{
    CHECK(s->sessions > 0);
    s->sessions--;
    if (!failed)
        return;
    note_down(s, now);
    s->failed_attempts++;
    pace_init(&s->pace, s->options.sessions_max);
    s->backing_off = true;
    s->next_attempt_at = mono_add_ms(now, s->options.retry_ms);
}

void schedule_on_session_turned_away(struct schedule *s, int64_t others)
{
    CHECK(s->sessions > others);
    s->sessions--;
    pace_on_turned_away(&s->pace, others);
}

void schedule_on_session_untried(struct schedule *s, struct mono_time now)
{
    CHECK(s->sessions > 0);
    s->sessions--;
    s->backing_off = true;
    s->next_attempt_at = mono_add_ms(now, s->options.retry_ms);
}

bool schedule_wants_invocation(const struct schedule *s, struct mono_time now)
{
    return s->server != SCHEDULE_UP && s->failed_attempts >= s->options.attempts_limit &&
           s->down_since.ns != MONO_NEVER.ns && mono_diff_ms(now, s->down_since) >= s->options.after_ms;
}

int64_t schedule_down_for_ms(const struct schedule *s, struct mono_time now)
{
    return s->down_since.ns == MONO_NEVER.ns ? 0 : mono_diff_ms(now, s->down_since);
}

static int64_t backoff_ms(int64_t delay_ms, uint32_t times, int factor, int64_t max_ms)
{
    while (times-- > 1 && delay_ms < max_ms)
        delay_ms *= factor;
    return delay_ms < max_ms ? delay_ms : max_ms;
}

/* 0 to 65535; neighbours are far apart (Knuth's multiplicative hashing). */
static int64_t scatter(int64_t id, uint32_t attempts)
{
    return (int64_t)(((uint64_t)id + attempts) * 0x9e3779b97f4a7c15U >> 48);
}

int64_t schedule_message_backoff_ms(const struct config_relay *relay, uint32_t attempts, int64_t id)
{
    int64_t delay_ms = backoff_ms(relay->retry_ms, attempts, 2, relay->retry_max_ms);
    return delay_ms - delay_ms / SPREAD_PART * scatter(id, attempts) / 65536;
}

int64_t schedule_loss_backoff_ms(int64_t retry_ms, uint32_t losses)
{
    return backoff_ms(retry_ms, losses, 8, LOSS_BACKOFF_MAX_MS);
}
