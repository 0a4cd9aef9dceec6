#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/usage.h"

static const struct command_entry commands[] = {
    {"run", "supervise this node's roles (all nodes of the file, if none is named)", cmd_run},
    {"dns", "the name server of a node", cmd_dns},
    {"relay", "the relay of a node", cmd_relay},
    {"mailbox", "one instance of a builtin server (by the director's order)", cmd_mailbox},
    {"director", "the director of a node", cmd_director},
    {"check-config", "check the configuration file", cmd_check_config},
    {"status", "the network at a glance", cmd_status},
    {"server", "messaging servers; a move that cannot be made yet is waited for", cmd_server},
    {"site", "record a site as lost, or as back", cmd_site},
    {"queue", "messages in custody", cmd_queue},
    {"store", "the store's health; a verified copy of it", cmd_store},
    {"replay", "send again what a server got, from the safety net", cmd_replay},
    {"events", "what happened in the network, and who ordered it", cmd_events},
    {"trace", "one message's life", cmd_trace},
    {"user", "the users of builtin servers", cmd_user},
    {"demo", "play and check the story of the two-site network", cmd_demo},
};

#define USAGE_BYTES 8192

static void print_commands(FILE *out)
{
    fprintf(out, "usage: holdfast COMMAND [options]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n%s`holdfast COMMAND --help` tells how each is used.\n", usage_common());
}

static void print_usage(FILE *out, const char *name, const char *verb, bool explain)
{
    struct buf text;
    buf_init(&text, USAGE_BYTES);
    usage_format(&text, name, verb, explain);
    fwrite(buf_data(&text), 1, text.len, out);
    buf_fini(&text);
}

int command_usage(const char *name, const char *problem)
{
    fprintf(stderr, "holdfast %s: %s\n", name, problem);
    print_usage(stderr, name, NULL, false);
    return EXIT_USAGE;
}

/* verb: NULL for all that it has. */
static int explain(const char *name, const char *verb)
{
    print_usage(stdout, name, verb, true);
    return EXIT_DONE;
}

static int run(const struct command_entry *command, int argc, char **argv)
{
    return usage_is_asked(argc, argv) ? explain(command->name, argv[0]) : command->run(argc, argv);
}

/* A full disk behind stdout must not pass for an answer. */
static int flush(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "holdfast: the output could not be written whole: %s\n", strerror(errno));
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    bool help = strcmp(argv[1], "help") == 0;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || (help && argc == 2)) {
        print_commands(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("holdfast %s\n", HOLDFAST_VERSION);
        return EXIT_DONE;
    }
    const char *name = argv[help ? 2 : 1];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return help ? explain(name, argc > 3 ? argv[3] : NULL) : run(&commands[i], argc - 2, argv + 2);
    fprintf(stderr, "holdfast: unknown command '%s'; `holdfast --help` lists them\n", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    log_open();
    return flush(dispatch(argc, argv));
}
