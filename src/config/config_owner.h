/* What a loaded configuration keeps beside its structs. */
#ifndef HOLDFAST_CONFIG_CONFIG_OWNER_H
#define HOLDFAST_CONFIG_CONFIG_OWNER_H

#include "config/config.h"
#include "config/tree.h"

struct config_owner {
    struct arena arena;        /* of the config, its strings and the tree */
    struct tree_section *root; /* with lines, schema and objects: for reload.c */
};

#endif
