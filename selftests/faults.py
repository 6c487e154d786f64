#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Lets the first allocation of a system call fail, then the second, and so on until none is
left to fail: /proc/thread-self/fail-nth (Documentation/fault-injection).

    faults.py netlink SET             generic netlink, with another set of addresses
    faults.py removal SET             the set goes, and nothing is left to tell its contexts with
    faults.py sysctl                  a setting
    faults.py sockets LOCAL PEER PORT socket options, sendmsg() and recvmsg(), TCP
    faults.py namespace COUNT         namespaces, and by chance COUNT of their last allocations
    faults.py module KO COUNT         by chance COUNT of the allocations of the module's beginning
    faults.py option KO COUNT         by chance COUNT of those of the first option of all, for which a
                                      new module begins to watch sockets

Prints for each call how many failures it survived; each call says ENOMEM or ENOBUFS and leaves
all as it was, or succeeds, and when nothing fails any more it succeeds. Exit status 1 otherwise.
"""
import ctypes
import errno
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time

import option

SAID = {errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.ENFILE, errno.ENOSPC, errno.EMSGSIZE}
MOST, NEVER = 600, 1_000_000
NETLINK_GENERIC, CTRL_GETFAMILY = 16, 3
CONTEXT_GET, HBA_ADD, HBA_DEL, HBA_GET, STATS_GET, POLICY_SET, POLICY_GET = 1, 3, 4, 5, 6, 7, 8
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NESTED = 1, 4, 0x300, 0x8000
SYS_FINIT_MODULE, CLONE_NEWNET = 313, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Nth:
    """The n-th allocation of this thread fails."""

    def __init__(self):
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)

    def arm(self, n):
        os.pwrite(self.file, str(n).encode(), 0)

    def left(self):
        """How many are left to it: 0 if it did. Nothing fails any more."""
        left = int(os.pread(self.file, 16, 0))
        os.pwrite(self.file, b"0", 0)
        return left


NTH = Nth()


def attempt(n, call):
    """Whether the n-th allocation failed, and what the call said: 0 or an error."""
    said = 0
    NTH.arm(n)
    try:
        call()
    except OSError as error:
        said = error.errno
    return NTH.left() == 0, said


def survive(name, call, before=lambda: None, after=lambda said: None, allowed=()):
    """All of them, one after the other."""
    survived = refused = 0
    for n in range(1, MOST):
        before()
        fired, said = attempt(n, call)
        if said not in SAID | {0} | set(allowed) or (said and not fired and said not in allowed):
            sys.exit(f"{name}: the {n}th allocation: {os.strerror(said)}")
        after(said)
        if not fired:
            break
        survived += 1
        refused += said != 0
    else:
        sys.exit(f"{name}: no end of allocations")
    print(f"{name}: {survived} failures, {refused} of them told", flush=True)


def inject(setting, value, of=("failslab", "fail_page_alloc")):
    for each in of:
        with open(f"/sys/kernel/debug/{each}/{setting}", "w", encoding="ascii") as file:
            file.write(str(value))


def refuse_others(too):
    """Whether memory is refused to others than functions of modules, which lie above the kernel,
    and what they call: stacktrace filter."""
    start = 0
    if not too:
        with open("/proc/kallsyms", encoding="ascii") as file:
            start = "0x" + next(line.split()[0] for line in file if line.endswith(" _etext\n"))
    inject("require-start", start)


# ------------------------------------------------------------------ generic netlink

def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def converse(family, command, body=b"", flags=NLM_F_ACK):
    """A request and its answers, on a socket of its own."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 5, 0))
        sock.bind((0, 0))
        payload = struct.pack("=BBH", command, 1, 0) + body
        sock.send(struct.pack("=IHHII", 16 + len(payload), family, NLM_F_REQUEST | flags, 1, 0) + payload)
        answers = []
        while True:
            data = sock.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (2, 3):
                    error = -struct.unpack_from("=i", data, 16)[0]
                    if error > 0:
                        raise OSError(error, os.strerror(error))
                    return answers
                answers.append(data[20:length])
                data = data[length + 3 & ~3:]


def family_id():
    answer = converse(NETLINK_GENERIC, CTRL_GETFAMILY, attribute(2, b"shim\0"))[0]
    while answer:
        length, kind = struct.unpack_from("=HH", answer)
        if kind == 1:
            return struct.unpack_from("=H", answer, 4)[0]
        answer = answer[length + 3 & ~3:]
    sys.exit("no family")


