/* The program itself as the other side of scripts: `holdfast mailbox`, `holdfast
 * relay` or both, in a folder of their own, at a loopback address that only this
 * process uses. Users: alice@example.test and bob@example.test, password
 * `holdfast`. For tests only. */
#ifndef HOLDFAST_TESTS_DAEMON_H
#define HOLDFAST_TESTS_DAEMON_H

#include "dialogue/dialogue.h"

#define DAEMON_SIZE_MAX_BYTES 65536 /* of a message: the least that the configuration allows */

struct daemon_service;

/* "smtp", "lmtp", "submission", "imap", "pop3" of a messaging server, "relay";
 * or NULL. */
const struct daemon_service *daemon_service_find(const char *name);
/* A script changes what the next one would find: each needs a new daemon. */
bool daemon_service_keeps_state(const struct daemon_service *s);

struct daemon;

/* Starts it with an empty store, and gives alice the standard messages of the
 * reader's rig, as many as are asked for, by IMAP: 0 when the service answers,
 * else ERR_* and why in eb. */
int daemon_start(const char *program, const struct daemon_service *s, uint64_t messages,
                 struct daemon **ret_daemon, struct err_buf *eb) MUST_USE;
/* A connection to its service; NULL, and why in eb. */
struct dialogue_peer *daemon_connect(const struct daemon *d, struct err_buf *eb);
/* SIGTERM: 0 when all of it ended by itself and well; else its log goes to
 * stdout as TAP's comments. Frees d; NULL is allowed. */
int daemon_end(struct daemon *d, struct err_buf *eb) MUST_USE;

#endif
