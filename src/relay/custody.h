/* A queue that is ours, and what belongs to it whatever server its mail is for.
 * For the role, which owns one while it owns the queue. */
#ifndef HOLDFAST_RELAY_CUSTODY_H
#define HOLDFAST_RELAY_CUSTODY_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/network.h"
#include "store/queue.h"
#include "store/records.h"

struct claims;
struct delays;
struct forgetting;
struct notices;
struct outside;
struct outside_mail;
struct reports;
struct right;
struct safety_net;
struct strays;

struct custody_options {
    struct network *network;
    const struct config *config;
    const struct config_relay *relay;
    struct record_work *work;
    struct outside *outside; /* brings its mail that leaves the network */
    struct right *right;     /* of the queue; is taken */
    /* A report to a sender was accepted: see struct reports_options. */
    void (*on_report)(void *arg, struct queue *q, struct str domain, struct str home);
    void *arg;
};

struct custody {
    struct queue *queue;
    struct record_work *work;
    struct right *right;
    struct claims *claims;
    struct notices *notices;
    struct reports *reports;
    struct delays *delays;
    struct safety_net *safety_net;
    struct forgetting *forgetting;
    struct strays *strays;
    struct outside_mail *outside;
};

/* What options points to must outlive it, and so must q. */
struct custody *custody_new(struct loop *l, struct queue *q, const struct custody_options *options);
void custody_free(struct custody *c);
/* Its deliveries were changed by an operator, or "expire" was. Returns how many of those for outside that the
 * filter selects are being sent now (NULL: none are asked for). */
size_t custody_changed(struct custody *c, const struct queue_filter *filter);
/* Mail that leaves the network was accepted. */
void custody_accepted_outside(struct custody *c);
/* The right to send was gained (rights.h). */
void custody_may_send(struct custody *c);
/* Something is to be told, to the operator or a sender. */
void custody_tell(struct custody *c);
/* So many of its deliveries waited too long, and are in quarantine, or bounced. */
void custody_expired(struct custody *c, size_t count);
/* The configuration changed in place. */
void custody_reload(struct custody *c);

#endif