def forks_shown():
    with open("/proc/sys/net/shim6/max_forks", encoding="ascii") as file:
        return int(file.read())


def set_of(path):
    """The attributes of a set: its parameters, and its first address."""
    with open(path, encoding="ascii") as file:
        described = json.load(file)
    return (attribute(1, bytes.fromhex(described["parameters"])),
            attribute(2, socket.inet_pton(socket.AF_INET6, described["addresses"][0])))


def netlink(path):
    family = family_id()
    parameters, first = set_of(path)

    def remove(_said):
        # Told or not: it is there, or it is not.
        try:
            converse(family, HBA_DEL, first)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def add():
        try:
            converse(family, HBA_ADD, parameters)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise

    survive("hba-add", lambda: converse(family, HBA_ADD, parameters), after=remove)
    survive("hba-del", lambda: converse(family, HBA_DEL, first), before=add, after=remove)
    deny = attribute(NESTED | 1, attribute(1, b""))

    def forks(value):
        return attribute(NESTED | 3, attribute(1, b"max_forks\0") + attribute(2, struct.pack("=I", value)))

    def whole(_said):
        rules = [a for a in converse(family, POLICY_GET, flags=NLM_F_DUMP) if struct.unpack_from("=H", a, 2)[0] & ~NESTED == 1]
        both = (len(rules), forks_shown() == 77)
        if both not in ((0, False), (1, True)):
            sys.exit(f"policy-set: half of it: {both}")
        converse(family, POLICY_SET, forks(4096))

    survive("policy-set", lambda: converse(family, POLICY_SET, deny + forks(77)), after=whole)
    for name, command in (("context-get", CONTEXT_GET), ("hba-get", HBA_GET),
                          ("stats-get", STATS_GET), ("policy-get", POLICY_GET)):
        survive(name, lambda c=command: converse(family, c, flags=NLM_F_DUMP))


def contexts(family):
    return len(converse(family, CONTEXT_GET, flags=NLM_F_DUMP))


def removal(path):
    family = family_id()
    parameters, first = set_of(path)
    had = contexts(family)
    if not had:
        sys.exit("removal: there is no context")
    refuse_others(False)
    fired, said = attempt(1, lambda: converse(family, HBA_DEL, first))
    refuse_others(True)
    if said or not fired:
        sys.exit(f"removal: refused: {fired}, told: {os.strerror(said)}")
    for _ in range(100):
        if not contexts(family):
            break
        time.sleep(0.05)
    else:
        sys.exit(f"removal: {had} contexts, and some do not go")
    converse(family, HBA_ADD, parameters)
    print(f"removal: {had} contexts went, of which nobody could be told at once", flush=True)


def sysctl():
    family = family_id()
    default, other = 4096, 77
    held = default

    def write():
        # Not through a buffer, which writes once more when it is closed.
        file = os.open("/proc/sys/net/shim6/max_forks", os.O_WRONLY)
        try:
            os.write(file, str(default + other - held).encode())
        finally:
            os.close(file)

    def whole(said):
        # Told: what is shown and what is in force are both as they were; else both are new.
        nonlocal held
        held = held if said else default + other - held
        shown = forks_shown()
        own = any(b"max_forks\0" in a for a in converse(family, POLICY_GET, flags=NLM_F_DUMP))
        if (shown, other if own else default) != (held, held):
            sys.exit(f"sysctl: {held} was to be, {shown} is shown, {'another' if own else 'the default'} in force")

    survive("sysctl", write, after=whole)
    if held != default:
        write()


# ------------------------------------------------------------------ sockets

