#include "cli/args.h"

#include <string.h>

#include "base/str.h"

static const struct args_option *find(const struct args_option *options, struct str name)
{
    for (; options->name; options++)
        if (str_eq(str_from(options->name), name))
            return options;
    return NULL;
}

static int take_option(int argc, char **argv, int *at, const struct args_option *options, struct err_buf *eb)
{
    const char *word = argv[*at];
    const char *text = word[1] == '-' ? word + 2 : word + 1;
    const char *equals = word[1] == '-' ? strchr(text, '=') : NULL;
    struct str name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    const struct args_option *option = find(options, name);
    if (!option)
        return err_set(eb, ERR_INVALID, "unknown option %s", word);
    if (!option->value && equals)
        return err_set(eb, ERR_INVALID, "option %s takes no value", word);
    if (!option->value) {
        *option->flag = true;
        return 0;
    }
    if (!equals && *at + 1 >= argc)
        return err_set(eb, ERR_INVALID, "option %s needs a value", word);
    *option->value = equals ? equals + 1 : argv[++*at];
    return 0;
}

int args_parse(int argc, char **argv, const struct args_option *options, struct args *ret_args,
               struct err_buf *eb)
{
    bool options_ended = false;
    struct args args = {.operand_count = 0};
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (!options_ended && word[0] == '-' && word[1] != '\0') {
            int rc = take_option(argc, argv, &at, options, eb);
            if (rc < 0)
                return rc;
        } else if (args.operand_count == ARGS_OPERANDS_MAX) {
            return err_set(eb, ERR_INVALID, "too many operands at '%s'", word);
        } else {
            args.operands[args.operand_count++] = word;
        }
    }
    *ret_args = args;
    return 0;
}
