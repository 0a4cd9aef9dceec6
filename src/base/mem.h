/* Heap allocation that cannot fail: every input is bounded before it is
 * allocated for, so running out is a broken invariant, and a crash loses no
 * custody. All results are to be given to free(). */
#ifndef HOLDFAST_BASE_MEM_H
#define HOLDFAST_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *mem_alloc(size_t size);                /* uninitialised */
void *mem_zalloc(size_t size);               /* zeroed */
void *mem_calloc(size_t count, size_t size); /* zeroed, overflow checked */
void *mem_realloc(void *ptr, size_t size);
void *mem_reallocarray(void *ptr, size_t count, size_t size);
/* Room for one more in an array of count items that only this has grown: doubles it when count is a power of
 * two. */
void *mem_grow(void *ptr, size_t count, size_t size);
char *mem_strdup(const char *text);             /* NULL stays NULL */
char *mem_strndup(const char *ptr, size_t len); /* always NUL-terminated */
char *mem_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
