/* Where a server's identity may go next, and how its holder is fenced before.
 * Pure: configuration, view and record in, a choice out. For the director.
 *
 * The plan of a server: the standby servers of its failover section, then the
 * create entries, in order; before all of them "home", the first start and the
 * failback: in the server's own site at its own address. An entry that cannot
 * work now is passed over, and the choice says why. */
#ifndef HOLDFAST_DIRECTOR_PLAN_H
#define HOLDFAST_DIRECTOR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "config/config.h"
#include "store/view.h"

/* record_server.plan_index: an index into standby servers and create entries, or */
#define PLAN_NOTHING (-2) /* none was tried yet */
#define PLAN_HOME    (-1)

/* record_server.wanted: the operator's order under way, or "start", the first
 * start, or "" for an invocation. */
#define WANTED_START      "start"
#define WANTED_FAILOVER   "failover"
#define WANTED_SWITCHOVER "switchover"
#define WANTED_FAILBACK   "failback"
#define WANTED_FENCE      "fence"
#define WANTED_RETIRE     "retire"
#define WANTED_RESTART    "restart" /* in place: its node came back without it (director/returned.h) */

struct plan_entry {
    const struct config_server *standby; /* NULL: create */
    struct config_create create;
};

/* Who created an instance: the provisioner of the entry for its place. */
struct str plan_provisioner_of(const struct config_server *s, const struct record_instance *i);
/* The entry at an index (PLAN_HOME included); false when there is none. */
bool plan_entry_get(const struct config_server *s, int64_t index, struct plan_entry *ret_entry);
size_t plan_entry_count(const struct config_server *s); /* without home */

enum plan_kind {
    PLAN_CREATE,  /* another instance */
    PLAN_STANDBY, /* another server takes the mail */
    PLAN_RETURN,  /* the server's own instance, which works, takes it back from a standby */
};

struct plan_choice {
    enum plan_kind kind;
    int64_t index;
    struct str node; /* that runs the provisioner; "" else */
    struct str site;
    struct str standby;          /* server's name; "" else */
    char address[ADDR_TEXT_MAX]; /* IP */
};

struct plan_context {
    const struct config *config;
    const struct view *view;
    const struct config_server *server;
    const struct record_server *record;
};

/* The first entry after record's plan_index that can work. ERR_NOT_FOUND: none
 * is left; eb says why each was passed over. */
int plan_next(const struct plan_context *x, struct plan_choice *ret_choice, struct err_buf *eb) MUST_USE;
/* What kind of candidate the record is trying (fenced for, created, verified, routed). */
enum plan_kind plan_candidate_kind(const struct config_server *s, const struct record_server *r);

/* How the holder is made to be off, mildest first; record_server.tries while
 * fencing. */
enum fence_method {
    FENCE_DESTROY, /* its provisioner ends it: gently, in planned moves; or where the entry names no agent */
    FENCE_AGENT,   /* the entry's fence agent, for the instance */
    FENCE_EPOCH,   /* the store refuses it: enough where it does not keep the address */
    FENCE_NONE,    /* nothing is left to try */
};

/* The first at or after `from` that can be tried, for the entry being tried (or
 * for home, when the instance is only to be fenced or retired). *ret_node: who
 * runs it ("" for EPOCH and NONE); may be NULL. */
enum fence_method plan_fence(const struct plan_context *x, enum fence_method from, struct str *ret_node);

/* An instance is recorded as holding the identity. */
bool plan_has_instance(const struct record_server *r);
/* The instance is in its own site, at its own address, and has the mail. */
bool plan_is_home(const struct config_server *s, const struct record_server *r);

#endif
