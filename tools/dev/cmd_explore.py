# SPDX-License-Identifier: GPL-2.0-only
"""Explores how every two operations interleave: on every starting tree (nothing mapped, 4K table, 2M
and 1G leaf, write-protected, access-tracked, NX-disallowed, MMIO, an SPTE that a third thread has
frozen, a table that it removes, a full table), for every kind of MMU, and both fault policies where
they matter. Either operation may come first, and a thread that could go on is stopped at most twice;
where that gives too many schedules, some of those are run, and all in which it is stopped once. Then
come random schedules of random triples of operations.

What a rule forbids is saved in build/findings/, as the smallest program that was found, and the
command that replays it is printed. Report: build/report/explore.json, with the rate of every pair."""
import concurrent.futures
import json
import os
import signal
import subprocess
import threading
import time

import arguments
import backends
import live
import packages
import paths
import report

SUMMARY = "explore how every two operations interleave"
PACKAGES = packages.BUILD + packages.CLANG
# flavour: preset
FLAVOURS = {"plain": "plain", "asan": "asan", "tsan": "tsan"}
# Schedules after which one pair on one tree is given up, so that all of it takes bounded time.
FULL, QUICK = 200, 100
QUICK_PREEMPTIONS = 1
TRIPLES, QUICK_TRIPLES, RUNS = 5000, 1000, 50
PARTS_PER_JOB = 40


def add_arguments(p):
    p.add_argument("--quick", action="store_true",
                   help="the part that continuous integration runs: one preemption, "
                        f"{QUICK} schedules for each")
    p.add_argument("-k", "--preemptions", type=arguments.whole, metavar="K",
                   help="stop a thread that could go on at most K times (default: 2)")
    p.add_argument("--max-schedules", type=arguments.whole, metavar="N",
                   help=f"give a pair on one tree up after N schedules (default: {FULL})")
    p.add_argument("--triples", type=arguments.whole, metavar="N",
                   help=f"run N triples of operations, {RUNS} schedules each (default: {TRIPLES})")
    p.add_argument("--seed", type=arguments.whole, default=1, metavar="N",
                   help="of the first triple (default: 1)")
    backends.add_argument(p)
    p.add_argument("--flavour", metavar="NAME", default="plain",
                   type=arguments.one_of("flavour", list(FLAVOURS)),
                   help="plain (default), asan (with UBSan) or tsan: a sanitizer's report ends the run, "
                        "with the report and the part that gave it")
    p.add_argument("--only", metavar="TEXT", default="",
                   help="only what has TEXT in its name: A+B.TREE.MMU[.zap], for instance "
                        "'read+unmap', '.2m-leaf.' or '.npt'")


class Totals:
    """What the workers have found so far."""

    def __init__(self, what, total):
        self.what = what
        self.lock = threading.Lock()
        self.total = total
        self.begun = time.monotonic()
        self.cases = []
        self.schedules = 0
        self.status = live.Status()

    def add(self, line):
        case = json.loads(line)
        with self.lock:
            self.cases.append(case)
            self.schedules += case["schedules"]
            if case["rules"]:
                self.status.note(f"rule {case['rules']} is broken: {case['pair']}")
            self.status.update(self.line())

    def seconds(self):
        return time.monotonic() - self.begun

    def line(self):
        took = max(self.seconds(), 0.001)
        found = sum(1 for case in self.cases if case["rules"])
        return (f"explore: {len(self.cases):,} of {self.total:,} {self.what}, "
                f"{self.schedules:,} schedules, {self.schedules / took:,.0f}/s, {found} violations, "
                f"{took:.0f} s")


class Workers:
    """The processes, to be stopped all at once."""

    def __init__(self, environment):
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False
        self.environment = environment

    def run(self, command, each_line):
        with self.lock:
            if self.stopped:
                return 0, []
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, errors="replace",
                                       env=self.environment)
            self.running.add(process)
        with process:
            for line in process.stdout:
                each_line(line)
            said = process.stderr.read()
        with self.lock:
            self.running.discard(process)
        return process.returncode, said

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()


def environment(args):
    """Of the processes: a sanitizer's first report ends one, and what is known to race is none."""
    # A case has a process of its own, and TSan lets one that ends wait a second for other threads.
    options = "halt_on_error=1 exitcode=66 report_signal_unsafe=0 atexit_sleep_ms=0 "
    return dict(os.environ, TSAN_OPTIONS=options + backends.tsan_options(args) +
                os.environ.get("TSAN_OPTIONS", ""))


def share_out(command, args, totals):
    """Runs all parts, --jobs at a time."""
    jobs = args.jobs
    parts = jobs * PARTS_PER_JOB
    workers = Workers(environment(args))

    def part(i):
        part_command = command + [f"--part={i}/{parts}"]
        status, said = workers.run(part_command, totals.add)
        if status not in (0, 1) and not workers.stopped:
            how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
            raise paths.Failure(f"`{' '.join(part_command)}` ended with {how}:\n{said}")

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            for done in concurrent.futures.as_completed([pool.submit(part, i)
                                                         for i in range(parts)]):
                done.result()
        except BaseException:
            workers.stop()
            raise
    totals.status.clear()


