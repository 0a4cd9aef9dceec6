"""`status --watch`: a table that is drawn anew, from which a change can be seen, until Ctrl-C."""

import signal
import subprocess

import program
import wait


def test_the_table_is_drawn_anew(two_site, scratch):
    shown = scratch / "shown"
    with open(shown, "w") as out:
        watching = subprocess.Popen([program.BINARY, "status", "--watch", "-c", str(two_site.config), "--state-dir",
                                     str(two_site.state_dir)], stdout=out, stderr=subprocess.STDOUT)
    try:
        wait.until(lambda: "operational" in shown.read_text(), "the table")
        two_site.must("server", "fence", "mail1")
        wait.until(lambda: "fenced" in shown.read_text(), "the change")
    finally:
        watching.send_signal(signal.SIGINT)
        status = watching.wait(30)
    assert status == program.DONE
    assert shown.read_text().count("SERVER ") >= 2
