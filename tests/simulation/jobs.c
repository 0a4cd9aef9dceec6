#include "simulation/jobs.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

static void wait_for_one(struct jobs *j)
{
    int status;
    pid_t pid = wait(&status);
    CHECK(pid > 0);
    for (size_t i = 0; i < j->at_once; i++) {
        struct job *job = &j->slots[i];
        if (job->pid != pid)
            continue;
        rewind(job->report);
        job->ended(job->arg, status, job->report);
        fclose(job->report);
        job->pid = 0;
    }
}

static struct job *find_room(struct jobs *j)
{
    for (;;) {
        for (size_t i = 0; i < j->at_once; i++)
            if (j->slots[i].pid == 0)
                return &j->slots[i];
        wait_for_one(j);
    }
}

void jobs_start(struct jobs *j, job_run *run, job_ended *ended, void *arg)
{
    struct job *job = find_room(j);
    *job = (struct job){.arg = arg, .ended = ended, .report = tmpfile()};
    CHECK(job->report);
    fflush(stdout);
    job->pid = fork();
    CHECK(job->pid >= 0);
    if (job->pid > 0)
        return;
    int status = run(arg, job->report);
    fflush(job->report);
    exit(status); /* not _exit: a sanitizer looks for leaks */
}

void jobs_wait(struct jobs *j)
{
    for (size_t i = 0; i < j->at_once; i++)
        while (j->slots[i].pid != 0)
            wait_for_one(j);
}
