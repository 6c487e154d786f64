#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A TCP connection on which somebody says something now and then.

    chat.py serve ADDRESS PORT
    chat.py talk LOCAL PEER PORT

The server sends every line back. The client sends the lines of its standard
input and prints what comes back.
"""
import socket
import sys


def serve(address, port):
    with socket.create_server((address, port), family=socket.AF_INET6) as listener:
        print("ready", flush=True)
        while True:
            child, _ = listener.accept()
            with child, child.makefile("rwb") as lines:
                for line in lines:
                    lines.write(line)
                    lines.flush()


def talk(local, peer, port):
    with socket.create_connection((peer, port), source_address=(local, 0)) as sock:
        with sock.makefile("rwb") as lines:
            for line in sys.stdin.buffer:
                lines.write(line)
                lines.flush()
                print(lines.readline().decode().strip(), flush=True)


if len(sys.argv) == 4 and sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
elif len(sys.argv) == 5 and sys.argv[1] == "talk":
    talk(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    sys.exit(__doc__)
