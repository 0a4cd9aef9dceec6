/* From the tree of a file to the structs, by the schema. For config.c; rules.c
 * and value.c share the context. */
#ifndef HOLDFAST_CONFIG_BUILD_H
#define HOLDFAST_CONFIG_BUILD_H

#include "base/map.h"
#include "config/config.h"
#include "config/schema.h"
#include "config/tree.h"

struct build {
    struct arena *arena;
    struct config *config;
    struct tree_section *root;
    struct map titled; /* "kind title" -> struct tree_section */
    struct config_findings *findings;
};

/* Fills b->config from b->root; everything wrong becomes a finding, and what
 * could not be understood stays zero, "" or NULL.
 * Afterwards each known section of the tree has its schema and object. */
void build_config(struct build *b);

/* Or NULL. */
struct tree_section *build_find(const struct build *b, const char *kind, const char *title);
/* The name of a titled section's object; every titled struct begins with it. */
const char *build_name(const void *object);

#endif
