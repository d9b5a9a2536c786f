# SPDX-License-Identifier: GPL-2.0-only
"""Running one libFuzzer program and reading what it says."""
import os
import re
import time

import live
import paths

# Long enough for a fuzzer that is busy with its last input; after that it hangs.
GRACE = 120

PULSE = re.compile(r"^#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/\S+ "
                   r".*?exec/s: (\d+) rss: (\d+)Mb")
FINAL = re.compile(r"^stat::(\w+):\s+(\d+)")
SAVED = re.compile(r"Test unit written to (.+)$")
CHATTER = re.compile(r"#\d+\s|INFO:|stat::|Running:|WARNING: |\tNEW_FUNC|MS: |0x|artifact|Base64")
SUMMARY = re.compile(r"^SUMMARY: (.+)$")


class Run:
    """One run: numbers as the fuzzer last gave them, and the artifact if it found something."""

    def __init__(self, target):
        self.target = target
        self.executions = self.coverage = self.features = self.corpus = self.rate = self.rss = 0
        self.seconds = 0.0
        self.artifact = None
        self.summary = ""
        self.status = 0
        self.output = []

    @property
    def found(self):
        return self.artifact is not None or self.status != 0

    def read(self, line):
        self.output.append(line)
        pulse = PULSE.match(line)
        if pulse:
            self.executions, self.coverage, self.features, self.corpus, self.rate, self.rss = (
                int(pulse[n]) for n in (1, 3, 4, 5, 6, 7))
            return
        final = FINAL.match(line)
        if final and final[1] == "number_of_executed_units":
            self.executions = int(final[2])
        elif final and final[1] == "peak_rss_mb":
            self.rss = int(final[2])
        saved = SAVED.search(line)
        if saved:
            self.artifact = saved[1]
        summary = SUMMARY.match(line)
        if summary:
            self.summary = summary[1]

    def said(self):
        """What the program itself said before it gave up: its output less libFuzzer's chatter."""
        return [line for line in self.output if not CHATTER.match(line)]

    def line(self):
        return (f"{self.target}: {self.seconds:3.0f} s  {self.executions:,} executions  "
                f"{self.rate:,}/s  coverage {self.coverage:,}  corpus {self.corpus:,}  "
                f"{self.rss} MB  findings {1 if self.artifact else 0}")


def options(seconds, seed, artifacts):
    return [f"-max_total_time={seconds}", f"-seed={seed}", f"-artifact_prefix={artifacts}",
            "-print_final_stats=1", "-timeout=20", "-reload=0",
            # The write-tracking counts of a slot of 8 TiB are 4 GiB, of which nothing is touched.
            "-rss_limit_mb=2048", "-malloc_limit_mb=8192",
            "-entropic_scale_per_exec_time=1"]


def run(program, target, folders, seconds, seed, artifacts, extra=(), races=None, tell=None):
    """Fuzzes for some seconds with a live status; folders: where to keep inputs, then seeds; races: a
    file of data races that TSan is not to report; tell(Run): says how it goes in place of the status."""
    env = dict(os.environ)
    if races:
        env["TSAN_OPTIONS"] = f"{env.get('TSAN_OPTIONS', '')} suppressions={races}"
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    # A small quarantine, so that growth of the memory shown is growth.
    env.setdefault("ASAN_OPTIONS", "quarantine_size_mb=16")
    if os.path.exists("/usr/bin/llvm-symbolizer-19"):
        for sanitizer in ("ASAN", "UBSAN", "TSAN"):
            env.setdefault(sanitizer + "_SYMBOLIZER_PATH", "/usr/bin/llvm-symbolizer-19")
    result = Run(target)
    status = live.Status()
    tell = tell or (lambda run: status.update(run.line()))
    begun = time.monotonic()
    command = live.tied([program, *options(seconds, seed, artifacts), *extra, *folders])
    with live.start(command, env=env) as process:
        try:
            for line in live.lines_of(process):
                if line is not None:
                    result.read(line)
                result.seconds = time.monotonic() - begun
                tell(result)
                if result.seconds > seconds + GRACE:
                    raise paths.Failure(f"{paths.shown(program)} did not stop {GRACE} s after "
                                        f"its time was up")
        except BaseException:
            process.kill()
            raise
    status.clear()
    result.seconds = time.monotonic() - begun
    result.status = process.returncode
    return result
