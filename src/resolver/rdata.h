/* What a record's data holds (RFC 1035 3.3.9, 3.4.1, RFC 3596 2.2): for the
 * resolver. Pure; what comes here is a stranger's. */
#ifndef HOLDFAST_RESOLVER_RDATA_H
#define HOLDFAST_RESOLVER_RDATA_H

#include "base/str.h"
#include "resolver/resolver.h"

/* ERR_SYNTAX: it is none, or its exchange is no name of a host. */
int rdata_parse_mx(struct str data, struct resolver_mx *ret_mx) MUST_USE;
/* Of 4 or 16 bytes, as the type says. ERR_SYNTAX. */
int rdata_parse_addr(struct str data, enum resolver_type type, struct addr *ret_addr) MUST_USE;

#endif
