"""The stages of the suite: each runs programs and adds their cases to a Tally."""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"

# In two thirds of the time; the lines of a report are there all the same. What is a warning is judged in the usual build:
# GCC sees some that are not there in what a sanitizer adds.
QUICKLY_BUILT = ["-Doptimization=1", "-Dc_args=-g1", "-Dwerror=false"]
SETUP_OF_BUILD = {
    "meson": [],
    "asan": ["-Db_sanitize=address,undefined", "-Db_lundef=false", *QUICKLY_BUILT],
    "tsan": ["-Db_sanitize=thread", "-Db_lundef=false", *QUICKLY_BUILT],
}
# The exit status is one that no program of ours uses: a test that expects a failure must not take it for that.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
SLOWER_WITH_SANITIZER = 8  # times a test's own time limit, on a machine that does other things, too
LOG = "meson-logs/testlog*.json"  # meson adds the wrapper's name
PARTS_AT_ONCE = 4  # they wait more than they compute
TESTS_AT_ONCE = 3  # of meson's, some of which wait
NICE = 10  # of what is made beside stages that wait: it gets what they leave
STAGE_LIMIT_S = 1500  # a stage that hangs must not hang the suite
BESIDE_LIMIT_S = 3600  # of what gets only what others leave
RUNNING = set()  # processes


def give_way(process):
    """The nice value counts inside of a group only, where the kernel makes a group of each session."""
    try:
        pathlib.Path("/proc", str(process.pid), "autogroup").write_text(str(NICE))
    except OSError:
        pass  # no such groups here


