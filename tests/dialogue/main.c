/* dialogue --machine NAME | --connect HOST:PORT  SCRIPT-OR-FOLDER...
 * Prints TAP. Exit status: 0 all passed, 1 not, 2 wrong usage. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "dialogue/dialogue.h"

#define SEEDS_RANDOM 20 /* times that a script is cut at random, with the owner's answers by chance */

struct run {
    const struct dialogue_machine *machine;
    char *host, *port;
    int cases, failures;
};

static void report(struct run *r, const char *path, enum segments segments, bool ok)
{
    printf("%s %d - %s (%s)\n", ok ? "ok" : "not ok", ++r->cases, path, segments_names[segments]);
    r->failures += !ok;
}

static int play_once(struct run *r, const struct script *s, enum segments segments, uint32_t seed,
                     struct err_buf *eb)
{
    struct dialogue_peer *peer =
        r->machine ? peer_machine_new(r->machine, &s->options, seed) : peer_socket_new(r->host, r->port, eb);
    if (!peer)
        return ERR_UNAVAILABLE;
    int rc = script_play(s, peer, segments, seed, eb);
    peer->free(peer);
    return rc;
}

static void play(struct run *r, const struct script *s, const char *name)
{
    for (enum segments segments = 0; segments < SEGMENTS_COUNT; segments++) {
        struct err_buf eb = {""};
        int rc = 0;
        uint32_t rounds = r->machine ? SEEDS_RANDOM : 1;
        for (uint32_t seed = 1; rc == 0 && seed <= rounds; seed++)
            rc = play_once(r, s, segments, seed, &eb);
        report(r, name, segments, rc == 0);
        if (rc != 0)
            printf("# %s\n", eb.text);
    }
}

static void play_file(struct run *r, const char *path)
{
    struct script *s;
    struct err_buf eb;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (script_read(path, &s, &eb) != 0) {
        report(r, name, SEGMENTS_WHOLE, false);
        printf("# %s\n", eb.text);
        return;
    }
    if (r->machine || !s->only_machine)
        play(r, s, name);
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
    fprintf(stderr, "usage: dialogue --machine NAME | --connect HOST:PORT  SCRIPT-OR-FOLDER...\n");
    return 2;
}

static bool parse_target(struct run *r, const char *option, char *value)
{
    if (strcmp(option, "--machine") == 0) {
        r->machine = dialogue_machine_find(value);
        return r->machine;
    }
    char *colon = strrchr(value, ':');
    if (strcmp(option, "--connect") != 0 || !colon)
        return false;
    *colon = '\0';
    r->host = value;
    r->port = colon + 1;
    return true;
}

int main(int argc, char **argv)
{
    struct run r = {.cases = 0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 4 || !parse_target(&r, argv[1], argv[2]))
        return usage();
    for (int i = 3; i < argc; i++)
        play_path(&r, argv[i]);
    printf("1..%d\n", r.cases);
    return r.failures == 0 && r.cases > 0 ? 0 : 1;
}
