# SPDX-License-Identifier: GPL-2.0-only
"""Running AFL++ on one target, by one instance or several, and reading what it says in its files."""
import glob
import os
import re
import shutil
import time

import builds
import libfuzzer
import live
import paths

# Long enough for instances that are busy with their last input; after that they hang.
GRACE = 120
# Milliseconds for an input. The target has a budget of steps of its own.
TIMEOUT = 20000
SAID = 40		# lines of what an instance says that are kept
BUILDS = {"plain": "afl", "asan": "afl-asan"}
# In the name of an input that is kept.
EXECUTIONS = re.compile(r",execs:(\d+)")
# Targets with a mutator of their own.
MUTATED = ("mmu", "race")

ENVIRONMENT = {
    "AFL_NO_UI": "1", "AFL_QUIET": "1", "AFL_NO_COLOR": "1",
    # Findings end a run, as with libFuzzer.
    "AFL_BENCH_UNTIL_CRASH": "1",
    # What the system does with a core dump, and how the CPU's clock is governed, matter little here.
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_SKIP_CPUFREQ": "1",
    # An instance to a CPU, where there are as many.
    "AFL_TRY_AFFINITY": "1",
    # The mutator knows how to make programs smaller; cutting bytes off does not.
    "AFL_DISABLE_TRIM": "1",
    # AFL++ wants a sanitizer to end the process by a signal.
    "ASAN_OPTIONS": "abort_on_error=1:symbolize=0:detect_leaks=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:symbolize=0",
}


class Run(libfuzzer.Run):
    """As libFuzzer's; the numbers are sums, or the best, of all instances."""

    def __init__(self, target, out):
        super().__init__(target)
        self.out = out

    def read_files(self, final=False):
        """AFL++ writes its statistics at the beginning and at the end: what it has kept is named by how far it
        was by then."""
        each = [stats_of(path) for path in glob.glob(os.path.join(self.out, "*", "fuzzer_stats"))]
        for name, key in (("coverage", "edges_found"), ("corpus", "corpus_count"),
                          ("rss", "peak_rss_mb")):
            setattr(self, name, max((int(one.get(key, 0)) for one in each), default=0))
        if final:
            self.executions = sum(int(one.get("execs_done", 0)) for one in each)
        else:
            queues = glob.glob(os.path.join(self.out, "*", "queue"))
            kept = [max(os.listdir(queue), default="") for queue in queues]
            self.corpus = max((len(os.listdir(queue)) for queue in queues), default=0)
            self.executions = sum(int(at[1]) for at in map(EXECUTIONS.search, kept) if at)
        self.rate = round(self.executions / self.seconds) if self.seconds else 0
        crashes = sorted(glob.glob(os.path.join(self.out, "*", "crashes", "id:*")))
        if crashes:
            self.artifact = crashes[0]

    def said(self):
        return [line for line in self.output if "instability detected" not in line]

    def line(self):
        return (f"{self.target}: {self.seconds:3.0f} s  {self.executions:,} executions  "
                f"{self.rate:,}/s  corpus {self.corpus:,}  findings {1 if self.artifact else 0}")


def stats_of(path):
    """An instance's fuzzer_stats as a dictionary; what is being written just now is not there."""
    try:
        with open(path, encoding="utf-8") as f:
            pairs = (line.partition(":") for line in f)
            return {key.strip(): value.strip() for key, _, value in pairs}
    except OSError:
        return {}


def targets(target, build, jobs, cmplog):
    """(program, options of afl-fuzz, environment)"""
    name = "fuzz_" + target
    program = builds.program(builds.build(BUILDS[build], jobs, [name]), name)
    options, env = [], dict(os.environ, **ENVIRONMENT)
    if cmplog:
        options += ["-c", builds.program(builds.build("afl-cmplog", jobs, [name]), name)]
    if target in MUTATED:
        module = "afl_" + target
        env["AFL_CUSTOM_MUTATOR_LIBRARY"] = builds.program(
            builds.build("afl-mutators", jobs, [module]), module + ".so")
    return program, options, env


def commands(program, options, folder, out, seconds, seed, instances, resume):
    """An instance's command each: one by itself, or a main one and others that share what they find."""
    names = [[]] if instances == 1 else \
        [["-M", "main"]] + [["-S", f"other{n}"] for n in range(1, instances)]
    return [["afl-fuzz", "-i", "-" if resume else folder, "-o", out, "-V", str(seconds),
             "-s", str(seed + n), "-m", "none", "-t", str(TIMEOUT), *name, *options, "--", program]
            for n, name in enumerate(names)]


def follow(processes, result, status, begun, seconds):
    """Reads along until all have ended."""
    for process in processes:
        for line in live.lines_of(process):
            if line:
                result.output = result.output[-SAID:] + [line]
            result.read_files()
            result.seconds = time.monotonic() - begun
            status.update(result.line())
            if result.artifact:
                for other in processes:
                    other.terminate()
            if result.seconds > seconds + GRACE:
                raise paths.Failure(f"afl-fuzz did not stop {GRACE} s after its time was up")


def run(target, build, folder, out, seconds, args):
    """Fuzzes for some seconds with a live status. @folder: seeds; @out: where the instances keep theirs."""
    program, options, env = targets(target, build, args.jobs, args.cmplog)
    resume = args.resume and os.path.isdir(out)
    if not resume:
        shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out, exist_ok=True)
    result, status = Run(target, out), live.Status()
    begun = time.monotonic()
    # The target writes a finding as a program where it is run.
    processes = [live.start(command, env=env, cwd=out)
                 for command in commands(program, options, folder, out, seconds, args.seed,
                                         args.instances, resume)]
    try:
        follow(processes, result, status, begun, seconds)
    except BaseException:
        for process in processes:
            process.kill()
        raise
    status.clear()
    result.seconds = time.monotonic() - begun
    result.read_files(final=True)
    # Of an instance that was asked to stop 0 is not expected.
    result.status = 0 if result.artifact else max(process.wait() for process in processes)
    return result
