#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams to one peer, and between any two of them some to others, each another one's.

    pairs.py LOCAL PEER PREFIX OTHERS PORT COUNT

Sends COUNT datagrams from LOCAL to PEER; the others' addresses are PREFIX and 1 to OTHERS, in
an order that its process number decides.
"""
import os
import random
import socket
import sys

BETWEEN = 4


def main():
    local, peer, prefix, others, port, count = sys.argv[1:]
    draw = random.Random(os.getpid())
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind((local, 0))
    for _ in range(int(count)):
        sock.sendto(b"ours", (peer, int(port)))
        for _ in range(BETWEEN):
            sock.sendto(b"theirs", (f"{prefix}{draw.randint(1, int(others)):x}", int(port)))


main()
