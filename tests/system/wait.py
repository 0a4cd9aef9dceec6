"""The one place that polls."""

import time

POLL_S = 0.03
LOOKS_REST = 6  # a pause is so many times what the look took: looking must not take the machine from what is looked at
REST_MAX_S = 1
LIMIT_S = 60  # far above what anything here takes, also on a busy machine


class NotInTime(AssertionError):
    """A condition that did not come true."""


def until(condition, what, limit_s=LIMIT_S, tolerate=(), abandon=None):
    """The first true value of condition(). tolerate: exceptions that mean "not
    yet". abandon: a function whose true value says why waiting is useless."""
    deadline = time.monotonic() + limit_s
    last = None
    while True:
        began = time.monotonic()
        try:
            last = condition()
            if last:
                return last
        except tolerate as error:
            last = error
        useless = abandon() if abandon else None
        now = time.monotonic()
        if useless or now > deadline:
            raise NotInTime(f"{what}: {useless or f'not within {limit_s} s'}; last: {last!r}")
        time.sleep(max(POLL_S, min(LOOKS_REST * (now - began), REST_MAX_S)))
