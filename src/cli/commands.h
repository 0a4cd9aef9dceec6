/* The table of subcommands. Each is a function that gets its own arguments
 * (without its name) and returns the exit status. */
#ifndef HOLDFAST_CLI_COMMANDS_H
#define HOLDFAST_CLI_COMMANDS_H

#define EXIT_DONE      0
#define EXIT_FAILED    1
#define EXIT_USAGE     2
#define EXIT_TRY_AGAIN 75 /* EX_TEMPFAIL of sysexits.h */

struct command_entry {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

int cmd_run(int argc, char **argv);
int cmd_dns(int argc, char **argv);
int cmd_relay(int argc, char **argv);
int cmd_mailbox(int argc, char **argv);
int cmd_director(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_server(int argc, char **argv);
int cmd_site(int argc, char **argv);
int cmd_queue(int argc, char **argv);
int cmd_store(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_demo(int argc, char **argv);

/* Says on stderr what is wrong with the command line and how it is used; EXIT_USAGE. */
int command_usage(const char *name, const char *problem);

#endif
