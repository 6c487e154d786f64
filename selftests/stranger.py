#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends Shim6 messages, good and bad, from a raw socket, as a stranger would.

    stranger.py LOCAL TARGET CASE

Cases, each prints one line of JSON {"sent": N, "answers": {"R1": N, ...}}:
  i1          one valid I1 (answered with R1: proves that messages get through)
  flood       2000 valid I1 with changing tags and nonces, as fast as it goes
  truncated   every strict prefix of a valid I1 with options
  oversized   headers that claim more than came, and one message of the greatest size
  checksum    valid I1 but for the checksum, each of its bits turned once
  critical    I1 with an unknown option whose C bit is set, then C bit clear
  unknown     message types nobody defined, in both ranges
  stateless   R1, R2, UPDATE, PROBE, KEEPALIVE ... about contexts nobody has
  payload     payload extension headers with unknown tags
  noise       1000 messages of random bytes with a valid checksum, 1000 without

Written from RFC 5533 alone; shares no code with the module.
"""
import collections
import json
import random
import select
import socket
import struct
import sys
import time

PROTO = 140
TYPES = {1: "I1", 2: "R1", 3: "I2", 4: "R2", 5: "R1bis", 6: "I2bis",
         64: "UpdateRequest", 65: "UpdateAck", 66: "Keepalive", 67: "Probe", 68: "Error"}
ULID_PAIR = 6
rng = random.Random(5533)


def checksum(data):
    """RFC 5533 5.3: over the message alone, "there is no pseudo-header"."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def option(kind, body, critical=False):
    """5.15: 15 bits of type, C bit, length of the contents, padded to 8."""
    raw = struct.pack("!HH", kind << 1 | critical, len(body)) + body
    return raw + bytes(-len(raw) % 8)


def message(kind, fixed, options=b"", low=0):
    """5.3: `fixed` is what follows the checksum."""
    raw = bytearray(struct.pack("!BBBBH", 59, 0, kind, low << 1, 0) + fixed + options)
    raw += bytes(-len(raw) % 8)
    raw[1] = min(255, len(raw) // 8 - 1)
    raw[4:6] = struct.pack("!H", checksum(bytes(raw)))
    return bytes(raw)


def tag():
    return rng.getrandbits(47).to_bytes(6, "big")


def nonce():
    return rng.getrandbits(32).to_bytes(4, "big")


def i1(options=b""):
    return message(1, tag() + nonce(), options)


def ulid_pair(local, target):
    return option(ULID_PAIR, bytes(4) + socket.inet_pton(socket.AF_INET6, local)
                  + socket.inet_pton(socket.AF_INET6, target))


def truncated(local, target):
    whole = i1(ulid_pair(local, target))
    for length in range(len(whole)):
        yield whole[:length]


def oversized(local, target):
    good = i1()
    for claim in (2, 3, 16, 127, 255):
        raw = bytearray(good)
        raw[1] = claim
        raw[4:6] = bytes(2)
        raw[4:6] = struct.pack("!H", checksum(bytes(raw)))
        yield bytes(raw)
    # an option that claims more than the message has
    yield message(1, tag() + nonce(), struct.pack("!HH", 2 << 1, 0xffff) + bytes(4))
    yield message(1, tag() + nonce(), bytes(2032))


def wrong_checksums(local, target):
    for bit in range(16):
        raw = bytearray(i1(ulid_pair(local, target)))
        raw[4 + bit // 8] ^= 1 << (bit % 8)
        yield bytes(raw)


def critical(local, target):
    yield i1(option(0x3abc, b"what", critical=True))
    yield i1(option(0x3abc, b"what", critical=False))


def unknown(local, target):
    for kind in (0, 7, 30, 63, 69, 100, 127):
        yield message(kind, tag() + nonce())


def stateless(local, target):
    for kind, body in ((2, tag() + nonce() * 2), (4, tag() + nonce()), (5, tag() + nonce() * 2),
                       (64, tag() + nonce()), (65, tag() + nonce()), (66, tag() + nonce()),
                       (67, tag() + nonce() * 8), (68, bytes(2) + bytes(48)),
                       (3, tag() + nonce() * 3), (6, tag() + nonce() * 4)):
        for _ in range(4):
            yield message(kind, body)


def payload(local, target):
    for _ in range(50):
        yield struct.pack("!BB", 17, 0) + (1 << 47 | rng.getrandbits(47)).to_bytes(6, "big") \
            + struct.pack("!HHHH", 1000, 2000, 16, 0) + b"datagram"


def noise(local, target):
    for index in range(2000):
        raw = bytearray(rng.randbytes(rng.randrange(8, 400) & ~7))
        if index % 2:
            raw[0] = 59
            raw[1] = len(raw) // 8 - 1
            raw[2] &= 0x7f
            raw[4:6] = bytes(2)
            raw[4:6] = struct.pack("!H", checksum(bytes(raw)))
        yield bytes(raw)


CASES = {
    "i1": lambda local, target: [i1()],
    "flood": lambda local, target: (i1() for _ in range(2000)),
    "truncated": truncated, "oversized": oversized, "checksum": wrong_checksums,
    "critical": critical, "unknown": unknown, "stateless": stateless,
    "payload": payload, "noise": noise,
}


def collect(sock, answers, seconds):
    """Counts the answers until none came for so long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if not select.select([sock], [], [], left)[0]:
            return
        data = sock.recv(2048)
        if len(data) < 8:
            continue
        answers["payload" if data[2] & 0x80 else TYPES.get(data[2], str(data[2]))] += 1
        until = time.monotonic() + seconds


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in CASES:
        sys.exit(__doc__)
    local, target, case = sys.argv[1:]
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, PROTO)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((local, 0))
    answers = collections.Counter()
    sent = 0
    for raw in CASES[case](local, target):
        sock.sendto(raw, (target, 0))
        sent += 1
    collect(sock, answers, 0.5)
    print(json.dumps({"sent": sent, "answers": answers}))


main()
