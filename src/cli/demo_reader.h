/* A reader: logs in by IMAP or POP3 and looks at its messages. Blocking,
 * bounded; for one thread. Looking leaves the messages as they are (BODY.PEEK,
 * TOP). */
#ifndef HOLDFAST_CLI_DEMO_READER_H
#define HOLDFAST_CLI_DEMO_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/demo_ledger.h"
#include "cli/demo_link.h"

struct demo_login {
    const char *user, *password;
    const char *run; /* whose messages are looked for */
};

struct demo_seen_list {
    struct ledger_seen *items;
    size_t count, capacity;
};

void demo_seen_list_add(struct demo_seen_list *list, const struct ledger_seen *seen);
void demo_seen_list_fini(struct demo_seen_list *list);

/* ---- IMAP ---- */

struct demo_imap {
    struct demo_link link;
    unsigned tag;
    int64_t epoch;   /* of the instance, by its greeting */
    uint32_t exists; /* messages in the INBOX */
};

/* Connects, logs in and selects the INBOX. Errors as demo_link's; ERR_REFUSED
 * also when a command is; eb says which and the answer. To be closed after
 * success only. */
int demo_imap_open(struct demo_imap *im, const struct addr *at, const struct demo_login *login,
                   struct err_buf *eb) MUST_USE;
void demo_imap_close(struct demo_imap *im);
/* Appends all messages of the INBOX, with UID and flags. */
int demo_imap_look(struct demo_imap *im, const char *run, struct demo_seen_list *list,
                   struct err_buf *eb) MUST_USE;
/* Adds flags to one message. */
int demo_imap_flag(struct demo_imap *im, uint32_t uid, unsigned flags, struct err_buf *eb) MUST_USE;
/* Expunges what is flagged \Deleted. */
int demo_imap_expunge(struct demo_imap *im, struct err_buf *eb) MUST_USE;

/* Connects and reads the greeting: the epoch of the instance that answers. */
int demo_imap_greeting(const struct addr *at, int64_t *ret_epoch, struct err_buf *eb) MUST_USE;

/* Takes an untagged FETCH response apart; false when it is none. Pure. */
bool demo_imap_fetched(struct str response, const char *run, struct ledger_seen *ret_seen);

/* ---- POP3 ---- */

/* Logs in, appends all messages of the maildrop, and ends. */
int demo_pop3_look(const struct addr *at, const struct demo_login *login, struct demo_seen_list *list,
                   struct err_buf *eb) MUST_USE;

#endif
