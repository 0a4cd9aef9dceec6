/* What value.c and value_list.c share. */
#ifndef HOLDFAST_CONFIG_VALUE_TYPES_H
#define HOLDFAST_CONFIG_VALUE_TYPES_H

#include "config/findings.h"
#include "config/value.h"

/* One assignment: the value, and where it goes. */
struct value_place {
    struct build *b;
    struct tree_section *s;
    const struct schema_key *key;
    const struct tree_value *v;
    char *field, *more; /* at offset and more_offset */
};

struct value_type {
    const char *name, *wanted;
    void (*set)(const struct value_place *p);
    bool (*equal)(const struct schema_key *key, const char *a, const char *b); /* fields */
};

/* A finding about the place: "LABEL: KEY " and the text; returns false. */
bool value_reject(const struct value_place *p, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "must be WANTED". */
bool value_reject_type(const struct value_place *p, int line);

/* value_list.c */
void value_set_words(const struct value_place *p);
void value_set_ips(const struct value_place *p);
void value_set_endpoints(const struct value_place *p);
void value_set_refs(const struct value_place *p);
void value_set_pins(const struct value_place *p);
void value_set_texts(const struct value_place *p);
void value_set_blocks(const struct value_place *p);
/* The number of v->value in words; false with a finding. */
bool value_word_find(const struct value_place *p, const struct tree_value *v, int *ret_number);
/* The object that v names; NULL with a finding. */
void *value_ref_find(const struct value_place *p, const struct tree_value *v);
bool value_equal_listen(const struct schema_key *key, const char *a, const char *b);
bool value_equal_refs(const struct schema_key *key, const char *a, const char *b);
bool value_equal_pins(const struct schema_key *key, const char *a, const char *b);
bool value_equal_texts(const struct schema_key *key, const char *a, const char *b);
bool value_equal_blocks(const struct schema_key *key, const char *a, const char *b);

#endif
