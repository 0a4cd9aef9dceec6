"""What a test shows when it has failed. Its reports are on its item (conftest.py)."""

LOG_LINES_SHOWN = 120


def failed(item):
    return any(getattr(item, f"report_{when}", None) is not None and getattr(item, f"report_{when}").failed
               for when in ("setup", "call"))


def show_log(path):
    if path.exists():
        lines = path.read_text(errors="replace").splitlines()
        print(f"--- {path.name}, the last {min(len(lines), LOG_LINES_SHOWN)} of {len(lines)} lines")
        print("\n".join(lines[-LOG_LINES_SHOWN:]))
