# SPDX-License-Identifier: GPL-2.0-only
"""The upstream backend: kernel trees, and what is known to be wrong with them."""
import glob
import os
import re
import shutil
import subprocess
import sys

import paths

sys.path.append(os.path.join(paths.ROOT, "tools", "lint"))
import debian_kernel  # noqa: E402
import kernel_tree  # noqa: E402

CACHE = os.path.join(paths.BUILD, "cache")
KNOWN = os.path.join(paths.ROOT, "kunit-port", "upstream", "known")
RACES = os.path.join(paths.ROOT, "kunit-port", "upstream", "races")
# Debian's kernel that is taken where no tree is named.
DEFAULT = "6.12"
# What fault_policy=zap is to a backend that only splits.
CANNOT = 2


def debian_tarball(version):
    return f"/usr/src/linux-source-{version}.tar.xz"


def version_of(tree):
    """A tree's version, "6.12": from its Makefile, or else its name; None if neither says."""
    try:
        with open(os.path.join(tree, "Makefile"), encoding="utf-8") as f:
            text = f.read()
        numbers = [re.search(rf"^{word} = (\d+)", text, re.M)[1]
                   for word in ("VERSION", "PATCHLEVEL")]
        return ".".join(numbers)
    except (OSError, TypeError):
        named = re.search(r"linux-(?:source-)?(\d+\.\d+)", os.path.basename(tree))
        return named and named[1]


def known(version, path=KNOWN):
    """What is known to be found on a kernel: program -> (rule, finding)."""
    found, finding, kernels = {}, None, ()
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if not line[0].isspace():
                finding, kernels = words[0], words[1:]
            elif len(words) == 2:
                if version in kernels:
                    found[words[1]] = (words[0], finding)
            else:
                raise paths.Failure(f"{path}:{number}: expected RULE PROGRAM", status=2)
    return found


def programs():
    """Programs of the corpus, by their name in it."""
    corpus = os.path.join(paths.ROOT, "corpus")
    return sorted(os.path.relpath(f, corpus) for f in glob.glob(os.path.join(corpus, "*", "*.tdp")))


def replay(tdp, program):
    """Runs a program of the corpus: (first rule that is broken, "crash" or None, what was said), CANNOT for
    a rule if the backend cannot run it. A choice of the schedule whose point never comes does not matter: it may
    be one that only libtdp passes."""
    done = subprocess.run([tdp, "run", "--quiet", os.path.join("corpus", program)], cwd=paths.ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not done.returncode:
        return None, ""
    if "fault_policy=zap: expected split" in done.stdout:
        return CANNOT, done.stdout
    rule = re.search(r": rule (\S) broken", done.stdout)
    if not rule and done.returncode == 2 and "never comes" in done.stdout:
        return None, done.stdout
    if done.returncode < 0:
        return "crash", done.stdout
    return (rule[1] if rule else f"status {done.returncode}"), done.stdout


def unpack(version):
    """Debian's source of a kernel, unpacked into the cache; None if it is not installed."""
    if not os.path.exists(debian_tarball(version)):
        return None
    return kernel_tree.unpack(CACHE, debian_tarball(version))


def fetch(version):
    """Debian's source of a kernel, or of the newest, fetched and unpacked into the cache; one that is there
    already is taken unless there is a newer "newest"."""
    if version != debian_kernel.NEWEST_KERNEL:
        tree = kernel_tree.kept(CACHE, f"linux-source-{version}")
        if tree:
            return tree
    apt = debian_kernel.Apt(os.path.join(CACHE, "apt"))
    package, about = apt.package(version)
    tree = kernel_tree.kept(CACHE, package, about)
    if tree:
        return tree
    opened = apt.download(package)
    try:
        return kernel_tree.unpack(CACHE, os.path.join(opened, "usr/src", package + ".tar.xz"), about)
    finally:
        shutil.rmtree(opened)


def default_tree():
    """The tree that builds have the backend of, if it is there."""
    return os.path.join(CACHE, f"linux-source-{DEFAULT}")


def unpacked():
    """Whether it is."""
    return os.path.exists(os.path.join(default_tree(), "arch/x86/kvm/mmu/mmu.c"))
