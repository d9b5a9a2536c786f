# SPDX-License-Identifier: GPL-2.0-only
"""Measures how much of libtdp the checked-in corpus covers, and beside it the tests.

Programs are replayed by `tdp run --dump`, other inputs by their fuzz target, and each fuzz target runs what
it starts from. The seeds of fuzz_race have a figure of their own: by the target alone, and with what is done
to look at an interleaving closer: `tdp run` with a trace, and under schedules that are made up.

What no fuzz target reaches has its reason in docs/coverage.md: functions and branches without one are named.
Reports: build/report/coverage.json; with --html build/report/coverage/index.html, and below it the source
with counts, by target.

Exit status: 0 fine, 1 a replay failed, or a reason is missing or no longer true, 2 bad input."""
import glob
import os
import shutil
import subprocess

import builds
import coverage_page
import coverage_reasons
import live
import llvmcov
import packages
import paths
import report
import seeds

SUMMARY = "lines and branches of libtdp that the corpus covers"
PACKAGES = packages.BUILD + packages.CLANG


def add_arguments(p):
    p.add_argument("--list", action="store_true",
                   help="list what the corpus leaves: functions, lines, and branches of lines")
    p.add_argument("--html", action="store_true",
                   help="write pages with the source, and counts of lines and branches, by fuzz target")
    p.add_argument("--no-tests", action="store_true", help="the corpus only")


def library_objects(where):
    """libtdp's object files: through them, what no program links counts too."""
    top = os.path.join(where, "libtdp", "CMakeFiles", "tdp-sim.dir")
    found = glob.glob(os.path.join(top, "**", "*.c.o"), recursive=True)
    return sorted(o for o in found if os.path.exists(
        os.path.join(paths.ROOT, "libtdp", os.path.relpath(o, top)[:-2])))


# What is done with a program whose interleaving matters.
LOOKS = (["run", "--trace=all"], ["run", "--dump"],
         ["run", "--scheduler=random", "--runs=8"], ["run", "--scheduler=pct", "--runs=8"])


def may_differ(path):
    """Whether a program's schedule may name points that never come: with a bug they do, and a fuzzer does not
    care."""
    return seeds.shows_bug(path) or path.startswith(os.path.join(seeds.CORPUS, "found") + os.sep)


def replay(command, profile, wrong):
    """Runs a program of a build on a file of the corpus; in @profile is what it covered."""
    done = subprocess.run(command, env=dict(os.environ, LLVM_PROFILE_FILE=profile),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # 2: a choice that never came.
    if done.returncode and not (done.returncode == 2 and may_differ(command[-1])):
        wrong.append(f"{' '.join(map(paths.shown, command))} ended with status {done.returncode}")


def run_corpus(where, folder, wrong):
    """Replays the corpus, each file once; what goes wrong is added to @wrong."""
    status = live.Status()
    profile = os.path.join(folder, "corpus-%m.profraw")
    tdp = builds.program(where, "tdp")
    replays = {}
    for target in seeds.targets():
        for path in seeds.files(target):
            replays[path] = [tdp, "run", "--dump", path] if path.endswith(".tdp") else \
                [builds.program(where, "fuzz_" + target), path]
    for n, command in enumerate(replays.values(), 1):
        status.update(f"corpus: {n} of {len(replays)}")
        replay(command, profile, wrong)
    status.clear()


def run_targets(where, folder, jobs, wrong):
    """Each fuzz target runs what it starts from."""
    tdp = builds.program(where, "tdp")
    for target in seeds.targets():
        listed, _ = seeds.started_from(target, tdp, jobs)
        replay([builds.program(where, "fuzz_" + target), *listed],
               os.path.join(folder, f"target-{target}-%m.profraw"), wrong)


def run_race(where, folder, jobs, wrong):
    """Replays the seeds of fuzz_race one by one, as people look at them."""
    status = live.Status()
    tdp = builds.program(where, "tdp")
    listed, _ = seeds.started_from("race", tdp, jobs)
    for n, path in enumerate(listed, 1):
        status.update(f"seeds of fuzz_race: {n} of {len(listed)}")
        for look in LOOKS:
            replay([tdp, *look, path], os.path.join(folder, "looks-%m.profraw"), wrong)
    status.clear()


def run_tests(where, folder, jobs):
    env = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(folder, "tests-%m-%p.profraw"))
    status, _ = live.watch(["ctest", "--test-dir", where, "-j", str(jobs)], "tests", env=env)
    return ["a test failed: `./dev test` says which"] if status else []


def percent(part, whole):
    return round(100.0 * part / whole, 2) if whole else 0.0


def totals(files):
    return [sum(column) for column in zip(*(f.tally() for f in files.values()))] or [0, 0, 0, 0]


