# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev kunit's judgement of kernels' logs: what is fine, and each way in which a log that looks fine is not."""
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools", "dev"), os.path.join(ROOT, "tools", "lint")]

import kunit_judge    # noqa: E402
import kunit_kernel   # noqa: E402
import kunit_prove    # noqa: E402
import kunit_tests    # noqa: E402
import paths          # noqa: E402

WANTED = {"tdp_a": ["one", "two"], "tdp_b": ["three"]}
GOOD = """\
[    0.100000] Linux version 6.12.117
[    0.900000] KTAP version 1
[    0.900001] 1..2
[    0.900002]     KTAP version 1
[    0.900003]     # Subtest: tdp_a
[    0.900004]     # module: kvm
[    0.900005]     1..2
[    0.900006]     ok 1 one
[    0.900007]     ok 2 two
[    0.900008] # tdp_a: pass:2 fail:0 skip:0 total:2
[    0.900009] # Totals: pass:2 fail:0 skip:0 total:2
[    0.900010] ok 1 tdp_a
[    0.900011]     KTAP version 1
[    0.900012]     # Subtest: tdp_b
[    0.900013]     # module: kvm
[    0.900014]     1..1
[    0.900015]     ok 1 three # SKIP no such CPU
[    0.900016] # Totals: pass:0 fail:0 skip:1 total:1
[    0.900017] ok 2 tdp_b # SKIP
[    0.900018] reboot: Restarting system
"""
FAILED = """\
[    0.900006]     # one: EXPECTATION FAILED at arch/x86/kvm/mmu/test-a_kunit.c:22
[    0.900006]     Expected tdp_is_leaf(vm, 0, 0x10, 1, 2) to be true, but is false
[    0.900006] rule M: a page that was written: found 0x1 at level 1
[    0.900006]     not ok 1 one
"""
OOPS = """\
[    0.900007] BUG: kernel NULL pointer dereference, address: 0000000000000008
[    0.900007] Oops: 0000 [#1] SMP
[    0.900007] Kernel panic - not syncing: Fatal exception
"""
WARNING = "[    0.900006] WARNING: CPU: 0 PID: 20 at arch/x86/kvm/mmu/tdp_mmu.c:33 tdp_x+0x1/0x2\n"


def judge(text, late=False, wanted=None):
    return kunit_judge.judge(text, wanted or WANTED, late)


def states(cases):
    return {c.name: c.state for c in cases}


def line(part):
    """The line of GOOD that has the words in it."""
    return next(s for s in GOOD.splitlines(True) if s.rstrip().endswith(part))