def sockets(local, peer, port):
    sock = None

    def fresh(connected=True):
        nonlocal sock
        if sock:
            sock.close()
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.settimeout(5)
        sock.bind((local, 0))
        if connected:
            sock.connect((peer, port))

    # A wish that forks the context may find it busy with the last one's.
    patience = {errno.ENOENT, errno.ETIMEDOUT, errno.EINTR}
    # The context keeps what one of its sockets wished, and lists that leave no other path.
    fresh()
    lists = [(option.OPTIONS[name], sock.getsockopt(option.SOL_SHIM, option.OPTIONS[name], option.room(name)))
             for name in ("LOCLIST_LOCAL", "LOCLIST_PEER")]

    def whole_lists():
        """Both lists are again as they were, in the context that all sockets share."""
        said = None
        for _ in range(300):
            fresh()
            try:
                for number, octets in lists:
                    sock.setsockopt(option.SOL_SHIM, number, octets)
                if sock.getsockopt(option.SOL_SHIM, option.OPTIONS["FII"], 4) == bytes(4):
                    return
                said = "they belong to somebody who does not go"
            except OSError as error:
                # A locator that nobody reached yet is tried now; or a fork goes.
                if error.errno not in patience and option.ERRORS.get(error.errno) != "EUNVERIFIEDLOCATOR":
                    raise
                said = error
            time.sleep(0.05)
        sys.exit(f"sockets: the lists are not as they were: {said}")

    # The identifiers are liked best, as they were.
    values = {"LOC_LOCAL_PREF": ([f"{local},0,1"], [f"{local},0,2"]),
              "LOC_PEER_PREF": ([f"{peer},0,1"], [f"{peer},0,2"]),
              "LOCLIST_LOCAL": ([f"{local},0,1"],), "LOCLIST_PEER": ([f"{peer},0,1"],),
              "LOC_LOCAL_SEND": ([local],), "LOC_PEER_SEND": ([peer],),
              "PATHEXPLORE": ([4, 1, 1, 500],), "IF_SEND": ([socket.if_nametoindex("x")],)}

    def option_set(name):
        """Told, and it is as it was, or it is as it was to be."""
        number = option.OPTIONS[name]
        choices = [option.pack(name, each) for each in values.get(name, ([1],))]
        was = None

        def said_of(octets):
            """Without what the context says of a locator that a socket chose."""
            if not option.is_locators(name):
                return octets
            locators = option.LOCATOR.iter_unpack(octets)
            return [(address,) if name.endswith("_SEND") else (address, priority, weight)
                    for _, _, _, priority, weight, _, address, _ in locators]

        def held():
            try:
                return said_of(sock.getsockopt(option.SOL_SHIM, number, option.room(name)))
            except OSError as error:
                return errno.errorcode[error.errno]

        def wanted():
            return next((octets for octets in choices if said_of(octets) != was), choices[0])

        def before():
            nonlocal was
            fresh(name != "DONTSHIM")
            was = held()

        def whole(said):
            now, due = held(), was if said else said_of(wanted())
            if now != due:
                sys.exit(f"setsockopt {name}, which said {os.strerror(said)}: {due} was to be, it is {now}")

        survive(f"setsockopt {name}", lambda: sock.setsockopt(option.SOL_SHIM, number, wanted()),
                before, whole, patience)

    for name in ("DONTSHIM", "HOT_STANDBY", "LOC_LOCAL_PREF", "LOC_PEER_PREF", "LOC_LOCAL_RECV",
                 "LOC_PEER_RECV", "LOC_LOCAL_SEND", "LOC_PEER_SEND", "LOCLIST_LOCAL",
                 "LOCLIST_PEER", "APP_TIMEOUT", "PATHEXPLORE", "IF_RECV", "IF_SEND"):
        option_set(name)
    whole_lists()
    for name in option.OPTIONS:
        survive(f"getsockopt {name}", allowed={errno.ENOENT, errno.EOPNOTSUPP},
                call=lambda n=name: sock.getsockopt(option.SOL_SHIM, option.OPTIONS[n], option.room(n)))
    survive("send", lambda: sock.send(b"."))
    address = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, local), 0)
    chosen = [(option.SOL_SHIM, option.OPTIONS["LOC_LOCAL_SEND"], address)]
    survive("sendmsg", lambda: sock.sendmsg([b"."], chosen))
    fresh()
    sock.setsockopt(option.SOL_SHIM, option.OPTIONS["LOC_PEER_RECV"], option.pack("LOC_PEER_RECV", [1]))

    def drained():
        sock.setblocking(False)
        try:
            while True:
                sock.recv(64)
        except BlockingIOError:
            pass
        sock.settimeout(5)

    survive("sendmsg and recvmsg", before=drained,
            call=lambda: (sock.send(b"."), sock.recvmsg(64, 256)), allowed={None})

    def connection():
        with socket.create_connection((peer, port), timeout=10, source_address=(local, 0)) as tcp:
            tcp.sendall(b"hello")
            tcp.recv(5)

    # bind() and connect() say so when they find no memory for a port.
    ports = {errno.EADDRINUSE, errno.EADDRNOTAVAIL}
    survive("tcp", connection, allowed={None, errno.ETIMEDOUT} | ports)


# ------------------------------------------------------------------ beginnings

