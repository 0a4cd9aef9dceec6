/* Replies built before they are asked for: everything behind the question, for
 * each name with each type that it has (and A, AAAA, MX, asked for most). They
 * are made by the same function that answers what is not prepared, so the two
 * cannot differ. Immutable once made; any thread may read. */
#ifndef HOLDFAST_DNS_PREPARED_H
#define HOLDFAST_DNS_PREPARED_H

#include <stddef.h>
#include <stdint.h>

#include "wire/dns_query.h"

struct dns_prepared;
struct dns_source;

/* Entries beyond this are answered by building: remaking the table on a change of state stays a matter of
 * milliseconds, however large the zones. Steered names are prepared first. */
#define DNS_PREPARED_MAX 16384

/* From s->zones and s->view (s->prepared is not looked at). */
struct dns_prepared *dns_prepared_new(const struct dns_source *s);
void dns_prepared_free(struct dns_prepared *p); /* NULL is allowed */

/* Writes the whole reply and returns its length; 0 when it is not prepared or
 * longer than max_bytes. */
size_t dns_prepared_reply(const struct dns_prepared *p, const struct dns_query *q, uint8_t *out,
                          size_t max_bytes);

#endif
