# SPDX-License-Identifier: GPL-2.0-only
"""Operations of the MMU on libtdp and on the kernel's own code (bench/bench_mmu.c), in turn.

Each figure of the two is a pair of processes, one right after the other: what else the machine does in
that moment, it does to both. What is compared is the median of the pairs' ratios."""
import json
import os
import statistics
import subprocess

import bench_mmu_docs
import builds
import live
import paths
import report
import upstream

ROUNDS = 9
PROGRAM = "bench_mmu"
KERNEL = PROGRAM + "-upstream"
# Rows that are about the machine, and those that are timed with one thread and with two.
LIMIT = "limit-"
THREADS = "threads-"


def programs(jobs):
    """Both programs, built."""
    if not upstream.unpacked():
        raise paths.Failure("bench mmu compares with the kernel's own code, whose source `./dev upstream` "
                            "unpacks", status=2)
    where = builds.build("plain", jobs, [PROGRAM, KERNEL])
    return [builds.program(where, name) for name in (PROGRAM, KERNEL)]


def said(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise paths.Failure(f"{paths.shown(command[0])} {' '.join(command[1:])} ended with status "
                            f"{done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def listed(program):
    """What operations there are: name -> description."""
    return {row["name"]: row for row in said([program, "--list"])}


def once(program, operation):
    """Nanoseconds of an operation: the median of a process's batches."""
    return statistics.median(said([program, operation])["ns"])


def measure(pair, rows, rounds):
    """Nanoseconds, round by round: operation -> [(libtdp, kernel), ...]; (machine,) for a limit."""
    status = live.Status()
    found = {name: [] for name in rows}
    for number in range(rounds):
        for name in rows:
            status.update(f"round {number + 1} of {rounds}: {name}")
            if name.startswith(LIMIT):
                found[name].append((once(pair[0], name),))
                continue
            first = number % 2      # who goes first would have the advantage, or not, each time
            times = {which: once(pair[which], name) for which in (first, 1 - first)}
            found[name].append((times[0], times[1]))
    status.clear()
    return found


def quartiles(values):
    """First, second and third."""
    if len(values) < 2:
        return [values[0]] * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def summary(rows, found):
    """Per operation: medians, the ratio and its spread, the machine's limit."""
    out = {}
    for name, row in rows.items():
        if name.startswith(LIMIT):
            continue
        low, ratio, high = quartiles([mine / kernel for mine, kernel in found[name]])
        out[name] = {
            "per": row["per"], "what": row["what"],
            "libtdp_ns": round(statistics.median(mine for mine, _ in found[name]), 2),
            "kernel_ns": round(statistics.median(kernel for _, kernel in found[name]), 2),
            "ratio": round(ratio, 3), "ratio_low": round(low, 3), "ratio_high": round(high, 3),
            "limit_ns": round(statistics.median(ns for ns, in found[row["limit"]]), 2)
            if row["limit"] else None,
        }
    return out


def speedups(found):
    """What two threads do in the time of one thread's: operation -> (libtdp, kernel), of each round's figures
    the median."""
    out = {}
    for name in found:
        if not (name.startswith(THREADS) and name.endswith("-1")):
            continue
        both = zip(found[name], found[name[:-1] + "2"])
        times = [[one[i] / two[i] for i in (0, 1)] for one, two in both]
        out[name[len(THREADS):-2]] = [round(statistics.median(t[i] for t in times), 2)
                                      for i in (0, 1)]
    return out


def figures(operations, faster):
    """For the report."""
    single = {name: one["ratio"] for name, one in operations.items()
              if not name.startswith(THREADS)}
    out = {"ratio." + name: one["ratio"] for name, one in operations.items()}
    out["ratio.max"] = max(single.values())
    out["parallel_speedup"] = faster["split"][0]
    for name, (mine, kernel) in faster.items():
        out["parallel_speedup.libtdp." + name] = mine
        out["parallel_speedup.kernel." + name] = kernel
    return out


def cpus():
    """How many the processes may use, and how many threads want one."""
    return {"cpus": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2)}


def run(args):
    if args.docs:
        return bench_mmu_docs.write()
    pair, rounds = programs(args.jobs), args.rounds or ROUNDS
    rows = listed(pair[0])
    machine = cpus()
    found = measure(pair, rows, rounds)
    operations, faster = summary(rows, found), speedups(found)
    limits = {name: round(statistics.median(ns for ns, in found[name]), 2)
              for name in rows if name.startswith(LIMIT)}
    print(bench_mmu_docs.text(operations, faster))
    path = report.write("bench-mmu", True, figures(operations, faster), operations=operations,
                        speedups=faster, limits=limits, rounds=rounds, **machine,
                        kernel=upstream.version_of(upstream.default_tree()))
    print(f"report: {path}")
    return 0
