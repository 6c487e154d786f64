#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""fentry.py FUNCTION...: a BPF program that does nothing is called first by each of these
functions of the kernel, until it is stopped. Says "ready" when they are; what cannot
be attached is an error that names the function."""
import ctypes
import os
import signal
import struct
import sys

SYS_BPF = 321
PROG_LOAD, RAW_TRACEPOINT_OPEN = 5, 17
TRACING, TRACE_FENTRY = 26, 24
BTF_MAGIC = 0xEB9F
# struct btf_header, struct btf_type
HEADER, TYPE = struct.Struct("<HBBIIIII"), struct.Struct("<III")
FUNC = 12
# Octets behind a type, for each kind: of themselves, and for each member.
BEHIND = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0),
          15: (0, 12), 17: (4, 0), 19: (0, 12)}


def functions():
    """The number of each function in the kernel's own types."""
    with open("/sys/kernel/btf/vmlinux", "rb") as file:
        data = file.read()
    magic, _, _, length, type_at, type_len, text_at, _ = HEADER.unpack_from(data)
    assert magic == BTF_MAGIC
    at, end, text, number = length + type_at, length + type_at + type_len, length + text_at, 0
    found = {}
    while at < end:
        number += 1
        name, info, _ = TYPE.unpack_from(data, at)
        kind, members = info >> 24 & 0x1F, info & 0xFFFF
        if kind == FUNC:
            start = text + name
            found[data[start:data.index(b"\0", start)].decode()] = number
        alone, each = BEHIND.get(kind, (0, 0))
        at += TYPE.size + alone + each * members
    return found


def bpf(command, attributes):
    """bpf(2); a descriptor."""
    room = ctypes.create_string_buffer(attributes, 144)
    fd = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF, command, room, len(room))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def attach(number):
    """Attaches "return 0" to the function of that number."""
    code = ctypes.create_string_buffer(bytes.fromhex("b700000000000000" "9500000000000000"), 16)
    license_ = ctypes.create_string_buffer(b"GPL")
    # Up to attach_btf_id of union bpf_attr.
    load = struct.pack("<IIQQIIQII16sIIIIQIIQII", TRACING, 2, ctypes.addressof(code),
                       ctypes.addressof(license_), 0, 0, 0, 0, 0, b"", 0, TRACE_FENTRY,
                       0, 0, 0, 0, 0, 0, 0, number)
    return bpf(RAW_TRACEPOINT_OPEN, struct.pack("<QI", 0, bpf(PROG_LOAD, load)))


def main():
    """See above."""
    known = functions()
    for function in sys.argv[1:]:
        try:
            attach(known[function])
        except OSError as error:
            sys.exit(f"fentry.py: {function}: {error.strerror}")
    print("ready", flush=True)
    signal.pause()


main()
