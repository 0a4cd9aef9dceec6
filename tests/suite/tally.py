"""Counts cases, judges skips, and reads TAP."""

import fnmatch
import re

TAP_LINE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:-\s*)?(.*)$")
TAP_SKIP = re.compile(r"\s*#\s*skip\S*\s*(.*)$", re.IGNORECASE)


def read_skips(path):
    """{pattern: reason} of tests/skips; a line without a reason is an error."""
    skips = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = line.partition(": ")
        if not reason.strip():
            raise ValueError(f"{path}:{number}: a skip needs 'case: reason'")
        skips[pattern.strip()] = reason.strip()
    return skips


class Tally:
    """Every case of a run. A skip that tests/skips does not list is a failure."""

    def __init__(self, skips):
        self.skips = skips
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, name, result, detail=""):
        """result is 'passed', 'failed' or 'skipped'."""
        listed = any(fnmatch.fnmatchcase(name, pattern) for pattern in self.skips)
        if result == "skipped" and not listed:
            result, detail = "failed", f"skipped, but not listed in tests/skips: {detail}"
        if result == "failed":
            self.failed.append((name, detail))
        else:
            getattr(self, result).append(name)

    def add_tap(self, prefix, text, ended_well):
        """The cases of one TAP text. A program that failed without a failed
        case (a crash, a time limit), or that ran none, is a failed case."""
        count = failed_count = 0
        for line in text.splitlines():
            match = TAP_LINE.match(line)
            if not match:
                continue
            name, skip = match.group(2), TAP_SKIP.search(match.group(2))
            result = "failed" if match.group(1) else "passed"
            if skip:
                name, result = name[: skip.start()], "skipped"
            self.add(f"{prefix}/{name}", result, skip.group(1) if skip else "")
            count += 1
            failed_count += result == "failed"
        if not ended_well and failed_count == 0:
            self.add(prefix, "failed", "ended badly: a crash, a time limit or a broken plan")
        elif count == 0:
            self.add(prefix, "failed", "ran no case")

    def last_line(self):
        return f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"

    def status(self):
        return 0 if self.passed and not self.failed else 1

    def report(self):
        """Prints the failures, then the last line; returns the exit status."""
        for name, detail in self.failed:
            print(f"FAILED {name}{': ' + detail if detail else ''}")
        if not self.passed and not self.failed:
            print("no case ran")
        print(self.last_line(), flush=True)
        return self.status()
