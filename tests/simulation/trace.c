#include "simulation/trace.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "simulation/world.h"

static bool is_on;
static const struct world *followed;

void trace_set(bool on)
{
    is_on = on;
}

void trace_follow(const struct world *w)
{
    followed = w;
}

static void print_who(void)
{
    const struct loop *running = followed ? sim_running(followed->sim) : NULL;
    const struct process *p = running ? world_process_of(followed, running) : NULL;
    double now_s = followed ? (double)sim_now(followed->sim).ns / 1e9 : 0;
    printf("# %10.6f %s/%s: ", now_s, p ? p->host : "world", p ? p->name : "");
}

static void print_field(const struct log_field *f)
{
    if (f->type == LOG_FIELD_I64)
        printf(" %s=%" PRId64, f->key, f->number);
    else if (f->text.len > 0)
        printf(" %s=\"%.*s\"", f->key, STR_ARG(f->text));
}

void __wrap_log_fields(enum log_level level, const char *message, const struct log_field *fields);

void __wrap_log_fields(enum log_level level, const char *message, const struct log_field *fields)
{
    static const char *const marks[] = {"", "", "! ", "!! "};
    if (!is_on)
        return;
    print_who();
    printf("%s%s", marks[level], message);
    for (; fields->key; fields++)
        print_field(fields);
    putchar('\n');
}
