"""The release build, for what is measured."""

import subprocess

import program

FOLDER = program.ROOT / "build" / "release"


def build(target="src/cli/holdfast"):
    """Builds it when it is not up to date; its file."""
    if not (FOLDER / "build.ninja").exists():
        subprocess.run(["meson", "setup", "--buildtype=release", str(FOLDER)], cwd=program.ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(FOLDER), "--quiet", target], check=True, stdout=subprocess.DEVNULL)
    return FOLDER / target
