# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes libtdp against the oracle with libFuzzer or AFL++, starting from the corpus.

Without a target the time is shared: programs whose threads take turns between operations (mmu), and
interleavings (race), both under ASan and UBSan; then interleavings under TSan.

On a finding the input is kept in build/findings/, shown as a program with the rule it breaks, and
the command that replays it is printed. Report: build/report/fuzz.json.

With --all each target is fuzzed in every build that finds something of its own, --hours each, in turns: a
soak. It may be interrupted or killed; the same command goes on. A finding is kept and listed, and the soak
goes on as well. How it stands is in build/report/soak.html, and in soak.json.

Exit status: 0 nothing found, 1 a finding, 2 bad input."""
import os

import arguments
import builds
import fuzz_run
import packages
import paths
import report
import seeds
import soak

SUMMARY = "fuzz for a minute (default targets: mmu and race)"
PACKAGES = packages.BUILD + packages.CLANG

# (target, build, share of the time)
BY_DEFAULT = [("mmu", "asan", 2), ("race", "asan", 2), ("race", "tsan", 1)]
WITH_BUILD = {"plain": [("mmu", "plain", 1), ("race", "plain", 1)], "tsan": [("race", "tsan", 1)]}
WITH_AFL = {"asan": [("mmu", "asan", 1), ("race", "asan", 1)], "plain": WITH_BUILD["plain"]}
SECONDS = 60


def add_arguments(p):
    p.add_argument("target", nargs="?", metavar="TARGET",
                   type=arguments.one_of("target", seeds.targets()),
                   help="only this one of: " + ", ".join(seeds.targets()))
    p.add_argument("--seconds", type=arguments.whole, metavar="N",
                   help=f"how long, all targets together (default: {SECONDS})")
    p.add_argument("--seed", type=arguments.whole, default=1, metavar="N",
                   help="of libFuzzer's random numbers (default: %(default)s)")
    p.add_argument("--all", action="store_true",
                   help="a soak: every target without sanitizers and under ASan and UBSan, race under TSan too")
    p.add_argument("--hours", type=arguments.hours, metavar="N",
                   help=f"of --all: how long each target in each build; may be a fraction (default: {soak.HOURS})")
    p.add_argument("--slice", type=arguments.whole, metavar="SECONDS",
                   help="of --all: how long a turn is, which is what may be lost if it is killed "
                        f"(default: {soak.SLICE})")
    p.add_argument("--new", action="store_true",
                   help="of --all: forget the last soak, and what it kept, and begin another one")
    build = p.add_mutually_exclusive_group()
    build.add_argument("--plain", action="store_const", const="plain", dest="build",
                       help="without sanitizers: faster")
    build.add_argument("--tsan", action="store_const", const="tsan", dest="build",
                       help="under TSan, rather than ASan and UBSan")
    p.add_argument("--continue", action="store_true", dest="resume",
                   help="start from what earlier runs kept too, rather than from the corpus alone")
    p.add_argument("--engine", choices=("libfuzzer", "afl"), default="libfuzzer",
                   help="afl: AFL++, persistent, with the target's own mutator; not under TSan "
                   "(default: %(default)s)")
    p.add_argument("--instances", type=arguments.whole, default=1, metavar="N",
                   help="AFL++ only: so many at once, which share what they find (default: %(default)s)")
    p.add_argument("--cmplog", action="store_true",
                   help="AFL++ only: solve comparisons by a build that tells what is compared")


def fuzz(target, build, seconds, args, tdp, library=fuzz_run.Library()):
    """Fuzzes one target in one build; returns (its figures, its findings)."""
    words = fuzz_run.BUILDS[build][1]
    seed_folder, count, slow = seeds.convert(target, tdp, args.jobs)
    kept = os.path.join(paths.BUILD, "fuzz-corpus", target + "-" + build + library.suffix)
    by_afl = getattr(args, "engine", None) == "afl"

    print(f"fuzzing {target} for {seconds} s from {count} seeds"
          + (f" ({slow} large programs of the corpus are left to the tests)" if slow else "")
          + f"{words}{' by AFL++' if by_afl else ''}, --seed {args.seed}", flush=True)
    if by_afl:
        kept += "-afl"
        result, program = fuzz_run.run_afl(target, build, seconds, args, seed_folder, kept)
    else:
        result, program = fuzz_run.run_libfuzzer(target, build, seconds, args, seed_folder, kept,
                                                 library)
    with open(kept + ".log", "w", encoding="utf-8") as f:
        f.write("\n".join(result.output) + "\n")

    found = [fuzz_run.explain(result, program, library.tdp or tdp)] if result.found else []
    took = round(result.seconds, 1)
    rate = round(result.executions / result.seconds) if result.seconds else 0
    print(f"\n{target}: {result.executions:,} executions{words} in {took} s ({rate:,}/s), "
          f"coverage {result.coverage:,} edges, corpus {result.corpus:,} inputs, "
          f"{len(found)} findings", flush=True)
    return {"executions": result.executions, "seconds": took, "findings": len(found),
            "exec_per_s": rate, "coverage": result.coverage, "corpus": result.corpus,
            "seeds": count, "rss_mb": result.rss}, found


def shared_out(seconds, listed):
    """[(target, build, seconds)], from [(target, build, share of the time)]"""
    shares = sum(share for _, _, share in listed)
    return [(target, build, max(1, seconds * share // shares)) for target, build, share in listed]


def parts(args):
    """[(target, build, seconds)]"""
    for option in ("hours", "slice", "new"):
        if getattr(args, option):
            raise paths.Failure(f"--{option} is a soak's: expected --all", status=2)
    seconds = args.seconds or SECONDS
    if args.engine == "afl":
        if args.build == "tsan":
            raise paths.Failure("AFL++ is not built with TSan: expected --plain, or neither", status=2)
        if not args.target:
            return shared_out(seconds, WITH_AFL[args.build or "asan"])
    elif args.instances > 1 or args.cmplog:
        raise paths.Failure("--instances and --cmplog are AFL++'s: expected --engine=afl", status=2)
    if args.target:
        return [(args.target, args.build or "asan", seconds)]
    return shared_out(seconds, WITH_BUILD.get(args.build, BY_DEFAULT))


def sums(each):
    """The figures of a run: of [(target, build, figures)] the totals, and each one's own."""
    figures = {key: round(sum(one[key] for _, _, one in each), 1)
               for key in ("executions", "seconds", "findings")}
    for target, build, one in each:
        figures.update({f"{target}.{build}.{key}": value for key, value in one.items()})
    return figures


