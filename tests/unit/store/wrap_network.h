/* For programs that are linked with --wrap=network_write: every write passes __wrap_network_write, which they
 * define. */
#ifndef HOLDFAST_TESTS_UNIT_STORE_WRAP_NETWORK_H
#define HOLDFAST_TESTS_UNIT_STORE_WRAP_NETWORK_H

#include "store/network.h"

struct store_op *__real_network_write(struct network *n, const struct network_change *changes, size_t count,
                                      const struct network_lease *guard,
                                      void (*on_write)(void *arg, int err, size_t failed), void *arg);
struct store_op *__wrap_network_write(struct network *n, const struct network_change *changes, size_t count,
                                      const struct network_lease *guard,
                                      void (*on_write)(void *arg, int err, size_t failed), void *arg);

#endif
