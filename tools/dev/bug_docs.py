# SPDX-License-Identifier: GPL-2.0-only
"""The known bugs as tables, for people: on a terminal, and in docs/bugs.md with a picture."""
import html
import math
import os

import bug_engines
import doc_tables
import paths

DOC = os.path.join(paths.ROOT, "docs", "bugs.md")
PICTURE = os.path.join(paths.ROOT, "docs", "bugs.svg")


def seconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def cell(one):
    """Median seconds of an engine's searches; > if most of them found nothing."""
    if one is None:
        return ""
    median = seconds(one["median_s"])
    if 2 * one["detected"] <= one["runs"]:
        return f">{median} ({one['detected']}/{one['runs']})" if one["detected"] else f">{median}"
    if one["detected"] < one["runs"]:
        return f"{median} ({one['detected']}/{one['runs']})"
    return median


def simulated(row):
    return [one for engine, one in row["engines"].items() if engine in bug_engines.SIMULATED]


def aside(row):
    """Rules that other than the bug's own broke, and how runs ended otherwise."""
    found = sorted({rule for one in simulated(row) for rule in one["others"]})
    ends = sorted({crash.split(":")[0] for one in simulated(row) for crash in one["crashes"]})
    return " ".join(["WARN" if rule == "!" else rule for rule in found] + ends)


def broken(row):
    return "".join(sorted({rule for one in simulated(row) or row["engines"].values()
                           for rule in one["rules"]}))


def engines_in(rows, names):
    """Those that looked for some bug."""
    return [name for name in names if any(name in row["engines"] for row in rows.values())]


