# SPDX-License-Identifier: GPL-2.0-only
"""Kernel trees with one known bug in each, for builds of the upstream backend (docs/upstream.md). Such a
tree is links into the one that was named, but for the files that the bug changes."""
import os
import shutil

import known_bugs
import paths

# Where builds look for them: NAME/tree, and NAME/bug.c about the bug.
FOLDER = os.path.join(paths.BUILD, "bugs", "upstream")


def overlay(tree, out, changed):
    """Makes `out` the tree, but for the files of @changed: {path in the tree: text}."""
    os.makedirs(out)
    inside = {}
    for path, text in changed.items():
        first, _, rest = path.partition("/")
        inside.setdefault(first, {})[rest] = text
    for name in os.listdir(tree):
        if name not in inside:
            os.symlink(os.path.join(tree, name), os.path.join(out, name))
    for name, files in inside.items():
        if "" in files:
            with open(os.path.join(out, name), "w", encoding="utf-8") as f:
                f.write(files[""])
        else:
            overlay(os.path.join(tree, name), os.path.join(out, name), files)


def is_made(folder, tree, changed, about):
    """Whether the folder is there as it should be, so that nothing is compiled again. about: bug.c"""
    made = os.path.join(folder, "tree")
    wanted = {os.path.join(made, path): text for path, text in changed.items()}
    wanted[os.path.join(folder, "bug.c")] = about
    try:
        if os.path.realpath(os.path.join(made, "Makefile")) != os.path.join(tree, "Makefile"):
            return False
        for path, text in wanted.items():
            with open(path, encoding="utf-8") as f:
                if f.read() != text:
                    return False
    except OSError:
        return False
    return True


def put(folder, tree, changed, about):
    """Makes folder/tree of a tree, and folder/bug.c, unless they are there."""
    if not is_made(folder, tree, changed, about):
        shutil.rmtree(folder, ignore_errors=True)
        overlay(tree, os.path.join(folder, "tree"), changed)
        with open(os.path.join(folder, "bug.c"), "w", encoding="utf-8") as f:
            f.write(about)
    return os.path.join(folder, "tree")


def make(tree, bugs):
    """Makes the trees; returns (the bugs that have one, {name of another: why it has none})."""
    tree = os.path.realpath(tree)
    kept, without = [], {}
    for bug in bugs:
        patch, why = known_bugs.kernel_patch(known_bugs.load(bug.name))
        if not patch:
            without[bug.name] = why
            continue
        changed = {path: new for path, (_, new) in known_bugs.in_kernel(patch, tree).items()}
        put(os.path.join(FOLDER, bug.name), tree, changed, known_bugs.plant.as_c(bug))
        kept.append(bug)
    return kept, without
