#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the calls that name addresses say, again and again, while locators change.

    names.py serve LOCAL PEER PORT
    names.py ask LOCAL PEER PORT
    names.py refused LOCAL PEER PORT

serve has a TCP and an unbound UDP socket at PORT, ask talks to both 50 times a
second. At every message both compare what getsockname(), getpeername(), accept(),
recvfrom(), IPV6_PKTINFO and IPV6_ORIGDSTADDR say with LOCAL and PEER, and end with a
sentence when it is something else. ask prints a line for every message that was
answered by both. refused sends to a port that nobody has and prints what the error
queue says: the error, the destination, who sent it, the levels of the objects.
"""
import select
import socket
import struct
import sys
import time

IPV6_RECVERR, IPV6_ORIGDSTADDR = 25, 74
SOL_SHIM = 140
IN6 = struct.Struct("=HHI16sI")


def same(what, got, want):
    if got != want:
        sys.exit(f"{what} says {got}, not {want}")


def address_of(octets):
    return socket.inet_ntop(socket.AF_INET6, octets)


def names(sock, local, peer):
    same("getsockname()", sock.getsockname()[0], local)
    same("getpeername()", sock.getpeername()[0], peer)


def described(ancillary, local):
    """Which address a datagram was sent to, by each object that tells it."""
    seen = set()
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            same("IPV6_PKTINFO", address_of(data[:16]), local)
        elif (level, kind) == (socket.IPPROTO_IPV6, IPV6_ORIGDSTADDR):
            same("IPV6_ORIGDSTADDR", address_of(IN6.unpack(data)[3]), local)
        else:
            sys.exit(f"object of level {level}, type {kind}")
        seen.add(kind)
    same("the kernel", len(seen), 2)


def answer(udp, local, peer):
    data, ancillary, _, name = udp.recvmsg(2048, 1024)
    same("recvmsg()", name[0], peer)
    described(ancillary, local)
    # From the address that the question was sent to.
    info = struct.pack("=16sI", socket.inet_pton(socket.AF_INET6, local), 0)
    udp.sendmsg([data], [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)], 0, name)


def serve(local, peer, port):
    with socket.create_server((local, port), family=socket.AF_INET6) as listener, \
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        for option in (socket.IPV6_RECVPKTINFO, IPV6_ORIGDSTADDR):
            udp.setsockopt(socket.IPPROTO_IPV6, option, 1)
        udp.bind(("::", port))
        print("ready", flush=True)
        tcp, name = listener.accept()
        same("accept()", name[0], peer)
        while True:
            for sock in select.select([tcp, udp], [], [])[0]:
                if sock is udp:
                    answer(udp, local, peer)
                elif data := tcp.recv(2048):
                    names(tcp, local, peer)
                    tcp.sendall(data)
                else:
                    return


def answered(sock, data):
    """Whether the answer came; a datagram may be lost."""
    sock.send(data)
    try:
        got, name = sock.recvfrom(2048)
    except TimeoutError:
        return False
    if name:
        same("recvfrom()", name[0], sock.getpeername()[0])
    return got == data


def ask(local, peer, port):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp, \
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        for sock in tcp, udp:
            sock.bind((local, 0))
            sock.connect((peer, port))
        udp.settimeout(1)
        number = 0
        while True:
            number += 1
            data = number.to_bytes(8, "big")
            both = [answered(tcp, data), answered(udp, data)]
            for sock in tcp, udp:
                names(sock, local, peer)
            if all(both):
                print("answered", number, flush=True)
            time.sleep(0.02)


def refused(local, peer, port):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind((local, 0))
        udp.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        udp.connect((peer, port))
        # Locators are told with datagrams, not with errors about them.
        for option in (133, 134, 143):
            udp.setsockopt(SOL_SHIM, option, 1)
        udp.send(b"hello")
        poll = select.poll()
        poll.register(udp, select.POLLERR)
        poll.poll(10000)
        _, ancillary, _, name = udp.recvmsg(2048, 1024, socket.MSG_ERRQUEUE)
        for level, kind, data in ancillary:
            if (level, kind) == (socket.IPPROTO_IPV6, IPV6_RECVERR):
                error = struct.unpack_from("=I", data)[0]
                print(error, name[0], address_of(IN6.unpack_from(data, 16)[3]), *(o[0] for o in ancillary))


def main():
    what = {"serve": serve, "ask": ask, "refused": refused}.get(sys.argv[1] if len(sys.argv) == 5 else "")
    if not what:
        sys.exit(__doc__)
    local, peer, port = sys.argv[2:]
    what(local, peer, int(port))


main()
