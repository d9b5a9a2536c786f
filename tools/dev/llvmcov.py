# SPDX-License-Identifier: GPL-2.0-only
"""What llvm-cov found: lines, branches and functions of each file, read from its exports."""
import glob
import json
import os
import subprocess

import paths


EXPANSION = 1  # llvm-cov's number for a region that is a macro's use


class File:
    def __init__(self):
        self.lines = {}
        self.functions = {}
        self.branches = {}

    def tally(self):
        """(lines, lines run, branches, branches taken)"""
        return (len(self.lines), sum(1 for n in self.lines.values() if n),
                len(self.branches), sum(1 for n in self.branches.values() if n))

    def missed_lines(self):
        """Ranges (first, last) of neighbouring lines that never ran."""
        ranges = []
        for line in sorted(self.lines):
            if self.lines[line]:
                ranges.append(None)
            elif ranges and ranges[-1]:
                ranges[-1] = (ranges[-1][0], line)
            else:
                ranges.append((line, line))
        return [r for r in ranges if r]

    def missed_functions(self):
        return sorted(name for name, n in self.functions.items() if not n)

    def missed_branches_by_function(self):
        """{function: its lines with a branch that was never taken, of lines that ran}"""
        found = {}
        for (line, function, _, _), count in self.branches.items():
            if not count and self.lines.get(line):
                found.setdefault(function, set()).add(line)
        return {function: sorted(lines) for function, lines in sorted(found.items())}

    def missed_branches(self):
        """The same lines, of all functions."""
        return sorted(set().union(*self.missed_branches_by_function().values()))


def parse(lcov, root):
    """{path relative to root: File} from lcov's text."""
    files = {}
    file = None
    for line in lcov.splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            file = files.setdefault(os.path.relpath(value, root), File())
        elif key == "DA":
            number, count = value.split(",")[:2]
            file.lines[int(number)] = file.lines.get(int(number), 0) + int(count)
        elif key == "FNDA":
            count, name = value.split(",", 1)
            # A static function's name comes with its file's, once for each unit that has it.
            name = name.rsplit(":", 1)[-1]
            file.functions[name] = file.functions.get(name, 0) + int(count)
    return files


def expansion_lines(function):
    """{file id: line of the function that its text stands for}, macros being files of their own."""
    came_from = {r[6]: (r[5], r[0]) for r in function["regions"] if r[7] == EXPANSION}
    lines = {}
    for inner in came_from:
        file, line = came_from[inner]
        while file in came_from:
            file, line = came_from[file]
        lines[inner] = line
    return lines


def add_branches(files, functions, root):
    """Adds the branches to what parse() made, from the functions of llvm-cov's JSON.

    The lcov export lists a header's inline function once for each unit that uses it, so its
    branches are counted here: the n-th one of a function is the same in every unit.
    """
    for function in functions:
        file = files.get(os.path.relpath(function["filenames"][0], root))
        if file is None:
            continue
        name = function["name"].rsplit(":", 1)[-1]
        lines = expansion_lines(function)
        for n, branch in enumerate(function["branches"]):
            line = lines.get(branch[6], branch[0])
            for way in (0, 1):
                key = (line, name, n, way)
                file.branches[key] = file.branches.get(key, 0) + branch[4 + way]


def merge(patterns, out):
    """Merges raw profiles; fails if there are none."""
    raw = sorted(path for pattern in patterns for path in glob.glob(pattern))
    if not raw:
        raise paths.Failure(f"no profile was written ({', '.join(patterns)})")
    listing = out + ".list"
    with open(listing, "w", encoding="utf-8") as f:
        f.write("\n".join(raw) + "\n")
    subprocess.run(["llvm-profdata-19", "merge", "-sparse", "-o", out, "-f", listing], check=True)
    return out


def llvm_cov(action, profile, objects, sources):
    """Runs llvm-cov; returns what it prints. action: what it is to do, with options"""
    command = ["llvm-cov-19", *action, "-instr-profile", profile, objects[0]]
    for other in objects[1:]:
        command += ["-object", other]
    done = subprocess.run(command + ["-sources", sources], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise paths.Failure("llvm-cov failed:\n" + done.stderr.strip())
    return done.stdout


def show(profile, objects, sources, out, title):
    """Writes pages of HTML, a file of the source each, with counts of lines and branches; out/index.html has
    links to all."""
    llvm_cov(["show", "-format=html", "-output-dir=" + out, "-project-title=" + title, "-show-branches=count",
              "-show-branch-summary", "-show-region-summary=false", "-show-instantiations=false", "-tab-size=8"],
             profile, objects, sources)


def export(profile, objects, folder, root):
    """Coverage of the files in a folder of the source tree, by any of the objects."""
    def exported(form):
        return llvm_cov(["export", "-format=" + form], profile, objects, os.path.join(root, folder))

    files = parse(exported("lcov"), root)
    for unit in json.loads(exported("text"))["data"]:
        add_branches(files, unit["functions"], root)
    return files
