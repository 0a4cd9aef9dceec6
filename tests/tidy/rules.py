"""The house rules. Each is a function of a Tree that returns its complaints;
its name is the name of its case. A new rule goes into ALL and gets its bad and
good files in examples.py."""

import collections
import re

from table import Knowledge
from tree import code_of, functions_of

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
README_LINES_MAX = 60

# The C library's and the kernel's own headers, which everyone may use.
LIBC_HEADERS = re.compile(
    r"(assert|ctype|dirent|dlfcn|endian|errno|execinfo|fcntl|fnmatch|ftw|getopt|grp|inttypes|libgen|limits|locale|math|netdb|poll"
    r"|pthread|pwd|regex|sched|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib"
    r"|stdnoreturn|string|strings|sysexits|syslog|termios|threads|time|ucontext|unistd|utime|wchar|malloc)\.h"
    r"|(sys|netinet|net|arpa|linux|asm|bits)/.*")

# What waits for a condition by polling; nothing else in tests may sleep.
POLL_HELPERS = ("tests/unit/wait.h", "tests/system/wait.py")


def includes(tree, pattern):
    """(path, number, bracket, header) of the include lines of C files."""
    for path, number, line in tree.lines(pattern):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield path, number, match.group(1), match.group(2)


def code_lines(tree, place):
    """(path, number, line) of C files, comments and literals blanked."""
    for path, text in tree.c_files(place):
        for number, line in enumerate(code_of(text).splitlines(), 1):
            yield path, number, line


def matches(lines, pattern, but=()):
    return [f"{path}:{number}: {line.strip()}" for path, number, line in lines
            if path not in but and re.search(pattern, line)]


def no_include_climbs_out_of_its_folder(tree):
    return [f"{path}:{number}: {header}" for path, number, _, header in includes(tree, r".*\.[ch]$")
            if ".." in header.split("/")]


def each_folder_includes_only_what_it_may_know(tree):
    knowledge, complaints = Knowledge(tree), []
    for path, number, bracket, header in includes(tree, r"src/[^/]+/.*\.[ch]$"):
        folder = path.split("/")[1]
        if bracket == '"' and not knowledge.may_include(folder, header):
            complaints.append(f"{path}:{number}: {folder} may not know {header}")
    return complaints


def each_folder_of_src_is_in_the_table(tree):
    known = Knowledge(tree).direct
    return [f"src/{folder} has no row in docs/architecture.md" for folder in tree.src_folders() if folder not in known]


def library_headers_stay_in_their_folders(tree):
    knowledge, complaints = Knowledge(tree), []
    for path, number, bracket, header in includes(tree, r"src/[^/]+/.*\.[ch]$"):
        if bracket == '"' or LIBC_HEADERS.fullmatch(header):
            continue
        if path.split("/")[1] not in (knowledge.library_folders(header) or []):
            complaints.append(f"{path}:{number}: <{header}> is not for this folder")
    return complaints


def the_simulated_loop_stays_out_of_the_program(tree):
    return [f"{path}:{number}" for path, number, _, header in includes(tree, r"src/(?!loop/).*\.[ch]$")
            if header == "loop/sim.h"]


def no_name_of_ours_ends_in_t(tree):
    return matches(code_lines(tree, "(src|tests|provision|fence)/"),
                   r"\b(struct|enum|union)\s+\w+_t\b|^\s*typedef\b.*\b\w+_t\s*;|^}\s*\w+_t\s*;")


def each_folder_of_src_has_a_readme_of_one_screen(tree):
    complaints = []
    for folder in tree.src_folders():
        text = tree.files.get(f"src/{folder}/README.md")
        if text is None:
            complaints.append(f"src/{folder} has no README.md")
        elif len(text.splitlines()) > README_LINES_MAX:
            complaints.append(f"src/{folder}/README.md has {len(text.splitlines())} lines")
    return complaints


def no_file_of_src_is_too_long(tree):
    return [f"{path}: {len(text.splitlines())} lines" for path, text in tree.c_files("src/")
            if len(text.splitlines()) > FILE_LINES_MAX]


