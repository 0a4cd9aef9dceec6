"""A line that takes its time: what is routed into its device comes out of it again later, in its order. As a program, in
the router's namespace: delay.py DEVICE MILLISECONDS."""

import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
PACKET_MAX = 65535
UNDER_WAY_MAX = 20000  # more are lost, as on any line that is too narrow


def device(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def take(fd, under_way, delay_s):
    """All that has come."""
    while True:
        try:
            packet = os.read(fd, PACKET_MAX)
        except BlockingIOError:
            return
        if len(under_way) < UNDER_WAY_MAX:
            under_way.append((time.monotonic() + delay_s, packet))


def give(fd, under_way):
    """All that is due. Returns after how long the next one is; None: nothing is under way."""
    while under_way:
        due, packet = under_way[0]
        left = due - time.monotonic()
        if left > 0:
            return left
        under_way.popleft()
        try:
            os.write(fd, packet)
        except OSError:
            pass  # it is lost: the device is down, or full
    return None


def main(name, delay_ms):
    fd, under_way = device(name), collections.deque()
    while True:
        select.select([fd], [], [], give(fd, under_way))
        take(fd, under_way, float(delay_ms) / 1000)


if __name__ == "__main__":
    main(*sys.argv[1:])
