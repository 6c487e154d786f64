#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sockets that want no shim (RFC 6316 section 6.2).

    dontshim.py tcp-serve ADDRESS PORT
    dontshim.py tcp-fetch LOCAL PEER PORT
    dontshim.py udp-echo ADDRESS PORT
    dontshim.py udp-ping LOCAL PEER PORT COUNT

The TCP server sets the option on its listening socket only: its children
inherit it. The TCP client closes first, so that its TIME_WAIT socket answers
the server's FIN. Exit status 0: everything arrived.
"""
import socket
import sys

SOL_SHIM = 140
SHIM_DONTSHIM = 129
BYTES = 1 << 20
LIMIT = 20


def bare(kind):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(SOL_SHIM, SHIM_DONTSHIM, 1)
    sock.settimeout(LIMIT)
    return sock


def tcp_serve(address, port):
    with bare(socket.SOCK_STREAM) as listener:
        listener.bind((address, port))
        listener.listen()
        print("ready", flush=True)
        child, _ = listener.accept()
        with child:
            assert child.getsockopt(SOL_SHIM, SHIM_DONTSHIM) == 1, "not inherited"
            child.settimeout(LIMIT)
            child.sendall(bytes(BYTES))
            assert child.recv(1) == b"", "no end"
    print("served", flush=True)


def tcp_fetch(local, peer, port):
    got = 0
    with bare(socket.SOCK_STREAM) as sock:
        sock.bind((local, 0))
        sock.connect((peer, port))
        while got < BYTES:
            got += len(sock.recv(1 << 16))


def udp_echo(address, port):
    with bare(socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        print("ready", flush=True)
        while True:
            data, peer = sock.recvfrom(2048)
            sock.sendto(data, peer)


def udp_ping(local, peer, port, count):
    with bare(socket.SOCK_DGRAM) as sock:
        sock.bind((local, 0))
        sock.connect((peer, port))
        for number in range(count):
            sock.send(number.to_bytes(4, "big"))
            assert sock.recv(2048) == number.to_bytes(4, "big"), "not the echo"


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "tcp-serve":
        tcp_serve(args[0], int(args[1]))
    elif what == "tcp-fetch":
        tcp_fetch(args[0], args[1], int(args[2]))
    elif what == "udp-echo":
        udp_echo(args[0], int(args[1]))
    elif what == "udp-ping":
        udp_ping(args[0], args[1], int(args[2]), int(args[3]))
    else:
        sys.exit(__doc__)


main()
