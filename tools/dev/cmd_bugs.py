# SPDX-License-Identifier: GPL-2.0-only
"""Puts known bugs back into libtdp, one at a time, and measures how long each takes to find.

For each bug of fuzz/bugs (docs/bugs.md) the engines look for it from scratch, several times:

  fuzz     fuzz_mmu, or fuzz_race for bugs that need an interleaving: libFuzzer, no sanitizer
  afl      the same by AFL++, persistent, with the target's own mutator
  asan     as fuzz, under ASan and UBSan
  tsan     as fuzz, under TSan, for bugs that need an interleaving
  random   programs and schedules at random, which learn nothing from what was run
  explore  all schedules, with up to two preemptions, of the program that shows the bug
  stress   ./dev stress: real threads, for bugs that need an interleaving; stress-asan, stress-tsan: under
           sanitizers. Each search has another kind of MMU

Fuzzers start from the corpus without corpus/regress, and without what shows the bug as it stands: it
is their search that is measured. Seconds are of processor time, so that what else runs on the machine
matters little. A search that finds nothing counts as the whole budget. A bug is detected when a rule
that it is known to break is broken; other rules, and WARNs that fire alone, are columns of their own. On real
threads whatever is wrong first counts.
The library without a bug is run for the same budget: what is found there is a false alarm.
Interrupted, it reports what was done.

With --kernel the bugs are put into a kernel tree's arch/x86/kvm instead, and nothing is run: it says
where each applies, and leaves the changes in build/bugs/kernel/NAME.diff.

With --backend=upstream they are put into copies of Debian's kernel source, which are built as ./dev
upstream does; known findings are put right around them. Nothing says there when a bug is reached or triggered.

With --mutants nothing of this is done: each comparison, mask, logical operator, shift, store and call of
the mirrored files is changed mechanically, one at a time, with the corpus and the tests as judge
(docs/mutants.md); --quick takes a sample.

With --fuzzers libFuzzer and AFL++ alone look for them, in the same run, for a report and a table of their
own.

Reports: build/report/bugs.json, bugs-upstream.json, bugs-fuzzers.json, bugs-kernel.json, mutants.json
(mutants-quick.json).

Exit status: 0 all found and no false alarm, 1 not, 2 bad input."""
import concurrent.futures
import os
import statistics

import arguments
import bug_docs
import bug_engines
import bug_kernel
import bug_run
import bug_seeds
import bug_trees
import builds
import known_bugs
import live
import mutants
import packages
import paths
import report
import upstream

SUMMARY = "put known bugs back, and measure how fast they are found"
PACKAGES = packages.BUILD + packages.CLANG + packages.BUGS
QUICK_SECONDS = 30
BACKENDS = ["libtdp", "upstream"]
# The median over bugs, and the slowest, of the sanitizer-free fuzzer, in seconds.
MEDIAN, SLOWEST = 5, 120


def add_arguments(p):
    engines = ", ".join(bug_engines.ALL)
    p.add_argument("--bug", action="append", metavar="NAME",
                   type=arguments.one_of("known bug", known_bugs.names()),
                   help="this one only (may be repeated; default: all)")
    p.add_argument("--engines", action="append", metavar="NAME",
                   type=arguments.one_of("engine", list(bug_engines.ALL)),
                   help=f"this one only (may be repeated; default: all): {engines}")
    p.add_argument("--backend", metavar="NAME", default=BACKENDS[0],
                   type=arguments.one_of("backend", BACKENDS),
                   help="put them into: libtdp (default), or upstream: the kernel's own code")
    p.add_argument("--seeds", type=arguments.whole, metavar="N",
                   help="searches by each engine (default: 5)")
    p.add_argument("--seconds", type=arguments.whole, metavar="N",
                   help="processor time of one search (default: 120)")
    p.add_argument("--quick", action="store_true",
                   help=f"the fuzzer without sanitizers only, one search, {QUICK_SECONDS} s")
    p.add_argument("--fuzzers", action="store_true",
                   help="libFuzzer and AFL++ side by side: the engines fuzz and afl only")
    p.add_argument("--no-clean", action="store_true",
                   help="do not run the library without a bug")
    p.add_argument("--add", action="store_true",
                   help="keep what the last report says of other bugs and engines")
    p.add_argument("--docs", action="store_true",
                   help="run nothing: write docs/bugs.md's table and picture from the last report "
                        "(with --mutants: docs/mutants.md's table)")
    p.add_argument("--kernel", nargs="?", const="", metavar="TREE",
                   help="put the bugs into a kernel tree (default: Debian's linux-source-6.12)")
    p.add_argument("--mutants", action="store_true",
                   help="judge mechanical changes of tdp_iter.c, spte.c and tdp_mmu.c instead")
    p.add_argument("--random", type=int, metavar="N",
                   help="of --mutants: programs at random, where nothing else tells (default: 2000)")


