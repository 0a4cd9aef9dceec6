/* Work in processes of its own, some at once: so that it uses all cores, and that
 * one that crashes takes only itself along. Linux; the caller has no threads. */
#ifndef HOLDFAST_TESTS_SIMULATION_JOBS_H
#define HOLDFAST_TESTS_SIMULATION_JOBS_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define JOBS_MAX 64

/* In the new process: what it returns is its exit status; what it writes to
 * report is read by `ended`, in the first process. */
typedef int job_run(void *arg, FILE *report);
/* status: as of wait(2), 0 when it returned 0. */
typedef void job_ended(void *arg, int status, FILE *report);

struct job {
    pid_t pid; /* 0: none */
    void *arg;
    job_ended *ended;
    FILE *report;
};

struct jobs {
    size_t at_once; /* 1 to JOBS_MAX */
    struct job slots[JOBS_MAX];
};

/* Waits until there is room. */
void jobs_start(struct jobs *j, job_run *run, job_ended *ended, void *arg);
void jobs_wait(struct jobs *j); /* for all */

#endif
