# SPDX-License-Identifier: GPL-2.0-only
"""./dev upstream --diff: the same programs on libtdp and on the kernel's own code."""
import concurrent.futures
import os
import re
import threading
import time

import bug_trees
import known_bugs
import live
import packages
import paths
import report
import seeds

CORPUS = [os.path.join("corpus", name) for name in ("fuzz_mmu", "fuzz_race", "regress")]
PULSE = re.compile(r"^#(\d+)\tpulse$")
KIND = re.compile(r"^compared: (\d+) (\S+) (\d)-levels (\S+)$")
SUMS = re.compile(r"^compared: (\d+) whole, (\d+) calls$")
SHOWN_LINES = 200
# Programs of a process, so that which ones are run does not depend on how many processes there are at a time.
PART = 10000


class Part:
    """One process: what it says."""

    def __init__(self, name, command):
        self.name, self.command = name, command
        self.done = 0
        self.lines = []
        self.status = None
        self.figures = {}

    def read(self, line):
        pulse = PULSE.match(line)
        if pulse:
            self.done = int(pulse[1])
            return
        self.lines.append(line)
        kind, sums = KIND.match(line), SUMS.match(line)
        if kind:
            self.figures["programs." + ".".join(kind.group(2, 3, 4))] = int(kind[1])
            self.done = sum(n for name, n in self.figures.items() if name.startswith("programs."))
        elif sums:
            self.figures.update(whole=int(sums[1]), calls=int(sums[2]))

    def run(self):
        with live.start(self.command, cwd=paths.ROOT) as process:
            try:
                for line in live.lines_of(process):
                    if line is not None:
                        self.read(line)
            except BaseException:
                process.kill()
                raise
        self.status = process.returncode

    def finding(self):
        """What to tell of it, None if it found nothing."""
        if not self.status:
            return None
        # Of a process that was ended by something else there may be nothing.
        text = "\n".join(self.lines[-SHOWN_LINES:])
        return f"{self.name} ended with status {self.status}:\n{text}"


def tree_that_zaps(tree):
    """The tree, with what fault_policy=zap stands for."""
    packages.ensure(packages.BUGS)
    patch = known_bugs.plant.Bug(os.path.join(paths.ROOT, "kunit-port", "upstream",
                                              "zap-policy" + known_bugs.KERNEL_SUFFIX))
    changed = {path: new for path, (_, new) in known_bugs.in_kernel(patch, tree).items()}
    return bug_trees.put(os.path.join(paths.BUILD, "cache", "zap-policy"), tree, changed, "")


def parts(fuzz_diffs, programs, seed, tdp, jobs, findings):
    """What is made of those of the corpus's programs that are quick, by the fuzz_diffs in turn; and
    the corpus as it is, on each."""
    listed = [path for target in ("mmu", "race") for path in seeds.started_from(target, tdp, jobs)[0]]
    quick = sorted({os.path.relpath(path, paths.ROOT) for path in listed if path.endswith(".tdp")})
    found = []
    for n, first in enumerate(range(0, programs, PART)):
        found.append(Part(f"--seed {seed + n}",
                          [fuzz_diffs[n % len(fuzz_diffs)], "-replay=0", f"-runs={min(PART, programs - first)}",
                           f"-seed={seed + n}", f"-artifact_prefix={findings}{seed + n}-", *quick]))
    for program in fuzz_diffs:
        name = os.path.basename(program)
        found.append(Part(f"the corpus on {name}",
                          [program, f"-artifact_prefix={findings}{name}-", *CORPUS]))
    return found


def watch(running, programs, stopped):
    """The live line, and what is found as it is, until all are done."""
    status, begun, told = live.Status(), time.monotonic(), set()
    last = False
    while not last:
        last = stopped.wait(live.TERMINAL_EVERY)
        for part in running:
            if part.finding() and part not in told:
                told.add(part)
                status.note(part.finding())
        done = sum(part.done for part in running)
        took = time.monotonic() - begun
        status.update(f"diff: {took:.0f} s  {done:,} of {programs:,} programs  {done / took:,.0f}/s  "
                      f"differences {len(told)}")
    status.clear()


def run_all(running, programs, jobs):
    """Runs them, some at a time."""
    stopped = threading.Event()
    line = threading.Thread(target=watch, args=(running, programs, stopped))
    line.start()
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        for _ in pool.map(Part.run, running):
            pass
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        stopped.set()
        line.join()
    pool.shutdown()


def compare(fuzz_diffs, programs, seed, jobs, tdp):
    """Compares libtdp with what each fuzz_diff is linked with; returns the number of differences."""
    findings = os.path.join(paths.BUILD, "findings", "upstream-diff-")
    os.makedirs(os.path.dirname(findings), exist_ok=True)
    running = parts(fuzz_diffs, programs, seed, tdp, jobs, findings)
    begun = time.monotonic()
    run_all(running, programs, jobs)
    wrong = [part for part in running if part.finding()]
    figures = {"programs": 0, "unexplained": len(wrong),
               "seconds": round(time.monotonic() - begun, 1)}
    for part in running:
        for name, value in part.figures.items():
            figures[name] = figures.get(name, 0) + value
            if name.startswith("programs."):
                figures["programs"] += value
    print(f"diff: {figures['programs']:,} programs, {len(wrong)} unexplained differences between libtdp "
          f"and this kernel; after {figures.get('calls', 0):,} calls both were in the same state")
    for name in sorted(name for name in figures if name.startswith("programs.")):
        kind, levels, policy = name.split(".")[1:]
        print(f"  {kind:10} {levels} levels  {policy:6} {figures[name]:>12,}")
    print("report: " + report.write("diff", not wrong, figures, seed=seed))
    return len(wrong)
