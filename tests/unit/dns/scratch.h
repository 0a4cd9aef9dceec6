/* A temporary file with given text, for zone files. */
#ifndef HOLDFAST_TESTS_DNS_SCRATCH_H
#define HOLDFAST_TESTS_DNS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

struct scratch {
    char path[64];
};

static inline void scratch_write(struct scratch *s, const char *text)
{
    strcpy(s->path, "/tmp/holdfast-zone-XXXXXX");
    int fd = mkstemp(s->path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static inline void scratch_remove(struct scratch *s)
{
    unlink(s->path);
}

#endif
