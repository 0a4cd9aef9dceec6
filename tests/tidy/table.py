"""The table of docs/architecture.md that says what each folder of src/ may know.

Its rows are `| folder | may know | libraries | ... |`, names in backticks. A
folder knows what it names and what those know in turn; an entry with a slash
(`health/words.h`) opens that one header and nothing else of its folder."""

import re

DOCUMENT = "docs/architecture.md"
HEADING = "## What may know what"
EVERYTHING = "everything"


class Knowledge:
    def __init__(self, tree):
        self.direct, self.libraries = {}, {}
        section = tree.files.get(DOCUMENT, "").partition(HEADING + "\n")[2].partition("\n## ")[0]
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            folder = re.fullmatch(r"`(\w+)`", cells[0])
            if line.startswith("|") and folder and len(cells) >= 3:
                name = folder.group(1)
                self.direct[name] = [EVERYTHING] if cells[1] == EVERYTHING else re.findall(r"`([^`]+)`", cells[1])
                self.libraries[name] = re.findall(r"`([^`]+)`", cells[2])

    def folders_known(self, folder):
        """The folders whose every header it may include, itself among them."""
        known, waiting = set(), [folder]
        while waiting:
            name = waiting.pop()
            if name not in known and "/" not in name:
                known.add(name)
                waiting += self.direct if name == EVERYTHING else self.direct.get(name, [])
        return known

    def may_include(self, folder, header):
        """header as in the include line: "store/mail.h"."""
        single = {entry for name in self.folders_known(folder) for entry in self.direct.get(name, [])
                  if "/" in entry}
        return header.split("/")[0] in self.folders_known(folder) or header in single

    def library_folders(self, header):
        """The folders that may include this library's header; None when no row names it."""
        folders = [folder for folder, names in self.libraries.items()
                   if any(header == name or (name.endswith("/") and header.startswith(name)) for name in names)]
        return folders or None
