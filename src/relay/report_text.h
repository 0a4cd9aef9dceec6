/* From what is owed to the text of a report, and where it goes. Pure. For relay/reports.c. */
#ifndef HOLDFAST_RELAY_REPORT_TEXT_H
#define HOLDFAST_RELAY_REPORT_TEXT_H

#include "base/buf.h"
#include "config/config.h"
#include "smtp/idn.h"
#include "store/queue_report.h"

/* Of a message that failed and is asked for by RET=FULL; a larger one comes back as its header alone, as what
 * was not asked for: who forges a sender shall not have us send his text on. */
#define REPORT_CONTENT_MAX 50000
#define REPORT_HEADER_MAX  16384
#define REPORT_TEXT_MAX    (1 << 20) /* QUEUE_OWED_MAX recipients, 5 KiB each, and content */

struct report_place {
    char domain[IDN_NAME_MAX + 1]; /* its A-label form, in lower case */
    struct str home;               /* "": the domain's route; QUEUE_HOME_OUTSIDE */
};

void report_place_of(struct str reverse_path, const struct config *config, struct report_place *ret_place);

/* So many bytes from the message's begin are looked at. */
size_t report_content_bytes(const struct queue_owed *owed);

struct report_text_options {
    const struct config_relay *relay;
    const struct custody_id *id; /* the report's */
    struct wall_time now;
    struct str content; /* the message's first report_content_bytes; "": they cannot be read */
};

/* Whether it needs SMTPUTF8. */
bool report_smtputf8(const struct queue_owed *owed);
/* Appends it; true when it is 8bit. owed: of one message and kind. */
bool report_text(struct buf *out, const struct queue_owed *owed, size_t count,
                 const struct report_text_options *options);

const char *report_word(enum queue_owes kind); /* "failed", ... */

#endif
