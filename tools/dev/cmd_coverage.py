# SPDX-License-Identifier: GPL-2.0-only
"""Measures how much of libtdp the checked-in corpus covers, and beside it the tests.

The figures are the corpus's: programs are replayed by `tdp run --dump`, other inputs by their fuzz
target. Report: build/report/coverage.json."""
import glob
import os
import shutil
import subprocess

import builds
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
    p.add_argument("--no-tests", action="store_true", help="the corpus only")


def library_objects(where):
    """libtdp's object files: through them, what no program links counts too."""
    top = os.path.join(where, "libtdp", "CMakeFiles", "tdp-sim.dir")
    found = glob.glob(os.path.join(top, "**", "*.c.o"), recursive=True)
    return sorted(o for o in found if os.path.exists(
        os.path.join(paths.ROOT, "libtdp", os.path.relpath(o, top)[:-2])))


def run_corpus(where, folder):
    """Replays the corpus, each file as its target reads it; returns what went wrong."""
    wrong = []
    status = live.Status()
    env = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(folder, "corpus-%m.profraw"))
    for target in seeds.targets():
        files = seeds.files(target)
        for n, path in enumerate(files, 1):
            status.update(f"corpus: {target} {n} of {len(files)}")
            command = [builds.program(where, "tdp"), "run", "--dump", path] \
                if path.endswith(".tdp") else [builds.program(where, "fuzz_" + target), path]
            done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
            if done.returncode:
                wrong.append(f"{' '.join(map(paths.shown, command[:1]))} {paths.shown(path)} "
                             f"ended with status {done.returncode}")
    status.clear()
    return wrong


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


def run(args):
    where = builds.build("coverage", args.jobs)
    folder = os.path.join(paths.BUILD, "coverage-profiles")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)

    wrong = run_corpus(where, folder)
    library = library_objects(where)
    replayers = [os.path.join(where, "tdp"), *sorted(glob.glob(os.path.join(where, "fuzz_*[a-z]")))]
    corpus = llvmcov.export(llvmcov.merge(os.path.join(folder, "corpus-*.profraw"),
                                          os.path.join(folder, "corpus.profdata")),
                            replayers + library, "libtdp", paths.ROOT)
    tests = {}
    if not args.no_tests:
        wrong += run_tests(where, folder, args.jobs)
        programs = sorted(glob.glob(os.path.join(where, "test_*[a-z]")))
        tests = llvmcov.export(llvmcov.merge(os.path.join(folder, "tests-*.profraw"),
                                             os.path.join(folder, "tests.profdata")),
                               programs + replayers + library, "libtdp", paths.ROOT)
    table(corpus, tests)
    left = missed(corpus)
    if args.list:
        for name, what in left.items():
            print(f"\n{name}\n  functions never called: {', '.join(what['functions']) or 'none'}"
                  f"\n  lines never run: {', '.join(what['lines']) or 'none'}"
                  f"\n  lines with a branch never taken: "
                  f"{', '.join(map(str, what['branches'])) or 'none'}")
    lines, run_lines, branches, taken = totals(corpus)
    figures = {"libtdp.lines_pct": percent(run_lines, lines),
               "libtdp.branches_pct": percent(taken, branches)}
    if tests:
        lines, run_lines, branches, taken = totals(tests)
        figures["tests.lines_pct"] = percent(run_lines, lines)
        figures["tests.branches_pct"] = percent(taken, branches)
    path = report.write("coverage", not wrong, figures, missed=left, failed=wrong)
    for text in wrong:
        print("FAILED: " + text)
    print(f"\nthe corpus covers {figures['libtdp.lines_pct']}% of libtdp's lines and "
          f"{figures['libtdp.branches_pct']}% of its branches\nreport: {path}")
    return 1 if wrong else 0
