#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One run of the demo: what happens, when, and what a person sees of it.

Runs inside hostA's namespace (started by demo/run, which built the topology
and the servers). It starts three programs that know nothing of each other,
curl, udp.py and `shimctl monitor`, executes the plot (cut, heal) at its times,
draws a row of goodput bars each second (one bar per 200 ms) with the events in
between, and writes all it saw to a JSON file.
"""
import argparse
import hashlib
import json
import os
import selectors
import subprocess
import sys
import time

BIN = 0.2               # seconds per goodput bar
PER_ROW = 5
FULL = 8                # cells of a bar at the full rate
CELLS = " ▏▎▍▌▋▊▉█"
TICK = 0.02
START_LIMIT = 20        # seconds until curl and udp.py must have begun

PLOT = {"cut": "provider X now drops everything, silently",
        "heal": "provider X forwards again"}
MARKS = {"cut": "path cut", "heal": "provider X back"}

STYLES = {"plot": "1;33", "shim": "1;36", "good": "1;32", "bad": "1;31",
          "bar": "32", "dim": "2"}


class Screen:
    """Rows of bars with event lines between them; colours only on a tty."""

    def __init__(self, full_rate):
        self.colour = sys.stdout.isatty() or os.environ.get("DEMO_COLOUR") == "1"
        self.live = self.colour
        self.full_rate = full_rate
        self.row = None
        self.bars = []
        self.tail = ""

    def paint(self, text, style):
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.colour else text

    def bar(self, rate):
        eighths = min(FULL * 8, round(rate / self.full_rate * FULL * 8))
        text = "█" * (eighths // 8) + (CELLS[eighths % 8] if eighths % 8 else "")
        return text.ljust(FULL) if text else "·".ljust(FULL)

    def render(self):
        bars = " ".join(self.paint(b, "dim" if b[0] == "·" else "bar") for b in self.bars)
        pad = (PER_ROW - len(self.bars)) * (FULL + 1)
        return f" {self.row:4d} s  {bars}{' ' * pad} {self.tail}"

    def add(self, index, rate, tail):
        if index // PER_ROW != self.row:
            self.flush()
            self.row = index // PER_ROW
        self.bars.append(self.bar(rate))
        self.tail = tail
        if len(self.bars) == PER_ROW:
            self.flush()
        elif self.live:
            print("\r" + self.render(), end="", flush=True)

    def flush(self):
        if self.bars:
            print(("\r" if self.live else "") + self.render(), flush=True)
            self.bars = []

    def event(self, at, text, style):
        if self.live and self.bars:
            print("\r\x1b[K", end="")
        print(f"{self.paint(f'{at:8.3f} s', style)}  {self.paint(text, style)}", flush=True)
        if self.live and self.bars:
            print("\r" + self.render(), end="", flush=True)


class Transfer:
    """curl's output: counted, hashed, timed."""

    def __init__(self, url, local):
        self.process = subprocess.Popen(
            ["curl", "-sS", "-g", "--interface", local, "--no-buffer", url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.hash = hashlib.sha256()
        self.bytes = 0
        self.chunks = []        # (seconds, bytes)
        self.last = None
        self.stall = (0.0, None)
        self.done = None

    def read(self, now):
        while True:
            try:
                data = os.read(self.process.stdout.fileno(), 1 << 18)
            except BlockingIOError:
                return True
            if not data:
                self.done = now
                return False
            self.hash.update(data)
            self.bytes += len(data)
            self.chunks.append((now, len(data)))
            self.pause(now)
            self.last = now

    def restart(self):
        """the clock was set to zero now; what was read before is in no bar."""
        self.chunks = []
        self.last = 0.0

    def pause(self, now):
        if self.last is not None and now - self.last > self.stall[0]:
            self.stall = (now - self.last, self.last)


class Stage:
    def __init__(self, args):
        self.args = args
        self.screen = Screen(args.full_rate)
        self.events = []
        self.bars = []
        self.udp_series = []
        self.udp_final = None
        self.selector = selectors.DefaultSelector()
        self.start = time.monotonic()
        self.director = subprocess.Popen(["bash", "-c", args.director], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self.director.stdout.readline()
        self.monitor = self.spawn(args.monitor.split(), self.on_monitor) if args.monitor else None
        self.transfer = Transfer(args.url, args.local)
        self.watch(self.transfer.process.stdout, self.on_tcp)
        self.udp = self.spawn([sys.executable, args.udp, "ping", args.local,
                               args.peer, str(args.udp_port), "20"], self.on_udp)
        self.watch(self.director.stdout, self.on_director)
        self.plot = [(args.cut, "cut"), (args.heal, "heal")]
        self.at_cut = self.at_heal = None
        self.waiting_first = None
        self.begun = False

    # -- inputs

    def now(self):
        return time.monotonic() - self.start

    def watch(self, pipe, handler):
        self.selector.register(pipe, selectors.EVENT_READ, handler)

    def spawn(self, command, on_line):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(process.stdout.fileno(), False)
        pending = bytearray()

        def lines():
            try:
                data = os.read(process.stdout.fileno(), 65536)
            except BlockingIOError:
                return True
            pending.extend(data)
            *complete, rest = bytes(pending).split(b"\n")
            pending[:] = rest
            for line in complete:
                on_line(line.decode(errors="replace"))
            return bool(data)

        self.watch(process.stdout, lines)
        return process

    def on_tcp(self):
        now = self.now()
        if self.waiting_first is not None and self.transfer.last is not None:
            before = self.transfer.bytes
            alive = self.transfer.read(now)
            if self.transfer.bytes > before:
                self.note(f"TCP moving again after {now - self.waiting_first:.2f} s", "good",
                          "moving", "TCP moving again")
                self.waiting_first = None
        else:
            alive = self.transfer.read(now)
        if not alive and self.transfer.bytes == self.args.bytes:
            self.note(f"transfer complete, {self.transfer.bytes / 1e6:.1f} MB", "good", "complete")
        return alive

    def on_udp(self, line):
        if line.startswith("{"):
            self.udp_final = json.loads(line)
            return
        at, sent, received = line.split()
        self.udp_series.append((float(at) - self.start, int(sent), int(received)))

    def on_monitor(self, line):
        event = parse_monitor(line)
        if event is None:
            return
        kind, text, mark, stamp = event
        self.note(text, "shim", kind, mark, stamp - self.start)

    # -- the plot

    def play(self, now):
        """The director, a shell that has everything warm, does it and says so when it is done."""
        while self.plot and now >= self.plot[0][0]:
            _, kind = self.plot.pop(0)
            self.director.stdin.write(f"{kind}\n".encode())
            self.director.stdin.flush()

    def on_director(self):
        kind = self.director.stdout.readline().decode().strip()
        if kind:
            setattr(self, "at_" + kind, self.now())
            self.note(PLOT[kind], "plot", kind, MARKS[kind])
        return bool(kind)

    def note(self, text, style, kind, mark=None, at=None):
        at = self.now() if at is None else at
        self.draw(at)
        if mark and any(e["mark"] == mark for e in self.events):
            mark = None     # the first of its kind stands in the drawing
        self.events.append({"at": round(at, 4), "kind": kind, "text": text, "mark": mark})
        self.screen.event(at, text, style)

    def draw(self, now):
        index = len(self.bars)
        if not self.begun or now < (index + 1) * BIN:
            return
        low, high = index * BIN, (index + 1) * BIN
        got = sum(n for at, n in self.transfer.chunks if low <= at < high)
        self.bars.append(got / BIN)
        self.screen.add(index, got / BIN, f"{self.row_rate():4.1f} MB/s   {self.udp_text()}")
        self.stalled(now)

    def stalled(self, now):
        if (self.transfer.done is None and self.transfer.last is not None
                and self.waiting_first is None and now - self.transfer.last > 0.3):
            self.waiting_first = self.transfer.last

    def row_rate(self):
        row = self.bars[len(self.bars) - 1 - (len(self.bars) - 1) % PER_ROW:]
        return sum(row) / len(row) / 1e6

    def udp_text(self):
        if len(self.udp_series) < 2:
            return "udp"
        back = max(0, len(self.udp_series) - 1 - PER_ROW)
        _, sent0, received0 = self.udp_series[back]
        _, sent1, received1 = self.udp_series[-1]
        return f"udp {received1 - received0:2d}/{sent1 - sent0:2d}"

    def finished(self, now):
        return now >= self.args.end

    def begin(self):
        """The clock starts when both programs have had their first bytes."""
        limit = time.monotonic() + START_LIMIT
        while self.transfer.last is None or not self.udp_series or not self.udp_series[-1][2]:
            if time.monotonic() > limit:
                raise SystemExit("stage: curl or udp.py does not get anything")
            self.step()
        self.transfer.restart()
        self.udp_series = []
        late = time.monotonic() - self.start
        self.start += late
        for event in self.events:
            event["at"] -= late
        self.begun = True

    def step(self):
        for key, _ in self.selector.select(TICK):
            if not key.data():
                self.selector.unregister(key.fileobj)

    def run(self):
        self.begin()
        while not self.finished(self.now()):
            self.step()
            now = self.now()
            self.draw(now)
            self.play(now)
        self.screen.flush()
        self.close()

    def close(self):
        if self.transfer.done is None:
            self.transfer.pause(self.now())
            self.selector.unregister(self.transfer.process.stdout)
            self.transfer.process.kill()
        self.transfer.process.wait()
        self.udp.terminate()
        os.set_blocking(self.udp.stdout.fileno(), True)
        for line in self.udp.stdout:
            self.on_udp(line.decode())
        self.udp.wait()
        for helper in (self.monitor, self.director):
            if helper:
                helper.terminate()
                helper.wait()

    def report(self):
        transfer = self.transfer
        udp = dict(self.udp_final or {})
        if udp.get("stall_from") is not None:
            udp["stall_from"] -= self.start
        return {
            "name": self.args.name, "bin": BIN, "goodput": self.bars,
            "events": sorted(self.events, key=lambda e: e["at"]),
            "udp_series": self.udp_series, "udp": udp, "end": self.args.end,
            "cut": self.at_cut, "heal": self.at_heal,
            "tcp": {"bytes": transfer.bytes, "expected": self.args.bytes,
                    "complete": transfer.done, "sha256": transfer.hash.hexdigest(),
                    "stall": transfer.stall[0], "stall_from": transfer.stall[1],
                    "curl_status": transfer.process.returncode},
        }


PROVIDERS = {"2001:db8:1:": "X", "2001:db8:2:": "Y"}


def provider(address):
    return next((name for start, name in PROVIDERS.items() if address.startswith(start)), "?")


def pair_text(event):
    """The pair packets take now: by the providers' names, they are what a person knows."""
    ours, theirs = provider(event["local"]), provider(event["peer"])
    return f"provider {ours}" if ours == theirs else f"provider {ours} here, {theirs} there"


def parse_monitor(line):
    """A line of `shimctl monitor --json` -> (kind, text, mark, CLOCK_MONOTONIC seconds)."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    kind = event["event"]
    if kind == "rehomed" and not event["rehomed"]:
        kind = "returned"
    # Packets stay where they are while a better pair is tried.
    if kind == "exploring" and event["rehomed"]:
        kind = "trying"
    text, mark = {
        "established": ("context established with the peer", "context established"),
        "exploring": ("REAP exploring: nothing comes back", "exploring"),
        "trying": ("REAP tries the first pair again", None),
        "inbound-ok": ("REAP hears the peer", None),
        "peer-locators": ("the peer's locators are known", None),
        "rehomed": ("rehomed to {pair}: {local} -> {peer}", "rehomed to {pair}"),
        "returned": ("back on the first pair: {local} -> {peer}", "first pair preferred again"),
        "operational": ("REAP operational", None),
    }.get(kind, (kind, None))
    names = {"pair": pair_text(event), "local": event["local"], "peer": event["peer"]}
    return (kind, text.format(**names), mark and mark.format(**names),
            event["monotonic_ns"] / 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("name", "url", "local", "peer", "udp", "out"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--udp-port", type=int, default=9000)
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--full-rate", type=float, default=6e6)
    parser.add_argument("--cut", type=float, required=True)
    parser.add_argument("--heal", type=float, required=True)
    parser.add_argument("--director", required=True,
                        help="shell code that says ready, then does what it reads: cut or heal")
    parser.add_argument("--monitor", default="")
    parser.add_argument("--end", type=float, required=True)
    args = parser.parse_args()
    stage = Stage(args)
    stage.run()
    with open(args.out, "w", encoding="utf-8") as out:
        json.dump(stage.report(), out)


main()
