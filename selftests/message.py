#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Messages with the ancillary data of RFC 6316 section 7.

    message.py receive LOCAL PEER PORT COUNT [READERS]
    message.py send LOCAL PEER PORT COUNT THREADS LOCAL,PEER...
    message.py pin LOCAL PEER PORT COUNT UNCHOSEN LOCAL,PEER...
    message.py pin-interface LOCAL PEER PORT COUNT INTERFACE CHOSEN UNCHOSEN
    message.py receive-other LOCAL PEER OTHER PORT
    message.py send-plain LOCAL PEER PORT
    message.py stream-receive LOCAL PORT
    message.py stream-send LOCAL PEER PORT LOCAL,PEER...
    message.py hold LOCAL PEER
    message.py try LOCAL PEER KIND VALUE [more|tcp|unbound]

receive asks for both locators and the interface of every datagram and prints a
line for each: what it says, local locator, peer's locator, interface. The first
of its readers peeks at each datagram before it takes it. send says in
each datagram which locators it chose for it; pin does the same by socket options,
and leaves every fifth to the context, which sends it on the pair UNCHOSEN;
pin-interface does so by SHIM_IF_SEND, whose number makes the pair CHOSEN.
receive-other asks while it is connected to PEER and reads, once, what OTHER sends,
with send-plain. The stream's sender pins its socket to each pair for one line of
text. hold has sockets that used every option, and says "gone" after SIGUSR1 if the
shim is gone and they work. try sends one datagram with one object, of KIND LOCAL, PEER (an address), IF
(an index) or FEEDBACK (direction, indicator), and prints "sent" or the error.
"""
import errno
import itertools
import signal
import socket
import struct
import sys
import threading

SOL_SHIM = 140
LOCAL_RECV, PEER_RECV, LOCAL_SEND, PEER_SEND, FEEDBACK, IF_RECV, IF_SEND = 133, 134, 135, 136, 142, 143, 144
ERRORS = {600: "EINVALIDLOCATOR", 601: "EUNVERIFIEDLOCATOR", 602: "EUNREACHABLELOCATOR"}
IN6 = struct.Struct("=HHI16sI")


def in6(address):
    return IN6.pack(socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, address), 0)


def text(octets):
    if not any(octets):
        return "none"
    family, _, _, address, _ = IN6.unpack(octets)
    assert family == socket.AF_INET6 and len(octets) == 28
    return socket.inet_ntop(socket.AF_INET6, address)


def connected(local, peer, port, kind=socket.SOCK_DGRAM):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.bind((local, port))
    sock.connect((peer, port))
    return sock


def told(ancillary):
    objects = {kind: data for level, kind, data in ancillary if level == SOL_SHIM}
    assert len(objects) == 3 == len(ancillary), ancillary
    return text(objects[LOCAL_RECV]), text(objects[PEER_RECV]), struct.unpack("=i", objects[IF_RECV])[0]


def ask(sock):
    for option in (LOCAL_RECV, PEER_RECV, IF_RECV):
        sock.setsockopt(SOL_SHIM, option, 1)


# Of several who read one socket, one can miss datagrams that come between its last look and its
# sleep: another one moves them to UDP's second queue, which those who go to sleep do not look at
# (__skb_recv_udp()). So nobody sleeps for long.
SLEEP = struct.pack("@ll", 0, 200000)


def one(sock, *args):
    while True:
        try:
            return sock.recvmsg(*args)
        except BlockingIOError:
            pass


def receive(local, peer, port, count, readers="1"):
    sock = connected(local, peer, int(port))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, SLEEP)
    ask(sock)
    left, lock = itertools.count(), threading.Lock()

    def read(peeks):
        while True:
            with lock:
                if next(left) >= int(count):
                    return
            room = 3 * socket.CMSG_SPACE(28)
            if peeks:
                one(sock, 70000, room, socket.MSG_PEEK)
            data, ancillary, flags, _ = one(sock, 70000, room)
            assert flags == 0, flags
            line = " ".join(map(str, (data.decode().rstrip("."), *told(ancillary))))
            with lock:
                print(line, flush=True)

    print("ready", flush=True)
    threads = [threading.Thread(target=read, args=(i == 0,)) for i in range(int(readers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send(local, peer, port, count, senders, *pairs):
    sock = connected(local, peer, int(port))

    def write(first):
        for i in range(first, int(count), int(senders)):
            ours, theirs = pairs[i % len(pairs)].split(",")
            # Every eleventh is cut into fragments.
            says = f"{i} {ours} {theirs}".ljust(4000 if i % 11 == 5 else 1, ".")
            chosen = [(SOL_SHIM, LOCAL_SEND, in6(ours)), (SOL_SHIM, PEER_SEND, in6(theirs))]
            sock.sendmsg([says.encode()], chosen)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(int(senders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def receive_other(local, peer, other, port):
    sock = connected(local, peer, int(port))
    ask(sock)
    sock.connect((other, int(port)))
    print("ready", flush=True)
    _, ancillary, _, _ = sock.recvmsg(100, 3 * socket.CMSG_SPACE(28))
    print("told", *told(ancillary))


def send_plain(local, peer, port):
    connected(local, peer, int(port)).send(b"plain")


def locator(address):
    return struct.pack("=BBHHHI16sHxx", socket.AF_INET6 if address else 0, 0, 0, 0, 0, 0,
                       socket.inet_pton(socket.AF_INET6, address or "::"), 0)


def choose(sock, ours, theirs):
    for option, address in ((LOCAL_SEND, ours), (PEER_SEND, theirs)):
        sock.setsockopt(SOL_SHIM, option, locator(address))
        got = sock.getsockopt(SOL_SHIM, option, 32)
        assert got[12:28] == locator(address)[12:28] and len(got) == 32, got
        assert address or not any(got), got


def pin(local, peer, port, count, unchosen, *pairs):
    sock = connected(local, peer, int(port))
    for i in range(int(count)):
        chosen = i % 5 != 4
        ours, theirs = (pairs[i % len(pairs)] if chosen else unchosen).split(",")
        choose(sock, *((ours, theirs) if chosen else (None, None)))
        sock.send(f"{i} {ours} {theirs}".encode())


def pin_interface(local, peer, port, count, interface, chosen, unchosen):
    sock = connected(local, peer, int(port))
    for i in range(int(count)):
        index, pair = (0, unchosen) if i % 5 == 4 else (int(interface), chosen)
        sock.setsockopt(SOL_SHIM, IF_SEND, struct.pack("=i", index))
        assert struct.unpack("=i", sock.getsockopt(SOL_SHIM, IF_SEND, 4))[0] == index
        sock.send(f"{i} {pair.replace(',', ' ')}".encode())


def stream_receive(local, port):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((local, int(port)))
        listener.listen()
        print("ready", flush=True)
        sock, _ = listener.accept()
    ask(sock)
    while True:
        data, ancillary, flags, _ = sock.recvmsg(100, 3 * socket.CMSG_SPACE(28))
        if not data:
            break
        assert flags & socket.MSG_CTRUNC == 0
        print(data.decode().strip(), *told(ancillary), flush=True)
        sock.send(b"!")
    # With room for one object and a half, and for none.
    _, ancillary, flags, _ = sock.recvmsg(100, socket.CMSG_SPACE(28) + 20)
    assert flags & socket.MSG_CTRUNC, flags
    _, ancillary, flags, _ = sock.recvmsg(100)
    assert not ancillary and not flags & socket.MSG_CTRUNC, flags
    # The error queue tells nothing of ours.
    try:
        sock.recvmsg(100, 1000, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        print("end", flush=True)


def stream_send(local, peer, port, *pairs):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.bind((local, 0))
        sock.connect((peer, int(port)))
        for i, pair in enumerate(pairs):
            choose(sock, *pair.split(","))
            sock.send(f"{i} {pair.replace(',', ' ')}".encode())
            # The answer is back when the line was read.
            assert sock.recv(1) == b"!"


def every_option(sock, local, peer):
    one = struct.pack("=i", 1)
    for option in (130, LOCAL_RECV, PEER_RECV, IF_RECV, 139, 145, 146):
        sock.setsockopt(SOL_SHIM, option, one)
    for option, address in ((131, local), (132, peer), (LOCAL_SEND, local), (PEER_SEND, peer), (137, local)):
        sock.setsockopt(SOL_SHIM, option, locator(address))
    sock.setsockopt(SOL_SHIM, 138, sock.getsockopt(SOL_SHIM, 138, 1024))
    sock.setsockopt(SOL_SHIM, 140, struct.pack("=HHHHI", 4, 0, 0, 500, 0))
    choose(sock, None, None)
    sock.setsockopt(SOL_SHIM, IF_SEND, struct.pack("=i", sock.getsockopt(SOL_SHIM, 137, 32)[8]))
    for option in range(128, 145):
        if option != FEEDBACK:
            sock.getsockopt(SOL_SHIM, option, 1024)


def hold(local, peer):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    stream = connected(local, peer, 9, socket.SOCK_STREAM)
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 253)
    raw.bind((local, 0))
    raw.connect((peer, 0))
    used = connected(local, peer, 0)
    for sock in (used, stream, raw):
        every_option(sock, local, peer)
    bare = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    bare.setsockopt(SOL_SHIM, 129, 1)
    bare.connect((peer, 9))
    print("ready", flush=True)
    signal.sigwait({signal.SIGUSR1})
    for sock in (used, bare):
        sock.connect((peer, 9))
    for sock in (used, bare, stream, raw):
        sock.send(b"hello")
        try:
            sock.getsockopt(SOL_SHIM, 129, 4)
            sys.exit("there is a shim")
        except OSError as error:
            assert error.errno == errno.ENOPROTOOPT, error
    print("gone")


def attempt(local, peer, kind, value, how=""):
    types = {"LOCAL": LOCAL_SEND, "PEER": PEER_SEND, "IF": IF_SEND, "FEEDBACK": FEEDBACK, "RECV": LOCAL_RECV}
    if kind == "IF":
        data = struct.pack("=i", int(value))
    elif kind == "FEEDBACK":
        data = struct.pack("=BBH", *map(int, value.split(",")), 0)
    elif "." in value and ":" not in value:
        data = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
    else:
        data = in6(value)
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM)
    name = None
    if how == "unbound":
        name = (peer, 9)
    else:
        sock.bind((local, 0))
        sock.connect((peer, 9))
    try:
        # So that messages are looked at, and to know whether there is a shim.
        sock.getsockopt(SOL_SHIM, 129, 4)
        data = [(SOL_SHIM, types[kind], data)]
        flags = socket.MSG_MORE if how == "more" else 0
        sock.sendmsg([b"hello"], data, flags, name) if name else sock.sendmsg([b"hello"], data, flags)
        print("sent")
    except OSError as error:
        print(ERRORS.get(error.errno) or errno.errorcode[error.errno])


def main():
    what = {"receive": receive, "send": send, "pin": pin, "pin-interface": pin_interface, "hold": hold, "try": attempt,
            "receive-other": receive_other, "send-plain": send_plain, "stream-receive": stream_receive,
            "stream-send": stream_send}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if not what:
        sys.exit(__doc__)
    what(*sys.argv[2:])


if __name__ == "__main__":
    main()
