/* The relay's schedule for one messaging server: a pure machine, time passed
 * in. Retry is per server, not per message: one attempt decides for all that
 * wait for it, and recovery drains them at once, with a slow start that follows
 * how soon the server answers (pace.h).
 *
 * While the server is down, an attempt is made every retry_ms: a real message
 * while one waits, else the health monitor's probe counts. When attempts_limit
 * attempts have failed in a row and the server has been down for after_ms, the
 * schedule asks to invoke another server (schedule_wants_invocation). */
#ifndef HOLDFAST_RELAY_SCHEDULE_H
#define HOLDFAST_RELAY_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "config/config.h"
#include "relay/pace.h"

struct schedule_options {
    int64_t retry_ms;       /* > 0 */
    int64_t attempts_limit; /* > 0 */
    int64_t after_ms;       /* >= 0 */
    int64_t sessions_max;   /* > 0: deliveries at once when the server is well */
};

enum schedule_server {
    SCHEDULE_DOWN,       /* inoperable, absent, being created: attempts are periodic */
    SCHEDULE_RECOVERING, /* a probe was good: real mail shows whether it lasts */
    SCHEDULE_UP,
};

struct schedule {
    struct schedule_options options;
    enum schedule_server server;
    struct mono_time down_since;      /* first failure of the present outage; MONO_NEVER: none */
    struct mono_time next_attempt_at; /* while down or backing off */
    bool backing_off;                 /* the last session failed, nothing better is known since */
    int64_t failed_attempts;          /* in a row */
    struct pace pace;                 /* sessions allowed now, while it is up */
    int64_t sessions;                 /* under way */
};

/* As the configuration has them. */
struct schedule_options schedule_options_of(const struct config_relay *relay,
                                            const struct config_server *server);

void schedule_init(struct schedule *s, const struct schedule_options *options);
/* Other limits from now on; what was counted and what is under way stays. */
void schedule_configure(struct schedule *s, const struct schedule_options *options);

/* The server's state according to its monitor. */
void schedule_on_server(struct schedule *s, enum schedule_server server, struct mono_time now);
/* It works without doubt (operational, not suspect): what failed while it was up is forgotten, so that
 * failures days apart are never one outage. */
void schedule_on_well(struct schedule *s);
/* A probe failed. Counts as an attempt when nothing waits, and when the server is down and an attempt has
 * been under way for retry_ms without an end: a server that hangs lets sessions wait for minutes (RFC
 * 5321 4.5.3.2). */
void schedule_on_probe_failed(struct schedule *s, bool waiting, struct mono_time now);
/* Another instance took the identity, or what this one has failed at says nothing of it: its chances are
 * counted anew. */
void schedule_on_instance(struct schedule *s, struct mono_time now);

/* How many sessions may carry something now, all together. */
int64_t schedule_sessions_allowed(const struct schedule *s);
/* How many further sessions may be started now, given that mail waits. */
int64_t schedule_sessions_free(const struct schedule *s, struct mono_time now);
/* When to ask again if nothing happens before: MONO_NEVER when an event will tell. */
struct mono_time schedule_next(const struct schedule *s);

void schedule_on_session_start(struct schedule *s, struct mono_time now);
/* A transaction got its final answer, good or bad: the server works. taken_in_ns: the server took the
 * message, so long after its final dot; < 0: it took nothing, which says nothing about its pace. True: there
 * may be more sessions than before. */
bool schedule_on_session_progress(struct schedule *s, int64_t taken_in_ns);
/* failed: it could not be reached, greeted with 4xx/5xx, or broke off. */
void schedule_on_session_end(struct schedule *s, bool failed, struct mono_time now);
/* The server turned it away while it serves `others`: it works, and has as many as it wants. */
void schedule_on_session_turned_away(struct schedule *s, int64_t others);
/* The session could not begin for what our own machine lacks, or its end says nothing of the server: no
 * attempt that counts, but the next one waits as after an attempt. */
void schedule_on_session_untried(struct schedule *s, struct mono_time now);

bool schedule_wants_invocation(const struct schedule *s, struct mono_time now);
int64_t schedule_down_for_ms(const struct schedule *s, struct mono_time now); /* 0 when it is not down */

/* Back-off after the n-th answer about one message (n >= 1): `retry` doubled each time, at most `retry_max`,
 * and up to a quarter less, by id and n: what was put off together does not all come back together. */
int64_t schedule_message_backoff_ms(const struct config_relay *relay, uint32_t attempts, int64_t id);
/* The same after its n-th loss of the connection: eightfold each time, so that a
 * server that fails for minutes is over it before its mail is taken for poison; at most an hour. */
int64_t schedule_loss_backoff_ms(int64_t retry_ms, uint32_t losses);

#endif
