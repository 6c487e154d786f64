#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes the netlink message that makes a set of addresses known to the shim, and
nothing else: no address, no device, no rule.

    hook.py FILE.hba MESSAGE

A namespace where it was sent (hook, beside this) has the module's hooks on all its
packets, and is otherwise as before.
"""
import json
import socket
import struct
import sys

GENERIC, REQUEST, ACK = 16, 1, 4
GENL_CTRL, CTRL_GETFAMILY, CTRL_FAMILY_ID, CTRL_FAMILY_NAME = 16, 3, 1, 2
HBA_ADD = 3
HBA_PARAMETERS, HBA_ADDRESS = 1, 2


def attribute(kind, octets):
    return struct.pack("=HH", 4 + len(octets), kind) + octets + bytes(-len(octets) % 4)


def message(kind, command, version, attributes):
    body = struct.pack("=BBH", command, version, 0) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK, 1, 0) + body


def family(name):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC)
    sock.send(message(GENL_CTRL, CTRL_GETFAMILY, 1, attribute(CTRL_FAMILY_NAME, name.encode() + b"\0")))
    octets = sock.recv(65536)
    at = 20
    while at + 4 <= len(octets):
        length, kind = struct.unpack_from("=HH", octets, at)
        if kind == CTRL_FAMILY_ID:
            return struct.unpack_from("=H", octets, at + 4)[0]
        at += (length + 3) & ~3
    sys.exit(f"no family {name}")


def main(path, out):
    with open(path, encoding="ascii") as file:
        hba = json.load(file)
    attributes = attribute(HBA_PARAMETERS, bytes.fromhex(hba["parameters"]))
    for address in hba["addresses"]:
        attributes += attribute(HBA_ADDRESS, socket.inet_pton(socket.AF_INET6, address))
    with open(out, "wb") as file:
        file.write(message(family("shim"), HBA_ADD, 1, attributes))


main(*sys.argv[1:])