class Clean(bug_engines.Fuzzer):
    """The library without a bug, by the same fuzzer: every finding is a false alarm."""

    def __init__(self, engine, target, suffix):
        super().__init__(engine.name, engine.preset, engine.words)
        self.of, self.suffix = target, suffix

    def target(self, bug):
        return "fuzz_" + self.of + self.suffix

    def search(self, bug, seed, budget, running, where, seeds):
        folder = os.path.join(paths.BUILD, "bugs", f"clean-{self.of}{self.suffix}-{self.name}-{seed}")
        outcome = self.fuzz(os.path.join(where, self.target(bug)), seeds[self.of], folder, seed,
                            budget, running)
        for line in outcome.tail:
            if line.startswith("==== finding:"):
                outcome.crash = line.strip("= ")
        return outcome


class Search:
    """One search that is to be done: for a bug, or (None) without one."""

    def __init__(self, bug, engine, seed):
        self.bug, self.engine, self.seed = bug, engine, seed

    def __str__(self):
        name = self.bug.name if self.bug else "no bug, " + self.engine.target(None)
        return f"{name}, {self.engine.name} {self.seed}"


def planned(args, bugs, engines):
    """What is to be searched: each engine for every bug before it does so again."""
    count = args.seeds or (1 if args.quick else 5)
    found = [Search(bug, engine, seed) for engine in engines
             for seed in range(1, (count if engine.repeats() else 1) + 1)
             for bug in bugs if engine.wants(bug)]
    if not args.no_clean:
        fuzzers = [engine for engine in engines if isinstance(engine, bug_engines.Fuzzer)]
        suffix = "" if args.backend == BACKENDS[0] else "-upstream-repaired"
        found += [Search(None, Clean(engine, target, suffix), seed) for engine in fuzzers
                  for target in (("race",) if engine.kinds == "C" else ("mmu", "race"))
                  for seed in range(1, count + 1)]
    return found


def build_all(searches, jobs):
    """Builds what is needed; returns preset -> folder."""
    targets = {"plain": {"tdp": None}}
    for search in searches:
        for preset, target in [(search.engine.preset, search.engine.target(search.bug)),
                               *search.engine.others(search.bug)]:
            targets.setdefault(preset, {})[target] = None
        if search.bug:
            targets["plain"]["bug-" + search.bug.build] = None
    return {preset: builds.build(preset, jobs, list(wanted))
            for preset, wanted in targets.items()}


def one_of(outcome, budget):
    """An outcome for the report."""
    found = "detected" in outcome.milestones
    return {"rule": outcome.rule, "seconds": round(outcome.seconds if found else budget, 3),
            "executions": outcome.executions, "reached": outcome.milestones.get("reached"),
            "triggered": outcome.milestones.get("triggered"),
            "detected": outcome.milestones.get("detected"),
            "others": outcome.others, "crash": outcome.crash}


def search_all(searches, where, folders, budget, jobs):
    """Does them all, `jobs` at a time, or until interrupted; returns [(search, its outcome for the
    report)]."""
    status, running, done = live.Status(), bug_run.Running(), []
    spent = 0.0

    def one(search):
        outcome = search.engine.search(search.bug, search.seed, budget, running,
                                       where[search.engine.preset],
                                       folders[search.bug and search.bug.name])
        return search, outcome

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(one, search) for search in searches}
        try:
            while waiting:
                ready, waiting = concurrent.futures.wait(
                    waiting, live.TERMINAL_EVERY,
                    return_when=concurrent.futures.FIRST_COMPLETED)
                for future in ready:
                    try:
                        search, outcome = future.result()
                    except paths.Failure as failure:
                        status.note(f"FAILED: {failure}")
                        continue
                    spent += outcome.seconds
                    done.append((search, one_of(outcome, budget)))
                    note(status, search, done[-1][1], outcome)
                status.update(f"bugs: {len(done):,} of {len(searches):,} searches, "
                              f"{spent:,.0f} s of processor time")
        except BaseException as error:
            for future in waiting:
                future.cancel()
            running.stop()
            if not isinstance(error, KeyboardInterrupt):
                raise
            status.note(f"interrupted: {len(done)} of {len(searches)} searches are reported")
    status.clear()
    return done


