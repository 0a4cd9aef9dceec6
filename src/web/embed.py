"""Writes the C file that holds the page's files: embed.py OUTPUT FILE..."""

import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
BYTES_A_LINE = 20


def path_of(file):
    return "/" if file.name == "index.html" else f"/{file.name}"


def array(name, data):
    lines = [", ".join(str(byte) for byte in data[i:i + BYTES_A_LINE]) for i in range(0, len(data), BYTES_A_LINE)]
    return f"static const unsigned char {name}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def main(output, files):
    arrays, rows = [], []
    for number, file in enumerate(files):
        arrays.append(array(f"file_{number}", file.read_bytes()))
        rows.append(f'    {{"{path_of(file)}", "{TYPES[file.suffix]}", '
                    f"{{(const char *)file_{number}, sizeof(file_{number})}}}},\n")
    output.write_text('#include "web/assets.h"\n\n' + "\n".join(arrays) + "\nconst struct asset web_assets[] = {\n"
                      + "".join(rows) + f"}};\nconst size_t web_asset_count = {len(files)};\n")


main(pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]])
