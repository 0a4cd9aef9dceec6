/* A configuration file as a tree of sections and values, before anything is
 * known of their meaning, with the line of each. All in one arena.
 *
 *   file    = *( section / setting )
 *   section = word [text] "{" *( section / setting ) "}"
 *   setting = word "=" ( text / number / "{" [ text *( "," text ) [","] ] "}" )
 *
 * A hostile file is bounded by TREE_*_MAX; see config/lexer.h for the tokens. */
#ifndef HOLDFAST_CONFIG_TREE_H
#define HOLDFAST_CONFIG_TREE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define TREE_FILE_MAX_BYTES (1024 * 1024) /* two-site.conf has 4 KiB; a thousand servers need some 300 */
#define TREE_DEPTH_MAX      8             /* the schema nests three deep */
#define TREE_SECTIONS_MAX   4096
#define TREE_SETTINGS_MAX   65536 /* items of lists count, too */
/* What all that can take at most, with the structs made of it. */
#define TREE_ARENA_MAX_BYTES (128 * 1024 * 1024)

struct schema_section;

enum tree_value_kind { TREE_TEXT, TREE_NUMBER, TREE_LIST };

struct tree_value {
    enum tree_value_kind kind;
    int line;
    const char *text;         /* TREE_TEXT, else "" */
    int64_t number;           /* TREE_NUMBER */
    struct tree_value *items; /* TREE_LIST: texts, linked by next */
    size_t count;
    struct tree_value *next;
};

struct tree_setting {
    const char *key;
    int line;
    struct tree_value value;
    struct tree_setting *next;
};

struct tree_section {
    const char *kind;  /* "relay"; "" of the root */
    const char *title; /* NULL when it has none */
    int line;
    struct tree_setting *settings;
    struct tree_section *sections; /* in the order of the file */
    struct tree_section *next;

    /* set by config/build.c */
    struct tree_section *parent;
    const struct schema_section *schema; /* NULL when unknown */
    void *object;                        /* the config struct made of it */
    bool implied;                        /* not in the file: stands for its defaults */
    const char *label;                   /* `relay "east"`: for findings */
    bool unsound; /* a word of it (its kind, its mode) is missing or was not understood */
};

/* ERR_SYNTAX or ERR_LIMIT with the first error in *ret_line and eb. */
int tree_parse(struct str text, struct arena *arena, struct tree_section **ret_root, int *ret_line,
               struct err_buf *eb) MUST_USE;
/* One value, as the defaults of the schema are written. */
int tree_parse_value(struct str text, struct arena *arena, struct tree_value *ret_value,
                     struct err_buf *eb) MUST_USE;

/* Or NULL. */
struct tree_setting *tree_find(const struct tree_section *s, const char *key);
struct tree_section *tree_first(const struct tree_section *parent, const char *kind);
struct tree_section *tree_following(const struct tree_section *s); /* the next of the same kind */
/* The line of the key, or of the section when it is not set there. */
int tree_line(const struct tree_section *s, const char *key);

/* Zeroed memory, for as long as the arena lives. */
void *tree_alloc(struct arena *arena, size_t size);

#define TREE_FOREACH(s, parent, kind)                                                                        \
    for (struct tree_section *s = tree_first((parent), (kind)); s; s = tree_following(s))

#endif