class Judge(unittest.TestCase):
    def test_good(self):
        cases, problems = judge(GOOD)
        self.assertEqual(problems, [])
        self.assertEqual(states(cases), {"one": "pass", "two": "pass", "three": "skip"})

    def test_without_time_stamps(self):
        cases, problems = judge("".join(s[15:] for s in GOOD.splitlines(True)))
        self.assertEqual((problems, len(cases)), ([], 3))

    def test_failure_names_its_rule(self):
        cases, _ = judge(GOOD.replace(line("ok 1 one"), FAILED).replace("ok 1 tdp_a", "not ok 1 tdp_a"))
        self.assertEqual(states(cases), {"one": "fail", "two": "pass", "three": "skip"})
        self.assertEqual(cases[0].rules(), ["M"])

    def test_failure_in_a_suite_said_to_be_fine(self):
        cases, _ = judge(GOOD.replace(line("ok 1 one"), FAILED))
        self.assertEqual(states(cases)["one"], "fail")

    def test_suite_failed_and_no_test_did(self):
        _, problems = judge(GOOD.replace("ok 1 tdp_a", "not ok 1 tdp_a"))
        self.assertEqual(problems, ["tdp_a: it failed, and none of its tests did"])

    def test_warning(self):
        cases, _ = judge(GOOD.replace(line("ok 2 two"), WARNING + line("ok 2 two")))
        self.assertEqual(states(cases), {"one": "pass", "two": "warned", "three": "skip"})

    def test_warning_outside_of_tests(self):
        for where in ("# Subtest: tdp_a", "reboot: Restarting system", "ok 1 tdp_a"):
            _, problems = judge(GOOD.replace(line(where), WARNING + line(where)))
            self.assertEqual(len(problems), 1, where)

    def test_sanitizers(self):
        for said in ("BUG: KASAN: slab-use-after-free in x", "WARNING: possible circular locking dependency",
                     "WARNING: suspicious RCU usage", "UBSAN: shift-out-of-bounds in x", "INFO: rcu_preempt stall"):
            cases, _ = judge(GOOD.replace(line("ok 1 one"), "[ 0.9] " + said + "\n" + line("ok 1 one")))
            self.assertEqual(states(cases)["one"], "warned", said)

    def test_crash(self):
        cases, problems = judge(GOOD[:GOOD.index(line("ok 2 two"))] + OOPS)
        self.assertEqual(states(cases), {"one": "pass", "two": "crash", "three": "missing"})
        self.assertIn("tdp_b: it did not run", problems)

    def test_crash_after_the_tests(self):
        _, problems = judge(GOOD + OOPS)
        self.assertIn("the kernel has panicked", problems)

    def test_hang(self):
        cases, _ = judge(GOOD[:GOOD.index(line("ok 2 two"))], late=True)
        self.assertEqual(states(cases)["two"], "hang")

    def test_hang_after_the_tests(self):
        self.assertTrue(judge(GOOD, late=True)[1])

    def test_log_that_ends(self):
        for at in ("# Subtest: tdp_a", "ok 1 one", "ok 1 tdp_a", "# Subtest: tdp_b"):
            cases, problems = judge(GOOD[:GOOD.index(line(at))])
            self.assertTrue(problems or any(c.bad for c in cases), at)
            self.assertEqual(len(cases), 3)

    def test_nothing(self):
        cases, problems = judge("")
        self.assertEqual({c.state for c in cases}, {"missing"})
        self.assertEqual(len(problems), 2)

    def test_suite_without_tests(self):
        text = GOOD.replace("    1..2", "    1..0").replace(line("ok 1 one"), "").replace(line("ok 2 two"), "")
        self.assertIn("tdp_a: it has no test", judge(text)[1])

    def test_fewer_results_than_planned(self):
        text = GOOD.replace(line("ok 2 two"), "")
        self.assertIn("tdp_a: 1 of 2 results", judge(text)[1])
        self.assertEqual(states(judge(text)[0])["two"], "missing")

    def test_no_plan(self):
        self.assertIn("tdp_a: its plan is missing", judge(GOOD.replace("    1..2\n", "    \n"))[1])

    def test_numbers_out_of_order(self):
        self.assertTrue(judge(GOOD.replace("ok 2 two", "ok 3 two"))[1])

    def test_suite_of_another_name(self):
        self.assertTrue(judge(GOOD.replace("] ok 1 tdp_a", "] ok 1 tdp_c"))[1])

    def test_suite_nobody_wanted(self):
        self.assertIn("tdp_b: nobody asked for this suite", judge(GOOD, wanted={"tdp_a": ["one", "two"]})[1])


class Tests(unittest.TestCase):
    def test_own(self):
        wanted = kunit_tests.wanted(kunit_tests.files([]))
        self.assertIn("smoke_ept", wanted["tdp_smoke"])

    def refused(self, text, words):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x_kunit.c")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            with self.assertRaises(paths.Failure) as caught:
                kunit_tests.files([path])
        self.assertEqual(caught.exception.status, 2)
        self.assertIn(words, str(caught.exception))

    def test_what_is_no_test(self):
        self.refused("int main;\n", kunit_tests.HEADER)
        self.refused(kunit_tests.HEADER + "\n", "kunit_suite")
        self.refused(kunit_tests.HEADER + "\nstatic struct kunit_suite s = {\n\t.name = \"s\",\n};\n", "cases")

    def test_what_is_not_there(self):
        for name in ("/nonexistent", "/nonexistent/x.c"):
            with self.assertRaises(paths.Failure) as caught:
                kunit_tests.files([name])
            self.assertEqual(caught.exception.status, 2)

    def test_what_is_no_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(paths.Failure) as caught:
                kunit_kernel.tree_of(folder)
            self.assertEqual(caught.exception.status, 2)

    def test_what_proves_a_bug(self):
        self.assertTrue(kunit_prove.proves(True, ["!", "N"], "NU"))
        self.assertFalse(kunit_prove.proves(True, ["!", "M"], "NU"))
        self.assertFalse(kunit_prove.proves(True, [], "NU"))
        self.assertFalse(kunit_prove.proves(False, [], "NU"))


if __name__ == "__main__":
    unittest.main()
