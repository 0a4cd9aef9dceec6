/* What the parts of the rig are for each other: rig.c has the nodes and what
 * tests look at, the others one concern each. */
#ifndef HOLDFAST_TESTS_DIRECTOR_RIG_PARTS_H
#define HOLDFAST_TESTS_DIRECTOR_RIG_PARTS_H

#include "rig.h"

/* rig_config.c */
void rig_config_make(struct rig *r, bool standby); /* owner is the caller's, for free() */
struct addr rig_ip(const char *text);
int rig_server_find(const struct rig *r, const char *name);

/* rig.c */
void rig_process_start(struct rig *r, struct rig_process *p, const char *host, const char *name);
void rig_process_end(struct rig_process *p);

/* rig_instances.c */
void rig_instances_look(struct rig *r); /* those that the records have left behind end */

/* rig_programs.c: what a director's process spawns. arg: its node */
void rig_on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec);
void rig_instance_start(struct rig_node *n, int server, int64_t epoch, const char *address,
                        struct sim_spawn *creation);

/* rig_relays.c */
void rig_relay_start(struct rig_node *n);
void rig_relay_kill(struct rig_node *n); /* nothing when it does not run */

/* rig_writes.c */
void rig_writes_watch(struct rig *r); /* one rig at a time; NULL: none */

#endif
