#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""An ordinary UDP program: one side sends numbered datagrams, the other echoes.

    udp.py echo ADDRESS PORT
    udp.py ping LOCAL PEER PORT INTERVAL_MS

It knows nothing of shim6: a plain connected socket, no option set. The pinging
side writes one line "SECONDS SENT RECEIVED" (CLOCK_MONOTONIC, totals) every
200 ms, and when it gets SIGTERM a last line of JSON with the totals, the
datagrams lost and the longest time without an echo.
"""
import json
import select
import signal
import socket
import struct
import sys
import time

PAYLOAD = 200
REPORT = 0.2
GRACE = 0.3             # how long to listen for the last echoes


def echo(address, port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind((address, port))
    print("ready", flush=True)
    while True:
        data, peer = sock.recvfrom(2048)
        try:
            sock.sendto(data, peer)
        except OSError:
            pass        # no route at this moment: that datagram is lost


class Ping:
    def __init__(self, local, peer, port, interval):
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.bind((local, 0))
        self.sock.connect((peer, port))
        self.sock.setblocking(False)
        self.interval = interval
        self.sent = self.received = 0
        self.last_rx = None
        self.stall = (0.0, None)
        self.running = True

    def stop(self, *_):
        self.running = False

    def send(self, now):
        try:
            self.sock.send(struct.pack("!Qd", self.sent, now).ljust(PAYLOAD, b"."))
        except OSError:
            pass
        self.sent += 1

    def drain(self):
        try:
            while True:
                self.sock.recv(2048)
                now = time.monotonic()
                self.received += 1
                if self.last_rx is not None and now - self.last_rx > self.stall[0]:
                    self.stall = (now - self.last_rx, self.last_rx)
                self.last_rx = now
        except OSError:
            pass

    def wait(self, until):
        left = max(0, until - time.monotonic())
        if select.select([self.sock], [], [], left)[0]:
            self.drain()

    def run(self):
        next_tx = next_report = time.monotonic()
        while self.running:
            now = time.monotonic()
            if now >= next_tx:
                self.send(now)
                # What a slow machine misses is not made up for: only lost echoes count.
                next_tx = max(next_tx + self.interval, now)
            if now >= next_report:
                print(f"{now:.3f} {self.sent} {self.received}", flush=True)
                next_report += REPORT
            self.wait(min(next_tx, next_report))
        end = time.monotonic() + GRACE
        while time.monotonic() < end and self.received < self.sent:
            self.wait(end)
        now = time.monotonic()
        if self.last_rx is not None and now - self.last_rx > self.stall[0] + GRACE:
            self.stall = (now - self.last_rx, self.last_rx)
        print(json.dumps({"sent": self.sent, "received": self.received,
                          "lost": self.sent - self.received,
                          "stall": self.stall[0], "stall_from": self.stall[1]}),
              flush=True)


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "echo":
        echo(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) == 6 and sys.argv[1] == "ping":
        ping = Ping(sys.argv[2], sys.argv[3], int(sys.argv[4]),
                    float(sys.argv[5]) / 1000)
        signal.signal(signal.SIGTERM, ping.stop)
        ping.run()
    else:
        sys.exit(__doc__)


main()