def run(argv, limit_s=STAGE_LIMIT_S, quiet=False, beside=False, **options):
    """Runs a program in a process group of its own, echoing what it prints. beside: others go first.
    Returns (exit status, its standard output)."""
    lower = ["nice", "-n", str(NICE)] if beside else []
    process = subprocess.Popen(
        [*lower, *(str(arg) for arg in argv)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True, errors="replace", start_new_session=True, **options)
    RUNNING.add(process)
    if beside:
        give_way(process)
    watchdog = threading.Timer(BESIDE_LIMIT_S if beside else limit_s, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if not quiet:
                print(line, end="", flush=True)
        return process.wait(), "".join(lines)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        watchdog.cancel()
        RUNNING.discard(process)


def kill_running():
    """What other threads started, when nobody will look at it any more."""
    for process in list(RUNNING):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def introspect(build_dir, what):
    _, text = run(["meson", "introspect", what, build_dir], quiet=True)
    return json.loads(text)


def configure(build_dir, options):
    """Sets the build folder up, or again when a meson.build is newer: it may be
    that of a folder that meson has not seen, which ninja would not notice."""
    ninja = build_dir / "build.ninja"
    if not ninja.exists():
        return run(["meson", "setup", build_dir, *options], quiet=True)
    newest = max(path.stat().st_mtime for place in ("src", "tests") for path in (ROOT / place).rglob("meson.build"))
    if newest > ninja.stat().st_mtime:
        return run(["meson", "setup", "--reconfigure", build_dir], quiet=True)
    return 0, ""


def make(build_name, targets_of, **options):
    """Configures and builds all, or the targets of a configured folder that the function names. Returns the exit status."""
    build_dir = BUILD / build_name
    status, text = configure(build_dir, SETUP_OF_BUILD[build_name])
    if status != 0:
        print(text)
        return status
    targets = targets_of(build_dir)
    return run(["ninja", "-C", build_dir, "--quiet", *targets], **options)[0] if targets else 0


def build(tally, build_name, targets_of=lambda build_dir: ["all"]):
    """A failure is a failed case. Returns the build folder or None."""
    if make(build_name, targets_of) != 0:
        tally.add(f"build {build_name}", "failed")
        return None
    return BUILD / build_name


def make_for_suites(build_name, suites, name_filter):
    """Beside other stages, what a later one needs, which judges it."""
    make(build_name, lambda folder: programs_of(folder, suites, name_filter), beside=True, quiet=True)


def select(tests, suites, name_filter):
    wanted = {f"holdfast:{suite}" for suite in suites}
    return [test["name"] for test in tests
            if wanted & set(test["suite"]) and name_filter in test["name"]]


def programs_of(build_dir, suites, name_filter):
    """What these tests run of the build folder."""
    tests = introspect(build_dir, "--tests")
    names = select(tests, suites, name_filter)
    words = {os.path.normpath(build_dir / word) for test in tests if test["name"] in names for word in test["cmd"]}
    built = {name for target in introspect(build_dir, "--targets") for name in target["filename"]}
    return sorted(os.path.relpath(word, build_dir) for word in words & built)


def show_failure(record):
    print(f"--- {record['name']}: {record['result']}")
    for stream in ("stdout", "stderr"):
        if record.get(stream):
            print(record[stream].rstrip())


def meson_suites(tally, build_name, suites, name_filter):
    """Runs meson's tests of these suites; every TAP case counts."""
    build_dir = build(tally, build_name, lambda folder: programs_of(folder, suites, name_filter))
    if not build_dir:
        return
    tests = introspect(build_dir, "--tests")
    for suite in suites:
        if not select(tests, [suite], ""):
            tally.add(f"{build_name} {suite}", "failed", "meson knows no test of this suite")
    names = select(tests, suites, name_filter)
    if not names:
        return
    for old in build_dir.glob(LOG):
        old.unlink()
    argv = ["meson", "test", "-C", build_dir, "--no-rebuild", "--num-processes", str(TESTS_AT_ONCE), *names]
    sanitized = build_name != "meson"
    if sanitized:
        argv += ["-t", str(SLOWER_WITH_SANITIZER)]
    if build_name == "tsan":
        argv += ["--wrapper", "setarch --addr-no-randomize"]  # its shadow memory wants fixed places
    run(argv, env={**os.environ, **(SANITIZER_ENV if sanitized else {})})
    records = [json.loads(line) for log in build_dir.glob(LOG) for line in log.read_text().splitlines()]
    for record in records:
        record["name"] = record["name"].rpartition(" / ")[2]  # meson may put the suite before it
        well = record["result"] == "OK"
        if not well:
            show_failure(record)
        prefix = f"{build_name} {record['name']}" if sanitized else record["name"]
        tally.add_tap(prefix, record.get("stdout", ""), well or record["result"] == "SKIP")
    for name in set(names) - {record["name"] for record in records}:
        tally.add(name, "failed", "did not run")


def registered(tally, name_filter):
    """Every C file of a test is one that meson knows, so that none is forgotten."""
    if name_filter:
        return
    known = {pathlib.Path(source).resolve() for target in introspect(BUILD / "meson", "--targets")
             for group in target["target_sources"] for source in group.get("sources", [])}
    for kind in ("unit", "dialogue", "simulation", "crash"):
        forgotten = [path for path in (ROOT / "tests" / kind).rglob("test_*.c") if path not in known]
        detail = ", ".join(str(path.relative_to(ROOT)) for path in forgotten)
        tally.add(f"every {kind} test is known to meson", "failed" if forgotten else "passed", detail)
    played = {pathlib.Path(word).name for test in introspect(BUILD / "meson", "--tests") for word in test["cmd"]}
    unplayed = [path.name for path in (ROOT / "tests/simulation/regressions").glob("*.seed") if path.name not in played]
    tally.add("every seed of a regression is played", "failed" if unplayed else "passed", ", ".join(unplayed))


def twice_defined(listing):
    """Global symbols that two objects define, of what nm -A says of libraries: the linker takes either, without a word."""
    where = {}
    for line in listing.splitlines():
        place, _, rest = line.rpartition(":")
        words = rest.split()  # address, kind, name
        if len(words) == 3 and words[1] in "TDBR":
            where.setdefault(words[2], set()).add(place)
    return sorted(name for name, places in where.items() if len(places) > 1)


def one_of_each_symbol(tally, name_filter):
    if name_filter:
        return
    libraries = sorted((BUILD / "meson" / "src").rglob("*.a"))
    status, listing = run(["nm", "-A", "--defined-only", *libraries], quiet=True)
    doubles = twice_defined(listing) if status == 0 else ["nm failed"]
    tally.add("no symbol of the libraries is defined twice", "failed" if doubles or not libraries else "passed", ", ".join(doubles))


def tap_program(tally, name, argv):
    judge_tap_program(tally, name, run(argv, quiet=True))


def judge_tap_program(tally, name, ended):
    """ended: what run() returned, quietly."""
    status, text = ended
    print(text, end="", flush=True)
    tally.add_tap(name, text, status == 0)


def can_have_networks():
    """As root each part gets a network namespace of its own: the addresses of the examples are fixed."""
    loopback_up = ["unshare", "--net", "ip", "link", "set", "lo", "up"]
    return os.geteuid() == 0 and subprocess.run(loopback_up, check=False).returncode == 0


def parts_of(folder):
    """Files and folders that can run beside each other."""
    return [*folder.glob("test_*.py"), *(path for path in folder.iterdir() if list(path.glob("test_*.py")))]


def long_first(part):
    """A sort key. What must hold whatever happens takes its time; of the others a longer text has more cases."""
    return not part.name.startswith("test_hold"), part.is_file(), -part.stat().st_size, part.name


def run_pytest(where, report, name_filter, network, **options):
    """Returns what it printed; quiet unless it is the only one."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "junit_family=xunit2",
            "--tb=short", "-v", f"--junitxml={report}", where]
    if name_filter:
        argv += ["-k", " and ".join(name_filter.split())]
    if network:
        argv = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *argv]
    return run(argv, quiet=network, **options)[1]


def pytest_folders(tally, folders, name_filter):
    """Runs Debian's pytest on folders, some parts at a time where each can have a network of its own, and
    counts from the junit files."""
    network = can_have_networks()
    folder_of = {part: folder for folder in folders for part in (parts_of(folder) if network else [folder])}
    parts = sorted(folder_of, key=long_first)
    reports = {part: BUILD / "test" / f"{folder_of[part].name}-{part.stem}.xml" for part in parts}
    pool = concurrent.futures.ThreadPoolExecutor(PARTS_AT_ONCE if network else 1)
    try:
        runs = [pool.submit(run_pytest, part, reports[part], name_filter, network) for part in parts]
        for done in concurrent.futures.as_completed(runs):
            print(done.result() if network else "", end="", flush=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    for part, report in reports.items():
        count_report(tally, folder_of[part].name, part, report, name_filter)


def pytest_sanitized(tally, path, name_filter):
    """A file of tests/system, with the program of the address sanitizer's build: its fixtures look for reports."""
    program = "src/cli/holdfast"
    build_dir = build(tally, "asan", lambda folder: [program])
    if not build_dir:
        return
    report = BUILD / "test" / f"asan-{path.stem}.xml"
    binary = str(build_dir / program)
    network = can_have_networks()
    text = run_pytest(path, report, name_filter, network, env={**os.environ, **SANITIZER_ENV, "HOLDFAST": binary})
    print(text if network else "", end="", flush=True)
    count_report(tally, f"asan {path.parent.name}", path, report, name_filter)


def count_report(tally, prefix, part, report, name_filter):
    if not report.exists():
        tally.add(f"{prefix} {part.stem}", "failed", "pytest ended without a report")
    elif count_cases(tally, prefix, report) == 0 and not name_filter:
        tally.add(f"{prefix} {part.stem}", "failed", "ran no case")


def count_cases(tally, prefix, report):
    """Returns how many there are."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    for case in cases:
        name = f"{prefix} {case.get('classname')}/{case.get('name')}"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skip = case.find("skipped")
        if bad is not None:
            tally.add(name, "failed", bad.get("message", "").split("\n")[0])
        elif skip is not None:
            tally.add(name, "skipped", skip.get("message", ""))
        else:
            tally.add(name, "passed")
    return len(cases)
