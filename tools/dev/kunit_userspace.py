# SPDX-License-Identifier: GPL-2.0-only
"""Generated KUnit tests in userspace, over a kernel tree with a known bug in it (docs/kunit.md)."""
import json
import os
import re
import shlex
import subprocess
import sys

import bug_trees
import known_bugs
import paths

PROGRAM = "kunit-upstream-repaired"
BACKEND = "upstream-repaired"
# These are compiled where they are; of all others the backend takes functions out.
COMPILED = {f"arch/x86/kvm/mmu/{name}.c" for name in ("tdp_mmu", "tdp_iter", "spte")}
FASTER = re.compile(r" -(O2|g|flto\S*|ffat-lto-objects)\b")


def suite():
    """{program's name: its test's file}, of the tests that are checked in."""
    folder = os.path.join(paths.ROOT, "kunit-port", "suite")
    return {f.removesuffix("_kunit.c").replace("_", "-"): os.path.join(folder, f)
            for f in sorted(os.listdir(folder)) if f.endswith("_kunit.c")}


def compile_commands(build):
    """(source, command) for each of the tree's files, as the backend without a bug has them compiled."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        entries = json.load(f)
    return [(e["file"], e["command"]) for e in entries
            if re.search(rf"CMakeFiles/upstream-(mmu|tree)-{BACKEND}\.dir/", e["command"])]


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        raise paths.Failure(f"kunit: {shlex.join(command)}\n{done.stdout}")
    return done.stdout


def with_bug(build, tree, name, folder):
    """Makes the program of the tests with the bug in the tree's code; its path, or None: the bug is
    not one of the kernel's code."""
    patch, _ = known_bugs.kernel_patch(known_bugs.load(name))
    if not patch:
        return None
    tree = os.path.realpath(tree)
    changed = {path: new for path, (_, new) in known_bugs.in_kernel(patch, tree).items()}
    planted = bug_trees.put(folder, tree, changed, "")
    taken = os.path.join(build, "kunit-port", "upstream", BACKEND)
    if not set(changed) <= COMPILED:
        own = os.path.join(folder, "taken")
        run([sys.executable, "-B", os.path.join(paths.ROOT, "kunit-port", "upstream", "extract.py"),
             planted, own], build)
    else:
        own = taken
    objects = []
    for source, command in compile_commands(build):
        if own == taken and os.path.relpath(source, tree) not in changed:
            continue
        out = os.path.join(folder, os.path.basename(source) + ".o")
        command = FASTER.sub("", command).replace(tree, planted).replace(taken, own)
        words = shlex.split(command)
        words[words.index("-o") + 1] = out
        run([*words, "-O1"], build)
        objects.append(out)
    link = run(["ninja", "-t", "commands", PROGRAM], build).splitlines()[-1]
    program = os.path.join(folder, PROGRAM)
    words = shlex.split(link.removeprefix(": && ").removesuffix(" && :"))
    at = words.index("-o")
    words[at + 1] = program
    run([*words[:at], *objects, *words[at:]], build)
    return program


def judge(program, name):
    """(exit status, the rules that its failures name, what was said) of a program's tests."""
    done = subprocess.run([program, "tdp_" + name.replace("-", "_")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, set(re.findall(r"^ +rule (.):", done.stdout, re.MULTILINE)), done.stdout
