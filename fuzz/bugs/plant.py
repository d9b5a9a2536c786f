#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Put a known bug into a copy of libtdp's source.

usage: plant.py PATCH LIBTDP OUT     copies of what PATCH changes, and of what has to be compiled
                                     again for it, in the folder OUT, and OUT/bug.c about the bug
       plant.py --list PATCH LIBTDP  what would be copied: one file a line

PATCH is a Coccinelle semantic patch with a header (docs/bugs.md). If it changes nothing, or has
more rules than there are changes, that is an error: then libtdp has changed and PATCH has to follow.
A copy says by #line where each line came from, so that messages name the files as they are.
"""
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = re.compile(r"^//\s*([a-z]+):\s*(.*)$")
KINDS = "SYC"
RULES = "TDUNMLPWXGBA"
# No changes of types or of what libtdp installs for its users: those who use libtdp are not
# compiled again.
WITH_HEADERS = ("*.c", "*.h", "include/tdp/*.h")


class BadPatch(Exception):
    pass


class Bug:
    """What the header of a semantic patch says: the members are its words, as text."""

    NEEDED = ("title", "fix", "kind", "rules", "file", "story")
    WORDS = NEEDED + ("form", "kernel")
    # That of a NAME.kernel.cocci says where the bug goes; NAME.cocci has said what it is.
    NEEDED_FOR_KERNEL = ("file",)

    def __init__(self, path):
        self.path = Path(path)
        self.for_kernel = self.path.name.endswith(".kernel.cocci")
        self.name = self.path.name.removesuffix(".cocci").removesuffix(".kernel")
        self.words = {}
        self.text = self.path.read_text(encoding="utf-8")
        self.read()
        self.check()

    def read(self):
        """The header is the comments at the top; a line without a word goes on with the last."""
        word = None
        for line in self.text.splitlines():
            if not line.startswith("//"):
                break
            found = HEADER.match(line)
            if found and found[1] in self.WORDS:
                word = found[1]
                self.words[word] = found[2].strip()
            elif not line.strip("/ \t"):
                word = None
            elif word:
                self.words[word] += " " + line.lstrip("/ \t").rstrip()

    def check(self):
        for word in self.NEEDED_FOR_KERNEL if self.for_kernel else self.NEEDED:
            if not self.words.get(word):
                raise BadPatch(f"{self.path}: expected a line '// {word}: ...' at the top")
        if self.for_kernel:
            return
        if self.words["kind"] not in KINDS:
            raise BadPatch(f"{self.path}: kind: expected one of {', '.join(KINDS)}, found "
                           f"'{self.words['kind']}'")
        if self.words["rules"] != "-" and not set(self.words["rules"]) <= set(RULES):
            raise BadPatch(f"{self.path}: rules: expected letters of {RULES}, found "
                           f"'{self.words['rules']}'")

    def __getattr__(self, word):
        try:
            return self.words[word]
        except KeyError:
            raise AttributeError(word) from None

    @property
    def files(self):
        return self.file.split()


def patched(bug, patch_text, file, root):
    """The text of a file below a folder with the bug in it; what it includes is not looked at."""
    source = Path(root, file)
    if not source.is_file():
        raise BadPatch(f"{bug.path}: file: there is no {source}")
    with tempfile.TemporaryDirectory() as folder:
        patch, out = Path(folder, "patch.cocci"), Path(folder, "out" + source.suffix)
        patch.write_text(patch_text, encoding="utf-8")
        done = subprocess.run(["spatch", "--very-quiet", "--no-includes", "--sp-file", patch, source,
                               "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True)
        if not out.exists():
            said = [line for line in done.stderr.splitlines() if not line.startswith("warning:")]
            raise BadPatch(f"{bug.path} does not match {source}:\n" + "\n".join(said))
        return out.read_text(encoding="utf-8")


def changes(old, new):
    """The places where two lists of lines differ: [(tag, i1, i2, j1, j2)]."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [code for code in matcher.get_opcodes() if code[0] != "equal"]


def with_line_numbers(source, old, new):
    """The new text, which says after each change where in the source it goes on."""
    out, done = [f'#line 1 "{source}"\n'], 0
    for _, _, i2, j1, j2 in changes(old, new):
        out += new[done:j2]
        if j2 < len(new):
            out.append(f'#line {i2 + 1} "{source}"\n')
        done = j2
    return "".join(out + new[done:])


def rules_of(text):
    """How many rules of a semantic patch change something."""
    parts = re.split(r"^@.*@@\s*$|^@@\s*$", text, flags=re.MULTILINE)
    return sum(bool(re.search(r"^[-+](?![-+])", part, re.MULTILINE)) for part in parts)


def plant(bug, root):
    """{file: text with the bug in it}"""
    planted, found = {}, 0
    for file in bug.files:
        new = patched(bug, bug.text, file, root).splitlines(keepends=True)
        old = Path(root, file).read_text(encoding="utf-8").splitlines(keepends=True)
        found += len(changes(old, new))
        planted[file] = with_line_numbers(Path(root, file), old, new)
    if found < rules_of(bug.text):
        raise BadPatch(f"{bug.path}: {rules_of(bug.text)} of its rules change something, but "
                       f"{bug.file} differs in {found} places only")
    return planted


def copied(bug, libtdp):
    """The files that are copied: those with the bug, or all, if who includes one is affected."""
    if all(file.endswith(".c") for file in bug.files):
        return bug.files
    return sorted(str(path.relative_to(libtdp)) for pattern in WITH_HEADERS
                  for path in Path(libtdp).glob(pattern))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def as_c(bug):
    return (f"/* From {bug.path.name}. */\n#include \"bug.h\"\n\n"
            f"const struct bug bug = {{ \"{bug.name}\", '{bug.kind}', \"{bug.rules}\" }};\n")


def main(arguments):
    try:
        if len(arguments) == 3 and arguments[0] == "--list":
            print("\n".join(copied(Bug(arguments[1]), arguments[2])))
            return 0
        if len(arguments) != 3 or arguments[0].startswith("-"):
            print(__doc__.strip(), file=sys.stderr)
            return 2
        bug, libtdp, out = Bug(arguments[0]), Path(arguments[1]), Path(arguments[2])
        planted = plant(bug, libtdp)
        for file in copied(bug, libtdp):
            source = libtdp / file
            write(out / file, planted.get(file) or
                  with_line_numbers(source, [], []) + source.read_text(encoding="utf-8"))
        write(out / "bug.c", as_c(bug))
    except (BadPatch, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