def no_function_is_too_long(tree):
    return [f"{path}:{first}: {name} has {count} lines" for path, text in tree.c_files("src/")
            for name, first, count in functions_of(text) if count > FUNCTION_LINES_MAX]


def no_public_function_is_without_use(tree):
    """A declaration and a definition are two mentions; a test's use counts, and one that a macro pastes."""
    mentions = collections.Counter(word for _, text in tree.c_files() for word in re.findall(r"\w+", code_of(text)))
    pasted = tuple({end for _, text in tree.c_files() for end in re.findall(r"##(_\w+)\(", code_of(text))})
    return [f"{path}: {name} is used nowhere" for path, text in tree.matching(r"src/.*\.h$")
            for name in re.findall(r"^(?!static|typedef|#|return)[A-Za-z][\w *]*?\b(\w+)\(", code_of(text), re.MULTILINE)
            if mentions[name] <= 2 and not name.endswith(pasted)]


def nothing_is_left_to_do(tree):
    return matches(tree.lines(r"(src|tests|provision|fence)/|dev$"),
                   r"\b(TODO|FIXME|XXX|HACK)\b|\b[Ff]or now\b|\b[Ss]tub(s|bed)?\b")


def tests_wait_for_conditions_and_never_sleep(tree):
    lines = [found for found in tree.lines(r"tests/") if not found[2].lstrip().startswith("#")]
    return matches(lines, r"\b(time\.sleep|asyncio\.sleep|usleep|nanosleep|sleep)\s*\(", but=POLL_HELPERS)


def no_path_of_a_machine(tree):
    return matches(tree.lines(r"."), r"(?<![\w./])/(work|home|root|workspace)/")


def headers_have_guards_named_after_them(tree):
    complaints, seen = [], {}
    for path, text in tree.matching(r"(src|tests)/.*\.h$"):
        guard = re.search(r"^#ifndef (HOLDFAST_\w+_H)\n#define \1\n", text, re.MULTILINE)
        name = "HOLDFAST_" + re.sub(r"\W", "_", path[len("src/"):]).upper()
        if not guard or (path.startswith("src/") and guard.group(1) != name):
            complaints.append(f"{path}: wants a guard like {name}")
        elif seen.setdefault(guard.group(1), path) != path:
            complaints.append(f"{path}: its guard is that of {seen[guard.group(1)]}")
    return complaints


def headers_begin_with_what_they_are_for(tree):
    return [path for path, text in tree.matching(r"(src|tests)/.*\.h$") if not re.match(r"/\* \S", text)]


def no_tabs(tree):
    return matches(tree.lines(r".*(\.[ch]|\.py|\.md|\.conf|meson\.build|/run|dev)$"), r"\t")


def memory_comes_from_base_mem(tree):
    return matches(code_lines(tree, "src/"), r"\b(malloc|calloc|realloc|reallocarray|strdup|strndup|v?asprintf)\s*\(",
                   but=("src/base/mem.c",))


def clocks_and_random_come_from_the_loop(tree):
    return matches(code_lines(tree, "src/(?!loop/)"),
                   r"\b(clock_gettime|gettimeofday|getrandom|getentropy|random|rand|arc4random\w*)\s*\(|\btime\s*\(NULL\)",
                   but=("src/base/log.c",))


def no_function_that_cannot_be_bounded(tree):
    return matches(code_lines(tree, "(src|provision|fence)/"),
                   r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atoi|atol|mktemp|tmpnam|system|popen)\s*\(")


ALL = [
    no_include_climbs_out_of_its_folder, each_folder_includes_only_what_it_may_know,
    each_folder_of_src_is_in_the_table, library_headers_stay_in_their_folders,
    the_simulated_loop_stays_out_of_the_program, no_name_of_ours_ends_in_t,
    each_folder_of_src_has_a_readme_of_one_screen, no_file_of_src_is_too_long, no_function_is_too_long,
    no_public_function_is_without_use,
    nothing_is_left_to_do, tests_wait_for_conditions_and_never_sleep, no_path_of_a_machine,
    headers_have_guards_named_after_them, headers_begin_with_what_they_are_for, no_tabs, memory_comes_from_base_mem,
    clocks_and_random_come_from_the_loop, no_function_that_cannot_be_bounded,
]
