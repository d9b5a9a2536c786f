# SPDX-License-Identifier: GPL-2.0-only
"""./dev upstream --diff: the same programs on libtdp and on the kernel's own code."""
import concurrent.futures
import os
import re
import threading
import time

import live
import paths
import report
import seeds

CORPUS = [os.path.join("corpus", name) for name in ("fuzz_mmu", "fuzz_race", "regress")]
PULSE = re.compile(r"^#(\d+)\tpulse$")
KIND = re.compile(r"^compared: (\d+) (\S+) (\d)-levels (\S+)$")
SUMS = re.compile(r"^compared: (\d+) whole, (\d+) calls$")
SHOWN_LINES = 60


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


def parts(program, programs, seed, jobs, tdp, findings):
    """What is made of those of the corpus's programs that are quick, shared out; and the corpus as it is."""
    listed = [path for target in ("mmu", "race") for path in seeds.started_from(target, tdp, jobs)[0]]
    quick = sorted({os.path.relpath(path, paths.ROOT) for path in listed if path.endswith(".tdp")})
    each, more = divmod(programs, jobs)
    found = []
    for n in range(jobs):
        mine = seed + n
        found.append(Part(f"--seed {mine}",
                          [program, f"-runs={each + (n < more)}", f"-seed={mine}",
                           f"-artifact_prefix={findings}{mine}-", *quick]))
    return found + [Part("the corpus", [program, f"-artifact_prefix={findings}corpus-", *CORPUS])]


def watch(running, programs, stopped):
    """The live line, until all are done."""
    status, begun = live.Status(), time.monotonic()
    while not stopped.wait(live.TERMINAL_EVERY):
        done = sum(part.done for part in running)
        took = time.monotonic() - begun
        wrong = sum(bool(part.status) for part in running)
        status.update(f"diff: {took:.0f} s  {done:,} of {programs:,} programs  {done / took:,.0f}/s  "
                      f"differences {wrong}")
    status.clear()


def compare(program, programs, seed, jobs, tdp):
    """Compares libtdp with what fuzz_diff is linked with; returns the number of differences."""
    findings = os.path.join(paths.BUILD, "findings", "upstream-diff-")
    os.makedirs(os.path.dirname(findings), exist_ok=True)
    running = parts(program, programs, seed, jobs, tdp, findings)
    stopped, begun = threading.Event(), time.monotonic()
    line = threading.Thread(target=watch, args=(running, programs, stopped))
    line.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(Part.run, running))
    finally:
        stopped.set()
        line.join()
    wrong = [part.finding() for part in running if part.finding()]
    for text in wrong:
        print(text)
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
