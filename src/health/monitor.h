/* Watches one server (or relay): runs its checks again and again, takes in what
 * deliveries met, and keeps the state word. For the relay, the DNS role, and
 * whoever records observations.
 *
 * One loop, one thread. Nothing here survives a crash. */
#ifndef HOLDFAST_HEALTH_MONITOR_H
#define HOLDFAST_HEALTH_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "config/config.h"
#include "health/words.h"
#include "loop/loop.h"

struct monitor;

struct smtp_offers; /* wire/smtp_offers.h */

struct monitor_spec {
    const char *name; /* of the server, for whoever asks; copied */
    const struct config_check
        *checks;        /* must outlive the monitor; of more than HEALTH_CHECKS_MAX the first ones count */
    size_t check_count; /* 0: one check of the protocol, every second, fall 2, rise 2 */
    enum server_protocol protocol; /* how mail is delivered to it: deliveries count for the first check of
                                      that     kind, else for the first check */
    const char *helo;              /* our name in EHLO; copied; NULL: "localhost" */
    struct smtp_offers *offers;    /* as of a probe (health/probe.h); must outlive it; may be NULL */
    const struct config_server *tls_of; /* whose configuration says what must hold of TLS; must outlive it;
                                           NULL: nothing */
};

/* Where the identity runs now. */
struct monitor_target {
    struct addr address;                                 /* its port is not looked at */
    uint16_t smtp_port, lmtp_port, imap_port, pop3_port; /* 0: not offered; a check of it fails */
    int64_t epoch;                                       /* of the instance; 0 when it has none */
    const char
        *expect; /* text that its answers must contain (SMTP, LMTP, IMAP, POP3); NULL or "": any; copied */
};

struct monitor_outcome {
    enum check_kind kind;
    enum health_outcome outcome;
    bool answered; /* as of a probe (health/probe.h) */
    struct str detail;
};

/* Called from the loop, never from inside a call of this header; must not free
 * the monitor. monitor_word has the new word. Each may be NULL. */
struct monitor_events {
    /* of every probe; not of reported deliveries */
    void (*on_outcome)(void *arg, struct monitor *m, const struct monitor_outcome *outcome);
    /* the state is not `before` any more; a change that was undone at once is not told */
    void (*on_change)(void *arg, struct monitor *m, enum health_state before);
};

/* Probes nothing before it has a target. events is copied. */
struct monitor *monitor_new(struct loop *l, const struct monitor_spec *spec,
                            const struct monitor_events *events, void *arg);
void monitor_free(struct monitor *m); /* NULL is allowed */

/* A target that differs from the current one (address, port, epoch, expected
 * text) is another instance: what was heard is forgotten, the state is unknown,
 * and all checks run at once. The same target changes nothing. NULL: it runs
 * nowhere; nothing is probed. */
void monitor_set_target(struct monitor *m, const struct monitor_target *target);

/* The checks (or what TLS must hold to) that it was made with changed in place: fall and rise hold from the
 * next outcome on, the rest from the next probe on. */
void monitor_reload(struct monitor *m);

/* What a delivery met: HEALTH_OK when the server took part in a dialogue (even
 * to refuse a recipient), HEALTH_FAIL when it did not (no connection, lost, 421).
 * A failure makes the check run at once, too. */
void monitor_report(struct monitor *m, enum health_outcome outcome, struct str detail);

const struct health_word *monitor_word(const struct monitor *m);
const char *monitor_name(const struct monitor *m);

/* The target of a configured server at an address, with its configured ports. */
void monitor_target_of_server(const struct config_server *s, const struct addr *address,
                              struct monitor_target *ret_target);
/* The target of a relay: the address that DNS answers, the port that is bound. */
void monitor_target_of_relay(const struct config_relay *r, struct monitor_target *ret_target);

#endif