def text_table(rows):
    """Median seconds to detection by engine, a bug a line."""
    engines = engines_in(rows, bug_engines.ALL)
    lines = [["bug", "kind", "rules", *engines, "others"]]
    for name, row in rows.items():
        lines.append([name, row["kind"], broken(row) or "-",
                      *(cell(row["engines"].get(engine)) for engine in engines), aside(row)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "".join("  ".join(f"{word:{width}}" for word, width in zip(line, widths)).rstrip() + "\n"
                   for line in lines)


def counts(one):
    """How many searches reached, triggered and detected the bug."""
    return f"{one['reached']}/{one['triggered']}/{one['detected']} of {one['runs']}"


def markdown(about):
    """The table, and what was not as described."""
    rows, figures = about["bugs"], about["figures"]
    engines = engines_in(rows, bug_engines.SIMULATED)
    out = [f"Budget of one search: {about['budget_s']} s. Detected by `fuzz` within it: "
           f"{figures['detected']} of {figures['rows']}; median over bugs {figures['median_s']} s, "
           f"slowest {figures['slowest_s']} s; false alarms {figures['false_alarms']} in "
           f"{figures['clean_runs']} runs of the library without a bug.", "",
           "| bug | fix | kind | rules | seeds | reached/triggered/detected | executions | "
           + " | ".join(f"{name}, s" for name in engines) + " | also |",
           "|---|---|---|---|--:|---|--:|" + "--:|" * len(engines) + "---|"]
    for name, row in rows.items():
        fuzz = row["engines"].get("fuzz")
        out.append(f"| {name} | {row['fix']} | {row['kind']} | {broken(row) or '-'} "
                   f"(of {row['rules']}) | {row.get('seeds_that_show_it', '')} | {counts(fuzz) if fuzz else ''} | "
                   + (f"{fuzz['median_executions']:,.0f}" if fuzz else "") + " | "
                   + " | ".join(cell(row["engines"].get(engine)) for engine in engines)
                   + f" | {aside(row)} |")
    threads = {name: row for name, row in rows.items()
               if row["engines"].keys() & set(bug_engines.ON_THREADS)}
    if threads:
        out += ["", *on_threads(threads)]
    forms = [f"- **{name}**: {row['form']}" for name, row in rows.items() if row["form"]]
    if forms:
        out += ["", "Not as the kernel had them:", "", *forms]
    return "\n".join(out) + "\n"


def on_threads(rows):
    """The table of bugs that real threads run into, beside the fuzzers' times for the same."""
    engines = ["fuzz", "tsan", *bug_engines.ON_THREADS]
    budget = max(one["budget_s"] for row in rows.values() for engine, one in row["engines"].items()
                 if engine in bug_engines.ON_THREADS)
    out = [f"On real threads, {budget} s of processor time for a search; what is wrong first counts, whatever "
           "it is:", "",
           "| bug | " + " | ".join(f"{name}, s" for name in engines)
           + " | reached/triggered/detected | by |",
           "|---|" + "--:|" * len(engines) + "---|---|"]
    for name, row in rows.items():
        ours = [row["engines"][engine] for engine in bug_engines.ON_THREADS
                if engine in row["engines"]]
        total = {what: sum(one[what] for one in ours)
                 for what in ("reached", "triggered", "detected", "runs")}
        out.append(f"| {name} | "
                   + " | ".join(cell(row["engines"].get(engine)) for engine in engines)
                   + f" | {counts(total)} | "
                   + ", ".join(sorted({"WARN" if by == "!" else by for one in ours
                                       for by in one["by"]})) + " |")
    return out


def markdown_upstream(about):
    """The table of bugs in the kernel's own code."""
    rows = about["bugs"]
    engines = engines_in(rows, bug_engines.ALL)
    out = [f"Budget of one search: {about['budget_s']} s.", "",
           "| bug | rules | " + " | ".join(f"{name}, s" for name in engines) + " | also |",
           "|---|---|" + "--:|" * len(engines) + "---|"]
    for name, row in rows.items():
        out.append(f"| {name} | {broken(row) or '-'} (of {row['rules']}) | "
                   + " | ".join(cell(row["engines"].get(engine)) for engine in engines)
                   + f" | {aside(row)} |")
    return "\n".join(out) + "\n"


def markdown_fuzzers(about):
    """The table of libFuzzer and AFL++ side by side."""
    rows, figures = about["bugs"], about["figures"]
    ones = {name: [row["engines"][name] for row in rows.values() if name in row["engines"]]
            for name in bug_engines.FUZZERS}
    names = {name: bug_engines.ALL[name].words.partition(",")[0] for name in ones}
    searches = max(one["runs"] for each in ones.values() for one in each)
    out = [f"{searches} {'search' if searches == 1 else 'searches'} each, of at most {about['budget_s']} s. "
           + "; ".join(f"{names[name]}: {figures[name + '.detected']} of {figures[name + '.rows']} bugs, "
                       f"median {figures[name + '.median_s']} s" for name in ones) + ".", "",
           "| bug | kind | " + " | ".join(f"{name}, s" for name in names.values()) + " | "
           + " | ".join(f"executions of {name}" for name in names.values()) + " |",
           "|---|---|" + "--:|" * 2 * len(names)]
    for name, row in rows.items():
        both = [row["engines"].get(engine) for engine in ones]
        out.append(f"| {name} | {row['kind']} | " + " | ".join(map(cell, both)) + " | "
                   + " | ".join(f"{one['median_executions']:,.0f}" if one else "" for one in both) + " |")
    return "\n".join(out) + "\n"


class Picture:
    """Time to detection, a bug a line, an engine a colour: medians, and from fastest to slowest."""

    LEFT, TOP, LINE, WIDTH, RIGHT = 215, 58, 24, 620, 30
    COLOURS = {"fuzz": "#0b6bcb", "afl": "#d68910", "asan": "#c0392b", "tsan": "#8e44ad", "random": "#7f8c8d",
               "explore": "#1e8449"}
    FLOOR = 0.01		# seconds: what is faster is drawn there

    def __init__(self, about):
        self.rows = about["bugs"]
        self.budget = about["budget_s"]
        self.low = math.log10(self.FLOOR)
        self.high = math.log10(self.budget) + 0.08
        self.out = []

    def x(self, value):
        at = (math.log10(max(value, self.FLOOR)) - self.low) / (self.high - self.low)
        return round(self.LEFT + at * self.WIDTH, 1)

    def text(self, x, y, words, anchor="start", size=12, fill="#222"):
        self.out.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" '
                        f'fill="{fill}">{html.escape(words)}</text>')

    def line(self, x1, y1, x2, y2, stroke, width=1.0, dash=""):
        self.out.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" '
                        f'stroke-width="{width}"' + (f' stroke-dasharray="{dash}"' if dash else "")
                        + "/>")

    def scale(self, bottom):
        tick = self.FLOOR
        while tick <= self.budget:
            self.line(self.x(tick), self.TOP - 6, self.x(tick), bottom, "#ddd")
            self.text(self.x(tick), self.TOP - 10, f"{tick:g} s", "middle", 11, "#555")
            tick *= 10
        self.line(self.x(self.budget), self.TOP - 6, self.x(self.budget), bottom, "#999", 1, "3 3")
        self.text(self.x(self.budget), bottom + 15, f"budget, {self.budget} s: not found", "end",
                  11, "#555")

    def legend(self):
        x = self.LEFT
        for name in engines_in(self.rows, bug_engines.SIMULATED):
            self.out.append(f'<circle cx="{x}" cy="18" r="4" fill="{self.COLOURS[name]}"/>')
            self.text(x + 9, 22, name)
            x += 34 + 8 * len(name)

    def mark(self, y, one, colour):
        median = self.x(one["median_s"])
        if one["slowest_s"] > one["fastest_s"]:
            self.line(self.x(one["fastest_s"]), y, self.x(one["slowest_s"]), y, colour, 1.6)
        found = 2 * one["detected"] > one["runs"]
        self.out.append(f'<circle cx="{median}" cy="{y}" r="3.4" stroke="{colour}" '
                        f'stroke-width="1.4" fill="{colour if found else "#fff"}"/>')

    def draw(self):
        bottom = self.TOP + self.LINE * len(self.rows)
        self.legend()
        self.scale(bottom)
        for number, (name, row) in enumerate(self.rows.items()):
            top = self.TOP + self.LINE * number
            if number % 2 == 0:
                self.out.insert(0, f'<rect x="0" y="{top}" width="{self.LEFT + self.WIDTH}" '
                                f'height="{self.LINE}" fill="#f6f7f9"/>')
            self.text(self.LEFT - 12, top + 16, f"{name} {row['kind']}", "end")
            present = [engine for engine in bug_engines.SIMULATED if engine in row["engines"]]
            for i, engine in enumerate(present):
                y = round(top + self.LINE * (i + 1) / (len(present) + 1), 1)
                self.mark(y, row["engines"][engine], self.COLOURS[engine])
        width, height = self.LEFT + self.WIDTH + self.RIGHT, bottom + 26
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" font-family="sans-serif">\n'
                "<title>Processor seconds until each known bug is found</title>\n"
                f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
                + "\n".join(self.out) + "\n</svg>\n")


def write(title, command):
    """Writes what the report says into the documentation. title: the report's name; command: who makes it"""
    about = doc_tables.source(title, command)
    tables = {"bugs": markdown, "bugs-fuzzers": markdown_fuzzers, "bugs-upstream": markdown_upstream}
    doc_tables.put(DOC, command, tables[title](about))
    if title == "bugs":
        with open(PICTURE, "w", encoding="utf-8") as f:
            f.write(Picture(about).draw())
        print(f"wrote {paths.shown(PICTURE)}")
    return 0
