# SPDX-License-Identifier: GPL-2.0-only
"""What fuzzers start from when they look for a known bug: the corpus, less what shows it already."""
import concurrent.futures
import os
import re
import shutil
import subprocess

import live
import paths
import seeds

# Programs that were kept because they showed a bug, known ones among them.
LEFT_OUT = ("regress", "found")
TARGETS = ("mmu", "race")
SHOWS = re.compile(r"^(.*): (shows|does not show) \S+$", re.MULTILINE)
TIMEOUT = 300		# seconds


def showing(program, files):
    """Of some programs those that show the bug, or end the process that runs them."""
    found, left = set(), list(files)
    while left:
        try:
            said = subprocess.run([program, *left], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, timeout=TIMEOUT).stdout
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode()
        told = SHOWS.findall(said)
        found.update(path for path, what in told if what == "shows")
        ended_by = left[len(told):len(told) + 1]
        found.update(ended_by)
        left = left[len(told) + 1:]
    return found


def fill(folder, whole, files):
    """A folder with the seeds of some corpus files, out of one that has those of all."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path in files:
        name = seeds.name_of(path)
        os.link(os.path.join(whole, name), os.path.join(folder, name))
    return folder


def prepare(bugs, where, jobs):
    """{bug or None: {target: folder}}, and of each bug how many seeds show it as they stand."""
    tdp = os.path.join(where, "tdp")
    files, whole = {}, {}
    for target in TARGETS:
        whole[target] = seeds.convert(target, tdp, jobs)[0]
        files[target] = [path for path in seeds.started_from(target, tdp, jobs, LEFT_OUT)[0]
                         if path.endswith(".tdp")]
    everything = sorted(set().union(*files.values()))
    top = os.path.join(paths.BUILD, "seeds", "bugs")
    folders = {None: {target: fill(os.path.join(top, "none", target), whole[target], files[target])
                      for target in TARGETS}}
    shown, status = {}, live.Status()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        each = pool.map(lambda bug: showing(os.path.join(where, "bug-" + bug.build), everything),
                        bugs)
        for bug, found in zip(bugs, each):
            shown[bug.name] = len(found)
            folders[bug.name] = {
                target: fill(os.path.join(top, bug.name, target), whole[target],
                             [path for path in files[target] if path not in found])
                for target in TARGETS}
            status.update(f"seeds: {len(shown)} of {len(bugs)} bugs")
    status.clear()
    return folders, shown
