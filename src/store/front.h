/* Inside src/store: what the front's files share (store.c, network.c, queue.c,
 * mail.c, body.c). */
#ifndef HOLDFAST_STORE_FRONT_H
#define HOLDFAST_STORE_FRONT_H

#include "store/engine.h"

/* The finish of an operation whose callback is (arg, err). */
void front_finish_plain(struct store_op *op);

/* ---- watchers: a list that may change, and go away, while it is told ---- */

struct watcher {
    struct list node;
    struct watchers *list; /* NULL when that is gone */
    int64_t key;
    void (*on_change)(void *arg);
    void *arg;
};

struct watchers {
    struct list head;
    struct list *next; /* while telling: who comes next */
    bool *gone;        /* while telling: set when the list goes away */
};

void watchers_init(struct watchers *l);
void watchers_fini(struct watchers *l); /* the watchers stay, deaf */
bool watchers_empty(const struct watchers *l);
void watchers_add(struct watchers *l, struct watcher *w);
void watchers_remove(struct watcher *w);
/* Tells those with this key. False when the list is gone after it. */
bool watchers_tell(struct watchers *l, int64_t key);

/* ---- the parts ---- */

struct network *network_new(struct port *p);
void network_free(struct network *n); /* closes its port */
struct port *network_port(struct network *n);

struct mail *mail_new(struct port *p);
void mail_free(struct mail *m);
struct port *mail_port(struct mail *m);

/* name is copied; q enters the store's list of queues, and leaves it when closed. */
struct queue *queue_new(struct port *p, struct str name, struct list *queues);
struct queue *queue_from_node(struct list *node);
struct port *queue_port(struct queue *q);
/* Closes q when it fails. into: gets the reason before the callback fires. */
struct store_op *queue_own(struct queue *q, struct str owner, int64_t expect_epoch, struct err_buf *into,
                           void (*on_own)(void *arg, int err, struct queue *q, int64_t current_epoch),
                           void *arg);
/* When there is not even a port: the answer comes by another one. */
struct store_op *queue_own_refused(struct port *p, int err,
                                   void (*on_own)(void *arg, int err, struct queue *q, int64_t current_epoch),
                                   void *arg);

#endif
