# SPDX-License-Identifier: GPL-2.0-only
"""What looks for known bugs: the fuzz targets by two fuzzers and in several builds, chance, exhaustive search,
and real threads."""
import os
import shutil

import afl
import bug_run
import builds
import known_bugs
import paths

# A search that ends by something else than the bug goes on, but not forever.
RESTARTS = 5


class Engine:
    """Ways to look for a bug. preset: what is built; words: what it is."""

    def __init__(self, name, preset, words, kinds="SYC"):
        self.name, self.preset, self.words, self.kinds = name, preset, words, kinds

    def wants(self, bug):
        return bug.kind in self.kinds

    def target(self, bug):
        """The target of the build that looks for this bug."""
        raise NotImplementedError

    def others(self, bug):
        """What else is built for it: [(preset, target)]"""
        return []

    def search(self, bug, seed, budget, running, where, seeds):
        """One search, which may be several runs; returns a bug_run.Outcome."""
        raise NotImplementedError

    def repeats(self):
        """Whether another seed makes another search."""
        return True


def fuzz_target(bug):
    return "race" if bug.kind == "C" else "mmu"


class Fuzzer(Engine):
    def target(self, bug):
        return f"fuzz_{fuzz_target(bug)}-{bug.build}"

    def search(self, bug, seed, budget, running, where, seeds):
        folder = os.path.join(paths.BUILD, "bugs", f"{bug.build}-{self.name}-{seed}")
        program = os.path.join(where, self.target(bug))
        return self.fuzz(program, seeds[fuzz_target(bug)], folder, seed, budget, running)

    def fuzz(self, program, seeds, folder, seed, budget, running):
        shutil.rmtree(folder, ignore_errors=True)
        kept = os.path.join(folder, "corpus")
        os.makedirs(kept)
        whole = None
        for attempt in range(RESTARTS):
            left = budget - (whole.seconds if whole else 0)
            if left <= 0:
                break
            one, status = bug_run.run(
                [program, f"-seed={seed + 1000 * attempt}", f"-artifact_prefix={folder}/",
                 "-timeout=20", "-reload=0", "-rss_limit_mb=4096", "-malloc_limit_mb=8192",
                 "-entropic_scale_per_exec_time=1", "-print_final_stats=1", "-handle_abrt=0",
                 "-handle_segv=0", "-handle_bus=0", "-handle_fpe=0", "-handle_ill=0", kept, seeds],
                left, running)
            if whole:
                whole.add(one)
            else:
                whole = one
            if one.rule or not status or self.says_enough(one):
                break
        if not whole.rule and self.says_enough(whole):
            whole.rule = whole.crash.split(":")[0]
            whole.milestones["detected"] = whole.executions
        shutil.rmtree(kept, ignore_errors=True)
        return whole

    def says_enough(self, outcome):
        """A sanitizer's own report is a detection."""
        return outcome.crash is not None and not outcome.crash.startswith("SIG")


class Afl(Engine):
    """AFL++ on the same target, persistent, with the target's own mutator. What the target says is lost on
    it: the input that ended a run is run again."""

    # Wall time has no part in it, and a CPU of its own would be one of two.
    ENVIRONMENT = {name: value for name, value in afl.ENVIRONMENT.items() if name != "AFL_TRY_AFFINITY"} \
        | {"AFL_NO_AFFINITY": "1"}
    AGAIN = 60		# seconds to run what was kept once more

    def target(self, bug):
        return f"fuzz_{fuzz_target(bug)}-{bug.build}"

    def others(self, bug):
        return [("afl-mutators", "afl_" + fuzz_target(bug))]

    def search(self, bug, seed, budget, running, where, seeds):
        kind = fuzz_target(bug)
        folder = os.path.join(paths.BUILD, "bugs", f"{bug.build}-{self.name}-{seed}")
        program = os.path.join(where, self.target(bug))
        module = os.path.join(builds.folder("afl-mutators"), f"afl_{kind}.so")
        whole = None
        for attempt in range(RESTARTS):
            left = budget - (whole.seconds if whole else 0)
            if left <= 0:
                break
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            command, = afl.commands(program, [], self.beginning(seeds[kind], folder), os.path.join(folder, "out"),
                                    bug_run.SLOW * budget, seed + 1000 * attempt, 1, False)
            # The target writes what it finds as a program where it is run.
            one, _ = bug_run.run(command, left, running, spent=bug_run.family_seconds, cwd=folder,
                                 env=dict(self.ENVIRONMENT, AFL_CUSTOM_MUTATOR_LIBRARY=module))
            ended = self.read_files(one, program, os.path.join(folder, "out"), running)
            if whole:
                whole.add(one)
            else:
                whole = one
            if one.rule or not ended:
                break
        shutil.rmtree(folder, ignore_errors=True)
        return whole

    def beginning(self, seeds, folder):
        """The seeds, or where all of them show the bug what libFuzzer begins with then: AFL++ makes nothing up."""
        if os.listdir(seeds):
            return seeds
        own = os.path.join(folder, "seeds")
        os.makedirs(own)
        with open(os.path.join(own, "empty"), "w", encoding="utf-8") as f:
            f.write("\n")
        return own

    def read_files(self, outcome, program, folder, running):
        """Adds to the outcome what AFL++ has left; returns whether an input ended the run."""
        result = afl.Run(self.name, folder)
        result.read_files(final=True)
        outcome.executions = result.executions
        if outcome.executions == 0:
            raise paths.Failure("afl-fuzz did not begin:\n" + "\n".join(outcome.tail))
        queue = os.path.join(folder, "default", "queue")
        kept = sorted(os.path.join(queue, name) for name in os.listdir(queue) if name.startswith("id:"))
        again, _ = bug_run.run([program, result.artifact] if result.artifact else [program, *kept],
                               self.AGAIN, running, cwd=folder)
        # When it came is not known, but for the last one.
        outcome.milestones = dict.fromkeys(again.milestones, outcome.executions)
        outcome.rule, outcome.others = again.rule, again.others
        outcome.crash = again.crash if result.artifact and not again.rule else None
        return result.artifact is not None


