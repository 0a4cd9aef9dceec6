/* Structured logging to stderr: one line an event, `time level role: message
 * key=value ...`. Values are quoted where needed and control bytes are escaped,
 * so that nothing a peer sends reaches a terminal raw. Libraries return errors;
 * only the owner of an operation logs, once.
 *
 * Logging never waits: a line that stderr does not take now (a full pipe, a
 * stopped terminal) is left out, and the next one that it takes is preceded by
 * how many were. Any thread may log. */
#ifndef HOLDFAST_BASE_LOG_H
#define HOLDFAST_BASE_LOG_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_FIELD_STR, LOG_FIELD_I64 } type;
    struct str text;
    int64_t number;
};

#define LOG_STR(k, s)     ((struct log_field){.key = (k), .type = LOG_FIELD_STR, .text = (s)})
#define LOG_TEXT(k, cstr) ((struct log_field){.key = (k), .type = LOG_FIELD_STR, .text = str_from(cstr)})
#define LOG_I64(k, n)     ((struct log_field){.key = (k), .type = LOG_FIELD_I64, .number = (n)})

#define LOG_FIELDS_MAX 15

/* log_event(LOG_INFO, "queue adopted", LOG_TEXT("queue", name), LOG_I64("epoch", 3));
 * with up to LOG_FIELDS_MAX fields (more do not compile); the rest are NULL. */
#define log_event(level, message, ...)                                                                       \
    log_fields((level), (message), (const struct log_field[LOG_FIELDS_MAX + 1]){__VA_ARGS__})

/* Once, as early as possible (a pipe of another user's cannot be opened again after the privileges were
 * dropped): looks at what stderr is, so that processes that share it do not make each other wait. */
void log_open(void);
void log_fields(enum log_level level, const char *message, const struct log_field *fields);
void log_set_level(enum log_level level);
void log_set_role(const char *role); /* shown in each line; copied, at most 63 bytes */

/* Appends s to b with quotes, backslashes and all but printable ASCII escaped. */
void log_escape(struct buf *b, struct str s);

#endif
