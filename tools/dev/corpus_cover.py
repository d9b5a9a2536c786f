# SPDX-License-Identifier: GPL-2.0-only
"""What each input of a fuzz target covers, and a small set of inputs that covers the same.

libFuzzer runs the inputs, as for its own merge, in processes that may die: the file in which it notes how
far it is says which edges each input reached."""
import os
import re
import tempfile

import live
import paths

STEP = re.compile(r"^(STARTED|FT) (\d+)(.*)$")
DONE = re.compile(r"#(\d+)\s")


class Covered:
    """@edges: {path: set of edges}; @crashed: paths of inputs during which the target died."""

    def __init__(self):
        self.edges = {}
        self.crashed = []

    def total(self):
        return len(set().union(*self.edges.values())) if self.edges else 0


def read_control(lines):
    """What libFuzzer's control file says: how many files, how many of them are in the first folder, their
    paths, then of each that was begun STARTED, and FT with what it covers."""
    out = Covered()
    count = int(lines[0])
    names = lines[2:2 + count]
    begun = set()
    for line in lines[2 + count:]:
        step = STEP.match(line)
        if not step:
            continue
        name = names[int(step[2])]
        if step[1] == "STARTED":
            begun.add(name)
        else:
            out.edges[name] = set(map(int, step[3].split()))
    out.crashed = sorted(begun - out.edges.keys())
    return out


# Edges only: how often each was passed is the fuzzer's business, not the corpus's.
OPTIONS = ["-use_counters=0", "-rss_limit_mb=2048", "-malloc_limit_mb=8192", "-timeout=20"]


def merge(program, options, folders):
    """Runs libFuzzer's merge of some folders into the first one."""
    count = sum(len(names) for folder in folders for _, _, names in os.walk(folder))
    status, said = live.Status(), []
    with tempfile.TemporaryDirectory() as work:
        with live.start([program, *OPTIONS, f"-artifact_prefix={work}/", *options,
                         *folders]) as process:
            for line in live.lines_of(process):
                if line is None:
                    continue
                said = said[-20:] + [line]
                done = DONE.match(line)
                if done:
                    status.update(f"{os.path.basename(program)}: {done[1]} of {count} inputs")
    status.clear()
    if process.returncode:
        raise paths.Failure(f"{paths.shown(program)} could not run the inputs:\n" + "\n".join(said))


def add(program, folder, others):
    """Copies to @folder what covers more than is in it, of the inputs of other folders; their new names."""
    before = set(os.listdir(folder))
    merge(program, ["-merge=1"], [folder, *others])
    return sorted(os.path.join(folder, name) for name in set(os.listdir(folder)) - before)


def of(program, folder):
    """Runs the target @program on the inputs of a folder."""
    if not os.listdir(folder):
        return Covered()
    with tempfile.TemporaryDirectory() as work:
        control, nowhere = os.path.join(work, "control"), os.path.join(work, "merged")
        os.mkdir(nowhere)
        merge(program, ["-set_cover_merge=1", f"-merge_control_file={control}"], [nowhere, folder])
        with open(control, encoding="utf-8") as f:
            return read_control(f.read().splitlines())


def smallest(covered, base, size):
    """Inputs beyond those of @base that are needed to cover all: [(input, edges it adds)], by what adds most, of
    those the smallest by @size, of those the first by name."""
    have = set().union(*(covered.edges[name] for name in base))
    left = {name: edges - have for name, edges in covered.edges.items() if name not in set(base)}
    chosen = []
    while True:
        left = {name: edges for name, edges in left.items() if edges}
        if not left:
            return chosen
        best = min(left, key=lambda name: (-len(left[name]), size(name), name))
        chosen.append((best, len(left[best])))
        have = left.pop(best)
        left = {name: edges - have for name, edges in left.items()}
