/* What a provisioner may start instead of an instance: it listens where that one
 * should, and takes no mail. A director must see through each kind before it
 * gives it any. */
#ifndef HOLDFAST_TESTS_SIMULATION_IMPOSTOR_H
#define HOLDFAST_TESTS_SIMULATION_IMPOSTOR_H

#include "simulation/instances.h"

enum impostor_kind {
    IMPOSTOR_NONE,
    IMPOSTOR_SILENT,   /* says nothing */
    IMPOSTOR_FOREIGN,  /* has the epoch, and greets as another instance */
    IMPOSTOR_STRANGER, /* greets as the instance, and the store does not know its epoch */
};

struct impostor;

/* Plays instance i in its process; on_listens(i) fires once, later. */
struct impostor *impostor_start(struct instance *i, enum impostor_kind kind,
                                void (*on_listens)(struct instance *i));
void impostor_free(struct impostor *m); /* NULL is allowed */

#endif
