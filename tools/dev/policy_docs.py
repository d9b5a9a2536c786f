# SPDX-License-Identifier: GPL-2.0-only
"""What ./dev bench policy has found as tables and as a picture, beside what the commit's message says."""
import html
import math
import os
import statistics

import doc_tables
import paths
from policy_published import DIRTY, EXECUTE, EXECUTE_VCPUS

DOC = os.path.join(paths.ROOT, "docs", "policy.md")
PICTURE = os.path.join(paths.ROOT, "docs", "policy.svg")
SETTINGS = [("zap", "eps=N, zap"), ("split", "eps=N, split"), ("split-eager", "eps=Y")]


def table(header, rows):
    """Markdown that is a table on a terminal, too."""
    lines = [header, ["-" if i == 0 else "-:" for i in range(len(header))], *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for i, width in enumerate(widths):
        lines[1][i] = "-" * (width - (i > 0)) + (":" if i > 0 else "")
    return "".join("| " + " | ".join(f"{cell:{'<' if i == 0 else '>'}{widths[i]}}"
                                     for i, cell in enumerate(line)) + " |\n" for line in lines)


def ms(values):
    """The median, in milliseconds."""
    value = statistics.median(values) * 1e3
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def took(about, threads, scenario, phase, clock=False):
    return [one[phase][clock] for one in about["seconds"][str(threads)][scenario]]


def faults(about, scenario, vcpus):
    phase = "execute" if scenario.startswith("execute") else "round 1"
    return about["counts"][scenario][str(vcpus)][phase]["faults"]


def fault_us(about, percent, vcpus, setting):
    """What a fault took the commit's author: what there is beyond eps=Y, in which there are none."""
    seconds = DIRTY[percent][vcpus]
    taken = faults(about, f"dirty-{percent}.{SETTINGS[setting][0]}", vcpus) / vcpus
    return (seconds[setting] - seconds[2]) / taken * 1e6


def our_fault_us(about, percent, threads, setting):
    """What it takes here, with what a split takes on top."""
    own = took(about, threads, f"dirty-{percent}.split", "round 2")
    all_of_it = took(about, threads, f"dirty-{percent}.{setting}", "round 1")
    taken = faults(about, f"dirty-{percent}.{setting}", 2) / 2
    return statistics.median(a - o for a, o in zip(all_of_it, own)) / taken * 1e6


def execute_table(about):
    """The commit's first comparison."""
    before, after = EXECUTE["before"], EXECUTE["after"]
    out = [[f"the commit: populating memory, {EXECUTE_VCPUS} vCPUs, s", f"{before['populate']:.3f}",
            f"{after['populate']:.3f}", f"{before['populate'] / after['populate']:.1f}"],
           [f"the commit: executing from memory, {EXECUTE_VCPUS} vCPUs, s", f"{before['execute']:.3f}",
            f"{after['execute']:.3f}", f"{before['execute'] / after['execute']:.1f}"]]
    zap, split = (faults(about, f"execute.{policy}", EXECUTE_VCPUS) for policy in ("zap", "split"))
    out.append([f"counted: faults while executing, {EXECUTE_VCPUS} vCPUs", f"{zap:,}", f"{split:,}",
                f"{zap / split:.1f}"])
    for threads in (1, 2):
        figure = about["figures"]
        zap, split = (took(about, threads, f"execute.{policy}", "execute") for policy in ("zap", "split"))
        own = took(about, threads, "execute.split", "execute again")
        out.append([f"here: executing, {threads} vCPU{'s' * (threads > 1)} on as many threads, ms", ms(zap),
                    ms(split), f"{figure[f'speedup.execute.{threads}']:.1f}"])
        out.append(["here: of that, faults", ms([z - o for z, o in zip(zap, own)]),
                    ms([s - o for s, o in zip(split, own)]),
                    f"{figure[f'speedup_of_faults.execute.{threads}']:.1f}"])
    return table(["", "before: zap", "after: split", "ratio"], out)


def dirty_table(about, percent):
    """The commit's own layout: counts, then its seconds, then what a fault took."""
    rows = []
    for vcpus in about["vcpus"]:
        counted = [faults(about, f"dirty-{percent}.{setting}", vcpus) for setting, _ in SETTINGS]
        row = [str(vcpus)] + [f"{n:,}" for n in counted]
        seconds = DIRTY[percent].get(vcpus)
        if seconds:
            row += [f"{s:.3f}" for s in seconds] + [f"{seconds[0] / seconds[1]:.1f}"]
            row += [f"{fault_us(about, percent, vcpus, i):.2f}" for i in (0, 1)]
        else:
            row += [""] * 6
        rows.append(row)
    return table(["vCPU count", "faults: before", "after", "eps=Y", "the commit, s: before", "after", "eps=Y",
                  "before / after", "µs a fault: before", "after"], rows)


def count_table(about):
    """What one vCPU's GiB costs."""
    rows = []
    for name, phases in about["per_gib"].items():
        phase = "execute" if name.startswith("execute") else "round 1"
        line = phases[phase]
        dirty = phases.get("harvest 1", {}).get("dirty")
        start = phases.get("log-start", {"splits": [0], "sptes": [0]})
        rows.append([name] + [f"{line[what][0]:,}" for what in ("faults", "fast", "splits", "tables", "sptes",
                                                                  "flushes", "pml")]
                    + [f"{start['splits'][0]:,}", f"{start['sptes'][0]:,}", f"{dirty[0]:,}" if dirty else ""])
    return table(["a vCPU's GiB", "faults", "of them fast", "splits", "tables", "SPTEs written", "flushes",
                  "pages by PML", "log-start: splits", "log-start: SPTEs", "pages in the log"], rows)


def seconds_table(about):
    """Medians over the rounds, here."""
    rows = []
    for percent in (5, 100):
        for threads in (1, 2):
            for setting, title in SETTINGS:
                name = f"dirty-{percent}.{setting}"
                rows.append([f"{percent}%, {threads} vCPU{'s' * (threads > 1)}, {title}"]
                            + [ms(took(about, threads, name, phase))
                               for phase in ("log-start", "round 1", "harvest 1", "round 2", "harvest 2")]
                            + [ms([min(took(about, threads, name, "round 1", clock=True))])])
    return table(["ms", "log-start", "round 1", "harvest 1", "round 2", "harvest 2", "round 1, the clock's least"], rows)


def ratio_table(about):
    rows = []
    for percent in (5, 100):
        published = DIRTY[percent]
        row = [f"dirty round, {percent}% writes"]
        row += [f"{published[vcpus][0] / published[vcpus][1]:.1f}" for vcpus in (2, 96)]
        counted = [faults(about, f"dirty-{percent}.{policy}", 2) for policy in ("zap", "split")]
        row.append(f"{counted[0] / counted[1]:.1f}")
        rows.append(row)
    counted = [faults(about, f"execute.{policy}", 2) for policy in ("zap", "split")]
    rows.insert(0, ["executing", "", f"{EXECUTE['before']['execute'] / EXECUTE['after']['execute']:.1f}",
                    f"{counted[0] / counted[1]:.1f}"])
    for row, kind in zip(rows, ("execute", "dirty-5", "dirty-100")):
        for figure in ("speedup", "speedup_of_faults"):
            row += [f"{about['figures'][f'{figure}.{kind}.{threads}']:.1f}" for threads in (1, 2)]
    return table(["zap / split", "the commit, 2 vCPUs", "96 vCPUs", "faults", "here, 1 thread", "2 threads",
                  "faults' time, 1 thread", "2 threads"], rows)


def kernel_table(about):
    """The same on the kernels' own code."""
    theirs = about["kernel_seconds"]
    rows = []
    for kind, title in (("execute", "executing"), ("dirty-5", "dirty round, 5% writes"),
                        ("dirty-100", "dirty round, 100% writes")):
        phase = "execute" if kind == "execute" else "round 1"
        ours = [took(about, 1, f"{kind}.{policy}", phase) for policy in ("zap", "split")]
        kernel = [[one[phase][0] for one in theirs[f"{kind}.{policy}"]] for policy in ("zap", "split")]
        row = ["1 vCPU: " + title]
        for zap, split in (ours, kernel):
            row += [ms(zap), ms(split), f"{statistics.median(z / s for z, s in zip(zap, split)):.1f}"]
        rows.append(row)
    kernels = about["kernels"]
    return table(["ms", "libtdp: zap", "split", "ratio", f"Linux {kernels['zap']}: zap",
                  f"{kernels['split']}: split", "ratio"], rows)


def tables(about):
    parts = [
        "Executing:\n", execute_table(about),
        "First round of dirty logging, 5% writes:\n", dirty_table(about, 5),
        "First round of dirty logging, 100% writes:\n", dirty_table(about, 100),
        "What one vCPU's GiB adds:\n", count_table(about),
        "Ratios:\n", ratio_table(about)]
    if len(about["kernel_seconds"]) == len(about["per_gib"]):
        parts += ["The kernel's own code, 1 thread:\n", kernel_table(about)]
    return "\n".join([*parts, "Dirty logging here, processor time of a vCPU's thread, or of the VMM's:\n",
                      seconds_table(about)])


class Picture:
    """Two panels of seconds by vCPUs, the commit's and ours, and one of what a fault takes."""

    WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 260, 64, 64, 76
    COLOURS = ["#c0392b", "#0b6bcb", "#1e8449"]
    MOST = 96           # vCPUs

    def __init__(self, about):
        self.about = about
        self.out = []

    def text(self, x, y, words, anchor="start", size=12, fill="#222"):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
                        f'fill="{fill}">{html.escape(words)}</text>')

    def line(self, points, stroke, width=1.6, dash=""):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.out.append(f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{width}"'
                        + (f' stroke-dasharray="{dash}"' if dash else "") + "/>")

    def mark(self, x, y, colour, ours):
        if ours:
            self.out.append(f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="#fff" '
                            f'stroke="{colour}" stroke-width="1.6"/>')
        else:
            self.out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>')

    def panel(self, number, title, low, high, unit):
        """Draws the frame; returns where a point is."""
        left = self.LEFT + number * (self.WIDTH + self.GAP)
        bottom = self.TOP + self.HEIGHT

        def x(vcpus):
            return left + math.log(vcpus) / math.log(self.MOST) * self.WIDTH

        def y(value):
            return bottom - math.log10(value / low) / math.log10(high / low) * self.HEIGHT

        self.text(left + self.WIDTH / 2, self.TOP - 10, title, "middle", 13)
        tick = low
        while tick <= high * 1.001:
            self.line([(left, y(tick)), (left + self.WIDTH, y(tick))], "#ddd", 1)
            self.text(left - 6, y(tick) + 4, unit(tick), "end", 11, "#555")
            tick *= 10
        for vcpus in (1, 2, 4, 8, 16, 32, 64, self.MOST):
            self.line([(x(vcpus), bottom), (x(vcpus), bottom + 4)], "#999", 1)
            self.text(x(vcpus), bottom + 17, str(vcpus), "middle", 11, "#555")
        self.text(left + self.WIDTH / 2, bottom + 34, "vCPUs, 1 GiB each", "middle", 11, "#555")
        return x, y

    def seconds(self, number, percent):
        x, y = self.panel(number, f"first dirty round, {percent}% writes: seconds", 1e-3, 10,
                          lambda v: f"{v:g} s")
        for i, (setting, _) in enumerate(SETTINGS):
            points = [(x(vcpus), y(times[i])) for vcpus, times in DIRTY[percent].items()]
            self.line(points, self.COLOURS[i])
            for at in points:
                self.mark(*at, self.COLOURS[i], False)
            ours = [(x(threads), y(statistics.median(
                took(self.about, threads, f"dirty-{percent}.{setting}", "round 1")))) for threads in (1, 2)]
            self.line(ours, self.COLOURS[i], 1.2, "3 3")
            for at in ours:
                self.mark(*at, self.COLOURS[i], True)

    def fault(self, number):
        x, y = self.panel(number, "a fault, 5% and 100% (dashed) writes: µs", 1e-2, 100,
                          lambda v: f"{v:g} µs")
        for i, (setting, _) in enumerate(SETTINGS[:2]):
            for percent, dash in ((5, ""), (100, "6 3")):
                points = [(x(vcpus), y(fault_us(self.about, percent, vcpus, i))) for vcpus in DIRTY[percent]]
                self.line(points, self.COLOURS[i], 1.6, dash)
                for at in points:
                    self.mark(*at, self.COLOURS[i], False)
                ours = [(x(threads), y(our_fault_us(self.about, percent, threads, setting)))
                        for threads in (1, 2)]
                self.line(ours, self.COLOURS[i], 1.2, "3 3")
                for at in ours:
                    self.mark(*at, self.COLOURS[i], True)

    def legend(self):
        at = self.LEFT
        for i, (_, words) in enumerate(SETTINGS):
            self.line([(at, 20), (at + 22, 20)], self.COLOURS[i])
            self.text(at + 28, 24, words)
            at += 50 + 7.2 * len(words)
        self.mark(at + 10, 20, "#555", False)
        self.text(at + 20, 24, "the commit's message (on the right: beyond eps=Y, by the faults counted here)")
        self.mark(at + 500, 20, "#555", True)
        self.text(at + 510, 24, "libtdp here: no exits, no memory touched")

    def draw(self):
        self.legend()
        self.seconds(0, 5)
        self.seconds(1, 100)
        self.fault(2)
        width = self.LEFT + 3 * self.WIDTH + 2 * self.GAP + 24
        height = self.TOP + self.HEIGHT + 48
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                f'height="{height}" font-family="sans-serif">\n'
                "<title>Splitting on fault against zapping: seconds by vCPUs</title>\n"
                f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(self.out) + "\n</svg>\n")


def draw(about, path=None):
    """Writes the picture; returns its path as a user would type it."""
    path = path or os.path.join(paths.BUILD, "report", "policy.svg")
    with open(path, "w", encoding="utf-8") as f:
        f.write(Picture(about).draw())
    return paths.shown(path)


def write():
    """Writes what the last report says into the documentation."""
    about = doc_tables.source("policy", "bench policy")
    doc_tables.put(DOC, "bench policy", tables(about))
    print(f"wrote {draw(about, PICTURE)}")
    return 0
