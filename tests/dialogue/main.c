/* Plays the scripts of a folder against a pure machine or the program, see README.md.
 * Prints TAP. Exit status: 0 all passed, 1 not, 2 wrong usage. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "dialogue/daemon.h"
#include "dialogue/dialogue.h"
#include "dialogue/reader_rig.h"

#define SEEDS_RANDOM 20 /* times that a script is cut at random, with the owner's answers by chance */

struct run {
    const struct dialogue_machine *machine;
    const char *program; /* else: the daemon, and which of its services */
    const struct daemon_service *service;
    struct daemon *daemon; /* that serves for more than one script */
    long machine_only;     /* scripts that may be passed over */
    int cases, failures;
};

static void report(struct run *r, const char *path, const char *how, bool ok, const struct err_buf *eb)
{
    printf("%s %d - %s (%s)\n", ok ? "ok" : "not ok", ++r->cases, path, how);
    r->failures += !ok;
    if (!ok)
        printf("# %s\n", eb->text);
}

static int play_peer(const struct script *s, struct dialogue_peer *peer, enum segments segments,
                     uint32_t seed, struct err_buf *eb)
{
    if (!peer)
        return ERR_UNAVAILABLE;
    int rc = script_play(s, peer, segments, seed, eb);
    peer->free(peer);
    return rc;
}

static void play_machine(struct run *r, const struct script *s, const char *name)
{
    for (enum segments segments = 0; segments < SEGMENTS_COUNT; segments++) {
        struct err_buf eb = {""};
        int rc = 0;
        for (uint32_t seed = 1; rc == 0 && seed <= SEEDS_RANDOM; seed++)
            rc = play_peer(s, peer_machine_new(r->machine, &s->options, seed), segments, seed, &eb);
        report(r, name, segments_names[segments], rc == 0, &eb);
    }
}

static uint64_t messages_asked(const struct script *s)
{
    const char *text = dialogue_option(&s->options, "messages");
    return text ? strtoull(text, NULL, 10) : READER_RIG_MESSAGES;
}

static int daemon_play(struct run *r, const struct script *s, enum segments segments, struct err_buf *eb)
{
    bool own = daemon_service_keeps_state(r->service);
    int rc = 0;
    if (!r->daemon)
        rc = daemon_start(r->program, r->service, own ? messages_asked(s) : 0, &r->daemon, eb);
    if (rc == 0)
        rc = play_peer(s, daemon_connect(r->daemon, eb), segments, 1, eb);
    if (!own)
        return rc;
    struct err_buf end_eb = {""};
    int end_rc = daemon_end(r->daemon, &end_eb);
    r->daemon = NULL;
    if (rc == 0 && end_rc != 0)
        *eb = end_eb;
    return rc ? rc : end_rc;
}

/* Not by random pieces: the machine is played so, and each costs a start. */
static void play_daemon(struct run *r, const struct script *s, const char *name)
{
    static const enum segments cuts[] = {SEGMENTS_WHOLE, SEGMENTS_BYTES};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct err_buf eb = {""};
        int rc = daemon_play(r, s, cuts[i], &eb);
        report(r, name, segments_names[cuts[i]], rc == 0, &eb);
    }
}

static void play_file(struct run *r, const char *path)
{
    struct script *s;
    struct err_buf eb;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (script_read(path, &s, &eb) != 0) {
        report(r, name, "read", false, &eb);
        return;
    }
    if (r->machine) {
        play_machine(r, s, name);
    } else if (s->only_machine) {
        r->machine_only--;
        printf("# for the machine only: %s\n", name);
    } else {
        play_daemon(r, s, name);
    }
    script_free(s);
}

static int is_script(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".dlg") == 0;
}

static void play_path(struct run *r, const char *path)
{
    struct stat st;
    struct dirent **entries;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        play_file(r, path);
        return;
    }
    int count = scandir(path, &entries, is_script, alphasort);
    for (int i = 0; i < count; i++) {
        char *file = mem_asprintf("%s/%s", path, entries[i]->d_name);
        play_file(r, file);
        free(file);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static int usage(void)
{
    fprintf(stderr, "usage: dialogue --machine NAME FOLDER\n"
                    "       dialogue --daemon HOLDFAST SERVICE MACHINE-ONLY-COUNT FOLDER\n");
    return 2;
}

static bool parse_target(struct run *r, int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--machine") == 0)
        r->machine = dialogue_machine_find(argv[2]);
    if (argc != 6 || strcmp(argv[1], "--daemon") != 0)
        return r->machine;
    r->program = argv[2];
    r->service = daemon_service_find(argv[3]);
    r->machine_only = strtol(argv[4], NULL, 10);
    return r->service;
}

/* The daemon that served all along, and the count of what it was not asked. */
static void finish_daemon(struct run *r)
{
    struct err_buf eb = {""};
    if (r->daemon)
        report(r, "the daemon ends well", "SIGTERM", daemon_end(r->daemon, &eb) == 0, &eb);
    err_set(&eb, ERR_INVALID, "%ld fewer than were named to this program", r->machine_only);
    report(r, "scripts for the machine only", "counted", r->machine_only == 0, &eb);
}

int main(int argc, char **argv)
{
    struct run r = {.cases = 0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse_target(&r, argc, argv))
        return usage();
    play_path(&r, argv[argc - 1]);
    if (r.service)
        finish_daemon(&r);
    printf("1..%d\n", r.cases);
    return r.failures == 0 && r.cases > 0 ? 0 : 1;
}
