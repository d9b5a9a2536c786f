# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes libtdp against the oracle with libFuzzer or AFL++, starting from the corpus.

Without a target the time is shared: programs whose threads take turns between operations (mmu), and
interleavings (race), both under ASan and UBSan; then interleavings under TSan.

On a finding the input is kept in build/findings/, shown as a program with the rule it breaks, and
the command that replays it is printed. Report: build/report/fuzz.json.

Exit status: 0 nothing found, 1 a finding, 2 bad input."""
import hashlib
import os
import re
import shutil
import subprocess
import typing

import afl
import arguments
import builds
import libfuzzer
import packages
import paths
import report
import seeds

SUMMARY = "fuzz for a minute (default targets: mmu and race)"
PACKAGES = packages.BUILD + packages.CLANG

# (target, build, share of the time)
BY_DEFAULT = [("mmu", "asan", 2), ("race", "asan", 2), ("race", "tsan", 1)]
WITH_BUILD = {"plain": [("mmu", "plain", 1), ("race", "plain", 1)], "tsan": [("race", "tsan", 1)]}
WITH_AFL = {"asan": [("mmu", "asan", 1), ("race", "asan", 1)], "plain": WITH_BUILD["plain"]}
# build: (preset, in words)
BUILDS = {"asan": ("fuzz", " under ASan and UBSan"), "tsan": ("fuzz-tsan", " under TSan"),
          "plain": ("fuzz-plain", "")}
# Whose inputs are programs.
PROGRAMS = ("mmu", "race")

SHOWN_LINES = 60
OWN_TEXT = re.compile(r"^tdp run (?:--\S+ )*(\S.*\.tdp)$")
RULE = re.compile(r"\brule ([A-Z!])(?:\s|$)")


class Library(typing.NamedTuple):
    """Whose MMU is fuzzed."""
    suffix: str = ""            # of the programs that have it: fuzz_race-upstream
    build: typing.Callable = builds.build
    tdp: typing.Optional[str] = None    # the tdp command on it; None: the one that converts seeds
    races: typing.Optional[str] = None  # known data races, for TSan


def add_arguments(p):
    p.add_argument("target", nargs="?", metavar="TARGET",
                   type=arguments.one_of("target", seeds.targets()),
                   help="only this one of: " + ", ".join(seeds.targets()))
    p.add_argument("--seconds", type=arguments.whole, default=60, metavar="N",
                   help="how long, all targets together (default: %(default)s)")
    p.add_argument("--seed", type=arguments.whole, default=1, metavar="N",
                   help="of libFuzzer's random numbers (default: %(default)s)")
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


def clipped(lines):
    if len(lines) > SHOWN_LINES:
        lines = lines[:SHOWN_LINES] + [f"... {len(lines) - SHOWN_LINES} lines more"]
    return "\n".join("  " + line for line in lines)


def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=300)
    return done.returncode, done.stdout.splitlines()


def program_of(run, tdp):
    """The file with the finding's program as text: the target's own, or made from the input."""
    for line in run.output:
        own = OWN_TEXT.match(line)
        if own and os.path.exists(own[1]):
            return own[1]
    text = run.artifact + ".tdp"
    status, _ = output_of([tdp, "convert", "--raw", run.artifact, "--output", text])
    return text if status == 0 else None


def explain(run, program, tdp):
    """Prints everything about a finding; returns it for the report."""
    finding = {"target": run.target, "artifact": None, "rule": None, "summary": run.summary}
    said = run.said()
    if run.artifact is None:
        print(f"FINDING: {run.target} ended with status {run.status} and left no input:")
        print(clipped(said[-SHOWN_LINES:]))
        return finding
    finding["artifact"] = paths.shown(run.artifact)
    replay = [paths.shown(program), finding["artifact"]]
    shown = said
    if run.target in PROGRAMS:
        text = program_of(run, tdp)
        if text:
            with open(text, encoding="utf-8") as f:
                print("\nthe program, " + paths.shown(text) + ":")
                print(clipped(f.read().splitlines()))
            # Not every finding shows without the sanitizers: then the fuzz target replays it.
            status, output = output_of([tdp, "run", text])
            if status:
                replay = [paths.shown(tdp), "run", paths.shown(text)]
                shown = output
    rule = RULE.search("\n".join(shown)) or RULE.search("\n".join(said))
    finding["rule"] = rule[1] if rule else None
    finding["replay"] = " ".join(replay)
    print("\nwhat was found:")
    print(clipped(shown))
    print(f"\nFINDING: {'rule ' + rule[1] + ' is broken' if rule else run.summary or 'see above'}"
          f"\nkept:   {finding['artifact']}\nreplay: {finding['replay']}")
    return finding


def run_libfuzzer(target, build, seconds, args, seed_folder, kept, library):
    name = "fuzz_" + target + library.suffix
    program = builds.program(library.build(BUILDS[build][0], args.jobs, [name]), name)
    if not args.resume:
        shutil.rmtree(kept, ignore_errors=True)
    os.makedirs(kept, exist_ok=True)
    findings = os.path.join(paths.BUILD, "findings")
    os.makedirs(findings, exist_ok=True)
    result = libfuzzer.run(program, target, [kept, seed_folder], seconds, args.seed,
                           os.path.join(findings, name + "-"),
                           # TSan's shadow is twice the size of what it is of.
                           ["-rss_limit_mb=4096"] if build == "tsan" else [], library.races)
    return result, program


def run_afl(target, build, seconds, args, seed_folder, kept):
    """What is found is put where libFuzzer's findings are."""
    result = afl.run(target, build, seed_folder, kept, seconds, args)
    if result.artifact:
        findings = os.path.join(paths.BUILD, "findings")
        os.makedirs(findings, exist_ok=True)
        with open(result.artifact, "rb") as f:
            digest = hashlib.sha1(f.read()).hexdigest()
        result.artifact = shutil.copy(result.artifact,
                                      os.path.join(findings, f"fuzz_{target}-crash-{digest}"))
    name = "fuzz_" + target
    return result, builds.program(builds.folder(afl.BUILDS[build]), name)