def note(status, search, result, outcome):
    """Says what is worth a line: what was not found, and what should not have been."""
    if search.bug is None:
        if result["crash"]:
            status.note(f"FALSE ALARM: {search}: {result['crash']}\n  "
                        + "\n  ".join(outcome.tail))
    elif result["detected"] is None:
        how = ("never reached" if result["reached"] is None else
               "reached, not triggered" if result["triggered"] is None else "triggered")
        status.note(f"not detected: {search}: {how} in {result['executions']:,} executions"
                    + "".join(f", rule {rule}" for rule in result["others"])
                    + (f", {result['crash']}" if result["crash"] else ""))


def median(values):
    return round(statistics.median(values), 3) if values else None


def summary(runs, budget):
    """What several searches by one engine come to."""
    return {"budget_s": budget, "runs": len(runs), "detected": sum(r["detected"] is not None for r in runs),
            "reached": sum(r["reached"] is not None for r in runs),
            "triggered": sum(r["triggered"] is not None for r in runs),
            "rules": "".join(sorted({r["rule"] for r in runs if r["rule"] and len(r["rule"]) == 1})),
            "by": sorted({r["rule"] for r in runs if r["rule"]}),
            "others": "".join(sorted({rule for r in runs for rule in r["others"]})),
            "crashes": sorted({r["crash"] for r in runs if r["crash"]}),
            "median_s": median([r["seconds"] for r in runs]),
            "fastest_s": min(r["seconds"] for r in runs),
            "slowest_s": max(r["seconds"] for r in runs),
            "median_executions": median([r["detected"] or r["executions"] for r in runs]),
            "searches": runs}


def is_found(one):
    """Found by more than half of the searches: the median is a detection."""
    return 2 * one["detected"] > one["runs"]


def rows_of(bugs, done, before, budget):
    """{name: what is known of the bug and what each engine came to}"""
    rows = {}
    for bug in bugs:
        engines = dict(before.get(bug.name, {}).get("engines", {}))
        for engine in bug_engines.ALL:
            runs = [result for search, result in done
                    if search.bug and search.bug.name == bug.name
                    and search.engine.name == engine]
            if runs:
                engines[engine] = summary(runs, budget)
        if engines:
            rows[bug.name] = {"title": bug.title, "fix": bug.fix, "kind": bug.kind,
                              "rules": bug.rules, "form": bug.words.get("form"),
                              "seeds_that_show_it":
                                  before.get(bug.name, {}).get("seeds_that_show_it"),
                              "engines": engines}
    return rows


def clean_of(done, before):
    clean = dict(before)
    for search, result in done:
        if search.bug is None:
            clean.setdefault(f"{search.engine.of}.{search.engine.name}", [])
    for name in clean:
        runs = [result for search, result in done if search.bug is None
                and name == f"{search.engine.of}.{search.engine.name}"]
        clean[name] = runs or clean[name]
    return clean


def figures_of(rows, clean):
    fuzz = [row["engines"]["fuzz"] for row in rows.values() if "fuzz" in row["engines"]]
    sanitized = [row for row in rows.values() if row["kind"] == "C"
                 and {"asan", "tsan"} & row["engines"].keys()]
    figures = {"rows": len(rows), "detected": sum(map(is_found, fuzz)),
               "median_s": median([one["median_s"] for one in fuzz]),
               "slowest_s": max((one["median_s"] for one in fuzz), default=None),
               "false_alarms": sum(r["crash"] is not None for runs in clean.values()
                                   for r in runs),
               "clean_runs": sum(map(len, clean.values())),
               "c_rows_under_sanitizers": len(sanitized),
               "c_rows_detected_under_sanitizers": sum(
                   any(row["engines"].get(engine, {}).get("detected")
                       for engine in ("asan", "tsan")) for row in sanitized)}
    for engine in bug_engines.ALL:
        one = [row["engines"][engine] for row in rows.values() if engine in row["engines"]]
        if one:
            figures[f"{engine}.rows"] = len(one)
            figures[f"{engine}.detected"] = sum(map(is_found, one))
            figures[f"{engine}.median_s"] = median([o["median_s"] for o in one])
    return {name: value for name, value in figures.items() if value is not None}


