#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams with extension headers, a traffic class and a flow label of their own.

    headers.py sink ADDRESS PORT
    headers.py send LOCAL PEER PORT SIZE [hop] [dst] [route] [whole] [class=N] [flow=N] [segment=N]

The sink prints one line of JSON for each datagram: its length, whether its octets are
those that the sender makes, its Hop-by-Hop and Destination Options headers in
hexadecimal (or null), its traffic class and flow label. The sender sends one: hop and
dst with such a header (an unknown option that is skipped), route with a Routing header
of type 4 without segments left, whole with a prohibition to fragment it, segment as one
super-packet of datagrams of N octets. It prints "sent", or the name of the error.
"""
import errno
import hashlib
import json
import socket
import struct
import sys

RECVHOPOPTS, HOPOPTS, RECVDSTOPTS, DSTOPTS = 53, 54, 58, 59
RECVTCLASS, TCLASS, RTHDR, DONTFRAG, RECVPATHMTU = 66, 67, 57, 62, 60
FLOWINFO, FLOWINFO_SEND = 11, 33
UDP_SEGMENT = 103
HOP = bytes([0, 0, 0x1e, 4, 1, 2, 3, 4])  # an experimental option (RFC 4727), skipped if unknown
DST = bytes([0, 0, 0x3e, 4, 5, 6, 7, 8])


def content(size):
    return hashlib.shake_256(str(size).encode()).digest(size)


def sink(address, port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    for option in (RECVHOPOPTS, RECVDSTOPTS, RECVTCLASS, FLOWINFO):
        sock.setsockopt(socket.IPPROTO_IPV6, option, 1)
    sock.bind((address, port))
    print("ready", flush=True)
    while True:
        data, control, _, _ = sock.recvmsg(1 << 17, 1 << 10)
        got = {kind: value for level, kind, value in control if level == socket.IPPROTO_IPV6}
        text = {kind: value.hex() for kind, value in got.items()}
        flow = struct.unpack("!I", got[FLOWINFO])[0] & 0xfffff if FLOWINFO in got else 0
        print(json.dumps({
            "size": len(data), "equal": data == content(len(data)), "hop": text.get(HOPOPTS),
            "dst": text.get(DSTOPTS), "class": struct.unpack("=i", got[TCLASS])[0], "flow": flow,
        }), flush=True)


def send(local, peer, port, size, wishes):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind((local, 0))
    flow = 0
    for wish in wishes:
        name, _, value = wish.partition("=")
        if name == "flow":
            flow = int(value)
            sock.setsockopt(socket.IPPROTO_IPV6, FLOWINFO_SEND, 1)
            continue
        if name == "segment":
            sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, int(value))
            continue
        option, value = {
            "hop": (HOPOPTS, HOP),
            "dst": (DSTOPTS, DST),
            "route": (RTHDR, bytes([0, 2, 4, 0, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, peer)),
            "whole": (DONTFRAG, struct.pack("=i", 1)),
            "class": (TCLASS, struct.pack("=i", int(value or 0))),
        }[name]
        sock.setsockopt(socket.IPPROTO_IPV6, option, value)
    try:
        sock.sendto(content(size), (peer, port, flow, 0))
        print("sent")
    except OSError as error:
        print(errno.errorcode[error.errno])


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "sink":
        sink(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) >= 6 and sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), sys.argv[6:])
    else:
        sys.exit(__doc__)


main()
