# SPDX-License-Identifier: GPL-2.0-only
"""The known bugs: fuzz/bugs/NAME.cocci, and what fuzz/bugs/plant.py knows of them."""
import os
import re
import sys

import paths

FOLDER = os.path.join(paths.ROOT, "fuzz", "bugs")
sys.path.insert(0, FOLDER)
import plant  # noqa: E402

SUFFIX = ".cocci"
KERNEL_SUFFIX = ".kernel.cocci"
CANARY = re.compile(r"^\+\s*bug_(reached|triggered)\(.*\);\n", re.MULTILINE)


def names():
    return sorted(f.removesuffix(SUFFIX) for f in os.listdir(FOLDER)
                  if f.endswith(SUFFIX) and not f.endswith(KERNEL_SUFFIX))


def load(name):
    try:
        bug = plant.Bug(os.path.join(FOLDER, name + SUFFIX))
        bug.build = name    # what programs with the bug are called after
        return bug
    except plant.BadPatch as error:
        raise paths.Failure(str(error), status=2) from None


def program(name):
    """The program that shows the bug."""
    return os.path.join(paths.ROOT, "corpus", "regress", name + ".tdp")


def kernel_patch(bug):
    """(what to put into a kernel tree, None), or (None, why there is nothing)."""
    own = os.path.join(FOLDER, bug.name + KERNEL_SUFFIX)
    if os.path.exists(own):
        return plant.Bug(own), None
    where = bug.words.get("kernel", "")
    if where.startswith("cannot:"):
        return None, where.removeprefix("cannot:").strip()
    if not where:
        raise plant.BadPatch(f"{bug.path}: expected '// kernel: PATH', '// kernel: cannot: why', or "
                             f"a {bug.name}{KERNEL_SUFFIX}")
    bug.words["file"] = where
    return bug, None


def in_kernel(bug, tree):
    """{file: (text, text with the bug)} of a kernel tree, without canaries."""
    text = CANARY.sub("", bug.text)
    both = {}
    for file in bug.files:
        new = plant.patched(bug, text, file, tree)
        with open(os.path.join(tree, file), encoding="utf-8") as f:
            both[file] = (f.read(), new)
    changed = sum(len(plant.changes(old.splitlines(), new.splitlines()))
                  for old, new in both.values())
    if changed < plant.rules_of(text):
        raise plant.BadPatch(f"{bug.path}: {plant.rules_of(text)} of its rules change something, "
                             f"but {bug.file} differs in {changed} places only")
    return both
