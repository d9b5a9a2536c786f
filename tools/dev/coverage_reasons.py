# SPDX-License-Identifier: GPL-2.0-only
"""What no fuzz target reaches of libtdp, held against the reasons that docs/coverage.md gives."""
import os
import re

import paths

DOC = os.path.join(paths.ROOT, "docs", "coverage.md")
FUNCTIONS = "Functions that no target reaches"
HEADING = re.compile(r"^## (.*)$")
ROW = re.compile(r"^\| (.*) \| (.*) \|$")
NAME = re.compile(r"`([a-z_][a-z0-9_]*)`")


class Reasons:
    """@functions: {function that no target reaches: why}; @branches: {function: the heading under which it is
    said what of it nothing reaches}"""

    def __init__(self, text):
        self.functions, self.branches = {}, {}
        heading = ""
        for line in text.splitlines():
            heading = HEADING.sub(r"\1", line) if HEADING.match(line) else heading
            row = ROW.match(line)
            if not row:
                continue
            if heading == FUNCTIONS:
                self.functions.update((name, row[2]) for name in NAME.findall(row[1]))
            else:
                self.branches.update((name, heading) for name in NAME.findall(line)
                                     if name not in self.branches)


def load():
    with open(DOC, encoding="utf-8") as f:
        return Reasons(f.read())


def unreached(files):
    """{file: (functions never called, {function that is: its lines with a branch never taken})}"""
    out = {}
    for name, file in sorted(files.items()):
        functions = file.missed_functions()
        branches = file.missed_branches_by_function()
        if functions or branches:
            out[name] = (functions, branches)
    return out


def complaints(files, reasons):
    """What has no reason, and what has one for nothing."""
    said = []
    left = unreached(files)
    for name, (functions, branches) in left.items():
        said += [f"{name}: no target calls {function}(), and {paths.shown(DOC)} does not say why"
                 for function in functions if function not in reasons.functions]
        said += [f"{name}:{lines[0]}: no target takes a branch of {function}(), and {paths.shown(DOC)} does "
                 "not say why" for function, lines in branches.items() if function not in reasons.branches]
    never = {function for functions, _ in left.values() for function in functions}
    there = {function for file in files.values() for function in file.functions}
    said += [f"{paths.shown(DOC)}: says that no target calls {function}(): "
             + ("one does" if function in there else "there is no such function")
             for function in sorted(reasons.functions.keys() - never)]
    return said
