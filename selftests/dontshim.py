#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sockets that want no shim (RFC 6316 section 6.2).

    dontshim.py tcp-serve ADDRESS PORT
    dontshim.py tcp-fetch LOCAL PEER PORT
    dontshim.py reset-serve ADDRESS PORT
    dontshim.py reset LOCAL PEER PORT
    dontshim.py fast-serve ADDRESS PORT
    dontshim.py fast LOCAL PEER PORT
    dontshim.py udp-echo ADDRESS PORT
    dontshim.py udp-ping LOCAL PEER PORT COUNT

The TCP server sets the option on its listening socket only: its children
inherit it. The TCP client closes first, so that its TIME_WAIT socket answers
the server's FIN. reset has two connections, of which each end resets one; fast says
something in its first packet (RFC 7413). Exit status 0: everything arrived.
"""
import socket
import struct
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


def reset_serve(address, port):
    with bare(socket.SOCK_STREAM) as listener:
        listener.bind((address, port))
        listener.listen()
        print("ready", flush=True)
        with listener.accept()[0] as child:
            expect_reset(child)
        with listener.accept()[0] as child:
            # Who closes and has not read everything resets.
            assert child.recv(1, socket.MSG_PEEK) == b"?", "not asked"
    print("served", flush=True)


def expect_reset(sock):
    try:
        sock.recv(1)
        sys.exit("not reset")
    except ConnectionResetError:
        pass


def reset(local, peer, port):
    for ours in True, False:
        with bare(socket.SOCK_STREAM) as sock:
            sock.bind((local, 0))
            sock.connect((peer, port))
            if ours:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
            else:
                sock.send(b"?")
                expect_reset(sock)


def fast_serve(address, port):
    with bare(socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        listener.bind((address, port))
        listener.listen()
        print("ready", flush=True)
        with listener.accept()[0] as child:
            assert child.recv(100) == b"fast", "not what was said"
            child.sendall(b"so")
            assert child.recv(1) == b"", "no end"
    print("served", flush=True)


def fast(local, peer, port):
    with bare(socket.SOCK_STREAM) as sock:
        sock.bind((local, 0))
        sock.sendto(b"fast", socket.MSG_FASTOPEN, (peer, port))
        assert sock.recv(100) == b"so", "not the answer"


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
    serves = {"tcp-serve": tcp_serve, "reset-serve": reset_serve, "fast-serve": fast_serve, "udp-echo": udp_echo}
    asks = {"tcp-fetch": tcp_fetch, "reset": reset, "fast": fast}
    if what in serves:
        serves[what](args[0], int(args[1]))
    elif what in asks:
        asks[what](args[0], args[1], int(args[2]))
    elif what == "udp-ping":
        udp_ping(args[0], args[1], int(args[2]), int(args[3]))
    else:
        sys.exit(__doc__)


main()
