#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sockets to be looked at.

    dialer.py serve ADDRESS PORT
    dialer.py dial LOCAL PEER PORT [NAME=VALUE...]

Serve: TCP and UDP, read and not answered. Dial: connected sockets of
TCP, UDP, UDP over IPv4 and, for root, protocol 253 and ICMPv6's echoes, which a
second process shares; it prints their inodes as "KIND INODE", then "ready", and holds them. With options
(names of linux/shim.h without SHIM_, values as option.py takes them, with / for
spaces) it holds a UDP socket "dontshim" as well, sends from the others, and sets the
options of all but IPv4's as soon as there is a context.
"""
import contextlib
import errno
import os
import socket
import sys
import threading
import time

import option


def swallow(sock):
    with contextlib.suppress(OSError):
        while sock.recv(65536):
            pass


def serve(address, port):
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen()
    print("listener", os.fstat(listener.fileno()).st_ino)
    print("ready", flush=True)
    threading.Thread(target=swallow, args=(datagrams,), daemon=True).start()
    while True:
        accepted = listener.accept()[0]
        threading.Thread(target=swallow, args=(accepted,), daemon=True).start()


def connected(kind, local, peer, port, protocol=0, dontshim=False):
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    sock = socket.socket(family, kind, protocol)
    if dontshim:
        sock.setsockopt(option.SOL_SHIM, option.OPTIONS["DONTSHIM"], 1)
    sock.bind((local, 0))
    sock.connect((peer, port))
    sock.setblocking(False)
    return sock


def send(socks):
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.send(b"." * 64)
    time.sleep(0.02)


def wish(socks, sock, name, values):
    """As soon as there is a context, and it is known that the locator works."""
    for _ in range(3000):
        try:
            sock.setsockopt(option.SOL_SHIM, option.OPTIONS[name], option.pack(name, values))
            return
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        send(socks)
    sys.exit(f"no context for {name}")


def share():
    """Another process has all that is open here, until this one ends."""
    wait, _end = os.pipe()
    if os.fork() == 0:
        os.close(_end)
        os.read(wait, 1)
        os._exit(0)


def dial(local, peer, port, wishes):
    held = {"tcp": connected(socket.SOCK_STREAM, local, peer, port),
            "udp": connected(socket.SOCK_DGRAM, local, peer, port)}
    if os.geteuid() == 0:
        held["raw"] = connected(socket.SOCK_RAW, local, peer, 0, 253)
        held["ping"] = connected(socket.SOCK_DGRAM, local, peer, 0, socket.IPPROTO_ICMPV6)
    served = list(held.values())
    held["v4"] = connected(socket.SOCK_DGRAM, "127.0.0.1", "127.0.0.1", port)
    if wishes:
        held["dontshim"] = connected(socket.SOCK_DGRAM, local, peer, port, dontshim=True)
    share()
    for text in wishes:
        name, values = text.split("=")
        for sock in served:
            wish(served, sock, name, values.split("/"))
    for kind, sock in held.items():
        print(kind, os.fstat(sock.fileno()).st_ino, flush=True)
    print("ready", flush=True)
    while True:
        if wishes:
            send(served)
        else:
            time.sleep(60)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) > 4 and sys.argv[1] == "dial":
        dial(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
    sys.exit(__doc__)
