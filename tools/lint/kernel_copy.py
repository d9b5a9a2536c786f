#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fails when a file holds text of the kernel's: 40 tokens in a row, or a sentence of a comment.

Names, constants and behaviour carry over from the kernel by design; its text does not. Layout and
comments are dropped before tokens are compared, and numbers are compared by value; renaming is not
seen through. Exit status: 0 nothing found, 1 something found, 2 bad input.
"""
import argparse
import os
import sys

import ctokens
import kernel_tree

RUN = 40


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


class Numbering:
    """Small integers for tokens; each barrier gets one of its own, so that it matches nothing."""

    def __init__(self):
        self.ids = {}
        self.barriers = 0

    def of(self, token):
        if token is ctokens.BARRIER:
            self.barriers -= 1
            return self.barriers
        return self.ids.setdefault(token, len(self.ids))


class File:
    def __init__(self, path, shown, numbering):
        source = read(path)
        self.shown = shown
        listed = ctokens.tokens(source)
        self.ids = tuple(numbering.of(token) for token, _ in listed)
        self.lines = [line for _, line in listed]
        self.sentences = ctokens.sentences(source)

    def windows(self):
        ids = self.ids
        return ((hash(ids[i:i + RUN]), i) for i in range(len(ids) - RUN + 1))


def common_runs(ours, theirs):
    """Yields (our file, start, their file, start, length) of each maximal identical run."""
    index = {}
    for file in ours:
        for key, i in file.windows():
            index.setdefault(key, []).append((file, i))
    for other in theirs:
        told = set()
        for key, j in other.windows():
            for file, i in index.get(key, ()):
                if (file, i - j) in told and file.ids[i - 1:i] == other.ids[j - 1:j] and i and j:
                    continue
                a, b = file.ids, other.ids
                length = 0
                while (i + length < len(a) and j + length < len(b)
                       and a[i + length] == b[j + length]):
                    length += 1
                if length >= RUN:
                    told.add((file, i - j))
                    yield file, i, other, j, length


def compare(ours, theirs):
    """The complaints, one line of text each."""
    found = []
    best = {}
    for file, i, other, j, length in common_runs(ours, theirs):
        key = (file.shown, file.lines[i])
        text = (f"{file.shown}:{file.lines[i]}-{file.lines[i + length - 1]}: {length} tokens "
                f"identical to {other.shown}:{other.lines[j]}-{other.lines[j + length - 1]}")
        if length > best.get(key, (0, ""))[0]:
            best[key] = (length, text)
    found += [text for _, text in best.values()]
    known = {}
    for other in theirs:
        for sentence, line in other.sentences:
            known.setdefault(sentence, f"{other.shown}:{line}")
    for file in ours:
        for sentence, line in file.sentences:
            if sentence in known:
                found.append(f"{file.shown}:{line}: comment sentence identical to "
                             f"{known[sentence]}: \"{sentence}\"")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--kernel", metavar="DIR", help="an unpacked kernel tree")
    source.add_argument("--cache", metavar="DIR",
                        help=f"unpack {kernel_tree.TARBALL} there, once, and use that")
    parser.add_argument("files", nargs="+", metavar="FILE", help="our C files")
    args = parser.parse_args()
    try:
        tree = args.kernel or kernel_tree.unpack(args.cache)
        numbering = Numbering()
        ours = [File(path, path, numbering) for path in args.files]
        theirs = [File(os.path.join(tree, path), path, numbering)
                  for path in kernel_tree.sources(tree)]
    except OSError as error:
        print(f"kernel_copy.py: {error}", file=sys.stderr)
        return 2
    if not theirs:
        print(f"kernel_copy.py: {tree}: expected a kernel tree with "
              + ", ".join(kernel_tree.FOLDERS), file=sys.stderr)
        return 2
    found = compare(ours, theirs)
    for text in found:
        print(text)
    print(f"kernel_copy.py: {len(ours)} files against {len(theirs)} of the kernel's: "
          f"{len(found)} copied passages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