def begin(name, n, make):
    """How many allocations were left to the one that fails, and what `make` said, in a process
    of its own."""
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        nth = Nth()
        nth.arm(n)
        said = make()
        left = nth.left()
        # What is there at all has all that we give it.
        if not said and not os.path.exists("/proc/thread-self/net/shim6"):
            said = errno.ENOENT
        os.write(its, struct.pack("ii", left, said))
        os._exit(0)
    os.close(its)
    with open(ours, "rb") as pipe:
        answer = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status or not answer:
        sys.exit(f"{name}: the {n}th allocation: the process ended with {status}")
    return struct.unpack("ii", answer)


def refuse(name, make, count, undo=lambda: None, last=None, nameless=0):
    """`count` allocations by chance, of the `last` ones; at most `nameless` may say EINVAL."""
    left, said = begin(name, NEVER, make)
    undo()
    if said:
        sys.exit(f"{name}: nothing was refused: {os.strerror(said)}")
    most = NEVER - left
    among = range(max(1, most + 1 - (last or most)), most + 1)
    chosen = random.sample(among, min(count, len(among)))
    refused = told = invalid = 0
    for n in chosen:
        left, said = begin(name, n, make)
        undo()
        invalid += said == errno.EINVAL
        if said and (left or said not in SAID and not (said == errno.EINVAL and invalid <= nameless)):
            sys.exit(f"{name}: the {n}th of {most} allocations: {os.strerror(said)}")
        refused += left == 0
        told += said != 0
    if not refused:
        sys.exit(f"{name}: nothing was refused")
    print(f"{name}: {refused} of {most} failed, {told} of them told", flush=True)


def refuse_modules(name, make, count=NEVER, undo=lambda: None):
    """What a function of a module asks for, itself or through others. First without pages, since
    a slab needs one now and then, and each that it does not need this time would change the
    others' numbers."""
    refuse_others(False)
    for what, order in (("slabs", 11), ("slabs and pages", 0)):
        inject("min-order", order, ["fail_page_alloc"])
        refuse(f"{name}, {what} of modules", make, count, undo)
    refuse_others(True)


def namespace(count):
    def make():
        return ctypes.get_errno() if libc.unshare(CLONE_NEWNET) else 0

    refuse_modules("namespace", make)
    # Its devices come after us, and what came before goes away again when one of them fails.
    # netdev_register_kobject() does not look whether dev_set_name() found memory, and
    # device_add() takes a device without a name for an invalid one: one name for each device.
    links = subprocess.run(["unshare", "--net", "ip", "-o", "link"], check=True, capture_output=True)
    refuse("namespace, its devices", make, count, last=4 * count, nameless=links.stdout.count(b"\n"))


def module(path, count):
    def make():
        file = os.open(path, os.O_RDONLY)
        return ctypes.get_errno() if libc.syscall(SYS_FINIT_MODULE, file, b"", 0) else 0

    def undo():
        if os.path.exists("/sys/module/shim6"):
            subprocess.run(["rmmod", "shim6"], check=True)

    refuse_modules("module", make, count, undo)


def first_option(path, count):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)

    def make():
        try:
            sock.setsockopt(option.SOL_SHIM, option.OPTIONS["DONTSHIM"], option.pack("DONTSHIM", [1]))
        except OSError as error:
            return error.errno
        return 0

    def new():
        """What could not begin is not tried again for ten seconds."""
        end = time.monotonic() + 60
        while said := make():
            if said != errno.ENOMEM or time.monotonic() > end:
                sys.exit(f"option: {os.strerror(said)}")
            time.sleep(0.05)
        subprocess.run(["rmmod", "shim6"], check=True)
        subprocess.run(["insmod", path], check=True)

    subprocess.run(["insmod", path], check=True)
    refuse("option", make, count, new)
    subprocess.run(["rmmod", "shim6"], check=True)


def main():
    what, *rest = sys.argv[1:] or [""]
    start = time.monotonic()
    if what == "netlink" and len(rest) == 1:
        netlink(rest[0])
    elif what == "removal" and len(rest) == 1:
        removal(rest[0])
    elif what == "sysctl" and not rest:
        sysctl()
    elif what == "sockets" and len(rest) == 3:
        sockets(rest[0], rest[1], int(rest[2]))
    elif what == "namespace" and len(rest) == 1:
        namespace(int(rest[0]))
    elif what == "module" and len(rest) == 2:
        module(rest[0], int(rest[1]))
    elif what == "option" and len(rest) == 2:
        first_option(rest[0], int(rest[1]))
    else:
        sys.exit(__doc__)
    print(f"{what}: {time.monotonic() - start:.0f} s", flush=True)


main()
