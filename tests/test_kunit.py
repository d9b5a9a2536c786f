# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only timeout=600
"""tdp kunit: the tests that are checked in are what it makes; in userspace they pass on the kernel's own
code and fail, naming the rule, where a known bug was put into it; checkpatch likes them."""
import contextlib
import glob
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ["TDP_BUILD"]
TDP = os.path.join(BUILD, "tdp")
sys.path[:0] = [os.path.join(ROOT, "tools", "dev")]

import kunit_suite      # noqa: E402
import kunit_userspace  # noqa: E402
import known_bugs       # noqa: E402
import upstream         # noqa: E402

SUITE = kunit_userspace.suite()
CHECKPATCH = os.path.join(upstream.CACHE, "full", "linux-source-6.12", "scripts",
                          "checkpatch.pl")    # of ./dev kunit


# In what is written by hand. Shadow files replace the kernel's macros by their own, which have its arguments; there are
# two kernels; a type is asked for; an array of functions is taken for one, and KERNEL_VERSION() for a constant.
NOT_HEEDED = ["MACRO_ARG_REUSE", "MACRO_ARG_UNUSED", "MACRO_ARG_PRECEDENCE", "LINUX_VERSION_CODE", "VOLATILE",
              "FUNCTION_ARGUMENTS", "CONSTANT_COMPARISON"]


def said(*command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


class Generator(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_suite_is_what_the_generator_makes(self):
        out = os.path.join(self.folder, "out")
        done = said(TDP, "kunit", *map(known_bugs.program, SUITE), "-o", out, "--all-mmus")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(len(os.listdir(out)), len(SUITE))
        for name, path in SUITE.items():
            with self.subTest(name), open(path, encoding="utf-8") as f, \
                    open(os.path.join(out, os.path.basename(path)), encoding="utf-8") as made:
                self.assertEqual(made.read(), f.read(),
                                 f"make it anew: tdp kunit -a {known_bugs.program(name)} "
                                 "-o kunit-port/suite")

    def test_every_row_that_one_thread_at_a_time_shows_has_a_test(self):
        for name in known_bugs.names():
            if known_bugs.load(name).words["kind"] != "C":
                self.assertIn(name, SUITE)

    def test_bad_input_is_told(self):
        bad = self.write("bad.tdp", "tdp 1\nthread vcpu 0\n\tjump 0x0\n")
        for args, expected in (
                ((), "expected at least one FILE"),
                ((bad,), "expected -o DIR"),
                ((bad, "-o", self.folder), "bad.tdp:3: "),
                (("-z",), "bad option -z"),
                (("none.tdp", "-o", self.folder), "none.tdp: ")):
            with self.subTest(args):
                done = said(TDP, "kunit", *args)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(expected, done.stdout)

    def test_what_no_test_can_say_is_told(self):
        program = self.write("p.tdp", "tdp 1\nslot 0 base=0x0 pages=0x1\nthread vcpu 0\n\tread 0x0\n"
                             "schedule\n\tt0.0@alloc#1 fail\n")
        done = said(TDP, "kunit", program, "-o", self.folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("left out: t0.0@alloc#1 fail: memory has to run out", done.stdout)
        with open(os.path.join(self.folder, "p_kunit.c"), encoding="utf-8") as f:
            self.assertIn("t0.0@alloc#1 fail: memory has to run out", f.read())

    def test_program_of_which_no_test_can_be_made(self):
        program = self.write("p.tdp", "tdp 1\nslot 0 base=0x0 pages=0x1\nthread host\n"
                             "\tunmap 0x0 0x1\n\tprotect 0x0 0x1\nthread vcpu 0\n\tread 0x0\n")
        done = said(TDP, "kunit", program, "-o", self.folder)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("p.tdp: no test can be made of it: ", done.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "p_kunit.c")))

    def test_made_for_another_kernel(self):
        """As for one whose code gets a program of the suite wrong: the others are made."""
        good = known_bugs.program("age-clears-dirty")
        bad = self.write("p.tdp", "tdp 1\nslot 0 base=0x0 pages=0x1\nthread host\n"
                         "\tunmap 0x0 0x1\n\tprotect 0x0 0x1\nthread vcpu 0\n\tread 0x0\n")
        out = os.path.join(self.folder, "out")
        with contextlib.redirect_stdout(io.StringIO()) as told:
            kunit_suite.made(TDP, [bad, good], out)
        self.assertEqual(os.listdir(out), ["age_clears_dirty_kunit.c"])
        self.assertIn("p.tdp: no test can be made of it: ", told.getvalue())
        with open(os.path.join(out, "age_clears_dirty_kunit.c"), encoding="utf-8") as f:
            self.assertIn(".made_for = TDP_FOR_6_12,", f.read())

    def test_checkpatch(self):
        if not os.path.exists(CHECKPATCH):
            self.skipTest(f"there is no {CHECKPATCH}: the generated files are not checked")
        by_hand = [path for pattern in ("fixture/*.[ch]", "fixture/shadow/*.c", "smoke/*.c")
                   for path in glob.glob(os.path.join(ROOT, "kunit-port", pattern))]
        for files, ignore in ((SUITE.values(), []), (by_hand, ["--ignore", ",".join(NOT_HEEDED)])):
            done = said("perl", CHECKPATCH, "--no-tree", "--strict", "--terse", *ignore, "-f", *files)
            self.assertEqual(done.returncode, 0, done.stdout)


@unittest.skipUnless(os.path.exists(os.path.join(BUILD, kunit_userspace.PROGRAM)),
                     "no kernel tree: ./dev upstream unpacks one")
class Userspace(unittest.TestCase):
    def test_kernel_passes(self):
        for program in (kunit_userspace.PROGRAM, "kunit-upstream"):
            done = said(os.path.join(BUILD, program))
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(f"1..{len(SUITE)}\n", done.stdout)
            self.assertNotIn("not ok", done.stdout)

    def test_suite_that_is_not_there(self):
        done = said(os.path.join(BUILD, kunit_userspace.PROGRAM), "tdp_none")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("no suite is called tdp_none", done.stdout)

    @unittest.skipUnless(shutil.which("spatch"), "no spatch: Debian package coccinelle")
    def test_known_bugs_fail_and_name_the_rule(self):
        tree = os.path.realpath(upstream.default_tree())
        proven = 0
        for name in SUITE:
            folder = os.path.join(BUILD, "kunit-bugs", name)
            program = kunit_userspace.with_bug(BUILD, tree, name, folder)
            if not program:
                continue
            with self.subTest(name):
                status, rules, text = kunit_userspace.judge(program, name)
                self.assertEqual(status, 1, text)
                self.assertTrue(rules & set(known_bugs.load(name).words["rules"]), text)
                proven += 1
        self.assertEqual(proven, len(SUITE))


if __name__ == "__main__":
    unittest.main(verbosity=2)
