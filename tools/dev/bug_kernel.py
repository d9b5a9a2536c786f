# SPDX-License-Identifier: GPL-2.0-only
"""Putting the known bugs into a kernel tree."""
import difflib
import os
import shutil
import sys

import known_bugs
import packages
import paths
import report

sys.path.insert(0, os.path.join(paths.ROOT, "tools", "lint"))
import kernel_tree  # noqa: E402


def tree_of(name):
    """The tree that was named, or Debian's, unpacked as far as is needed."""
    if name:
        if not os.path.isdir(os.path.join(name, "arch/x86/kvm/mmu")):
            raise paths.Failure(f"{name} is no kernel tree: expected arch/x86/kvm/mmu in it",
                                status=2)
        return name
    if not os.path.exists(kernel_tree.TARBALL):
        packages.ensure(packages.KERNEL)
    return kernel_tree.unpack(os.path.join(paths.BUILD, "cache", "kernel"))


def diff_of(both):
    """One patch, as `patch -p1` takes it."""
    return "".join(line for file, (old, new) in both.items()
                   for line in difflib.unified_diff(old.splitlines(True), new.splitlines(True),
                                                    "a/" + file, "b/" + file))


def one(name, tree, out):
    """(state, in words): applies, cannot (exist there) or fails."""
    try:
        patch, why = known_bugs.kernel_patch(known_bugs.load(name))
        if not patch:
            return "cannot", why
        diff = diff_of(known_bugs.in_kernel(patch, tree))
    except known_bugs.plant.BadPatch as error:
        return "fails", str(error).strip()
    with open(os.path.join(out, name + ".diff"), "w", encoding="utf-8") as f:
        f.write(diff)
    return "applies", patch.file


def run(tree, names):
    tree = tree_of(tree)
    out = os.path.join(paths.BUILD, "bugs", "kernel")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    states = {name: one(name, tree, out) for name in names}
    for name, (state, words) in states.items():
        print(f"{name:30} {state:8} {words}")
    figures = {"rows": len(states)}
    for state in ("applies", "cannot", "fails"):
        figures[state] = sum(s == state for s, _ in states.values())
    print(f"\n{figures['applies']} of {figures['rows']} apply to {paths.shown(tree)}, "
          f"{figures['cannot']} cannot exist there, {figures['fails']} fail; changes: "
          + paths.shown(out))
    path = report.write("bugs-kernel", not figures["fails"], figures, tree=tree,
                        bugs={name: {"state": state, "words": words}
                              for name, (state, words) in states.items()})
    print("report: " + path)
    return 1 if figures["fails"] else 0
