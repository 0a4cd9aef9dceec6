#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "cli/commands.h"

static const struct command_entry commands[] = {
    {"run", "[--node NAME]", "supervise this node's roles (all nodes of the file, if none is named)",
     cmd_run},
    {"dns", "--node NAME", "the name server of a node", cmd_dns},
    {"relay", "--node NAME", "the relay of a node", cmd_relay},
    {"mailbox", "--node NAME --server NAME --epoch N --address IP",
     "one instance of a builtin server (by the director's order)", cmd_mailbox},
    {"director", "--node NAME", "the director of a node", cmd_director},
    {"check-config", "", "check the configuration file", cmd_check_config},
    {"status", "[--json] [--watch]", "the network at a glance", cmd_status},
    {"server",
     "list|show|switchover|failover|failback|fence|retire [NAME] [--timeout 2m] [--why TEXT] [--json]",
     "messaging servers; a move that cannot be made yet is waited for", cmd_server},
    {"site", "list|lost|back [NAME]", "record a site as lost, or as back", cmd_site},
    {"queue", "list|show|hold|release|retry|move --to SERVER|remove|quarantine", "messages in custody",
     cmd_queue},
    {"store", "status|copy FOLDER", "the store's health; a verified copy of it", cmd_store},
    {"trace", "ID", "one message's life", cmd_trace},
    {"user", "add|passwd|list|remove [ADDRESS]", "the users of builtin servers", cmd_user},
    {"demo", "[--json] [--strict]", "play and check the story of the two-site network", cmd_demo},
};

static const char common_options[] =
    "Every command takes -c FILE (default $HOLDFAST_CONFIG, /etc/holdfast/holdfast.conf)\n"
    "and --state-dir DIR (default /var/lib/holdfast).\n";

static void print_usage(FILE *out)
{
    fprintf(out, "usage: holdfast COMMAND [options]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n%s", common_options);
}

int command_usage(const char *name, const char *problem)
{
    fprintf(stderr, "holdfast %s: %s\n", name, problem);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            fprintf(stderr, "usage: holdfast %s %s\n%s", name, commands[i].operands, common_options);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    log_open();
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("holdfast %s\n", HOLDFAST_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "holdfast: unknown command '%s'; `holdfast --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
