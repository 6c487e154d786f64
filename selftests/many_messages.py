#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""recvmmsg() and sendmmsg() with the ancillary data of RFC 6316 section 7.

    many_messages.py receive LOCAL PEER PORT COUNT
    many_messages.py send LOCAL PEER PORT COUNT LOCAL,PEER...

As message.py, whose output receive has, with many messages in a call.
"""
import ctypes
import os
import socket
import sys

from message import LOCAL_SEND, PEER_SEND, SOL_SHIM, ask, connected, in6, told

LIBC = ctypes.CDLL(None, use_errno=True)
MSG_WAITFORONE = 0x10000
AT_ONCE = 8
ROOM = 3 * socket.CMSG_SPACE(28)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr of a 64-bit little-endian system, its ints with what pads them"""
    _fields_ = [
        ("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32),
        ("iov", ctypes.POINTER(Iovec)), ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_size_t), ("len", ctypes.c_size_t),
    ]


def messages(buffers, controls):
    """The array of the calls, over buffers that the caller keeps."""
    iovecs = (Iovec * len(buffers))(*((ctypes.addressof(b), len(b)) for b in buffers))
    array = (Message * len(buffers))()
    for i, control in enumerate(controls):
        array[i].iov, array[i].iovlen = ctypes.pointer(iovecs[i]), 1
        array[i].control, array[i].controllen = ctypes.addressof(control), len(control)
    return array


def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def objects(octets):
    """(level, type, data) of each."""
    head = socket.CMSG_LEN(0)
    at = 0
    while at + head <= len(octets):
        size = int.from_bytes(octets[at:at + 8], sys.byteorder)
        level = int.from_bytes(octets[at + 8:at + 12], sys.byteorder)
        kind = int.from_bytes(octets[at + 12:at + 16], sys.byteorder)
        yield level, kind, octets[at + head:at + size]
        at += socket.CMSG_SPACE(size - head)


def receive(local, peer, port, count):
    sock = connected(local, peer, int(port))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    ask(sock)
    print("ready", flush=True)
    left = int(count)
    while left > 0:
        buffers = [ctypes.create_string_buffer(1000) for _ in range(AT_ONCE)]
        controls = [ctypes.create_string_buffer(ROOM) for _ in range(AT_ONCE)]
        array = messages(buffers, controls)
        got = called(LIBC.recvmmsg(sock.fileno(), array, AT_ONCE, MSG_WAITFORONE, None))
        for message, buffer, control in zip(array[:got], buffers, controls):
            ancillary = list(objects(control.raw[:message.controllen]))
            print(buffer.raw[:message.len].decode(), *told(ancillary), flush=True)
        left -= got


def send(local, peer, port, count, *pairs):
    sock = connected(local, peer, int(port))
    for first in range(0, int(count), AT_ONCE):
        buffers, controls = [], []
        for i in range(first, first + AT_ONCE):
            ours, theirs = pairs[i % len(pairs)].split(",")
            buffers.append(bytearray(f"{i} {ours} {theirs}".encode()))
            controls.append(bytearray(b"".join(
                cmsg(kind, in6(address)) for kind, address in ((LOCAL_SEND, ours), (PEER_SEND, theirs)))))
        kept = [(ctypes.c_char * len(b)).from_buffer(b) for b in buffers]
        array = messages(kept, [(ctypes.c_char * len(c)).from_buffer(c) for c in controls])
        assert called(LIBC.sendmmsg(sock.fileno(), array, AT_ONCE, 0)) == AT_ONCE


def cmsg(kind, data):
    size = socket.CMSG_LEN(len(data))
    head = size.to_bytes(8, sys.byteorder) + SOL_SHIM.to_bytes(4, sys.byteorder) + kind.to_bytes(4, sys.byteorder)
    return (head + data).ljust(socket.CMSG_SPACE(len(data)), b"\0")


def main():
    what = {"receive": receive, "send": send}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if not what:
        sys.exit(__doc__)
    what(*sys.argv[2:])


main()
