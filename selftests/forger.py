#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sets up a context as a host with a CGA would, from a raw socket, and signs as it likes.

    forger.py FILE TARGET LOCATOR KEY CASE

FILE is an address of `shimctl cga generate`, whose interface this host has; LOCATOR is what
the host claims besides, KEY the private key (PEM) to sign with. Cases:
  as-it-is     what RFC 5533 section 5.15.5 says, by KEY
  generation   a signature of the list with another generation
  order        a signature of the locators in the other order
  tag          a signature without the type tag
  cut          a signature that lacks its last octet
  none         no signature
  flood        the I2 two hundred times, with nothing else let run meanwhile
Prints the message that answers the I2: R2, or "nothing".

Written from RFC 5533 and RFC 3972 alone; shares no code with the module.
"""
import json
import os
import random
import select
import socket
import struct
import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

PROTO = 140
VALIDATOR, LOCATOR_LIST, PDS, SIGNATURE = 1, 2, 4, 5
CGA = 2
TYPE_TAG = bytes.fromhex("4a3056624858574b3655416f506a6d48")


def checksum(data):
    """RFC 5533 5.3: over the message alone."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def option(kind, body):
    raw = struct.pack("!HH", kind << 1, len(body)) + body
    return raw + bytes(-len(raw) % 8)


def message(kind, fixed, options=b""):
    raw = bytearray(struct.pack("!BBBBH", 59, 0, kind, 0, 0) + fixed + options)
    raw[1] = len(raw) // 8 - 1
    raw[4:6] = struct.pack("!H", checksum(bytes(raw)))
    return bytes(raw)


def options_of(raw, at):
    while at < len(raw):
        kind, length = struct.unpack_from("!HH", raw, at)
        yield kind >> 1, raw[at + 4:at + 4 + length]
        at += 11 + length - (length + 3) % 8


def wait_for(sock, kind, at, nonce, seconds=5):
    """The message of this type with our nonce at that octet: others may forge beside us."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([sock], [], [], left)[0]:
            raw = sock.recv(2048)
            if raw[2] == kind and raw[at:at + 4] == nonce:
                return raw
    return None


def signed(case, key, generation, locators):
    """5.15.5: the tag, the generation, the locators of method CGA in the order of the list."""
    if case == "generation":
        generation ^= 1
    if case == "order":
        locators = locators[::-1]
    data = struct.pack("!I", generation) + b"".join(locators)
    if case != "tag":
        data = TYPE_TAG + data
    signature = key.sign(data, padding.PKCS1v15(), hashes.SHA1())
    return signature[:-1] if case == "cut" else signature


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    file, target, locator, key, case = sys.argv[1:]
    with open(file, encoding="ascii") as text:
        cga = json.load(text)
    with open(key, "rb") as text:
        key = serialization.load_pem_private_key(text.read(), None)
    local = cga["addresses"][0]
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, PROTO)
    sock.bind((local, 0))
    tag = random.getrandbits(47).to_bytes(6, "big")
    nonce = random.getrandbits(32).to_bytes(4, "big")
    sock.sendto(message(1, tag + nonce), (target, 0))
    r1 = wait_for(sock, 2, 8, nonce)
    if r1 is None:
        sys.exit("no R1")
    validator = dict(options_of(r1, 16))[VALIDATOR]
    generation = random.getrandbits(32)
    locators = [socket.inet_pton(socket.AF_INET6, addr) for addr in (local, locator)]
    # Generation, number, methods, padding up to a multiple of 8, locators.
    listed = struct.pack("!IBBB", generation, len(locators), CGA, CGA)
    listed += bytes(-(len(listed) + 4) % 8) + b"".join(locators)
    options = option(VALIDATOR, validator) + option(LOCATOR_LIST, listed)
    options += option(PDS, bytes.fromhex(cga["parameters"]))
    if case != "none":
        options += option(SIGNATURE, signed(case, key, generation, locators))
    i2 = message(3, tag + nonce + r1[12:16] + bytes(4), options)
    if case == "flood":
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    for _ in range(200 if case == "flood" else 1):
        sock.sendto(i2, (target, 0))
    print("nothing" if wait_for(sock, 4, 12, nonce) is None else "R2")


main()
