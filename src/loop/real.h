/* The real loop: libuv. Only the program's entry and tests know this header. */
#ifndef HOLDFAST_LOOP_REAL_H
#define HOLDFAST_LOOP_REAL_H

#include "loop/loop.h"

struct loop *loop_real_new(void);
/* Frees the loop; objects still alive are closed without callbacks. */
void loop_real_free(struct loop *l);

#endif
