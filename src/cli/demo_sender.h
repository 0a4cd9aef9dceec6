/* A sending mail server: asks DNS for each message, tries the hosts in the
 * order of their preference, and tries again while nobody takes it. One message
 * at a time when asked, or one after the other on a thread of its own; while
 * that runs, the ledger is the thread's. */
#ifndef HOLDFAST_CLI_DEMO_SENDER_H
#define HOLDFAST_CLI_DEMO_SENDER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/demo_dns.h"
#include "cli/demo_ledger.h"
#include "cli/demo_plan.h"
#include "cli/demo_smtp.h"
#include "loop/loop.h"

#define DEMO_SENDER_PATIENCE_MS 15000 /* for one message: a site's failover takes a third of it */

struct demo_sender {
    const struct demo_plan *plan;
    struct ledger *ledger;
    const char *run;   /* the word in the messages' tags */
    struct loop *loop; /* for its clocks, which any thread may read */

    pthread_t thread;
    bool running;
    atomic_bool ending;
    atomic_uint begun; /* messages that have a number; the next gets this one */
    atomic_uint settled;
    int64_t slowest_ms;                /* from the first try of a message to its 250 */
    char problem[DEMO_SMTP_REPLY_MAX]; /* of the last that was refused or not taken */
};

/* plan, ledger and run outlive the sender. */
void demo_sender_init(struct demo_sender *s, const struct demo_plan *plan, struct ledger *ledger,
                      const char *run, struct loop *l);
/* Sends one message now. through: the relay to use; NULL: whom DNS names. The
 * number, of a message that was accepted, or LEDGER_FOREIGN. Not while running. */
uint32_t demo_sender_one(struct demo_sender *s, const struct config_relay *through,
                         char ret_reply[DEMO_SMTP_REPLY_MAX]);
/* Sends message after message until demo_sender_stop, which waits for the last
 * to be settled, and may be called at any time. */
void demo_sender_start(struct demo_sender *s);
void demo_sender_stop(struct demo_sender *s);
/* The number that the next message will have. */
uint32_t demo_sender_next(const struct demo_sender *s);

#endif
