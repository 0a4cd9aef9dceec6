/* A small network for the tests of web: two sites, a node with a relay in each,
 * one builtin server and one external one. For tests only. */
#ifndef HOLDFAST_TESTS_WEB_NETWORK_H
#define HOLDFAST_TESTS_WEB_NETWORK_H

#include "config/config.h"

/* Fails the test when it cannot be read. Its one web section has two loopback
 * addresses, with ports that the test is to change. */
struct config *network_config(void);

#endif
