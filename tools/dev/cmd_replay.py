# SPDX-License-Identifier: GPL-2.0-only
"""Finds failing schedules of known bugs at random, replays them in every build, shrinks them.

For each bug that tests/replay has a program for the random scheduler runs programs until some have failed. Each run is
recorded as a program; that program has to fail by the same rule, with the same hash over all events
and points, in the builds with gcc and clang, with ASan and with TSan. Then it is shrunk, and the
result is run without the bug, where nothing may be wrong with it.

Report: build/report/replay.json. Figures: found, replayed.BUILD, and medians of what shrinking left:
median.ops, median.preemptions, median.choices, median.executions."""
import glob
import json
import os
import shutil
import statistics
import subprocess

import arguments
import builds
import live
import packages
import paths
import report

SUMMARY = "failing schedules of known bugs: replay in every build, shrink"
PACKAGES = packages.BUILD + packages.CLANG + packages.BUGS
FOUND_BY = "plain"
REPLAYED_BY = ["plain", "clang", "asan", "tsan"]
SIZES = ["threads", "ops", "preemptions", "choices", "executions"]
MOST = {"ops": 4, "preemptions": 3}


def listed():
    """Known bugs that need an interleaving: name -> a program that can run into it."""
    found = glob.glob(os.path.join(paths.ROOT, "tests", "replay", "*.tdp"))
    return {os.path.basename(f)[:-4]: f for f in sorted(found)}


def add_arguments(p):
    p.add_argument("--count", type=arguments.whole, default=1000, metavar="N",
                   help="failing schedules, over all bugs (default: 1000)")
    p.add_argument("--bug", action="append", metavar="NAME",
                   type=arguments.one_of("known bug", listed()),
                   help="of this bug only (may be repeated): " + ", ".join(listed()))


def figures_of(command, name):
    """Runs a replay-NAME; returns the figures that it printed, and its status."""
    # That bugs are races is known; here it matters what they do.
    env = dict(os.environ, TSAN_OPTIONS="report_bugs=0")
    status, output = live.watch(command, name, env=env)
    try:
        return json.loads(output[-1]), status
    except (ValueError, IndexError):
        raise paths.Failure(f"{' '.join(command)} ended with status {status}:\n"
                            + "\n".join(output[-20:])) from None


def healthy(tdp, folder):
    """Runs what shrinking left without the bug; returns what is wrong."""
    wrong = []
    for path in sorted(glob.glob(os.path.join(folder, "small-*.tdp"))):
        done = subprocess.run([tdp, "run", "-q", path], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        # Without the bug a point of the schedule need not come: status 2.
        if done.returncode not in (0, 2):
            wrong.append(f"{paths.shown(path)} fails without the bug, status {done.returncode}")
    return wrong


def run(args):
    bugs = {n: p for n, p in listed().items() if not args.bug or n in args.bug}
    presets = [p for p in REPLAYED_BY if p in builds.presets()]
    programs = ["replay-" + name for name in bugs]
    where = {p: builds.build(p, args.jobs, programs + (["tdp"] if p == FOUND_BY else []))
             for p in presets}
    found, replayed, sizes, wrong = 0, dict.fromkeys(presets, 0), [], []
    for n, (name, base) in enumerate(bugs.items()):
        folder = os.path.join(paths.BUILD, "replay", name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        count = args.count // len(bugs) + (n < args.count % len(bugs))
        if not count:
            continue
        program = builds.program(where[FOUND_BY], "replay-" + name)
        figures, status = figures_of([program, base, "--count", str(count), "--out", folder],
                                     f"find and shrink {name}")
        if status:
            wrong.append(f"{name}: found {figures['found']} of {count}, replayed "
                         f"{figures['replayed']}, shrunk {figures.get('shrunk', 0)}, or too large")
        found += figures["found"]
        sizes += figures.get("sizes", [])
        for preset in presets:
            program = builds.program(where[preset], "replay-" + name)
            figures, status = figures_of([program, "--check", folder], f"replay {name} {preset}")
            replayed[preset] += figures["replayed"]
            if status:
                wrong.append(f"{name}: {preset} replayed {figures['replayed']} of "
                             f"{figures['found']}")
        wrong += healthy(builds.program(where[FOUND_BY], "tdp"), folder)
        print(f"{name}: {count} schedules", flush=True)

    figures = {"found": found, **{f"replayed.{p}": n for p, n in replayed.items()}}
    for i, what in enumerate(SIZES):
        if sizes:
            figures["median." + what] = statistics.median_low(s[i] for s in sizes)
            figures["max." + what] = max(s[i] for s in sizes)
    wrong += [f"the median shrunk program has {figures['median.' + w]} {w}, expected at most {m}"
              for w, m in MOST.items() if figures.get("median." + w, 0) > m]
    width = max(map(len, figures))
    for figure, value in figures.items():
        print(f"{figure:{width}}  {value:,}")
    for line in wrong:
        print("WRONG: " + line)
    print("report: " + report.write("replay", not wrong, figures, wrong=wrong))
    return 1 if wrong else 0
