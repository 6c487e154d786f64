#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sockets that wish different things of the context of their addresses.

    wishers.py many LOCAL PEER PORT COUNT
    wishers.py crowd LOCAL PEER PORT COUNT
    wishers.py closed LOCAL PEER PORT COUNT

Many: COUNT UDP sockets, one after the other. Crowd: COUNT processes at once, on one
socket that they share, after another socket wished something. Each prefers LOCAL a
little less. It prints "granted N", then sends from all of them every 100 ms. Closed:
COUNT TCP connections to a server that echoes; each is closed in good order, and so
does this program end.
"""
import os
import socket
import sys
import time

import option


def connected(local, peer, port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind((local, 0))
    sock.connect((peer, int(port)))
    return sock


def wish(sock, local, priority):
    try:
        sock.setsockopt(option.SOL_SHIM, option.OPTIONS["LOC_LOCAL_PREF"],
                        option.pack_locator(f"{local},{priority},0"))
        return True
    except OSError as error:
        print(f"# {os.strerror(error.errno)}", flush=True)
        return False


def crowd(sock, local, count):
    ready, go = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)  # ends when the last end for writing is closed
            os._exit(0 if wish(sock, local, 2 + number) else 1)
        children.append(child)
    os.close(go)
    return sum(os.waitpid(child, 0)[1] == 0 for child in children)


def closed(local, peer, port, count):
    sockets = [socket.create_connection((peer, port), source_address=(local, 0))
               for _ in range(count)]
    granted = [wish(sock, local, 1 + number) for number, sock in enumerate(sockets)]
    for sock in sockets:
        sock.sendall(b".")
        sock.recv(1)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
        sock.close()
    sys.exit(0 if all(granted) else 1)


def main():
    if len(sys.argv) != 6 or sys.argv[1] not in ("many", "crowd", "closed"):
        sys.exit(__doc__)
    local, peer, port, count = *sys.argv[2:5], int(sys.argv[5])
    if sys.argv[1] == "closed":
        closed(local, peer, port, count)
    sockets = [connected(local, peer, port) for _ in range(count if sys.argv[1] == "many" else 2)]
    if sys.argv[1] == "many":
        granted = sum(wish(sock, local, 1 + number) for number, sock in enumerate(sockets))
    else:
        wish(sockets[0], local, 1)
        granted = crowd(sockets[1], local, count)
    print(f"granted {granted}", flush=True)
    while True:
        for sock in sockets:
            try:
                sock.send(b"." * 64)
            except OSError:
                pass
        time.sleep(0.1)


main()
