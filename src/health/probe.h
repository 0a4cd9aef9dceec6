/* One probe of one server over the loop. For the monitor, and for the director
 * when it verifies a created server before traffic.
 *
 * A probe ends with exactly one callback, at the latest after its timeout:
 * connecting and the whole dialogue are inside it, so that a server which
 * trickles bytes fails as one that is silent. Nothing here survives a crash. */
#ifndef HOLDFAST_HEALTH_PROBE_H
#define HOLDFAST_HEALTH_PROBE_H

#include "base/addr.h"
#include "base/str.h"
#include "config/config.h"
#include "health/words.h"
#include "loop/loop.h"

struct probe;
struct smtp_offers; /* wire/smtp_offers.h */
struct tls_client;  /* net/tls_client.h */

struct probe_spec {
    enum check_kind kind;
    struct addr to;      /* with port; for a command too: its -H and -p */
    int64_t timeout_ms;  /* > 0 */
    const char *helo;    /* our host's name in EHLO; NULL: "localhost" */
    const char *expect;  /* text that greeting or answer must contain: tells instances of one address apart;
                            NULL or "": any. Not for TCP and commands */
    const char *command; /* CHECK_COMMAND: the plugin's path */
    /* Gets what an SMTP or LMTP server offers (wire/smtp_offers.h). NULL: nobody asks; else it must outlive
     * the probe. */
    struct smtp_offers *offers;
    /* Of SMTP and LMTP: what its policy requires of TLS is a part of working. Where it does not require TLS,
     * the probe asks for it only if what is known of offers was learnt under it, and goes without where it
     * cannot be had. NULL: no TLS; else it must outlive the probe. */
    struct tls_client *tls;
};

struct probe_outcome {
    enum health_outcome outcome;
    bool answered; /* of a failure: something is alive there that refused, ended or answered the connection */
    struct str detail; /* valid during the call */
};

/* Starts it; spec is copied. on_outcome fires once, never from inside this
 * call; the probe is gone after it. Its detail:
 *
 *   kinds with a dialogue  the deciding line of the server, or what went wrong
 *   CHECK_TCP              connected, or the error
 *   CHECK_COMMAND          first line of its output. Exit 0 and 1 (warning) are
 *                          ok, 2 fails, others are HEALTH_NONE (the plugin
 *                          cannot tell), running into the timeout fails
 *   all                      HEALTH_NONE, too, when our own machine has nothing
 *                          to connect with (ERR_LIMIT of loop_connect) */
struct probe *probe_start(struct loop *l, const struct probe_spec *spec,
                          void (*on_outcome)(void *arg, const struct probe_outcome *outcome), void *arg);
/* Ends it without a callback. NULL is allowed. */
void probe_cancel(struct probe *p);

#endif
