# SPDX-License-Identifier: GPL-2.0-only
"""What llvm-cov found: lines, branches and functions of each file, read from its lcov export."""
import glob
import os
import subprocess

import paths


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

    def missed_branches(self):
        """Lines with a branch that was never taken, of lines that ran."""
        return sorted({key[0] for key, n in self.branches.items() if not n
                       and self.lines.get(key[0])})


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
        elif key == "BRDA":
            number, block, branch, taken = value.split(",")
            where = (int(number), block, branch)
            file.branches[where] = file.branches.get(where, 0) + (int(taken) if taken != "-" else 0)
    return files


def merge(pattern, out):
    """Merges raw profiles; fails if there are none."""
    raw = sorted(glob.glob(pattern))
    if not raw:
        raise paths.Failure(f"no profile was written ({pattern})")
    listing = out + ".list"
    with open(listing, "w", encoding="utf-8") as f:
        f.write("\n".join(raw) + "\n")
    subprocess.run(["llvm-profdata-19", "merge", "-sparse", "-o", out, "-f", listing], check=True)
    return out


def export(profile, objects, folder, root):
    """Coverage of the files in a folder of the source tree, by any of the objects."""
    command = ["llvm-cov-19", "export", "-format=lcov", "-instr-profile", profile, objects[0]]
    for other in objects[1:]:
        command += ["-object", other]
    done = subprocess.run(command + ["-sources", os.path.join(root, folder)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise paths.Failure("llvm-cov failed:\n" + done.stderr.strip())
    return parse(done.stdout, root)
