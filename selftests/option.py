#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One socket option of RFC 6316, got or set on a connected UDP socket.

    option.py LOCAL PEER get OPTION [OCTETS]
    option.py LOCAL PEER set OPTION VALUE...
    option.py LOCAL PEER again MS OPTION
    option.py LOCAL PEER at-once ROUNDS OPTION VALUE VALUE OPTION VALUE VALUE

OPTION is a name of linux/shim.h without SHIM_. A value is an int, for
PATHEXPLORE four ints, for locators ADDRESS[,PRIORITY[,WEIGHT]]. What is got is
printed in the same way; an error is printed by its name. Exit status 0 without
an error, 1 with one. again sets it to 1 every so many milliseconds until it is stopped.
at-once sets two options of one socket at once, from two processes, each to one value and the
other in turn, and looks whether it is what was set: prints how often it was not, for each.
"""
import errno
import os
import socket
import struct
import sys
import time

SOL_SHIM = 140
OPTIONS = {
    "ASSOCIATED": 128, "DONTSHIM": 129, "HOT_STANDBY": 130, "LOC_LOCAL_PREF": 131,
    "LOC_PEER_PREF": 132, "LOC_LOCAL_RECV": 133, "LOC_PEER_RECV": 134,
    "LOC_LOCAL_SEND": 135, "LOC_PEER_SEND": 136, "LOCLIST_LOCAL": 137,
    "LOCLIST_PEER": 138, "APP_TIMEOUT": 139, "PATHEXPLORE": 140,
    "CONTEXT_DEFERRED_SETUP": 141, "IF_RECV": 143, "IF_SEND": 144, "FEEDBACK_POSITIVE": 145, "FEEDBACK_NEGATIVE": 146,
    "FII": 147,
}
ERRORS = {600: "EINVALIDLOCATOR", 601: "EUNVERIFIEDLOCATOR", 602: "EUNREACHABLELOCATOR",
          603: "ETOOMANYLOCATORS"}
LOCATOR = struct.Struct("=BBHHHI16sH2x")
EXPLORE = struct.Struct("=HHHHI")


def is_locators(name):
    if name.endswith("_RECV"):
        return False
    return name.startswith("LOC")


def pack_locator(text):
    address, priority, weight = (text.split(",") + ["0", "0"])[:3]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    octets = socket.inet_pton(family, address).ljust(16, b"\0")
    return LOCATOR.pack(family, 0, 0, int(priority), int(weight), 0, octets, 0)


def pack(name, values):
    if is_locators(name):
        return b"".join(map(pack_locator, values))
    if name == "PATHEXPLORE":
        return EXPLORE.pack(*map(int, values), 0)
    return struct.pack("=i", int(values[0]))


def show(name, octets):
    if is_locators(name):
        for at in range(0, len(octets), LOCATOR.size):
            _, _, _, priority, weight, _, address, _ = LOCATOR.unpack_from(octets, at)
            print(f"{socket.inet_ntop(socket.AF_INET6, address)},{priority},{weight}")
    elif name == "PATHEXPLORE":
        print(*EXPLORE.unpack(octets)[:4])
    else:
        print(*struct.unpack("=i", octets))


def room(name):
    if name == "PATHEXPLORE":
        return EXPLORE.size
    return 32 * LOCATOR.size if name.startswith("LOCLIST") else LOCATOR.size if is_locators(name) else 4


def again(sock, ms, name):
    while True:
        sock.setsockopt(SOL_SHIM, OPTIONS[name], pack(name, [1]))
        time.sleep(int(ms) / 1000)


def alternate(sock, rounds, name, *values):
    """How often it was not what had just been set."""
    lost = 0
    octets = [pack(name, [value]) for value in values]
    for n in range(rounds):
        wanted = octets[n % len(octets)]
        sock.setsockopt(SOL_SHIM, OPTIONS[name], wanted)
        got = sock.getsockopt(SOL_SHIM, OPTIONS[name], room(name))
        lost += LOCATOR.unpack(got)[6] != LOCATOR.unpack(wanted)[6]
    return lost


def at_once(sock, rounds, *options):
    child = os.fork()
    lost = alternate(sock, rounds, *(options[:3] if child else options[3:]))
    if not child:
        os._exit(min(lost, 254))
    print(lost, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def main():
    what, *values = sys.argv[3:] or [""]
    number = values.pop(0) if what in ("again", "at-once") and values else None
    name = values.pop(0) if values else None
    if what not in ("get", "set", "again", "at-once") or name not in OPTIONS:
        sys.exit(__doc__)
    local, peer = sys.argv[1:3]
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind((local, 0))
        sock.connect((peer, 9))
        try:
            if what == "again":
                again(sock, number, name)
            elif what == "at-once":
                at_once(sock, int(number), name, *values)
            elif what == "set":
                sock.setsockopt(SOL_SHIM, OPTIONS[name], pack(name, values))
            else:
                size = int(values[0]) if values else room(name)
                show(name, sock.getsockopt(SOL_SHIM, OPTIONS[name], size))
        except OSError as error:
            print(ERRORS.get(error.errno) or errno.errorcode[error.errno])
            sys.exit(1)


if __name__ == "__main__":
    main()