def fuzz(target, build, seconds, args, tdp, library=Library()):
    """Fuzzes one target in one build; returns (its figures, its findings)."""
    words = BUILDS[build][1]
    seed_folder, count, slow = seeds.convert(target, tdp, args.jobs)
    kept = os.path.join(paths.BUILD, "fuzz-corpus", target + "-" + build + library.suffix)
    by_afl = getattr(args, "engine", None) == "afl"

    print(f"fuzzing {target} for {seconds} s from {count} seeds"
          + (f" ({slow} large programs of the corpus are left to the tests)" if slow else "")
          + f"{words}{' by AFL++' if by_afl else ''}, --seed {args.seed}", flush=True)
    if by_afl:
        kept += "-afl"
        result, program = run_afl(target, build, seconds, args, seed_folder, kept)
    else:
        result, program = run_libfuzzer(target, build, seconds, args, seed_folder, kept, library)
    with open(kept + ".log", "w", encoding="utf-8") as f:
        f.write("\n".join(result.output) + "\n")

    found = [explain(result, program, library.tdp or tdp)] if result.found else []
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
    if args.engine == "afl":
        if args.build == "tsan":
            raise paths.Failure("AFL++ is not built with TSan: expected --plain, or neither", status=2)
        if not args.target:
            return shared_out(args.seconds, WITH_AFL[args.build or "asan"])
    elif args.instances > 1 or args.cmplog:
        raise paths.Failure("--instances and --cmplog are AFL++'s: expected --engine=afl", status=2)
    if args.target:
        return [(args.target, args.build or "asan", args.seconds)]
    return shared_out(args.seconds, WITH_BUILD.get(args.build, BY_DEFAULT))


def sums(each):
    """The figures of a run: of [(target, build, figures)] the totals, and each one's own."""
    figures = {key: round(sum(one[key] for _, _, one in each), 1)
               for key in ("executions", "seconds", "findings")}
    for target, build, one in each:
        figures.update({f"{target}.{build}.{key}": value for key, value in one.items()})
    return figures


def fuzz_all(listed, args, name, library=Library()):
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


def run(args):
    if args.engine == "afl":
        packages.ensure(packages.AFL)
    return 1 if fuzz_all(parts(args), args, "fuzz") else 0
