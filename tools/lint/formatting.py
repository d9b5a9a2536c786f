#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""clang-format, less its opinion of white space inside a line.

Kernel style lines up constants, comments and tables with tabs, which clang-format cannot express;
so a line that differs in nothing but the white space after its indentation is left as it is, and
so are macros of several lines.
Exit status: 0 nothing to change, 1 something to change (or changed), 2 bad input.
"""
import argparse
import difflib
import re
import subprocess
import sys

CLANG_FORMAT = "clang-format-19"


def folded(line):
    """The line with its indentation kept and all other runs of white space made one space."""
    body = line.strip()
    indent = line[:len(line) - len(line.lstrip())]
    inner = re.sub(r"\s+", " ", body)
    # Between brackets and operators white space may come or go altogether.
    return indent + re.sub(r" ?([(),;{}\\]) ?", r"\1", inner)


def in_macros(lines):
    """Indexes of the lines that belong to a #define of several lines."""
    found = set()
    inside = False
    for n, line in enumerate(lines):
        continued = line.rstrip().endswith("\\")
        inside = inside or (continued and line.lstrip().startswith("#"))
        if inside:
            found.add(n)
        inside = inside and continued
    return found


def wanted(source, formatted):
    """(lines as they should be, [(line number, ours, theirs)]) """
    ours, theirs = source.split("\n"), formatted.split("\n")
    matcher = difflib.SequenceMatcher(None, [folded(x) for x in ours], [folded(x) for x in theirs],
                                      autojunk=False)
    free = in_macros(ours)
    lines, changes = [], []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            lines += [x.rstrip() for x in ours[a:b]]
            changes += [(a + n + 1, [x], [x.rstrip()]) for n, x in enumerate(ours[a:b])
                        if x != x.rstrip()]
        elif a < b and free.issuperset(range(a, b)):
            lines += ours[a:b]
        else:
            lines += theirs[c:d]
            changes.append((a + 1, ours[a:b], theirs[c:d]))
    return lines, changes


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true", help="change the files")
    parser.add_argument("files", nargs="+", metavar="FILE")
    args = parser.parse_args()
    places = 0
    for path in args.files:
        try:
            with open(path, encoding="utf-8") as f:
                source = f.read()
            formatted = subprocess.run([CLANG_FORMAT, "--style=file", path], check=True,
                                       stdout=subprocess.PIPE, text=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"formatting.py: {path}: {error}", file=sys.stderr)
            return 2
        lines, changes = wanted(source, formatted)
        places += len(changes)
        for number, ours, theirs in changes:
            print(f"{path}:{number}: not formatted")
            print("\n".join(["\t-" + x for x in ours] + ["\t+" + x for x in theirs]))
        if args.fix and changes:
            with open(path, "w", encoding="utf-8") as f:
                f.write("\n".join(lines))
    print(f"formatting.py: {len(args.files)} files, {places} places "
          + ("changed" if args.fix else "to change"))
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
