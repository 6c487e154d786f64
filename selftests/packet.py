#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends one packet as somebody on the path could: all of it is made here, its addresses too.

    packet.py SOURCE DESTINATION payload TAG            a datagram behind a payload header
    packet.py SOURCE DESTINATION nested TAG             behind two of them
    packet.py SOURCE DESTINATION behind TAG             behind Hop-by-Hop Options and two of them
    packet.py SOURCE DESTINATION error TAG FROM TO      ICMPv6 "no route" about a payload header
                                                        that went from FROM to TO
    packet.py SOURCE DESTINATION damaged TAG FROM TO    the same with a wrong check sum
    packet.py SOURCE DESTINATION tagless 0 FROM TO      the same about a control message that is
                                                        cut off before its tag

TAG is the receiver's of a payload header, hexadecimal. Written from RFC 5533 and RFC 4443 alone;
shares no code with the module.
"""
import socket
import struct
import sys

HOPS, SHIM6, UDP, ICMPV6 = 0, 140, 17, 58
UNREACHABLE, NO_ROUTE = 1, 0
IPV6_FREEBIND = 78


def address(text):
    return socket.inet_pton(socket.AF_INET6, text)


def packet(source, destination, kind, data):
    return struct.pack("!IHBB", 6 << 28, len(data), kind, 64) + source + destination + data


def checksum(source, destination, kind, data):
    """RFC 8200 8.1, of a message whose own field is zero."""
    whole = source + destination + struct.pack("!II", len(data), kind) + data + bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def payload(tag, kind, data):
    """RFC 5533 5.1."""
    return struct.pack("!Q", kind << 56 | 1 << 47 | tag) + data


def error(source, destination, about):
    """RFC 4443 3.1."""
    data = struct.pack("!BBHI", UNREACHABLE, NO_ROUTE, 0, 0) + about
    return data[:2] + struct.pack("!H", checksum(source, destination, ICMPV6, data)) + data[4:]


def main():
    source, destination, case, tag, *pair = sys.argv[1:]
    source, destination, tag = address(source), address(destination), int(tag, 16)
    datagram = payload(tag, UDP, struct.pack("!HHHH", 9, 9, 8, 0))
    if case in ("error", "damaged", "tagless"):
        keepalive = struct.pack("!BBBBHH", 59, 1, 66, 0, 0, 0)
        about = packet(*map(address, pair), SHIM6, keepalive if case == "tagless" else datagram)
        data = bytearray(error(source, destination, about))
        data[3] ^= case == "damaged"
        whole = packet(source, destination, ICMPV6, bytes(data))
    elif case == "payload":
        whole = packet(source, destination, SHIM6, datagram)
    elif case == "nested":
        whole = packet(source, destination, SHIM6, payload(tag, SHIM6, datagram))
    elif case == "behind":
        hops = bytes([SHIM6, 0, 1, 4, 0, 0, 0, 0])
        whole = packet(source, destination, HOPS, hops + payload(tag, SHIM6, datagram))
    else:
        sys.exit(f"no such case: {case}")
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        # The way out depends on the source, whoever has it.
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        sock.bind((sys.argv[1], 0))
        sock.sendto(whole, (sys.argv[2], 0))


if __name__ == "__main__":
    main()
