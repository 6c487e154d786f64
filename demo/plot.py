# SPDX-License-Identifier: GPL-2.0
"""Draws the two runs of the demo as one SVG: goodput over time, UDP below."""
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 960, 520
LEFT, RIGHT = 70, 24
TOP, BOTTOM = 165, 355          # the goodput panel
STRIP_TOP, STRIP_HEIGHT, STRIP_GAP = 386, 18, 8
INK, DIM, GRID = "#1f2430", "#6b7280", "#e5e7eb"
WITH, WITHOUT, DEAD = "#1d6fd1", "#d9822b", "#fdeceb"
LABEL_WIDTH = 185
FONT = "font-family=\"system-ui,'Segoe UI',Helvetica,Arial,sans-serif\""


class Plot:
    def __init__(self, without, with_, title, subtitle):
        self.without, self.with_ = without, with_
        self.end = with_["end"]
        self.bin = with_["bin"]
        peak = max(without["goodput"] + with_["goodput"] + [1e6]) / 1e6
        self.top_rate = peak * 1.12
        self.title, self.subtitle = title, subtitle
        self.out = []

    def x(self, seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.end

    def y(self, rate):
        return BOTTOM - (BOTTOM - TOP) * rate / self.top_rate

    def add(self, text):
        self.out.append(text)

    def text(self, x, y, text, size=12, fill=INK, anchor="start", weight="normal"):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" '
                 f'text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, stroke, dash="", width=1.0):
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                 f'stroke="{stroke}" stroke-width="{width}"{dash}/>')

    def rect(self, x, y, width, height, fill, opacity=1.0, rx=0.0):
        self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                 f'fill="{fill}" fill-opacity="{opacity:.3f}" rx="{rx}"/>')

    # -- parts

    def frame(self):
        self.add(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                 f'width="{WIDTH}" height="{HEIGHT}" {FONT}>')
        self.add(f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#ffffff"/>')
        self.text(LEFT, 34, self.title, 20, weight="600")
        self.text(LEFT, 55, self.subtitle, 13, DIM)

    def outage(self):
        cut, heal = self.with_["cut"], self.with_["heal"]
        bottom = STRIP_TOP + 2 * STRIP_HEIGHT + STRIP_GAP
        self.rect(self.x(cut), TOP, self.x(heal) - self.x(cut), bottom - TOP, DEAD)
        self.text((self.x(cut) + self.x(heal)) / 2, BOTTOM - 8,
                  "provider X silently drops everything", 12, "#b4443c", "middle")

    def axes(self):
        step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50, 100) if self.top_rate / s <= 6)
        rate = 0.0
        while rate <= self.top_rate:
            self.line(LEFT, self.y(rate), WIDTH - RIGHT, self.y(rate), GRID)
            self.text(LEFT - 8, self.y(rate) + 4, f"{rate:g}", 12, DIM, "end")
            rate += step
        self.text(LEFT - 8, TOP - 2, "MB/s", 12, DIM, "end")
        bottom = STRIP_TOP + 2 * STRIP_HEIGHT + STRIP_GAP
        step = next(s for s in (1, 2, 5, 10, 20, 60) if self.end / s <= 12)
        seconds = 0
        while seconds <= self.end:
            self.line(self.x(seconds), bottom + 4, self.x(seconds), bottom + 9, DIM)
            self.text(self.x(seconds), bottom + 24, f"{seconds} s", 12, DIM, "middle")
            seconds += step

    def series(self, run, colour, fill):
        points = []
        for index, rate in enumerate(run["goodput"]):
            left, right = self.x(index * self.bin), self.x((index + 1) * self.bin)
            y = self.y(rate / 1e6)
            points += [f"{left:.1f},{y:.1f}", f"{min(right, WIDTH - RIGHT):.1f},{y:.1f}"]
        last = points[-1].split(",")[0]
        self.add(f'<polygon points="{LEFT},{BOTTOM} {" ".join(points)} {last},{BOTTOM}" '
                 f'fill="{colour}" fill-opacity="{fill}"/>')
        self.add(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
                 f'stroke-width="2" stroke-linejoin="round"/>')

    def strip(self, run, row, colour):
        y = STRIP_TOP + row * (STRIP_HEIGHT + STRIP_GAP)
        self.rect(LEFT, y, WIDTH - LEFT - RIGHT, STRIP_HEIGHT, colour, 0.08)
        series = run["udp_series"]
        for (at0, sent0, got0), (at1, sent1, got1) in zip(series, series[1:]):
            if sent1 > sent0 and at0 < self.end:
                share = min(1.0, (got1 - got0) / (sent1 - sent0))
                right = min(self.x(at1), WIDTH - RIGHT)
                self.rect(self.x(at0), y, right - self.x(at0) + 0.4, STRIP_HEIGHT,
                          colour, 0.85 * share)

    def marks(self):
        """Events: of neighbours the earlier one stands higher, so no line crosses a label."""
        shown = [e for e in self.with_["events"] if e.get("mark")]
        following, level = 1e9, 0
        for event in reversed(shown):
            x = self.x(event["at"])
            level = level + 1 if following - x < LABEL_WIDTH else 0
            following = x
            y = TOP - 12 - min(level, 5) * 16
            self.line(x, y + 4, x, BOTTOM, "#374151", "3 3")
            self.line(x, y - 9, x, y + 4, "#374151")
            late = x > WIDTH - LABEL_WIDTH
            self.text(x + (-5 if late else 5), y, f"{event['at']:.2f} s  {event['mark']}", 11.5,
                      "#374151", "end" if late else "start")

    def legend(self):
        y = HEIGHT - 22
        x = LEFT
        for colour, name in ((WITH, "with shim6"), (WITHOUT, "without")):
            self.rect(x, y - 10, 14, 12, colour, 0.85, 2)
            self.text(x + 20, y, name, 13)
            x += 130
        self.text(WIDTH - RIGHT, y, "line: TCP goodput per 200 ms · strips: UDP echoes that came back",
                  12, DIM, "end")
        self.text(LEFT - 8, STRIP_TOP + STRIP_HEIGHT + 9, "UDP", 12, DIM, "end")

    def svg(self):
        self.frame()
        self.outage()
        self.axes()
        self.series(self.without, WITHOUT, 0.10)
        self.series(self.with_, WITH, 0.12)
        self.strip(self.with_, 0, WITH)
        self.strip(self.without, 1, WITHOUT)
        self.marks()
        self.legend()
        self.add("</svg>")
        return "\n".join(self.out) + "\n"
