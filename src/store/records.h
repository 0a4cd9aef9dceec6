/* The typed records of the network contract: one struct, one kind, one JSON
 * object each. Encoders give a heap text for free(); decoders fill a struct
 * whose strings live in the given arena. Unknown members are ignored, missing
 * ones get their zero value, so that programs of neighbouring versions read each
 * other's records. ERR_SYNTAX when it is no such object. */
#ifndef HOLDFAST_STORE_RECORDS_H
#define HOLDFAST_STORE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"

/* kind "node", key: the node's name, where its director wrote it, or "relay/NAME", where a relay did: each
 * part tells of the node where it runs as it knows it (store/presence.h); whether it lives is in its lease.
 * What an order to a node needs (a fence: pids and their namespace) is its director's alone. */
struct record_node {
    struct str site;
    int64_t supervisor_pid; /* 0 when another supervises (systemd) */
    struct str boot_id;
    int64_t pid_ns; /* the writer's pid namespace, as an inode number; 0: not known */
    struct str version;
};

/* Where an identity runs. */
struct record_instance {
    struct str node, site;
    struct str address; /* IP */
    int64_t epoch;
    int64_t pid;       /* 0 when not ours */
    int64_t pid_start; /* start time of that process in clock ticks since boot */
};

/* kind "server", key: server's name. Written by the lease-holding director
 * only (guarded). The failover machine's state, so that another director can
 * continue at any step. */
struct record_server {
    struct str state;                /* director/machine.h: "absent", "running", "fencing", "creating", ... */
    struct record_instance instance; /* current; node "" when none */
    struct record_instance candidate; /* being fenced in or created */
    int64_t epoch;                    /* highest ever given out */
    int64_t plan_index;               /* which standby or create entry is being tried */
    int64_t generation;               /* of the route: +1 with each change of instance or home */
    int64_t changed_at_ms;            /* wall, for humans */
    struct str reason;                /* why it is in this state: event or operator */
    struct str detail;                /* last error */
    struct str wanted;    /* an operator's order under way: "failover", "failback", "retire", "" */
    struct str served_by; /* name of the standby server that has this identity's mail; "" itself */
    int64_t tries;        /* of the current step */
};

/* kind "route", key: domain. */
struct record_route {
    struct str server;
    int64_t generation;
};

/* kind "queue", key: queue's name (the relay's). Written by directors; the relay of `from` empties that. */
struct record_queue {
    struct str owner;   /* node that shall own it */
    int64_t generation; /* +1 with each change of owner */
    struct str from;    /* node that had it before; "" once its relay has let go of it (relay/rights.h) */
};

/* kind "observation", key: "NODE/SERVER". */
struct record_observation {
    struct str state;    /* health/words.h */
    int64_t epoch;       /* of the instance observed */
    int64_t failed;      /* attempts failed in a row: deliveries, or probes when none waits */
    int64_t down_for_ms; /* time inoperable, by the observer's mono clock, at the writing */
    int64_t history;     /* last 64 outcomes, newest in bit 0, 1 is good */
    int64_t history_len; /* how many of these bits are outcomes */
    struct str detail;   /* last failure's text */
    bool invoke;         /* the relay's attempts and time are used up: asks for another server */
};

/* kind "work", key: relay's name. What its process has done since it started; written by it with its
 * observations, for whoever measures. A delivery is one recipient of one message. */
struct record_work {
    int64_t since_ms;                        /* wall: the start */
    int64_t sessions;                        /* taken at the edge */
    int64_t accepted, accepted_bytes;        /* messages that were answered 250 */
    int64_t spooled;                         /* of these: into its spool, while the store was away */
    int64_t spool_waiting;                   /* there now: deliveries that are to be handed over */
    int64_t refused_later, refused_for_good; /* replies of 4yz and 5yz at the edge */
    /* of the former: by a limit on what comes in a time */
    int64_t limited_connections, limited_messages, limited_recipients, limited_errors;
    int64_t delivered, deferred, lost; /* deliveries: outcomes of attempts, in enum queue_outcome's words */
    int64_t kept, kept_bytes;          /* by the safety net, now: messages */
    int64_t kept_after_s; /* and all that was delivered later than this (Unix time); 0: all there ever was */
    int64_t quarantined, expired; /* by a server's answer or losses; by their age */
    int64_t bounced, reports;     /* refused, and their senders owed a report; reports made, of any kind */
    bool degraded;                /* no other site has copies of what is accepted, or would be */
    struct str durability,
        detail; /* store_copies_name, "" without a queue; what is missing, or which sites are lost */
    struct str databases, copies; /* sites, as store_copies_told has them: seen, copying */
};

/* kind "order", key: unique. From an operator, or from the director to a node. Who carries it out takes it
 * first, by compare-and-set, and only then changes anything: while it is "new" whoever gave it can withdraw
 * it, and nothing was done; from then on it goes on, also after a death of who took it, to its end. */
struct record_order {
    struct str target;  /* "director", "relay/NAME" (by queue's name), "node/NAME" */
    struct str verb;    /* "failover", "provision", "fence", "queue-hold", ... */
    struct str subject; /* server, queue, ... */
    struct str args;    /* JSON object as text */
    struct str who, why;
    struct str state;  /* "new", "taken"; ended: "done", "failed", "later" (not now: nothing was changed, and
                        * the same order may be given again) */
    struct str result; /* JSON object or text for the human */
    int64_t created_at_ms;
};

/* kind "user", key: address, lower case. */
struct record_user {
    struct str verifier; /* {ARGON2ID}..., {SHA512-CRYPT}... */
    bool disabled;
};

/* kind "site", key: site's name. */
struct record_site {
    bool lost;
    struct str who;
    int64_t changed_at_ms;
};

/* kind "secret", key: "peer": authenticates our own parts to each other. */
struct record_secret {
    struct str hex; /* 32 bytes */
};

#define RECORD_KIND_LIST(X)                                                                                  \
    X(node) X(server) X(route) X(queue) X(observation) X(order) X(user) X(site) X(secret) X(work)

/* For each of them: char *record_NAME_encode(const struct record_NAME *) and
 * int record_NAME_decode(struct arena *, struct str json, struct record_NAME *ret). */
#define RECORD_DECLARE(name)                                                                                 \
    char *record_##name##_encode(const struct record_##name *record);                                        \
    int record_##name##_decode(struct arena *arena, struct str json, struct record_##name *ret_record)       \
        MUST_USE;
RECORD_KIND_LIST(RECORD_DECLARE)
#undef RECORD_DECLARE

/* "new" or "taken". */
bool record_order_is_open(const struct record_order *order);

#endif
