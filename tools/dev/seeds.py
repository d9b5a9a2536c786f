# SPDX-License-Identifier: GPL-2.0-only
"""Turning the corpus, which is text, into what a fuzz target reads."""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess

import live
import paths

# About a millisecond without sanitizers; a race needs less, and many more runs: what the target
# itself would not cut short.
MAX_POINTS = {"race": 10000}
MAX_POINTS_OTHERS = 50000

CORPUS = os.path.join(paths.ROOT, "corpus")


def targets():
    """The fuzz targets there are: fuzz/fuzz_NAME.c."""
    return sorted(f[5:-2] for f in os.listdir(os.path.join(paths.ROOT, "fuzz"))
                  if f.startswith("fuzz_") and f.endswith(".c"))


def has_threads(path):
    """Whether a program has what it takes for a race."""
    with open(path, encoding="utf-8") as f:
        return sum(line.startswith("thread ") for line in f) >= 2


def shows_bug(path):
    """Whether a program shows a bug of fuzz/bugs/: some of its points may come with that only."""
    return os.path.exists(os.path.join(paths.ROOT, "fuzz", "bugs",
                                       os.path.basename(path)[:-len(".tdp")] + ".cocci"))


def wants(target, path):
    """Whether a program of the corpus, wherever it is, is a seed of the target."""
    races = os.path.join(CORPUS, "fuzz_race") + os.sep
    return target == "mmu" and not path.startswith(races) or target == "race" and has_threads(path)


def files(target, leave_out=()):
    """The corpus files that a target reads: those of its folders corpus/fuzz_NAME and
    corpus/found/fuzz_NAME, and programs (*.tdp) wherever they are but in the folders to leave out, if they
    are of the target's kind."""
    name = "fuzz_" + target
    folders_of_its_own = (os.path.join(CORPUS, name), os.path.join(CORPUS, "found", name))
    found = []
    for where, folders, names in os.walk(CORPUS):
        folders[:] = sorted(name for name in folders if name not in leave_out)
        mine = any(where == own or where.startswith(own + os.sep) for own in folders_of_its_own)
        for path in (os.path.join(where, name) for name in sorted(names)):
            if path.endswith(".tdp") and wants(target, path) or path.endswith(".hex") and mine:
                found.append(path)
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


def points(path, tdp):
    """How many points the program passes: what it costs, whatever the machine."""
    done = subprocess.run([tdp, "run", "--stat", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    counted = re.search(r"^\s*points\s+(\d+)", done.stdout, re.M)
    return int(counted[1]) if counted else 0


def costs(programs, tdp, jobs):
    """{path: points}; what was counted before and has not changed since is not run again."""
    cache = os.path.join(paths.BUILD, "cache", "points.json")
    try:
        with open(cache, encoding="utf-8") as f:
            known = json.load(f)
    except (OSError, ValueError):
        known = {}
    keys = {}
    for path in programs:
        with open(path, "rb") as f:
            keys[path] = hashlib.sha1(f.read()).hexdigest()
    unknown = [path for path in programs if keys[path] not in known]
    status = live.Status()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        counted = pool.map(lambda path: points(path, tdp), unknown)
        for n, (path, count) in enumerate(zip(unknown, counted), 1):
            known[keys[path]] = count
            status.update(f"seeds: {n} of {len(unknown)} measured")
    status.clear()
    os.makedirs(os.path.dirname(cache), exist_ok=True)
    with open(cache, "w", encoding="utf-8") as f:
        json.dump(known, f)
    return {path: known[keys[path]] for path in programs}


def to_binary(path, tdp, seed):
    done = subprocess.run([tdp, "convert", path, "--to", "binary", "--output", seed],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise paths.Failure(f"{paths.shown(path)} is in the corpus but does not convert:\n"
                            + done.stderr.strip())


def started_from(target, tdp, jobs, leave_out=()):
    """(the corpus files that a fuzzer starts from, how many others are too slow for that).

    A fuzzer that starts from a program over a whole 1 GiB page spends its minute on a handful of
    inputs, so those are left to the tests.
    """
    listed = files(target, leave_out)
    most = MAX_POINTS.get(target, MAX_POINTS_OTHERS)
    cost = costs([path for path in listed if path.endswith(".tdp")], tdp, jobs)
    kept = [path for path in listed if cost.get(path, 0) <= most]
    return kept, len(listed) - len(kept)


def name_of(path):
    """The name of a corpus file's seed."""
    return hashlib.sha1(os.path.relpath(path, CORPUS).encode()).hexdigest()


def convert(target, tdp, jobs):
    """Fills build/seeds/TARGET afresh; returns (folder, seeds, files left out as too slow)."""
    folder = os.path.join(paths.BUILD, "seeds", target)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    kept, slow = started_from(target, tdp, jobs)
    for path in kept:
        seed = os.path.join(folder, name_of(path))
        if path.endswith(".hex"):
            with open(seed, "wb") as f:
                f.write(from_hex(path))
        else:
            to_binary(path, tdp, seed)
    return folder, len(kept), slow
