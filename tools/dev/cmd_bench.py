# SPDX-License-Identifier: GPL-2.0-only
"""Runs a benchmark, bench/bench_NAME.c, built plain and under ASan+UBSan; sched under TSan too; policy and mmu plain.

The report build/report/bench-NAME.json holds its figures, most with the build in their name:
what.plain.exec_per_s, what.asan.exec_per_s."""
import json
import os

import arguments
import bench_mmu
import bench_policy
import builds
import live
import packages
import paths
import report

SUMMARY = "measure speed (default: fuzz)"
PACKAGES = packages.BUILD + packages.CLANG
PRESETS = ["plain", "asan"]
MORE_PRESETS = {"sched": ["tsan"]}
# Those that do more than print figures, with a run(args) of their own.
OWN = {"mmu": bench_mmu, "policy": bench_policy}


def names():
    folder = os.path.join(paths.ROOT, "bench")
    return sorted(f[6:-2] for f in os.listdir(folder)
                  if f.startswith("bench_") and f.endswith(".c"))


def add_arguments(p):
    p.add_argument("name", nargs="?", default="fuzz", metavar="NAME",
                   type=arguments.one_of("benchmark", names()),
                   help="one of: " + ", ".join(names()))
    p.add_argument("--docs", action="store_true",
                   help="mmu and policy only; run nothing: write tables and pictures from the last report into "
                        "docs/performance.md or docs/policy.md")
    p.add_argument("--rounds", type=arguments.whole, metavar="N",
                   help="mmu only: how often each operation is run on libtdp and on the kernel's own code "
                        f"(default: {bench_mmu.ROUNDS})")


def measure(name, preset, jobs):
    """Runs the benchmark of one build; returns what it printed as JSON."""
    program = "bench_" + name
    path = builds.program(builds.build(preset, jobs, [program]), program)
    status, output = live.watch([path, "--json"], f"{program} {preset}", cwd=paths.ROOT)
    try:
        return json.loads("\n".join(output)), status
    except ValueError:
        raise paths.Failure(f"{paths.shown(path)} --json ended with status {status} and printed no "
                            "JSON:\n" + "\n".join(output[-20:])) from None


def with_build(figure, preset):
    """what.*.exec_per_s -> what.plain.exec_per_s"""
    return figure.replace("*", preset)


def run(args):
    if args.rounds and args.name != "mmu":
        raise paths.Failure(f"--rounds: expected mmu, not {args.name}", status=2)
    if args.name in OWN:
        return OWN[args.name].run(args)
    if args.docs:
        raise paths.Failure(f"--docs: expected one of {', '.join(OWN)}, not {args.name}", status=2)
    figures = {}
    detail = {}
    ok = True
    for preset in PRESETS + MORE_PRESETS.get(args.name, []):
        measured, status = measure(args.name, preset, args.jobs)
        ok = ok and status == 0
        detail[preset] = {k: v for k, v in measured.items() if k != "figures"}
        for figure, value in measured["figures"].items():
            figures[with_build(figure, preset)] = value
    width = max(map(len, figures), default=0)
    for figure, value in figures.items():
        print(f"{figure:{width}}  {value:,}")
    print("report: " + report.write("bench-" + args.name, ok, figures, **detail))
    return 0 if ok else 1
