/* Plays scripts of client and server lines against a protocol's pure machine,
 * or against a running server; see README.md. For tests only. */
#ifndef HOLDFAST_TESTS_DIALOGUE_H
#define HOLDFAST_TESTS_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* ---- what is played against ---- */

#define DIALOGUE_OPTIONS_MAX 16

/* Of the script: "key=value". */
struct dialogue_options {
    char *items[DIALOGUE_OPTIONS_MAX];
    size_t count;
};

/* The value, or NULL. */
const char *dialogue_option(const struct dialogue_options *o, const char *key);

/* A protocol's machine with an owner that tests know. */
struct dialogue_machine {
    const char *name;
    /* A session. seed: for the owner's choice to answer now or at a tick. */
    void *(*open)(const struct dialogue_options *options, uint32_t seed);
    bool (*wants_input)(void *m);
    void (*input)(void *m, const char *data, size_t len); /* while wants_input */
    struct str (*output)(void *m);
    void (*output_taken)(void *m, size_t len);
    bool (*finished)(void *m);
    bool (*tick)(void *m); /* gives one answer that was kept back; false: there is none */
    void (*timeout)(void *m);
    void (*close)(void *m);
};

/* By name, or NULL. */
const struct dialogue_machine *dialogue_machine_find(const char *name);

/* The other side as a script sees it. */
struct dialogue_peer {
    void (*send)(struct dialogue_peer *p, const char *data, size_t len);
    /* 1: *ret_line, with its line end; 0: the server closed; ERR_TIMEOUT: nothing comes. */
    int (*read_line)(struct dialogue_peer *p, struct str *ret_line);
    void (*timeout)(struct dialogue_peer *p); /* may be NULL */
    void (*shut)(struct dialogue_peer *p);    /* the client sends no more */
    void (*free)(struct dialogue_peer *p);
};

struct dialogue_peer *peer_machine_new(const struct dialogue_machine *machine,
                                       const struct dialogue_options *options, uint32_t seed);
/* NULL, and why in eb. */
struct dialogue_peer *peer_socket_new(const char *host, const char *port, struct err_buf *eb);

/* ---- scripts ---- */

enum step_kind {
    STEP_SEND,
    STEP_CLIENT_END,
    STEP_LINE, /* pattern */
    STEP_REGEX,
    STEP_SKIP, /* up to pattern */
    STEP_SERVER_END,
    STEP_TIMEOUT,
};

struct step {
    enum step_kind kind;
    int line_number;
    struct buf text; /* bytes to send, or the pattern; NUL-terminated */
    bool substitute; /* ${N} */
};

struct script {
    char *path;
    struct dialogue_options options;
    bool only_machine;
    struct step *steps;
    size_t step_count;
};

int script_read(const char *path, struct script **ret_script, struct err_buf *eb) MUST_USE;
void script_free(struct script *s);

/* pattern with * and \*. */
bool glob_matches(const char *pattern, struct str text);

/* How the client's bytes are cut. */
enum segments { SEGMENTS_WHOLE, SEGMENTS_BYTES, SEGMENTS_RANDOM };
#define SEGMENTS_COUNT 3
extern const char *const segments_names[SEGMENTS_COUNT];

/* 0, or ERR_INVALID with the line and what was expected. */
int script_play(const struct script *s, struct dialogue_peer *peer, enum segments segments, uint32_t seed,
                struct err_buf *eb) MUST_USE;

uint32_t dialogue_random(uint32_t *state); /* xorshift; never 0 */

#endif
