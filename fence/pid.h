/* A process named by its pid and its start time, so that a pid that was given to
 * another process meanwhile is never taken for it. For the programs in fence/
 * and provision/. Linux only: /proc/PID/stat, pidfd. */
#ifndef HOLDFAST_FENCE_PID_H
#define HOLDFAST_FENCE_PID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct pid_name {
    int64_t pid;   /* > 1 */
    int64_t start; /* clock ticks since boot: field 22 of /proc/PID/stat */
};

/* "PID:START". ERR_SYNTAX. */
int pid_name_parse(struct str text, struct pid_name *ret_name) MUST_USE;
/* Start time of a pid. ERR_NOT_FOUND: there is certainly no such process, or it is
 * dead and only waits for its parent (a zombie). ERR_UNAVAILABLE: /proc is not there, shows another pid
 * namespace, or hides the process. Others: no descriptor, ... */
int pid_start_of(int64_t pid, int64_t *ret_start) MUST_USE;
/* 0: it runs. ERR_NOT_FOUND: it certainly does not. Others: that cannot be told. */
int pid_look(const struct pid_name *name) MUST_USE;
/* Sends the signal and waits until the process is gone, at most wait_ms. 0 when
 * it is, also when it was before; ERR_DENIED; ERR_TIMEOUT; others: that cannot be told. */
int pid_end(const struct pid_name *name, int signum, int wait_ms) MUST_USE;
/* This process's pid namespace, as an inode number: the same pid means another process in another one. 0 when
 * it is not known. */
int64_t pid_namespace(void);

#endif
