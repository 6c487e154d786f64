#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Unmodified-program traffic for the tests: TCP with a checked content, one-way UDP.

    traffic.py tcp-serve ADDRESS PORT BYTES BYTES_PER_SECOND
    traffic.py tcp-fetch LOCAL PEER PORT BYTES
    traffic.py udp-sink ADDRESS PORT
    traffic.py udp-send LOCAL PEER PORT INTERVAL_MS

The server accepts one connection after the other and sends BYTES of a known
sequence at that rate (0: as fast as it goes). The client reads them all and
prints one line of JSON: {"bytes": N, "equal": true, "stall": seconds,
"seconds": total}; exit status 1 when they are not all there and equal, at the
first 64 KiB that are not. It writes "." to stderr for every 64 KiB, so a script
can wait for progress. Where BYTES is 0, the server accepts one connection, and
the sequence ends when it gets SIGUSR1: it prints "sent BYTES".
The sink takes datagrams and never answers; the sender sends until it is stopped.
"""
import hashlib
import itertools
import json
import signal
import socket
import struct
import sys
import time

CHUNK = 1 << 16


def chunks(total):
    """The known sequence: blocks that differ from each other, cheap to make."""
    body = hashlib.shake_256(b"shim6").digest(CHUNK - 8)
    for index in itertools.count():
        left = total - index * CHUNK if total else CHUNK
        if left <= 0:
            return
        yield (struct.pack("!Q", index) + body)[:left]


def serve(address, port, total, rate):
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen()
    ended = []
    if not total:
        signal.signal(signal.SIGUSR1, lambda *_: ended.append(True))
    print("ready", flush=True)
    while True:
        sock, _ = listener.accept()
        try:
            send(sock, total, rate, ended)
        except OSError as error:
            print(f"connection: {error}", file=sys.stderr, flush=True)
        sock.close()
        if not total:
            break


def send(sock, total, rate, ended):
    start = time.monotonic()
    sent = 0
    for chunk in chunks(total):
        if ended:
            print(f"sent {sent}", flush=True)
            break
        sock.sendall(chunk)
        sent += len(chunk)
        if rate:
            time.sleep(max(0.0, start + sent / rate - time.monotonic()))


def fetch(local, peer, port, total):
    sock = socket.create_connection((peer, port), timeout=60, source_address=(local, 0))
    digest, expected = hashlib.sha256(), hashlib.sha256()
    got, stall, equal = 0, 0.0, False
    start = last = time.monotonic()
    try:
        for chunk in chunks(total):
            expected.update(chunk)
            left = len(chunk)
            while left and (data := sock.recv(left)):
                now = time.monotonic()
                stall = max(stall, now - last)
                last = now
                got += len(data)
                left -= len(data)
                digest.update(data)
            if not total and left == len(chunk):
                equal = got > 0
                break
            if left or digest.digest() != expected.digest():
                break
            print(".", end="", file=sys.stderr, flush=True)
        else:
            equal = not sock.recv(1)
    except OSError as error:
        print(f"recv: {error}", file=sys.stderr, flush=True)
        stall = max(stall, time.monotonic() - last)
    print(json.dumps({"bytes": got, "equal": equal, "stall": round(stall, 3),
                      "seconds": round(last - start, 3)}), flush=True)
    sys.exit(0 if equal else 1)


def udp_sink(address, port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind((address, port))
    print("ready", flush=True)
    while True:
        sock.recv(2048)


def udp_send(local, peer, port, interval):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind((local, 0))
    sock.connect((peer, port))
    while True:
        sock.send(bytes(200))
        time.sleep(interval / 1000)


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "tcp-serve":
        serve(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    elif len(sys.argv) == 6 and sys.argv[1] == "tcp-fetch":
        fetch(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    elif len(sys.argv) == 4 and sys.argv[1] == "udp-sink":
        udp_sink(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) == 6 and sys.argv[1] == "udp-send":
        udp_send(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        sys.exit(__doc__)


main()
