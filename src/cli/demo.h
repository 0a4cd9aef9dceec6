/* The demo's play: what its acts share. One thread plays; the sender has its
 * own. Acts are lists of steps; a step returns 0, or a negative ERR_* when the
 * play cannot go on (a check that did not hold, recorded, tells why). */
#ifndef HOLDFAST_CLI_DEMO_H
#define HOLDFAST_CLI_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/demo_ledger.h"
#include "cli/demo_network.h"
#include "cli/demo_plan.h"
#include "cli/demo_reader.h"
#include "cli/demo_sender.h"
#include "cli/demo_timeline.h"
#include "loop/loop.h"

#define DEMO_RUN_MAX 32

struct demo {
    struct loop *loop;
    struct demo_plan plan;
    struct demo_network network;
    struct ledger ledger;
    struct demo_sender sender;
    struct timeline timeline;
    struct loop_timer *timer;
    char run[DEMO_RUN_MAX]; /* a word of this run's own, in every message */
    bool paused, interrupted;
    bool cut_short; /* it was interrupted before its end */
    bool ending;    /* the network is to end: that it did is no surprise */

    int64_t epoch;           /* of the instance that served last */
    int64_t home_epoch;      /* of the last one at home */
    struct mono_time killed; /* when the last kill was sent */
    uint32_t killed_next;    /* messages from this number on were begun after it */
    uint32_t sent_from;      /* the first message of the sender's last start */
    int64_t first_ms;        /* from the kill to the first of them that was readable */
    uint32_t
        waiting_next; /* messages from this number on wait for a server, in the site that is killed next */
};

typedef int demo_step(struct demo *d);

/* The acts, in their order. */
int demo_act_route(struct demo *d);  /* a message is routed and read */
int demo_act_server(struct demo *d); /* the server is killed */
int demo_act_site(struct demo *d);   /* its whole site is killed */
int demo_act_return(struct demo *d); /* the site returns */
int demo_act_end(struct demo *d);    /* the network is ended */

#define DEMO_LIMIT_MS 30000 /* for what takes a few seconds at most, on a busy machine too */

/* --strict, from a kill on. */
#define DEMO_STEERED_LIMIT_MS 2000 /* two probes that fail, half a second apart, and some */
#define DEMO_AGAIN_MARGIN_MS  2500 /* beyond the configured `after`, to fence, create and verify */

/* ---- demo_wait.c ---- */

/* Runs the steps until one fails. */
int demo_play(struct demo *d, demo_step *const *steps, size_t count);
/* Runs the loop for this long. ERR_CANCELLED when interrupted. */
int demo_pause(struct demo *d, int64_t ms) MUST_USE;
/* From here on the network may end. A check that did not hold says so if it has
 * already: its connections are known to be closed a moment before. */
void demo_end_awaited(struct demo *d);
/* Calls done every few milliseconds until it says true. When limit_ms pass
 * before, a check that did not hold says what was waited for, and what done
 * left in eb. ERR_TIMEOUT, ERR_CANCELLED; ERR_CLOSED when the network has ended
 * by itself. */
int demo_wait(struct demo *d, int64_t limit_ms, const char *what,
              bool (*done)(struct demo *d, void *arg, struct err_buf *eb), void *arg) MUST_USE;
int64_t demo_since_ms(struct demo *d, struct mono_time start);

/* Until each name server of site (NULL: of all) names the server first
 * (relay_first: a relay first), at this address (NULL: any). */
int demo_wait_mx(struct demo *d, const struct config_site *site, bool relay_first, const struct addr *address,
                 int64_t limit_ms) MUST_USE;
/* Until an instance with an epoch above d->epoch greets at the address by IMAP; its epoch
 * is d->epoch from then on. */
int demo_wait_instance(struct demo *d, const struct addr *address, int64_t limit_ms) MUST_USE;
/* Until that many messages more than now have been settled by the sender. */
int demo_wait_sent(struct demo *d, uint32_t more, int64_t limit_ms) MUST_USE;

/* Starts the sender, and waits until it has handed over a few. */
int demo_send_on(struct demo *d) MUST_USE;
/* Waits until a message that came after the last kill is readable at the address, and measures from the kill
 * on. key and what are static. */
int demo_first_readable(struct demo *d, const struct addr *address, const char *key,
                        const char *what) MUST_USE;
/* Ends the sender, checks that every message got its 250, waits until all it handed over is readable at the
 * address, and checks it all. ret_ms: from the last kill until it was readable; may be NULL. */
int demo_settle(struct demo *d, const struct addr *address, int64_t *ret_ms) MUST_USE;
/* The same after demo_first_readable, and measures the drain: from the first to the last message. */
int demo_settle_drain(struct demo *d, const struct addr *address, const char *key, const char *what) MUST_USE;

/* ---- demo_judge.c: while the sender does not run ---- */

/* Waits until all that was accepted is readable at the address by IMAP. */
int demo_wait_readable(struct demo *d, const struct addr *address, int64_t limit_ms) MUST_USE;
/* Checks that IMAP and POP3 show all that was accepted, exactly once. */
int demo_judge(struct demo *d, const struct addr *address) MUST_USE;
/* Until a message of this number or a later one is readable. The sender may run. */
int demo_wait_first(struct demo *d, const struct addr *address, uint32_t number, int64_t limit_ms) MUST_USE;
/* Nobody greets at the address; by IMAP and SMTP. */
bool demo_is_silent(struct demo *d, const struct addr *address, struct err_buf *eb);

/* Reads the status with the home node and its relay. */
int demo_status(struct demo *d, struct demo_status *ret_status) MUST_USE;
/* Sends SIGKILL, and remembers when and the number. */
int demo_kill(struct demo *d, int64_t pid) MUST_USE;

struct addr demo_imap_at(const struct demo *d, const struct addr *address);
struct demo_login demo_login_of(const struct demo *d);

#endif
