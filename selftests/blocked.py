#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# A setsockopt(SOL_SHIM) that blocks in the kernel where it reads its value: the value
# lies on a page that only this program's userfaultfd can fill.
# Says "blocked" when it is, waits for a line, fills the page, says what the call gave.
import ctypes
import fcntl
import mmap
import os
import socket
import struct
import sys
import threading

SYS_USERFAULTFD = 323  # x86_64
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
UFFD_API, UFFDIO_REGISTER_MODE_MISSING = 0xAA, 1
SOL_SHIM, SHIM_DONTSHIM = 140, 129

libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC)
if fd < 0:
    sys.exit("userfaultfd: " + os.strerror(ctypes.get_errno()))
fcntl.ioctl(fd, UFFDIO_API, struct.pack("QQQ", UFFD_API, 0, 0))
page = mmap.mmap(-1, mmap.PAGESIZE)
at = ctypes.addressof(ctypes.c_char.from_buffer(page))
fcntl.ioctl(fd, UFFDIO_REGISTER, struct.pack("QQQQ", at, mmap.PAGESIZE, UFFDIO_REGISTER_MODE_MISSING, 0))

sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
result = []


def call():
    status = libc.setsockopt(sock.fileno(), SOL_SHIM, SHIM_DONTSHIM, ctypes.c_void_p(at), 4)
    result.append(ctypes.get_errno() if status else 0)


thread = threading.Thread(target=call)
thread.start()
os.read(fd, 32)  # the kernel asks for the page: the call is in the middle
print("blocked", flush=True)
sys.stdin.readline()
fcntl.ioctl(fd, UFFDIO_ZEROPAGE, struct.pack("QQQq", at, mmap.PAGESIZE, 0, 0))
thread.join()
print("returned", result[0], flush=True)
