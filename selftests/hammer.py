#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One processor that does one thing to a context, as fast as it goes, until SIGTERM.

    hammer.py CPU send LOCAL PEER PORT     datagrams
    hammer.py CPU ask LOCAL PEER PORT      all that getsockopt() can tell of it
    hammer.py CPU wish LOCAL PEER PORT     preferences, path exploration and feedback of a socket
    hammer.py CPU run COMMAND...           a command, again and again

Prints when it begins, and how often it was done; failures are no matter, the context may be
gone.
"""
import errno
import os
import signal
import socket
import subprocess
import sys

import option

ALLOWED = {errno.ENOENT, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOBUFS, errno.ENOMEM, errno.EBUSY,
           errno.ENETUNREACH, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ETIMEDOUT,
           errno.EADDRNOTAVAIL, errno.EINTR, 600, 601, 602, 603}
running = True


def stop(*_):
    global running
    running = False


def tried(call, *args):
    try:
        call(*args)
    except OSError as error:
        if error.errno not in ALLOWED:
            raise


def send(sock, _local):
    for _ in range(20):
        tried(sock.send, b"." * 200)


def ask(sock, _local):
    for name, number in option.OPTIONS.items():
        if not name.endswith("_RECV"):
            tried(sock.getsockopt, option.SOL_SHIM, number, option.room(name))


def wish(sock, local, turn=[0]):
    turn[0] += 1
    wishes = (
        ("LOC_LOCAL_PREF", [f"{local},{turn[0] % 5},{turn[0] % 7}"]),
        ("PATHEXPLORE", [4, 3, 1, 500]),
        ("FEEDBACK_POSITIVE", [1]),
        ("HOT_STANDBY", [turn[0] % 2]),
        ("APP_TIMEOUT", [1 + turn[0] % 3]),
    )
    name, values = wishes[turn[0] % len(wishes)]
    tried(sock.setsockopt, option.SOL_SHIM, option.OPTIONS[name], option.pack(name, values))


def main():
    cpu, what, *rest = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu)})
    signal.signal(signal.SIGTERM, stop)
    print("begun", flush=True)
    done = 0
    if what == "run":
        while running:
            subprocess.run(rest, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            done += 1
    else:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind((rest[0], 0))
        sock.connect((rest[1], int(rest[2])))
        act = {"send": send, "ask": ask, "wish": wish}[what]
        while running:
            act(sock, rest[0])
            done += 1
    print(f"{what} {done}", flush=True)


main()
