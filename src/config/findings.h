/* Collecting what a check finds: bounded in number, sorted by line, each with
 * what to do. For the parts of src/config. */
#ifndef HOLDFAST_CONFIG_FINDINGS_H
#define HOLDFAST_CONFIG_FINDINGS_H

#include "config/config.h"

/* A file of rubbish must not make an endless report. */
#define FINDINGS_MAX 200

/* path is copied. Give it back by config_findings_free. */
void findings_init(struct config_findings *f, const char *path);
/* line 0: about no line. Past FINDINGS_MAX only counted. */
void findings_add(struct config_findings *f, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* By line, in the order of finding where equal. */
void findings_sort(struct config_findings *f);

/* Up to 60 bytes of a text from the file, cut between characters, with "..."
 * when something was cut. */
#define CLIP_TEXT_MAX 64
const char *findings_clip(const char *text, char out[CLIP_TEXT_MAX]);

#endif
