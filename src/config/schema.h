/* The one table of the configuration: every section and key with its type,
 * default, range, unit, reload class and help, and the place in the structs of
 * config/config.h where its value goes. Reading (build.c), reloading
 * (reload.c) and docs/configuration.md (reference.c) all come from it, so a
 * new key is a new line here and a field there.
 * Constant data; any thread. */
#ifndef HOLDFAST_CONFIG_SCHEMA_H
#define HOLDFAST_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is, and so the C type of its field; config/value.c knows them. */
enum schema_type {
    SCHEMA_TEXT,       /* const char * */
    SCHEMA_USER,       /* const char *: a system user's name */
    SCHEMA_HOSTNAME,   /* const char *: lower case */
    SCHEMA_PATH,       /* const char *: made absolute, beside the file */
    SCHEMA_COMMAND,    /* const char *: an absolute path */
    SCHEMA_PROGRAM,    /* const char *: a plain name, or an absolute path */
    SCHEMA_STORE_URL,  /* config.store_engine, store_url, store_path */
    SCHEMA_INT,        /* int64_t */
    SCHEMA_DURATION,   /* int64_t, milliseconds */
    SCHEMA_SIZE,       /* int64_t, bytes */
    SCHEMA_RATE,       /* struct rate */
    SCHEMA_WORD,       /* an enum */
    SCHEMA_WORDS,      /* unsigned, bits */
    SCHEMA_IPS,        /* struct config_listen, ports 0 */
    SCHEMA_ENDPOINTS,  /* struct config_listen */
    SCHEMA_IP_OR_SAME, /* bool; more_offset: struct addr */
    SCHEMA_REF,        /* pointer to the struct of the section named */
    SCHEMA_REFS,       /* array of such; more_offset: size_t count */
    SCHEMA_PINS,       /* struct config_pins */
    SCHEMA_TEXTS,      /* struct config_texts */
    SCHEMA_BLOCKS,     /* struct addr_blocks */
};

/* What a changed value asks for. */
enum schema_reload {
    RELOAD_NONE,        /* nothing: it is looked at only once, in an empty store */
    RELOAD_LIVE,        /* a reload (SIGHUP) applies it: config_exchange, and what the roles keep of it */
    RELOAD_RESTART,     /* the section's roles have to start again */
    RELOAD_RESTART_ALL, /* not only those: every role of every node */
};

/* Who has to start again. */
enum schema_owner {
    OWNER_EVERYONE, /* every role of every node */
    OWNER_DNS,      /* that role of the section's node */
    OWNER_RELAY,
    OWNER_DIRECTOR,
    OWNER_SERVER, /* the instance of that messaging server */
};

enum schema_title {
    TITLE_NONE,
    TITLE_NAME,   /* letters, digits, "-", "_", "."; names files and rows, too */
    TITLE_DOMAIN, /* a domain name, kept in lower case */
};

struct schema_word {
    const char *word; /* NULL ends the list */
    int value;
};

struct schema_key {
    const char *name; /* NULL ends the list */
    size_t offset;    /* of the field in the section's struct */
    enum schema_type type;
    enum schema_reload reload;
    const char *preset; /* the default, as written in a file; "" leaves it unset; NULL: required */
    int64_t min, max;   /* INT; DURATION in ms; SIZE in bytes; count of lists */
    const struct schema_word *words;
    const char *ref; /* kind of the section referred to */
    size_t more_offset;
    const char *help; /* one sentence or two, Markdown */
};

struct schema_section {
    const char *name;
    enum schema_title title;
    bool many;           /* else at most once; then its defaults hold when it is absent */
    size_t size;         /* of its struct, when many */
    size_t offset;       /* in the parent's struct: of the array's pointer, or of the embedded struct */
    size_t count_offset; /* in the parent's struct, when many */
    enum schema_owner owner;
    enum schema_reload reload; /* when a whole section comes or goes */
    const struct schema_key *keys;
    const struct schema_section *const *sections; /* NULL ends the list; may be NULL */
    const char *help;
};

/* The file itself: no keys, only sections; its struct is struct config. */
extern const struct schema_section schema_root;

const struct schema_key *schema_key_find(const struct schema_section *s, const char *name); /* or NULL */
const struct schema_section *schema_section_find(const struct schema_section *s, const char *name);

#endif