def good(figures):
    return (figures["detected"] == figures.get("fuzz.rows", 0) and not figures["false_alarms"]
            and figures.get("median_s", 0) <= MEDIAN and figures.get("slowest_s", 0) <= SLOWEST
            and (figures["c_rows_detected_under_sanitizers"]
                 == figures["c_rows_under_sanitizers"]))


def title_of(args):
    """The report's name."""
    if args.fuzzers:
        return "bugs-fuzzers"
    return "bugs" if args.backend == BACKENDS[0] else "bugs-" + args.backend


def command_of(args):
    """Who writes that report."""
    if args.fuzzers:
        return "bugs --fuzzers"
    return "bugs" if args.backend == BACKENDS[0] else f"bugs --backend={args.backend}"


def engines_for(backend):
    return bug_engines.ALL if backend == BACKENDS[0] else bug_engines.UPSTREAM


def engines_of(args):
    """The engines that the arguments ask for."""
    if args.fuzzers:
        if args.engines or args.quick or args.backend != BACKENDS[0]:
            raise paths.Failure("--fuzzers: expected it without --engines, --quick and --backend", status=2)
        names = bug_engines.FUZZERS
    else:
        names = args.engines or (["fuzz"] if args.quick else engines_for(args.backend))
    for name in names:
        if name not in engines_for(args.backend):
            raise paths.Failure(f"--engines={name} is for --backend={BACKENDS[0]}", status=2)
    return [bug_engines.ALL[name] for name in names]


def planted_upstream(bugs):
    """Those that the kernel's own code can have, in copies of what they change there."""
    if not upstream.unpacked():
        raise paths.Failure("--backend=upstream takes a kernel's source: `./dev upstream` unpacks "
                            "Debian's", status=2)
    bugs, without = bug_trees.make(upstream.default_tree(), bugs)
    for name, why in without.items():
        print(f"{name}: {why}")
    for bug in bugs:
        bug.build = "upstream-" + bug.name
    bug_run.ENVIRONMENT["TSAN_OPTIONS"] += f":symbolize=1:suppressions={upstream.RACES}"
    return bugs


def run(args):
    if args.mutants:
        return mutants.run(args)
    if args.kernel is not None:
        return bug_kernel.run(args.kernel, args.bug or known_bugs.names())
    if args.docs:
        return bug_docs.write(title_of(args), command_of(args))
    engines = engines_of(args)
    if any(isinstance(engine, bug_engines.Afl) for engine in engines):
        packages.ensure(packages.AFL)
    everything = [known_bugs.load(name) for name in known_bugs.names()]
    bugs = [bug for bug in everything if not args.bug or bug.name in args.bug]
    title = title_of(args)
    if args.backend != BACKENDS[0]:
        bugs = planted_upstream(bugs)
    budget = args.seconds or (QUICK_SECONDS if args.quick else 120)
    searches = planned(args, bugs, engines)
    where = build_all(searches, args.jobs)
    folders, showing = bug_seeds.prepare(bugs, where["plain"], args.jobs)
    print(f"{len(bugs)} bugs, {len(searches)} searches of up to {budget} s of processor time each",
          flush=True)
    done = search_all(searches, where, folders, budget, args.jobs)

    before = report.read(title) if args.add else None
    before = before or {"bugs": {}, "clean": {}}
    rows = rows_of(everything if args.add else bugs, done, before["bugs"], budget)
    for name in rows.keys() & showing.keys():
        rows[name]["seeds_that_show_it"] = showing[name]
    clean = clean_of(done, before["clean"])
    if not done:
        return 130
    figures = figures_of(rows, clean)
    print("\n" + bug_docs.text_table(rows))
    for name, value in figures.items():
        print(f"{name:34} {value:,}")
    ok = good(figures) and len(done) == len(searches)
    print("report: " + report.write(title, ok, figures, budget_s=budget, bugs=rows, clean=clean))
    return 0 if ok else 1
