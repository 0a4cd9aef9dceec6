#include "cli/usage.h"

#include <string.h>

#include "base/check.h"

#define ORDER "[--timeout 2m] [--why TEXT] [--json]"
/* What several forms take is written once. */
#define SELECTION_WORD "SELECTION"
#define SELECTION                                                                                            \
    "[--id ID] [--server NAME] [--sender ADDRESS] [--recipient ADDRESS] [--domain NAME]\n"                   \
    "             [--message-id ID] [--state STATE] [--reply TEXT] [--older-than TIME]\n"                    \
    "             [--newer-than TIME] [--relay NAME] [--limit N]"
#define ACT "(ID | " SELECTION_WORD " | --all) [--why TEXT] [--json]"

/* One way to use a command. A command with verbs has a form for each. */
struct usage_form {
    const char *command;
    const char *verb;  /* "": it has none */
    const char *words; /* operands and options */
    const char *what;  /* it does */
};

static const struct usage_form forms[] = {
    {"run", "", "[--node NAME]",
     "supervises the roles of a node; of all nodes, a supervisor each, if none is named"},
    {"dns", "", "--node NAME", "answers as the name server of a node"},
    {"relay", "", "--node NAME", "takes, keeps and delivers mail as the relay of a node"},
    {"mailbox", "", "--node NAME --server NAME --epoch N --address IP",
     "is one instance of a builtin server; started by a provisioner, by the director's order"},
    {"director", "", "--node NAME",
     "watches the servers and moves them, and shows the status page, on a node"},
    {"check-config", "", "", "says what is wrong in the configuration, with file and line"},
    {"status", "", "[--json] [--watch]",
     "shows the network at a glance; --watch: again every second (--json: a value each time)"},
    {"server", "list", "[--json]", "shows every server: its kind, state and address"},
    {"server", "show", "NAME [--json]", "shows all that is known of one"},
    {"server", "switchover", "NAME " ORDER,
     "moves it as planned, to the first place of its failover section"},
    {"server", "failover", "NAME " ORDER, "moves it away now, as when it is dead"},
    {"server", "failback", "NAME " ORDER, "moves it home again"},
    {"server", "fence", "NAME " ORDER, "makes sure that its instance is off, and starts no other"},
    {"server", "retire", "NAME " ORDER, "takes it out of service; its mail waits in the relays"},
    {"site", "list", "[--json]", "shows every site, and which are recorded as lost"},
    {"site", "lost", "NAME [--why TEXT] [--json]", "records a site as lost: the others may act alone"},
    {"site", "back", "NAME [--why TEXT] [--json]", "records that it is back"},
    {"queue", "list", "[ID] [" SELECTION_WORD "] [--after QUEUE-ID] [--all] [--json]",
     "shows the messages in custody; --all: those that have ended, too"},
    {"queue", "show", "ID [--json]", "shows one message, each recipient of it"},
    {"queue", "hold", ACT, "keeps what is selected from being sent, until it is released"},
    {"queue", "release", ACT, "sends what was held or is in quarantine again, its age counted anew"},
    {"queue", "retry", ACT, "tries what waits now"},
    {"queue", "move", "--to SERVER " ACT, "makes another server its home"},
    {"queue", "remove", ACT, "ends custody of it: it is delivered to nobody"},
    {"queue", "quarantine", ACT, "puts it aside until an operator decides"},
    {"store", "status", "[--json]", "shows the health of each part of the store"},
    {"store", "copy", "(FOLDER | URL [--password-file FILE]) [--json]",
     "copies the store to an empty folder, and verifies the copy; or moves a stopped one into an empty "
     "database, and goes on where it was when it is given again"},
    {"replay", "", "SERVER --since TIME [--until TIME] [--slice N] [--timeout 30s] [--why TEXT] [--json]",
     "sends again what the server got since then; a builtin server shows none twice"},
    {"events", "", "[--after NUMBER] [--limit N] [--json]",
     "shows the newest events; --after: those that follow one"},
    {"trace", "", "(ID | ADDRESS | MESSAGE-ID) [--limit N] [--json]",
     "tells the lives of messages, across the relays: of one, or of the newest to a recipient or with a "
     "Message-ID"},
    {"user", "add", "ADDRESS", "makes a user; the password from the terminal, or one line of stdin"},
    {"user", "passwd", "ADDRESS", "gives a user another password"},
    {"user", "list", "[--json]", "shows the users' addresses"},
    {"user", "remove", "ADDRESS", "removes a user; what waits for him goes to quarantine"},
    {"demo", "", "[--json] [--strict]",
     "plays the story of the two-site network; --strict: judges its times, too"},
};

