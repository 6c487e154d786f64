#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What wg(8) does for a WireGuard device with one peer, without wg(8).

    wireguard.py DEVICE PORT OWN PEER ENDPOINT ALLOWED

OWN and PEER are numbers that secret keys are made of, of this side and of the other;
ENDPOINT is the peer's address, on the same PORT; ALLOWED the prefix, as ADDRESS/LENGTH,
that lies behind the peer.
"""
import hashlib
import socket
import struct
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLMSG_ERROR, NLM_F_REQUEST, NLM_F_ACK, NLA_F_NESTED = 2, 1, 4, 0x8000
WG_CMD_SET_DEVICE = 1
DEVICE_IFNAME, DEVICE_PRIVATE_KEY, DEVICE_LISTEN_PORT, DEVICE_PEERS = 2, 3, 6, 8
PEER_PUBLIC_KEY, PEER_ENDPOINT, PEER_ALLOWEDIPS = 1, 4, 9
ALLOWED_FAMILY, ALLOWED_ADDRESS, ALLOWED_LENGTH = 1, 2, 3


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind, *values):
    return attribute(kind | NLA_F_NESTED, b"".join(values))


def request(sock, family, command, attributes):
    """One command; the attributes of its answer, if it has one."""
    body = struct.pack("=BBH", command, 1, 0) + attributes
    sock.send(struct.pack("=IHHII", 16 + len(body), family, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
    answer = b""
    while True:
        data = sock.recv(65536)
        while data:
            length, kind = struct.unpack("=IH", data[:6])
            if kind == NLMSG_ERROR:
                error, = struct.unpack("=i", data[16:20])
                if error:
                    raise OSError(-error, f"command {command} of family {family}")
                return answer
            answer += data[20:length]
            data = data[(length + 3) & ~3:]


def family_id(sock, name):
    data = request(sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
                   attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))
    while data:
        length, kind = struct.unpack("=HH", data[:4])
        if kind == CTRL_ATTR_FAMILY_ID:
            return struct.unpack("=H", data[4:6])[0]
        data = data[(length + 3) & ~3:]
    raise OSError(f"no family {name}")


def secret(number):
    return hashlib.sha256(f"shim6 {number}".encode()).digest()


def public(number):
    key = X25519PrivateKey.from_private_bytes(secret(number)).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    device, port, own, peer, endpoint, allowed = sys.argv[1:]
    port = int(port)
    address, length = allowed.split("/")
    endpoint = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + \
        socket.inet_pton(socket.AF_INET6, endpoint) + bytes(4)
    behind = nested(0, attribute(ALLOWED_FAMILY, struct.pack("=H", socket.AF_INET6)),
                    attribute(ALLOWED_ADDRESS, socket.inet_pton(socket.AF_INET6, address)),
                    attribute(ALLOWED_LENGTH, bytes([int(length)])))
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
    request(sock, family_id(sock, "wireguard"), WG_CMD_SET_DEVICE,
            attribute(DEVICE_IFNAME, device.encode() + b"\0") +
            attribute(DEVICE_PRIVATE_KEY, secret(own)) +
            attribute(DEVICE_LISTEN_PORT, struct.pack("=H", port)) +
            nested(DEVICE_PEERS, nested(0, attribute(PEER_PUBLIC_KEY, public(peer)),
                                        attribute(PEER_ENDPOINT, endpoint),
                                        nested(PEER_ALLOWEDIPS, behind))))


main()
