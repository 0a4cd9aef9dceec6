/* What the suites of the safety net have in common. For tests only. */
#ifndef HOLDFAST_TESTS_STORE_KEEPING_H
#define HOLDFAST_TESTS_STORE_KEEPING_H

#include "rig.h"

#include "store/queue_kept.h"

/* A new one that keeps what was delivered. */
struct queue *keeping_queue(struct rig *r);
struct queue_delivery newest(struct rig *r, struct queue *q);
void settle_at(struct rig *r, struct queue *q, int64_t delivery_id, enum queue_outcome outcome,
               const char *server, int64_t at_ms);
/* A message of five bytes for alice; its number. */
int64_t delivered(struct rig *r, struct queue *q, uint64_t id, const char *server, int64_t at_ms);
bool has_body(struct rig *r, struct queue *q, int64_t message_id);

struct queue_kept kept(struct rig *r, struct queue *q, int64_t since_ms);
/* arg: struct answer. count: how many went; number, second, third: messages and bytes that are left, and up
 * to when others went. */
void on_prune(void *arg, int err, size_t removed, const struct queue_kept *left);
struct answer prune(struct rig *r, struct queue *q, int64_t before_ms, uint64_t bytes_max);

#endif