class Chance(Engine):
    def target(self, bug):
        return "bug-" + bug.build

    def search(self, bug, seed, budget, running, where, seeds):
        return bug_run.run([os.path.join(where, self.target(bug)), "--random", f"--seed={seed}"],
                           budget, running)[0]


class Explorer(Engine):
    """All schedules of the regression program's operations, until one fails."""

    PREEMPTIONS = 2

    def target(self, bug):
        return "tdp-" + bug.build

    def repeats(self):
        return False

    def search(self, bug, seed, budget, running, where, seeds):
        def read(outcome, line):
            outcome.tail = outcome.tail[-40:] + [line]
            count = bug_run.EXPLORED.search(line)
            if count:
                outcome.executions = int(count[1])
            broken = bug_run.BROKEN.search(line)
            if broken and broken[1] in bug.rules and not outcome.rule:
                outcome.rule = broken[1]
            elif broken and broken[1] not in outcome.others + [outcome.rule]:
                outcome.others.append(broken[1])

        outcome, _ = bug_run.run(
            [os.path.join(where, self.target(bug)), "explore", "--first", "--jobs=1",
             f"--rules={bug.rules}",
             f"--preemptions={self.PREEMPTIONS}", known_bugs.program(bug.name)],
            budget, running, read)
        if outcome.rule:
            outcome.milestones["detected"] = outcome.executions
        return outcome


class Threads(Engine):
    """./dev stress. Each search has another kind of MMU; whatever is wrong is the bug's doing."""

    KINDS = [[], ["ad=off", "manual_protect=on"], ["mmu=npt"], ["pml=on", "eager_split=on"],
             ["fault_policy=zap"]]

    def target(self, bug):
        return "tdp-stress-" + bug.build

    def search(self, bug, seed, budget, running, where, seeds):
        def read(outcome, line):
            outcome.read(line)
            broken = bug_run.BROKEN.search(line)
            if broken and not outcome.rule:
                outcome.rule = broken[1]
            for what, times in bug_run.TIMES.findall(line):
                if int(times):
                    outcome.milestones[what] = int(times)

        words = self.KINDS[(seed - 1) % len(self.KINDS)]
        outcome, _ = bug_run.run(
            [os.path.join(where, self.target(bug)), "--quiet", "--seconds=0", f"--seed={seed}",
             *(f"--vm={word}" for word in words)], budget, running, read)
        if not outcome.rule and outcome.crash:
            outcome.rule = outcome.crash.split(":")[0]
        if outcome.rule:
            outcome.milestones["detected"] = 1
        return outcome


ALL = {engine.name: engine for engine in (
    Fuzzer("fuzz", "fuzz-plain", "libFuzzer, no sanitizer"),
    Afl("afl", "afl", "AFL++, no sanitizer"),
    Fuzzer("asan", "fuzz", "libFuzzer under ASan and UBSan"),
    Fuzzer("tsan", "fuzz-tsan", "libFuzzer under TSan", "C"),
    Chance("random", "plain", "programs and schedules at random"),
    Explorer("explore", "plain", "all schedules of the regression program with at most "
             f"{Explorer.PREEMPTIONS} preemptions"),
    Threads("stress", "plain", "real threads, no sanitizer", "C"),
    Threads("stress-asan", "asan", "real threads under ASan and UBSan", "C"),
    Threads("stress-tsan", "tsan", "real threads under TSan", "C"),
)}
ON_THREADS = [name for name, engine in ALL.items() if isinstance(engine, Threads)]
SIMULATED = [name for name in ALL if name not in ON_THREADS]
# On the kernel's own code: clang-14, which AFL++ compiles by, has not been tried on it.
UPSTREAM = [name for name in SIMULATED if name != "afl"]
FUZZERS = ["fuzz", "afl"]
