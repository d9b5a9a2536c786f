#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Real threads (docs/stress.md): a bounded number of accesses on each kind of MMU, without a violation; with
known bugs in libtdp, violations; what is said of bad input; and that SIGINT ends it with a summary."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

STRESS = os.path.join(os.environ["TDP_BUILD"], "tdp-stress")
ACCESSES = 40000
LIMIT = 300         # seconds, of what takes one or two

KINDS = [
    ["--vm", "mmu=ept"],
    ["--vm", "mmu=npt", "--vm", "levels=5", "--vm", "me=sme"],
    ["--vm", "ad=off", "--vm", "manual_protect=on"],
    ["--vm", "pml=on", "--vm", "manual_protect=on", "--vm", "init_set=on"],
    ["--vm", "fault_policy=zap", "--vm", "eager_split=on", "--vm", "quirk_zap_all=off"],
    ["--vm", "l1tf=on", "--vm", "maxphyaddr=40", "--backing", "4K"],
    ["--memory", "1024", "--slots", "1", "--backing", "1G"],
    ["--vcpus", "4", "--mix", "write,steal,nest,zap,move"],
]
# Bugs that real threads run into at once, and the rules one of which is broken first.
BUGS = ["seq-after-lookup", "fault-in-invalid-slot", "fault-on-stale-root"]
RULES = "TUNMDL!"
BAD = [
    (["--memory", "3"], "--memory 3: expected a multiple of 2 for each slot"),
    (["--vcpus", "9"], "--vcpus 9: expected a number from 1 to 8"),
    (["--seconds", "-1"], "--seconds -1: expected a number from 0 to 1073741824"),
    (["--backing", "3M"], "--backing 3M: expected 4K, 2M or 1G"),
    (["--mix", "write,fly"], "--mix fly: expected words that --help lists"),
    (["--vm", "levels=6"], "levels=6"),
    (["file"], "argument file: expected options only"),
]


def run(program, *options):
    return subprocess.run([program, "--quiet", "--seconds", str(LIMIT), *options], capture_output=True,
                          text=True, timeout=2 * LIMIT)


def check_kind(test, program, options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "summary.json")
        done = run(program, "--accesses", str(ACCESSES), "--json", path, *options)
        test.assertEqual(done.returncode, 0, f"{options}\n{done.stdout}{done.stderr}")
        with open(path, encoding="utf-8") as file:
            figures = json.load(file)
    print(" ".join(options) + ": " + done.stdout, end="")
    test.assertEqual(figures["violations"], 0)
    test.assertGreaterEqual(figures["guest_accesses"], ACCESSES)
    test.assertGreater(figures["faults"], 0)
    test.assertLess(figures["seconds"], LIMIT, "the time was over before the accesses")


class Stress(unittest.TestCase):
    def test_kinds(self):
        for options in KINDS:
            check_kind(self, STRESS, options)

    def test_bugs(self):
        for name in BUGS:
            done = run(STRESS + "-" + name)
            self.assertEqual(done.returncode, 1, f"{name} is not found\n{done.stdout}{done.stderr}")
            first = re.search(r"^rule (.) broken: .*$", done.stderr, re.M)
            print(f"{name}: {first and first[0]}")
            self.assertTrue(first and first[1] in RULES, done.stderr)
            self.assertRegex(done.stdout, r"bug: reached \d+ times")

    def test_bad_input(self):
        for options, said in BAD:
            done = run(STRESS, *options)
            self.assertEqual(done.returncode, 2, f"{options}: {done.stderr}")
            self.assertIn(said, done.stderr)

    def test_interrupted(self):
        child = subprocess.Popen([STRESS, "--seconds", "0"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        try:
            child.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=LIMIT)
        self.assertEqual(child.returncode, 0, out + err)
        self.assertRegex(out, r"^stress: 2 vCPUs, .* 0 violations$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
