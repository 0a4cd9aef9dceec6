/* What the provisioner `process` remembers of a server on a node:
 * STATE/instances/SERVER@NODE.json, replaced atomically, under a lock that the
 * calling process holds. Survives a crash as the old or the new text. */
#ifndef HOLDFAST_PROVISION_STATE_H
#define HOLDFAST_PROVISION_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "pid.h"

struct state {
    int64_t epoch;       /* highest seen; 0: none */
    struct pid_name pid; /* of its process; 0: none was started */
    bool ready;          /* it has said so once */
    bool off;            /* destroyed: never to be created again */
};

struct state_place {
    char *dir;   /* STATE/instances */
    char *json;  /* the file */
    char *ready; /* the file by which an instance says that it is ready */
    char *log;   /* STATE/log/SERVER@NODE.log */
    int lock_fd;
};

/* Makes the folders and takes the lock (waits for it). ERR_INVALID: names that
 * are no file names. */
int state_place_open(struct state_place *p, const char *state_dir, const char *server, const char *node,
                     struct err_buf *eb) MUST_USE;
void state_place_close(struct state_place *p);

/* All zero when there is none. ERR_CORRUPT. */
int state_read(const struct state_place *p, struct state *ret_state, struct err_buf *eb) MUST_USE;
int state_write(const struct state_place *p, const struct state *s, struct err_buf *eb) MUST_USE;

#endif
