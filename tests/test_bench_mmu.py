#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each operation that ./dev bench mmu times does what it says, on libtdp and on the kernel's own code; and
what is made of the figures. Nothing is timed here."""
import json
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import bench_mmu  # noqa: E402
import bench_mmu_docs  # noqa: E402
import upstream  # noqa: E402

PROGRAMS = {name: os.path.join(os.environ["TDP_BUILD"], name)
            for name in (bench_mmu.PROGRAM, bench_mmu.KERNEL)}
BATCHES = 2


def run(program, *options):
    environment = dict(os.environ, TSAN_OPTIONS=f"halt_on_error=1 suppressions={upstream.RACES}")
    if program == PROGRAMS[bench_mmu.PROGRAM]:
        environment["TSAN_OPTIONS"] = "halt_on_error=1"
    return subprocess.run([program, *options], capture_output=True, text=True, timeout=600,
                          env=environment)


class Operations(unittest.TestCase):
    def check_all(self, name, backend):
        done = run(PROGRAMS[name], f"--batches={BATCHES}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        listed = json.loads(run(PROGRAMS[name], "--list").stdout)
        self.assertEqual([row["operation"] for row in rows], [row["name"] for row in listed])
        for row in rows:
            self.assertEqual(row["backend"], backend)
            self.assertEqual(len(row["ns"]), BATCHES)
            self.assertGreater(min(row["ns"]), 0, row)

    def test_libtdp(self):
        self.check_all(bench_mmu.PROGRAM, "libtdp")

    def test_kernel(self):
        if not os.path.exists(PROGRAMS[bench_mmu.KERNEL]):
            self.skipTest("no kernel tree: ./dev upstream unpacks one")
        self.check_all(bench_mmu.KERNEL, "upstream")

    def test_bad_input(self):
        for options, expected in ((["fault-3k"], "fault-3k: expected an operation that --list has"),
                                  (["--batches=0"], "0: expected a number from 1 to 10000"),
                                  (["--batches=1x"], "1x: expected a number from 1 to 10000")):
            done = run(PROGRAMS[bench_mmu.PROGRAM], *options)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(expected, done.stderr)


ROWS = {
    "zap": {"per": "SPTE", "limit": "limit-exchange", "what": "zapped"},
    "threads-split-1": {"per": "split", "limit": "", "what": "one"},
    "threads-split-2": {"per": "split", "limit": "", "what": "two"},
    "limit-exchange": {"per": "SPTE", "limit": "", "what": "the machine"},
}
FOUND = {
    "zap": [(10, 20), (12, 10), (9, 10)],
    "threads-split-1": [(100, 100), (120, 90), (110, 100)],
    "threads-split-2": [(50, 100), (80, 100), (60, 50)],
    "limit-exchange": [(2,), (3,), (4,)],
}


class Figures(unittest.TestCase):
    def test_medians_of_ratios(self):
        one = bench_mmu.summary(ROWS, FOUND)["zap"]
        # Not the ratio of the medians, which is 1.
        self.assertEqual((one["ratio"], one["ratio_low"], one["ratio_high"]), (0.9, 0.7, 1.05))
        self.assertEqual((one["libtdp_ns"], one["kernel_ns"], one["limit_ns"]), (10, 10, 3))

    def test_two_threads(self):
        self.assertEqual(bench_mmu.speedups(FOUND), {"split": [1.83, 1.0]})

    def test_report(self):
        figures = bench_mmu.figures(bench_mmu.summary(ROWS, FOUND), bench_mmu.speedups(FOUND))
        self.assertEqual(figures["ratio.zap"], 0.9)
        self.assertEqual(figures["ratio.max"], 0.9, "rows of two threads count")
        self.assertEqual(figures["parallel_speedup"], 1.83)

    def test_one_round(self):
        one = bench_mmu.summary(ROWS, {name: found[:1] for name, found in FOUND.items()})["zap"]
        self.assertEqual((one["ratio"], one["ratio_low"], one["ratio_high"]), (0.5, 0.5, 0.5))

    def test_table_and_picture(self):
        about = {"rounds": 3, "kernel": "6.12", "cpus": 2, "load": 1.5,
                 "operations": bench_mmu.summary(ROWS, FOUND),
                 "speedups": bench_mmu.speedups(FOUND), "limits": {"limit-exchange": 3}}
        table = bench_mmu_docs.markdown(about)
        self.assertIn("| zap | SPTE | 10.0 | 10.0 | 0.90 | 0.70 to 1.05 | 3.0 | zapped |", table)
        self.assertIn("- split: 1.83 times one thread (kernel: 1.00)", table)
        picture = bench_mmu_docs.Picture(about)
        drawn = picture.draw()
        self.assertEqual(len(re.findall("<circle", drawn)), 3)
        # Faster is further left, and slower than the goal another colour.
        self.assertLess(picture.x(0.9), picture.x(1))
        self.assertEqual(drawn.count(f'r="3.6" fill="{picture.BAD}"'), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
