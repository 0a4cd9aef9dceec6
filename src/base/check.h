/* Assertions on our own invariants. They stay on in production: a process that
 * would go on with a broken invariant could break custody, one that aborts can
 * not. Never use them on anything that a peer, a file or an operator supplied. */
#ifndef HOLDFAST_BASE_CHECK_H
#define HOLDFAST_BASE_CHECK_H

/* Reports the failed expression and aborts. */
_Noreturn void check_failed(const char *expr, const char *file, int line);

#define CHECK(expr) ((expr) ? (void)0 : check_failed(#expr, __FILE__, __LINE__))

#define MUST_USE                __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_LEN(a)            (sizeof(a) / sizeof((a)[0]))

/* The object that embeds `member` at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
