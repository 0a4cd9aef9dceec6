/* The store engines that a configuration can name. */
#ifndef HOLDFAST_CONFIG_ENGINES_H
#define HOLDFAST_CONFIG_ENGINES_H

#include "base/err.h"
#include "config/config.h"

/* Reads "sqlite:FOLDER", "memory:" or "postgresql://...". *ret_rest is what
 * follows the scheme, in url. ERR_SYNTAX for an unknown scheme or a missing
 * folder; eb says what to do. What a PostgreSQL URI may be, config/postgres_url.h says. */
int engines_parse_url(const char *url, enum store_engine *ret_engine, const char **ret_rest,
                      struct err_buf *eb) MUST_USE;

#endif