def fuzz_all(listed, args, name, library=fuzz_run.Library()):
    """Fuzzes [(target, build, seconds)], and writes the report NAME; returns the number of findings."""
    tdp = builds.program(builds.build("plain", args.jobs, ["tdp"]), "tdp")
    each, found = [], []
    for target, build, seconds in listed:
        one, new = fuzz(target, build, seconds, args, tdp, library)
        each.append((target, build, one))
        found += new
    figures = sums(each)
    path = report.write(name, not found, figures, seed=args.seed, findings=found)
    print(f"\n{figures['executions']:,} executions, {len(found)} findings\nreport: {path}")
    return len(found)


def check_soak(args):
    """A soak is of everything: what would take a part of it is refused."""
    for given, what in ((args.target, "a target"), (args.seconds, "--seconds"), (args.build, f"--{args.build}"),
                        (args.resume, "--continue"), (args.engine == "afl", "--engine=afl"),
                        (args.instances > 1, "--instances"), (args.cmplog, "--cmplog")):
        if given:
            raise paths.Failure(f"--all is every target in every build by libFuzzer: expected it without {what}",
                                status=2)


def run(args):
    if args.all:
        check_soak(args)
        return soak.run(args)
    if args.engine == "afl":
        packages.ensure(packages.AFL)
    return 1 if fuzz_all(parts(args), args, "fuzz") else 0