/* What words of the forms mean, where that is not plain. */
static const struct {
    const char *word, *meaning;
} meanings[] = {
    {SELECTION_WORD, SELECTION},
    {"ID", "a custody id, as in the 250 reply, or the queue id of one recipient, such as relay1:17"},
    {"QUEUE-ID", "the queue id of one recipient"},
    {"--after", "what follows that row; a list that ends early says of which"},
    {"--timeout", "how long to wait until it can be done, such as 30s or 5m"},
    {"TIME", "how long ago, such as 2h, or a time such as 2026-01-31T08:00:00Z"},
    {"URL", "of a database, postgresql://USER@HOST/DATABASE"},
    {"--password-file", "its first line is the password for that database"},
    {"--why", "is recorded with the order, and who gave it"},
    {"--server", "the messaging server that it is to be delivered to"},
    {"--sender", "its reverse-path; <> is none"},
    {"--domain", "of the recipient"},
    {"--message-id", "of its header, with or without <>"},
    {"--state", "waiting, held, quarantined, delivered, bounced or removed; or some, with commas between"},
    {"--reply", "a part of the last reply to it"},
    {"--older-than", "received before that time"},
    {"--newer-than", "received since that time"},
    {"--relay", "only the queue of that relay"},
    {"--limit", "that many of them at most"},
    {"--all", "all mail: an order has to say so"},
    {"--json", "one JSON value instead of text"},
};

/* The forms of one command, in their order: *ret_count of them (0: NULL). */
static const struct usage_form *find_command(const char *command, size_t *ret_count)
{
    const struct usage_form *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (strcmp(forms[i].command, command) != 0)
            continue;
        first = first ? first : &forms[i];
        count++;
    }
    *ret_count = count;
    return first;
}

static const struct usage_form *find_verb(const struct usage_form *all, size_t count, const char *verb)
{
    for (size_t i = 0; verb && verb[0] && i < count; i++)
        if (strcmp(all[i].verb, verb) == 0)
            return &all[i];
    return NULL;
}

static bool mentions(const struct usage_form *all, size_t count, const char *word)
{
    bool found = false, selects = false;
    for (size_t i = 0; i < count; i++) {
        found |= strstr(all[i].words, word) != NULL;
        selects |= strstr(all[i].words, SELECTION_WORD) != NULL;
    }
    return found || (selects && strstr(SELECTION, word) != NULL);
}

static void format_meanings(struct buf *out, const struct usage_form *all, size_t count)
{
    size_t before = out->len;
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        if (mentions(all, count, meanings[i].word))
            buf_append_fmt(out, "%s%-12s %s\n", out->len == before ? "\n" : "", meanings[i].word,
                           meanings[i].meaning);
    buf_append_char(out, '\n');
}

void usage_format(struct buf *out, const char *command, const char *verb, bool explain)
{
    size_t count;
    const struct usage_form *all = find_command(command, &count), *one = find_verb(all, count, verb);
    if (one) {
        all = one;
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct usage_form *f = &all[i];
        buf_append_fmt(out, "%s holdfast %s%s%s%s%s\n", i ? "      " : "usage:", f->command,
                       *f->verb ? " " : "", f->verb, *f->words ? " " : "", f->words);
        if (explain)
            buf_append_fmt(out, "           %s\n", f->what);
    }
    if (explain)
        format_meanings(out, all, count);
    buf_append_text(out, usage_common());
    if (!explain && count > 0)
        buf_append_fmt(out, "`holdfast help %s` says what it does, and what the words mean.\n", command);
}

bool usage_is_asked(int argc, char **argv)
{
    bool asked = false;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        asked |= strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    return asked;
}

const char *usage_common(void)
{
    return "Every command takes -c FILE (default $HOLDFAST_CONFIG, /etc/holdfast/holdfast.conf)\n"
           "and --state-dir DIR (default /var/lib/holdfast).\n";
}
