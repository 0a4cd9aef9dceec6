"""For each rule: bad trees that it must complain of, and good ones that it must not."""

import rules
from table import DOCUMENT, HEADING
from tree import Tree

TABLE = {DOCUMENT: f"""
{HEADING}
| folder | may know | libraries |
|---|---|---|
| `base` | | |
| `loop` | `base` | `uv.h` |
| `store` | `loop` | `sqlite3.h` |
| `imap` | `loop`, `store/mail.h` | |
| `dns` | `loop` | `ldns/` |
| `cli` | everything | |

## Another heading
| `web` | everything | `uv.h` |
"""}


def include(path, line):
    return {**TABLE, path: f"#include {line}\n"}


def function(lines):
    return "int f(void)\n{\n" + "    f();\n" * (lines - 2) + "}\n"


def header(path, guard, first="/* What for. */"):
    return {path: f"{first}\n#ifndef {guard}\n#define {guard}\n#endif\n"}


# {rule: ([bad files, ...], [good files, ...])}
EXAMPLES = {
    rules.no_include_climbs_out_of_its_folder: (
        [{"src/a/a.c": '#include "../b/b.h"\n'}, {"tests/unit/a.c": '#  include "x/../y.h"\n'}],
        [{"src/a/a.c": '#include "b/b.h"\n'}]),
    rules.each_folder_includes_only_what_it_may_know: (
        [include("src/base/a.c", '"loop/loop.h"'), include("src/imap/a.c", '"store/queue.h"'),
         include("src/loop/a.h", '"store/mail.h"'), include("src/imap/a.c", '"mail.h"'),
         include("src/store/a.c", '"cli/cli.h"'), include("src/web/a.c", '"base/str.h"')],
        [include("src/store/a.c", '"base/str.h"'), include("src/imap/a.c", '"store/mail.h"'),
         include("src/imap/a.c", '"imap/cmd.h"'), include("src/cli/a.c", '"store/queue.h"'),
         include("tests/unit/a.c", '"cli/cli.h"')]),
    rules.each_folder_of_src_is_in_the_table: (
        [{**TABLE, "src/web/web.c": ""}, {"src/base/str.c": ""}],
        [{**TABLE, "src/base/str.c": "", "src/meson.build": ""}]),
    rules.library_headers_stay_in_their_folders: (
        [include("src/store/a.c", "<uv.h>"), include("src/imap/a.c", "<ldns/ldns.h>"),
         include("src/base/a.c", "<curl/curl.h>"), include("src/cli/a.c", "<sqlite3.h>")],
        [include("src/loop/a.c", "<uv.h>"), include("src/dns/a.c", "<ldns/ldns.h>"),
         include("src/base/a.c", "<sys/socket.h>"), include("src/base/a.c", "<stdio.h>")]),
    rules.the_simulated_loop_stays_out_of_the_program: (
        [{"src/relay/a.c": '#include "loop/sim.h"\n'}],
        [{"src/loop/sim.c": '#include "loop/sim.h"\n'}, {"tests/simulation/a.c": '#include "loop/sim.h"\n'}]),
    rules.no_name_of_ours_ends_in_t: (
        [{"src/a/a.h": "struct queue_t {\n"}, {"src/a/a.h": "typedef int id_t;\n"},
         {"tests/a.c": "typedef struct {\n    int x;\n} id_t;\n"}],
        [{"src/a/a.h": "struct queue *q; uint64_t n; /* struct old_t */\n"}]),
    rules.each_folder_of_src_has_a_readme_of_one_screen: (
        [{"src/a/a.c": ""}, {"src/a/README.md": "x\n" * 61}],
        [{"src/a/a.c": "", "src/a/README.md": "x\n" * 60, "src/meson.build": ""}]),
    rules.no_file_of_src_is_too_long: (
        [{"src/a/a.c": "\n" * 501}, {"src/a/a.h": "\n" * 501}],
        [{"src/a/a.c": "\n" * 500, "tests/a.c": "\n" * 501}]),
    rules.no_function_is_too_long: (
        [{"src/a/a.c": function(61)}, {"src/a/a.c": function(60) + function(61)}],
        [{"src/a/a.c": function(60)}, {"src/a/a.c": "struct a {\n" + "    int x;\n" * 99 + "};\n"}]),
    rules.no_public_function_is_without_use: (
        [{"src/a/a.h": "int a_x(void);\n", "src/a/a.c": "int a_x(void)\n{\n}\n"},
         {"src/a/a.h": "struct b *a_y(int n) MUST_USE;\n"}],
        [{"src/a/a.h": "int a_x(void);\n", "src/a/a.c": "int a_x(void)\n{\n}\n", "tests/a.c": "x = a_x();\n"},
         {"src/a/a.h": "int b_x(void);\n", "src/a/a.c": "int b_x(void)\n{\n}\n#define F(p) p##_x()\n"},
         {"src/a/a.h": "static inline int a_z(void)\n{\n}\n"}]),
    rules.nothing_is_left_to_do: (
        [{"src/a/a.c": "/* TODO: finish */\n"}, {"dev": "# FIXME\n"}, {"tests/a.py": "# good enough for now\n"},
         {"src/a/a.c": "/* XXX */\n"}, {"src/a/a.c": "/* a stub */\n"}],
        [{"src/a/a.c": 'mkdtemp("XXXXXX"); /* stubborn */\n', "docs/a.md": "TODO\n"}]),
    rules.tests_wait_for_conditions_and_never_sleep: (
        [{"tests/a.py": "time.sleep(1)\n"}, {"tests/a.c": "    usleep(10);\n"}, {"tests/a.c": "sleep (1);\n"}],
        [{"tests/system/wait.py": "time.sleep(0.01)\n", "src/a.c": "sleep(1);\n", "tests/a.c": "no_sleep(1);\n"}]),
    rules.no_path_of_a_machine: (
        [{"docs/a.md": "see /work/main\n"}, {"tests/a.py": 'open("/home/me/x")\n'}],
        [{"docs/a.md": "src/work/a.c, /var/lib/holdfast, https://example.test/home/\n"}]),
    rules.headers_have_guards_named_after_them: (
        [header("src/a/b.h", "HOLDFAST_B_H"), header("tests/a.h", "A_H"), {"src/a/b.h": "/* x */\n"},
         {**header("tests/a.h", "HOLDFAST_A_H"), **header("tests/b.h", "HOLDFAST_A_H")}],
        [header("src/a/b.h", "HOLDFAST_A_B_H"), header("tests/a.h", "HOLDFAST_TESTS_A_H")]),
    rules.headers_begin_with_what_they_are_for: (
        [header("src/a/b.h", "HOLDFAST_A_B_H", first="#include <stdio.h>"), {"src/a/b.h": "/**/\n"}],
        [header("src/a/b.h", "HOLDFAST_A_B_H")]),
    rules.no_tabs: (
        [{"src/a/a.c": "\tint x;\n"}, {"dev": "\trun\n"}],
        [{"src/a/a.c": 'int x; /* "\\t" */\n'}]),
    rules.memory_comes_from_base_mem: (
        [{"src/a/a.c": "x = malloc(3);\n"}, {"src/a/a.c": "x = strdup(y);\n"}],
        [{"src/a/a.c": "x = mem_alloc(3); /* malloc(3) */\n", "src/base/mem.c": "malloc(3);\n"}]),
    rules.clocks_and_random_come_from_the_loop: (
        [{"src/a/a.c": "clock_gettime(CLOCK_REALTIME, &t);\n"}, {"src/a/a.c": "t = time(NULL);\n"},
         {"src/a/a.c": "x = rand();\n"}],
        [{"src/loop/real.c": "clock_gettime(CLOCK_REALTIME, &t);\n", "src/a/a.c": "loop_random(l);\n"}]),
    rules.no_function_that_cannot_be_bounded: (
        [{"src/a/a.c": "strcpy(a, b);\n"}, {"src/a/a.c": "sprintf(a, b);\n"}, {"src/a/a.c": "atoi(a);\n"}],
        [{"src/a/a.c": "snprintf(a, n, b); text = \"strcpy(a, b)\";\n"}]),
}


def unnoticed(rule):
    """What the rule should have said of its examples and did not, or the reverse."""
    bad, good = EXAMPLES.get(rule, ([], []))
    if not bad or not good:
        return ["it has no examples"]
    complaints = [f"it says nothing of {files}" for files in bad if not rule(Tree(files))]
    return complaints + [f"it complains of {files}: {rule(Tree(files))}" for files in good if rule(Tree(files))]
