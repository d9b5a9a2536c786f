#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plant a bug: copy a source file of libtdp with one textual change.

usage: plant.py EDIT LIBTDP OUT

EDIT says what is changed:

    what the bug is, in any number of lines
    kind C
    rules TU
    file tdp_mmu.c
    find
    	whole lines of the file
    replace
    	the lines in their place
    end

The kind is S if one thread at a time runs into it, C if it needs an interleaving; the rules are
those that are broken first. There may be several find-replace-end blocks. Space between words does not count, so that formatting
the file anew does not matter; otherwise what is looked for has to be there exactly once. The copy
says by #line where each line came from, so messages name the file as it is.
"""
import re
import sys
from pathlib import Path


class BadEdit(Exception):
    pass


def parse(text, name):
    """The file's name and pairs of (find, replace) lines."""
    file, edits, part = None, [], None
    for number, line in enumerate(text.splitlines(), 1):
        if part is None and line.startswith("file "):
            file = line[5:].strip()
        elif part is None and line == "find":
            edits.append(([], []))
            part = 0
        elif part == 0 and line == "replace":
            part = 1
        elif part == 1 and line == "end":
            part = None
        elif part is not None:
            edits[-1][part].append(line)
        elif file and line.strip():
            raise BadEdit(f"{name}:{number}: expected find, found '{line}'")
    if part is not None:
        raise BadEdit(f"{name}: the last block does not end: expected replace, then end")
    if not file or not edits:
        raise BadEdit(f"{name}: expected a line 'file NAME' and a find-replace-end block")
    return file, edits


def change(source, edit, path, name):
    """The source with one edit made."""
    find, replace = edit
    words = " ".join(find).split()
    if not words:
        raise BadEdit(f"{name}: nothing to find")
    pattern = r"^[ \t]*" + r"\s+".join(map(re.escape, words)) + r"[ \t]*\n"
    found = list(re.finditer(pattern, source, re.MULTILINE))
    if len(found) != 1:
        raise BadEdit(f"{name}: expected once in {path}, found {len(found)} times:\n"
                      + "\n".join(find))
    match = found[0]
    # Lines of the copy that were there before this edit have their own #line already.
    line = source_line(source, match.end())
    new = "".join(part + "\n" for part in replace)
    return source[:match.start()] + new + f'#line {line} "{path}"\n' + source[match.end():]


def source_line(source, offset):
    """The number, in the original, of the line that begins at an offset of the copy."""
    before = source[:offset]
    last = list(re.finditer(r'^#line (\d+) ".*"\n', before, re.MULTILINE))
    if not last:
        return before.count("\n") + 1
    return int(last[-1].group(1)) + before[last[-1].end():].count("\n")


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: plant.py EDIT LIBTDP OUT")
    edit_path, libtdp, out = map(Path, sys.argv[1:])
    try:
        file, edits = parse(edit_path.read_text(), edit_path)
        path = libtdp / file
        source = f'#line 1 "{path}"\n' + path.read_text()
        for edit in edits:
            source = change(source, edit, path, edit_path)
    except (BadEdit, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(source)


if __name__ == "__main__":
    main()
