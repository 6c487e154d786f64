#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A connected socket that sends every 50 ms and sets options when it is told to.

    wisher.py WORDS udp|tcp LOCAL LOCAL_PORT PEER PORT

It reads lines from WORDS, a named pipe, and answers each with one: "set OPTION VALUE..." and "get OPTION
[OCTETS]" as option.py does ("ok", values, or the name of an error), "alarm MS" (a
signal comes so long after the next option is asked for), "reset" and "close" (the socket; "closed"), "heard" (how many
answers came). It says "ready" when it is connected.
"""
import contextlib
import errno
import io
import select
import signal
import socket
import struct
import sys

import option

INTERVAL = 0.05


def connected(kind, local, local_port, peer, port):
    sock = socket.socket(socket.AF_INET6,
                         socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((local, int(local_port)))
    sock.connect((peer, int(port)))
    sock.setblocking(False)
    return sock


class Wisher:
    def __init__(self, sock):
        self.sock = sock
        self.heard = 0
        self.alarm = 0

    def send(self):
        with contextlib.suppress(OSError):
            self.sock.send(b"." * 64)
        with contextlib.suppress(OSError):
            while self.sock.recv(4096):
                self.heard += 1

    def drain(self):
        """An orderly end: what is left unread when a TCP socket is closed resets it."""
        if self.sock.type == socket.SOCK_STREAM:
            self.sock.settimeout(5)
            self.sock.shutdown(socket.SHUT_WR)
            while self.sock.recv(4096):
                pass

    def option(self, what, name, values):
        signal.setitimer(signal.ITIMER_REAL, self.alarm)
        self.alarm = 0
        try:
            if what == "set":
                self.sock.setsockopt(option.SOL_SHIM, option.OPTIONS[name],
                                     option.pack(name, values))
                return "ok"
            size = int(values[0]) if values else option.room(name)
            octets = self.sock.getsockopt(option.SOL_SHIM, option.OPTIONS[name], size)
        except OSError as error:
            return option.ERRORS.get(error.errno) or errno.errorcode[error.errno]
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            option.show(name, octets)
        return " ".join(shown.getvalue().split())

    def obey(self, word, *rest):
        if word in ("set", "get"):
            return self.option(word, rest[0], rest[1:])
        if word == "heard":
            return str(self.heard)
        if word == "alarm":
            self.alarm = int(rest[0]) / 1000
            return "ok"
        if word == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.drain()
        self.sock.close()
        return "closed"


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    signal.signal(signal.SIGALRM, lambda *_: None)
    wisher = Wisher(connected(*sys.argv[2:]))
    print("ready", flush=True)
    words = open(sys.argv[1], encoding="ascii")
    while True:
        # A line at a time: nothing is left in a buffer that select() does not see.
        while select.select([words], [], [], INTERVAL)[0]:
            line = words.readline()
            if not line:
                return
            print(wisher.obey(*line.split()), flush=True)
        wisher.send()


main()