def by_operations(cases):
    """What became of each two operations, on all trees and MMUs together."""
    rows = {}
    for case in cases:
        row = rows.setdefault(case["pair"].split(".")[0],
                              {"cases": 0, "complete": 0, "schedules": 0, "violations": 0,
                               "seconds": 0.0})
        row["cases"] += 1
        row["complete"] += case["exhausted"]
        row["schedules"] += case["schedules"]
        row["violations"] += bool(case["rules"])
        row["seconds"] += case["seconds"]
    for row in rows.values():
        row["schedules_per_s"] = round(row["schedules"] / max(row["seconds"], 1e-9))
        row["seconds"] = round(row["seconds"], 3)
    return dict(sorted(rows.items()))


def ordered(rows):
    """Either of two operations may come first: pairs of different ones count twice."""
    return sum(1 if len(set(name.split("+"))) == 1 else 2 for name in rows)


def print_violations(cases, program, findings):
    for case in sorted(cases, key=lambda c: c["pair"]):
        path = os.path.join(findings, case["pair"] + ".tdp")
        print(f"{case['pair']}: rule {case['rules']} is broken in {case['failing']:,} of "
              f"{case['schedules']:,} schedules\n  replay: {paths.shown(program)} run --trace "
              f"{paths.shown(path)}")


def explore_pairs(args, tdp, findings):
    """All pairs that --only names; returns their totals and what the bound was."""
    preemptions = args.preemptions or (QUICK_PREEMPTIONS if args.quick else 2)
    most = args.max_schedules or (QUICK if args.quick else FULL)
    listed = subprocess.run(tdp + ["--list"], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.split()
    totals = Totals("cases", len(listed))
    share_out(tdp + [f"--preemptions={preemptions}", f"--max-schedules={most}",
                     f"--save={findings}"], args, totals)
    if len(totals.cases) != len(listed):
        raise paths.Failure(f"{len(totals.cases)} of {len(listed)} cases were explored")
    complete = {k: sum(case["preemptions"] >= k for case in totals.cases)
                for k in range(preemptions, max(preemptions - 2, 0), -1)}
    bound = ", ".join(f"all schedules with at most {k} preemption{'s' * (k > 1)} in {n:,}"
                      for k, n in complete.items())
    bound += f" of {len(listed):,} cases; in the others as many as {most:,}, and five times that, allow"
    return totals, complete, bound


def run_triples(args, tdp, findings):
    wanted = args.triples or (QUICK_TRIPLES if args.quick else TRIPLES)
    totals = Totals("triples", wanted)
    share_out(tdp + [f"--triples={wanted}", f"--runs={RUNS}", f"--seed={args.seed}",
                     f"--save={findings}"], args, totals)
    return totals


def run(args):
    program = backends.program(args, FLAVOURS[args.flavour], "tdp")
    findings = os.path.join(paths.BUILD, "findings")
    os.makedirs(findings, exist_ok=True)
    tdp = [program, "pairs", f"--only={args.only}"]
    begun = time.monotonic()
    pairs, complete, bound = explore_pairs(args, tdp, findings)
    if not pairs.cases:
        raise paths.Failure(f"nothing has '{args.only}' in its name; `{paths.shown(program)} pairs "
                            "--list` prints the names", status=2)
    pairs_took = pairs.seconds()
    triples = run_triples(args, tdp, findings)
    took = time.monotonic() - begun
    rows = by_operations(pairs.cases)
    found = [case for case in pairs.cases + triples.cases if case["rules"]]
    figures = {"pairs": ordered(rows), "cases": len(pairs.cases),
               **{f"complete_{k}": n for k, n in complete.items()},
               "schedules": pairs.schedules, "violations": len(found), "seconds": round(took, 1),
               "schedules_per_s": round(pairs.schedules / max(pairs_took, 1e-9)),
               "triples": len(triples.cases), "triples_schedules": triples.schedules}
    print_violations(found, program, findings)
    print(f"explore: {figures['pairs']:,} ordered pairs of operations in {len(pairs.cases):,} cases, "
          f"{pairs.schedules:,} schedules in {pairs_took:.0f} s ({figures['schedules_per_s']:,}/s); "
          f"{len(triples.cases):,} triples, {triples.schedules:,} schedules; "
          f"{len(found)} violations")
    print("bound of pairs: " + bound)
    print("report: " + report.write("explore", not found, figures, bound=bound, operations=rows,
                                    violations=found,
                                    incomplete=sorted(c["pair"] for c in pairs.cases
                                                      if not c["exhausted"])))
    return 1 if found else 0