def table(corpus, tests):
    print(f"\n{'file':34} {'lines':>6} {'corpus':>8} {'tests':>8}   {'branches':>8} {'corpus':>8} "
          f"{'tests':>8}")

    def row(name, mine, theirs):
        def share(t, at):
            return f"{percent(t[at + 1], t[at]):7.2f}%" if t and t[at] else "       -"
        print(f"{name:34} {mine[0]:6} {share(mine, 0)} {share(theirs, 0)}   {mine[2]:8} "
              f"{share(mine, 2)} {share(theirs, 2)}")

    for name in sorted(corpus):
        row(name, corpus[name].tally(), tests[name].tally() if name in tests else None)
    row("libtdp", totals(corpus), totals(tests) if tests else None)


def span(first, last):
    return str(first) if first == last else f"{first}-{last}"


def missed(files):
    return {name: {"functions": f.missed_functions(),
                   "lines": [span(*r) for r in f.missed_lines()],
                   "branches": f.missed_branches()}
            for name, f in sorted(files.items()) if f.missed_lines() or f.missed_branches()}


def mirrored(files):
    """Those that stand for the kernel's; the rest is what a kernel would provide."""
    return {name: f for name, f in files.items() if not name.startswith("libtdp/platform/")}


def shares(name, files):
    """Figures of what is covered of some files."""
    lines, run_lines, branches, taken = totals(files)
    return {name + ".lines_pct": percent(run_lines, lines),
            name + ".branches_pct": percent(taken, branches)}


def covered_by(folder, name, kinds, programs):
    """What the profiles of some kinds say of libtdp."""
    return llvmcov.export(llvmcov.merge([os.path.join(folder, kind + "-*.profraw")
                                         for kind in kinds],
                                        os.path.join(folder, name + ".profdata")),
                          programs, "libtdp", paths.ROOT)


def measure(args, where, folder, wrong):
    """Runs everything; returns {what ran: files}, and the objects that tell of all but the tests."""
    run_corpus(where, folder, wrong)
    run_targets(where, folder, args.jobs, wrong)
    run_race(where, folder, args.jobs, wrong)
    objects = [*(builds.program(where, name) for name in replayers()), *library_objects(where)]
    kinds = {"corpus": ["corpus", "target", "looks"], "race": ["target-race", "looks"], "targets": ["target"],
             **{"fuzz_" + name: ["target-" + name] for name in seeds.targets()}}
    try:
        ran = {name: covered_by(folder, name, which, objects) for name, which in kinds.items()}
    except paths.Failure as failure:
        # A target that aborts leaves no profile.
        raise paths.Failure("\n".join([*wrong, str(failure)])) from None
    if not args.no_tests:
        wrong += run_tests(where, folder, args.jobs)
        programs = sorted(glob.glob(os.path.join(where, "test_*[a-z]")))
        ran["tests"] = covered_by(folder, "tests", ["tests"], programs + objects)
    return ran, objects


def replayers():
    return ["tdp", *("fuzz_" + target for target in seeds.targets())]


def figures_of(ran):
    figures = {**shares("libtdp", ran["corpus"]), **shares("mirrored", mirrored(ran["corpus"])),
               **shares("fuzz_race", ran["race"]), **shares("fuzz_race.mirrored", mirrored(ran["race"])),
               **shares("targets", ran["targets"])}
    for target in seeds.targets():
        figures |= shares(f"fuzz_{target}.target", ran["fuzz_" + target])
    return figures | (shares("tests", ran["tests"]) if "tests" in ran else {})


def show_missed(left):
    for name, what in left.items():
        print(f"\n{name}\n  functions never called: {', '.join(what['functions']) or 'none'}"
              f"\n  lines never run: {', '.join(what['lines']) or 'none'}"
              f"\n  lines with a branch never taken: {', '.join(map(str, what['branches'])) or 'none'}")


def summarise(figures):
    def says(who, name):
        print(f"{who} {figures[name + '.lines_pct']}% of libtdp's lines and "
              f"{figures[name + '.branches_pct']}% of its branches")

    print()
    says("the corpus covers", "libtdp")
    says("all fuzz targets together cover", "targets")
    says("the seeds of fuzz_race cover", "fuzz_race")
    says("  ... run by the target alone", "fuzz_race.target")
    print(f"without libtdp/platform: {figures['mirrored.branches_pct']}% of the branches by the "
          f"corpus, {figures['fuzz_race.mirrored.branches_pct']}% by the seeds of fuzz_race")


def run(args):
    where = builds.build("coverage", args.jobs, replayers() if args.no_tests else ())
    folder = os.path.join(paths.BUILD, "coverage-profiles")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)

    wrong = []
    reasons = coverage_reasons.load()
    ran, objects = measure(args, where, folder, wrong)
    wrong += coverage_reasons.complaints(ran["targets"], reasons)
    table(ran["corpus"], ran.get("tests", {}))
    left = missed(ran["corpus"])
    if args.list:
        show_missed(left)
    figures = figures_of(ran)
    path = report.write("coverage", not wrong, figures, missed=left, missed_by_race=missed(ran["race"]),
                        missed_by_targets=missed(ran["targets"]), failed=wrong)
    for text in wrong:
        print("FAILED: " + text)
    summarise(figures)
    if args.html:
        print("pages: " + coverage_page.write(folder, ran, objects, reasons))
    print("report: " + path)
    return 1 if wrong else 0
