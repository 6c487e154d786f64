#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Messages with the ancillary data of RFC 6316 section 7.

    message.py receive LOCAL PEER PORT COUNT [READERS]
    message.py send LOCAL PEER PORT COUNT THREADS LOCAL,PEER...
    message.py try LOCAL PEER KIND VALUE [more|tcp|unbound]

receive asks for both locators and the interface of every datagram and prints a
line for each: what it says, local locator, peer's locator, interface. The first
of its readers peeks at each datagram before it takes it. send says in
each datagram which locators it chose for it. try sends one datagram with one
object, of KIND LOCAL, PEER (an address), IF (an index) or FEEDBACK (direction,
indicator), and prints "sent" or the error.
"""
import errno
import itertools
import socket
import struct
import sys
import threading

SOL_SHIM = 140
LOCAL_RECV, PEER_RECV, LOCAL_SEND, PEER_SEND, FEEDBACK, IF_RECV, IF_SEND = 133, 134, 135, 136, 142, 143, 144
ERRORS = {600: "EINVALIDLOCATOR", 601: "EUNVERIFIEDLOCATOR", 602: "EUNREACHABLELOCATOR"}
IN6 = struct.Struct("=HHI16sI")


def in6(address):
    return IN6.pack(socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, address), 0)


def text(octets):
    if not any(octets):
        return "none"
    family, _, _, address, _ = IN6.unpack(octets)
    assert family == socket.AF_INET6 and len(octets) == 28
    return socket.inet_ntop(socket.AF_INET6, address)


def connected(local, peer, port, kind=socket.SOCK_DGRAM):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.bind((local, port))
    sock.connect((peer, port))
    return sock


def told(ancillary):
    objects = {kind: data for level, kind, data in ancillary if level == SOL_SHIM}
    assert len(objects) == 3 == len(ancillary), ancillary
    return text(objects[LOCAL_RECV]), text(objects[PEER_RECV]), struct.unpack("=i", objects[IF_RECV])[0]


def receive(local, peer, port, count, readers="1"):
    sock = connected(local, peer, int(port))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    for option in (LOCAL_RECV, PEER_RECV, IF_RECV):
        sock.setsockopt(SOL_SHIM, option, 1)
    left, lock = itertools.count(), threading.Lock()

    def read(peeks):
        while True:
            with lock:
                if next(left) >= int(count):
                    return
            room = 3 * socket.CMSG_SPACE(28)
            if peeks:
                sock.recvmsg(70000, room, socket.MSG_PEEK)
            data, ancillary, flags, _ = sock.recvmsg(70000, room)
            assert flags == 0, flags
            line = " ".join(map(str, (data.decode().rstrip("."), *told(ancillary))))
            with lock:
                print(line, flush=True)

    print("ready", flush=True)
    threads = [threading.Thread(target=read, args=(i == 0,)) for i in range(int(readers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send(local, peer, port, count, senders, *pairs):
    sock = connected(local, peer, int(port))

    def write(first):
        for i in range(first, int(count), int(senders)):
            ours, theirs = pairs[i % len(pairs)].split(",")
            # Every eleventh is cut into fragments.
            says = f"{i} {ours} {theirs}".ljust(4000 if i % 11 == 5 else 1, ".")
            chosen = [(SOL_SHIM, LOCAL_SEND, in6(ours)), (SOL_SHIM, PEER_SEND, in6(theirs))]
            sock.sendmsg([says.encode()], chosen)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(int(senders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def attempt(local, peer, kind, value, how=""):
    types = {"LOCAL": LOCAL_SEND, "PEER": PEER_SEND, "IF": IF_SEND, "FEEDBACK": FEEDBACK, "RECV": LOCAL_RECV}
    if kind == "IF":
        data = struct.pack("=i", int(value))
    elif kind == "FEEDBACK":
        data = struct.pack("=BBH", *map(int, value.split(",")), 0)
    elif "." in value and ":" not in value:
        data = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
    else:
        data = in6(value)
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM)
    name = None
    if how == "unbound":
        name = (peer, 9)
    else:
        sock.bind((local, 0))
        sock.connect((peer, 9))
    try:
        # So that messages are looked at, and to know whether there is a shim.
        sock.getsockopt(SOL_SHIM, 129, 4)
        data = [(SOL_SHIM, types[kind], data)]
        flags = socket.MSG_MORE if how == "more" else 0
        sock.sendmsg([b"hello"], data, flags, name) if name else sock.sendmsg([b"hello"], data, flags)
        print("sent")
    except OSError as error:
        print(ERRORS.get(error.errno) or errno.errorcode[error.errno])


def main():
    what = {"receive": receive, "send": send, "try": attempt}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if not what:
        sys.exit(__doc__)
    what(*sys.argv[2:])


main()
