/* The types of the schema: how a value of a file becomes a field, and when two
 * fields are equal. */
#ifndef HOLDFAST_CONFIG_VALUE_H
#define HOLDFAST_CONFIG_VALUE_H

#include "config/build.h"

/* Stores v into the field of s->object. What is wrong with it is a finding,
 * and the field is unset then (0, "", NULL, no items). References (REF, REFS)
 * need all sections to have their objects. */
void value_set(struct build *b, struct tree_section *s, const struct schema_key *key,
               const struct tree_value *v);
/* 0, "", NULL, no items. */
void value_unset(const struct schema_key *key, void *object);
bool value_equal(const struct schema_key *key, const void *a, const void *b);
/* Of fields that fit one (numbers, words, texts): lists, addresses and references cannot be reloaded. */
void value_exchange(const struct schema_key *key, void *a, void *b);
bool value_is_reference(const struct schema_key *key);

/* "duration": for the reference. */
const char *value_type_name(const struct schema_key *key);
/* "a duration in quotes, such as \"500ms\" or \"5d\"". */
const char *value_type_wanted(const struct schema_key *key);
/* min or max of the key with its unit. */
void value_format_limit(const struct schema_key *key, int64_t limit, char *out, size_t size);

#endif
