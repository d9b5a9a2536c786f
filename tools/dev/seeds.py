# SPDX-License-Identifier: GPL-2.0-only
"""Turning the corpus, which is text, into what a fuzz target reads."""
import hashlib
import os
import shutil
import subprocess

import live
import paths

CORPUS = os.path.join(paths.ROOT, "corpus")


def targets():
    """The fuzz targets there are: fuzz/fuzz_NAME.c."""
    return sorted(f[5:-2] for f in os.listdir(os.path.join(paths.ROOT, "fuzz"))
                  if f.startswith("fuzz_") and f.endswith(".c"))


def files(target):
    """The corpus files that a target reads: those of its folder corpus/fuzz_NAME, and for fuzz_mmu
    every program (*.tdp) wherever it is."""
    folder = os.path.join(CORPUS, "fuzz_" + target)
    found = []
    for where, folders, names in os.walk(CORPUS):
        folders.sort()
        mine = where == folder or where.startswith(folder + os.sep)
        found += [os.path.join(where, n) for n in sorted(names)
                  if n.endswith(".tdp") and target == "mmu" or n.endswith(".hex") and mine]
    return found


def from_hex(path):
    """The bytes of a text of hex digits with comments from # to the end of the line."""
    with open(path, encoding="utf-8") as f:
        digits = "".join(line.split("#", 1)[0] for line in f)
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise paths.Failure(f"{paths.shown(path)}: expected hex digits: {error}",
                            status=2) from None


def convert(target, tdp):
    """Fills build/seeds/TARGET afresh; returns (folder, number of seeds)."""
    folder = os.path.join(paths.BUILD, "seeds", target)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    status = live.Status()
    listed = files(target)
    for n, path in enumerate(listed):
        status.update(f"seeds: {n} of {len(listed)}")
        name = hashlib.sha1(os.path.relpath(path, CORPUS).encode()).hexdigest()
        seed = os.path.join(folder, name)
        if path.endswith(".hex"):
            with open(seed, "wb") as f:
                f.write(from_hex(path))
            continue
        done = subprocess.run([tdp, "convert", path, "--to", "binary", "--output", seed],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise paths.Failure(f"{paths.shown(path)} is in the corpus but does not convert:\n"
                                + done.stderr.strip())
    status.clear()
    return folder, len(listed)
