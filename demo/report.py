#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares the two runs of the demo, draws them, and says whether the promise held."""
import argparse
import json
import sys

import plot

FAST_LIMIT = 1.5        # seconds: silent cut, Send Timeout 1 s (the budget of the design)
AFTER_OPERATIONAL = 0.05    # with any timers: one RTT and this after REAP is Operational


def load(path):
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def first(run, kinds, after=0.0):
    """The first event of one of these kinds at or after a moment."""
    return next((e for e in run["events"] if e["kind"] in kinds and e["at"] >= after), None)


def seconds(value):
    return "-" if value is None else f"{value:.2f} s"


def mib(run):
    return f"{run['tcp']['bytes'] / 2**20:.1f} of {run['tcp']['expected'] / 2**20:.0f} MiB"


def table(without, with_, sha):
    def sha_text(run):
        if run["tcp"]["complete"] is None:
            return "incomplete"
        return "equal" if run["tcp"]["sha256"] == sha else "DIFFERENT"

    def lost(run):
        return f"{run['udp'].get('lost', '?')} of {run['udp'].get('sent', '?')}"

    rows = [("", "without", "with shim6"),
            ("received over TCP", mib(without), mib(with_)),
            ("sha256", sha_text(without), sha_text(with_)),
            ("longest stall, TCP", seconds(without["tcp"]["stall"]), seconds(with_["tcp"]["stall"])),
            ("longest stall, UDP", seconds(without["udp"].get("stall")),
             seconds(with_["udp"].get("stall"))),
            ("UDP datagrams lost", lost(without), lost(with_))]
    for name, left, right in rows:
        print(f"  {name:<22}{left:>20}{right:>20}")


def limit_of(with_, args):
    """(seconds the stall may last, why)"""
    if args.variant == "fast":
        return FAST_LIMIT, "Send Timeout 1 s"
    moved = first(with_, ("rehomed",), with_["cut"])
    if moved is None:
        return 0.0, "there was no rehoming"
    allowed = moved["at"] - with_["cut"] + args.rtt_ms / 1000 + AFTER_OPERATIONAL
    return allowed, "REAP's detection and exploration + one RTT + 50 ms"


def judge(without, with_, args):
    """Everything that is wrong, as sentences."""
    wrong = []
    limit, why = limit_of(with_, args)
    if with_["tcp"]["complete"] is None:
        wrong.append("the transfer did not complete")
    elif with_["tcp"]["sha256"] != args.sha:
        wrong.append("the file arrived different")
    for name, stall in (("TCP", with_["tcp"]["stall"]), ("UDP", with_["udp"].get("stall"))):
        if stall is None or stall > limit:
            wrong.append(f"{name} stalled {seconds(stall)}, more than {limit:.2f} s ({why})")
    if first(with_, ("rehomed",), with_["cut"]) is None:
        wrong.append("no rehoming was reported after the cut")
    if first(with_, ("returned",), with_["heal"]) is None:
        wrong.append("the first path was not preferred again after it came back")
    if without["tcp"]["stall"] < (with_["heal"] - with_["cut"]) * 0.9:
        wrong.append("the run without shim6 did not stall: the cut does not cut")
    return wrong, limit


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("without")
    parser.add_argument("with_", metavar="with")
    for name in ("variant", "sha", "svg", "json"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--send-timeout-ms", type=int, required=True)
    parser.add_argument("--rtt-ms", type=float, required=True)
    args = parser.parse_args()
    without, with_ = load(args.without), load(args.with_)
    drawing = plot.Plot(without, with_, "A connection outlives its path",
                        f"curl from nginx over TCP, {with_['tcp']['expected'] / 2**20:.0f} MiB, and a UDP "
                        f"exchange; Send Timeout {args.send_timeout_ms / 1000:g} s; unmodified programs")
    with open(args.svg, "w", encoding="utf-8") as out:
        out.write(drawing.svg())
    wrong, limit = judge(without, with_, args)
    with open(args.json, "w", encoding="utf-8") as out:
        json.dump({"without": without, "with": with_, "wrong": wrong, "limit": limit}, out)
    table(without, with_, args.sha)
    print()
    for sentence in wrong:
        print(f"  FAIL: {sentence}")
    if not wrong:
        print(f"  PASS: the connection outlived its path; longest stall "
              f"{seconds(with_['tcp']['stall'])} of {limit:.2f} s allowed")
    sys.exit(1 if wrong else 0)


main()
