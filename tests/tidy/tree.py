"""The files that the rules look at: the project's, or a made-up few in a self-test."""

import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = ("src", "tests", "docs", "provision", "fence", "examples", "web", ".ci")
TOP_FILES = ("dev", "packages", "meson.build", "meson_options.txt", "README.md", "CONTRIBUTING.md")
TEXT_MAX_BYTES = 1 << 20  # what is larger is data, not text of ours
NOT_OURS = ("__pycache__", "corpus")  # caches; fuzzers' inputs, any bytes
NAMING_THE_BAD = ("tests/tidy/rules.py", "tests/tidy/examples.py")  # what the rules look for stands there


class Tree:
    def __init__(self, files):
        """files: {path from the top, with slashes: text}"""
        self.files = dict(files)

    @staticmethod
    def of_project():
        paths = [path for place in PLACES for path in sorted((ROOT / place).rglob("*"))]
        paths += [ROOT / name for name in TOP_FILES]
        files = {}
        for path in paths:
            name = path.relative_to(ROOT)
            if name.as_posix() in NAMING_THE_BAD or set(name.parts) & set(NOT_OURS):
                continue
            if not path.is_file() or path.stat().st_size > TEXT_MAX_BYTES:
                continue
            try:
                files[name.as_posix()] = path.read_text()
            except UnicodeDecodeError:
                continue
        return Tree(files)

    def matching(self, pattern):
        """[(path, text)] whose path matches the regular expression from its start."""
        return [(path, text) for path, text in self.files.items() if re.match(pattern, path)]

    def c_files(self, place="(src|tests|provision|fence)/"):
        return self.matching(place + r".*\.[ch]$")

    def lines(self, pattern):
        """(path, line number, line) of the files that match."""
        for path, text in self.matching(pattern):
            for number, line in enumerate(text.splitlines(), 1):
                yield path, number, line

    def src_folders(self):
        return sorted({path.split("/")[1] for path in self.files if re.match(r"src/[^/]+/.", path)})


@functools.lru_cache(maxsize=None)
def code_of(text):
    """C text with comments and the insides of literals blanked, line by line as before."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

    def blank(match):
        found = match.group(0)
        if found[0] == "/":
            return re.sub(r"[^\n]", " ", found)
        return found[0] + " " * (len(found) - 2) + found[-1]

    return pattern.sub(blank, text)


def functions_of(text):
    """(name, first line, count of lines) of each function body of a C file in
    our format: `{` in column 0 opens it, `}` in column 0 closes it."""
    lines = code_of(text).splitlines()
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{" and number > 1:
            opened = number
        elif line.startswith("}") and opened:
            heads = [head for head in lines[max(0, opened - 6):opened - 1] if re.match(r"\w", head)]
            name = re.search(r"(\w+)\(", heads[-1]) if heads else None
            yield (name.group(1) if name else "?"), opened, number - opened + 1
            opened = None
