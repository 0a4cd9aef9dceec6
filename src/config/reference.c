#include <string.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

static const char introduction[] =
    "# Configuration\n"
    "\n"
    "Made from the schema (`src/config/schema.c`) by `meson compile update-reference`; do not edit.\n"
    "\n"
    "One file describes the whole network. Every node reads the same file and finds its own part by "
    "`--node`.\n"
    "`holdfast check-config` names the first syntax error, or everything else that is wrong, with its line "
    "and what to "
    "do.\n"
    "\n"
    "- A section is `KIND \"NAME\" { ... }` or `KIND { ... }`; a setting is `KEY = VALUE`, several on a line "
    "if you "
    "like.\n"
    "- Texts, words, durations, sizes and rates are in double quotes (`\\\"` and `\\\\` are the escapes), "
    "numbers "
    "are not; a "
    "list is `{\"a\", \"b\"}`.\n"
    "- Durations: `\"500ms\"`, `\"15s\"`, `\"5m\"`, `\"4h\"`, `\"5d\"`. Sizes: `\"512B\"`, `\"64KiB\"`, "
    "`\"50MiB\"`, "
    "`\"1GiB\"`.\n"
    "- Rates: `\"600/1h\"` is 600 in an hour: all of them at once at the most, then one every six seconds; "
    "`\"none\"`: no limit.\n"
    "- `#` starts a comment. Unknown keys and duplicate names are errors.\n"
    "- Relative paths are beside the file; the store's folder is below the state folder (`--state-dir`).\n"
    "- Change: *reload* is applied by `SIGHUP` without dropping a session; *restart* needs the roles named "
    "for the "
    "section\n"
    "  to start again, *restart all* every role of every node; *once* is only looked at in a new store.\n";

static void print_limits(const struct schema_key *key, struct buf *out)
{
    char least[32], most[32];
    const char *separator = "";
    for (const struct schema_word *w = key->words; w && w->word; w++) {
        buf_append_fmt(out, "%s`\"%s\"`", separator, w->word);
        separator = ", ";
    }
    if (key->words || key->max == 0)
        return;
    value_format_limit(key, key->min, least, sizeof(least));
    value_format_limit(key, key->max, most, sizeof(most));
    bool list = key->type == SCHEMA_IPS || key->type == SCHEMA_ENDPOINTS || key->type == SCHEMA_REFS ||
                key->type == SCHEMA_PINS || key->type == SCHEMA_TEXTS;
    buf_append_fmt(out, "%s to %s%s", least, most, list ? " items" : "");
}

static void print_key(const struct schema_key *key, struct buf *out)
{
    static const char *const changes[] = {[RELOAD_NONE] = "once",
                                          [RELOAD_LIVE] = "reload",
                                          [RELOAD_RESTART] = "restart",
                                          [RELOAD_RESTART_ALL] = "restart all"};
    buf_append_fmt(out, "| `%s` | %s", key->name, value_type_name(key));
    if (key->ref)
        buf_append_fmt(out, " of `%s`", key->ref);
    buf_append_text(out, " | ");
    if (!key->preset)
        buf_append_text(out, "required");
    else if (key->preset[0] == '\0')
        buf_append_text(out, "unset");
    else
        buf_append_fmt(out, "`%s`", key->preset);
    buf_append_text(out, " | ");
    print_limits(key, out);
    buf_append_fmt(out, " | %s | %s |\n", changes[key->reload], key->help);
}

static const char *owner_text(enum schema_owner owner)
{
    switch (owner) {
    case OWNER_EVERYONE:
        return "every role of every node";
    case OWNER_DNS:
        return "`dns`";
    case OWNER_RELAY:
        return "`relay`";
    case OWNER_DIRECTOR:
        return "`director`";
    case OWNER_SERVER:
        return "the server's instance";
    }
    return "";
}

static bool any_restart(const struct schema_section *s)
{
    if (s->many && s->reload == RELOAD_RESTART)
        return true;
    for (const struct schema_key *key = s->keys; key->name; key++)
        if (key->reload == RELOAD_RESTART)
            return true;
    return false;
}

static void print_section(const struct schema_section *s, const char *path, struct buf *out)
{
    static const char *const titles[] = {
        [TITLE_NONE] = "", [TITLE_NAME] = " \"NAME\"", [TITLE_DOMAIN] = " \"DOMAIN\""};
    char full[128];
    snprintf(full, sizeof(full), "%s%s%s%s", path, path[0] ? ", " : "", s->name, titles[s->title]);
    buf_append_fmt(out, "\n## %s\n\n%s %s.", full, s->help, s->many ? "Any number" : "At most once");
    if (any_restart(s))
        buf_append_fmt(out, " Restart: %s.", owner_text(s->owner));
    buf_append_text(out, "\n");
    if (s->keys->name)
        buf_append_text(
            out, "\n| key | type | default | values | change | meaning |\n|---|---|---|---|---|---|\n");
    for (const struct schema_key *key = s->keys; key->name; key++)
        print_key(key, out);
    for (size_t i = 0; s->sections && s->sections[i]; i++)
        print_section(s->sections[i], full, out);
}

void config_print_reference(struct buf *out)
{
    buf_append_text(out, introduction);
    for (size_t i = 0; schema_root.sections[i]; i++)
        print_section(schema_root.sections[i], "", out);
}
