# SPDX-License-Identifier: GPL-2.0-only
"""What ./dev bench mmu has measured, for people: on a terminal, and in docs/performance.md with a
picture."""
import html
import math
import os

import doc_tables
import paths

COMMAND = "bench mmu"
DOC = os.path.join(paths.ROOT, "docs", "performance.md")
PICTURE = os.path.join(paths.ROOT, "docs", "bench-mmu.svg")
# No operation is to take longer than the kernel's, by that much.
GOAL = 1.05


def nanoseconds(value):
    if value is None:
        return ""
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def cells(name, one):
    return [name, one["per"], nanoseconds(one["libtdp_ns"]), nanoseconds(one["kernel_ns"]),
            f"{one['ratio']:.2f}", f"{one['ratio_low']:.2f} to {one['ratio_high']:.2f}",
            nanoseconds(one["limit_ns"])]


HEAD = ["operation", "ns per", "libtdp", "kernel", "ratio", "half of the rounds", "machine"]


def speedup_lines(faster):
    return [f"{name}: {mine:.2f} times one thread (kernel: {kernel:.2f})"
            for name, (mine, kernel) in faster.items()]


def text(operations, faster):
    """For a terminal."""
    lines = [HEAD] + [cells(name, one) for name, one in operations.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    left = (0, 1)
    out = ["  ".join(f"{word:{'<' if i in left else '>'}{width}}"
                     for i, (word, width) in enumerate(zip(line, widths))).rstrip()
           for line in lines]
    return "\n".join(out + ["two threads do:"] + ["  " + line for line in speedup_lines(faster)])


def markdown(about):
    out = [f"{about['rounds']} rounds, Linux {about['kernel']}, {about['cpus']} CPUs, load "
           f"{about['load']} when it began. The machine: "
           + ", ".join(f"{name[len('limit-'):]} {nanoseconds(ns)} ns"
                       for name, ns in about["limits"].items()) + ".", "",
           "| " + " | ".join(HEAD + ["what it is"]) + " |",
           "|---|---|--:|--:|--:|--:|--:|---|"]
    for name, one in about["operations"].items():
        out.append("| " + " | ".join(cells(name, one) + [one["what"]]) + " |")
    out += ["", "What two threads do at once, beside one:", ""]
    out += ["- " + line for line in speedup_lines(about["speedups"])]
    return "\n".join(out) + "\n"


class Picture:
    """Each operation's ratio: its median, and where half of the rounds are."""

    LEFT, TOP, LINE, WIDTH, RIGHT = 190, 44, 20, 560, 120
    TICKS = (0.2, 0.25, 0.33, 0.5, 0.7, 1, 1.4, 2)
    GOOD, BAD = "#1e8449", "#c0392b"

    def __init__(self, about):
        self.operations = about["operations"]
        ends = [one[end] for one in self.operations.values() for end in ("ratio_low", "ratio_high")]
        self.low = math.log(min(ends + [0.25])) - 0.08
        self.high = math.log(max(ends + [1.4])) + 0.08
        self.out = []

    def x(self, ratio):
        at = (math.log(ratio) - self.low) / (self.high - self.low)
        return round(self.LEFT + at * self.WIDTH, 1)

    def text(self, x, y, words, anchor="start", size=12, fill="#222"):
        self.out.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" '
                        f'fill="{fill}">{html.escape(words)}</text>')

    def line(self, x1, y1, x2, y2, stroke, width=1.0):
        self.out.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" '
                        f'stroke-width="{width}"/>')

    def scale(self, bottom):
        for tick in self.TICKS:
            if not self.low < math.log(tick) < self.high:
                continue
            self.line(self.x(tick), self.TOP - 4, self.x(tick), bottom,
                      "#888" if tick == 1 else "#ddd")
            self.text(self.x(tick), self.TOP - 8, f"{tick:g}", "middle", 11, "#555")

    def mark(self, y, one):
        colour = self.BAD if one["ratio"] > GOAL else self.GOOD
        self.line(self.x(one["ratio_low"]), y, self.x(one["ratio_high"]), y, colour, 2)
        self.out.append(f'<circle cx="{self.x(one["ratio"])}" cy="{y}" r="3.6" fill="{colour}"/>')

    def draw(self):
        bottom = self.TOP + self.LINE * len(self.operations)
        self.text(self.LEFT, 16, "libtdp's time / the time of the kernel's own code: median, and half "
                  "of the rounds")
        self.scale(bottom)
        for number, (name, one) in enumerate(self.operations.items()):
            top = self.TOP + self.LINE * number
            if number % 2 == 0:
                self.out.insert(0, f'<rect x="0" y="{top}" width="{self.LEFT + self.WIDTH + self.RIGHT}" '
                                f'height="{self.LINE}" fill="#f6f7f9"/>')
            self.text(self.LEFT - 12, top + 14, name, "end")
            self.mark(top + self.LINE / 2, one)
            self.text(self.LEFT + self.WIDTH + 10, top + 14,
                      f"{nanoseconds(one['libtdp_ns'])} / {nanoseconds(one['kernel_ns'])} ns", size=11,
                      fill="#555")
        width, height = self.LEFT + self.WIDTH + self.RIGHT, bottom + 10
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" font-family="sans-serif">\n'
                "<title>Operations of the MMU: libtdp beside the kernel's own code</title>\n"
                f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
                + "\n".join(self.out) + "\n</svg>\n")


def write():
    """Writes what the report says into the documentation."""
    about = doc_tables.source("bench-mmu", COMMAND)
    doc_tables.put(DOC, COMMAND, markdown(about))
    with open(PICTURE, "w", encoding="utf-8") as f:
        f.write(Picture(about).draw())
    print(f"wrote {paths.shown(PICTURE)}")
    return 0
