# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev oss-fuzz: its checks fail on targets that are not as OSS-Fuzz wants them; seeds and dictionaries are sound."""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import cmd_oss_fuzz  # noqa: E402
import seeds  # noqa: E402

HERE = os.path.join(ROOT, "fuzz", "oss-fuzz")
WORD = re.compile(r'[a-z0-9_]+="((?:\\x[0-9a-f]{2})+)"\Z')
# As libFuzzer says how many edges there are; %s: what else it does.
TARGET = """#!/bin/sh
[ "$1" != -runs=0 ] || echo "INFO: Loaded 1 modules   (%d inline 8-bit counters): x" >&2
%s
"""


class Checks(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)

    def target(self, edges=2000, does="exit 0", inputs=1):
        out = os.path.join(self.work.name, "out")
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        path = os.path.join(out, "fuzz_x")
        with open(path, "w", encoding="utf-8") as f:
            f.write(TARGET % (edges, does))
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        for ending, text in ((".options", "[libfuzzer]\nmax_len = 4\n"), (".dict", 'a="\\x01"\n')):
            with open(path + ending, "w", encoding="utf-8") as f:
                f.write(text)
        with zipfile.ZipFile(path + "_seed_corpus.zip", "w") as archive:
            for n in range(inputs):
                archive.writestr(f"seed{n}", b"x")
        work = os.path.join(self.work.name, "work")
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(os.path.join(work, "fuzz_x"))
        return cmd_oss_fuzz.Target("libfuzzer", "address", out, "fuzz_x", work)

    def test_fine(self):
        target = self.target()
        for check in ("start", "seeds", "edges", "files", "moved"):
            self.assertIsNone(target.check(check), check)

    def test_not_fine(self):
        for check, words, given in (
                ("start", "status 3", {"does": 'exit 3'}),
                ("seeds", "status 1", {"does": 'for a; do case $a in */seed0) exit 1;; esac; done'}),
                ("seeds", "is empty", {"inputs": 0}),
                ("edges", "7 edges", {"edges": 7}),
                ("files", "status 1", {"does": 'for a; do case $a in -dict=*) exit 1;; esac; done'})):
            self.assertIn(words, self.target(**given).check(check))

    def test_moved(self):
        for words, does in (("has written left", ": > left"), ("status 1", '[ -z "$PWD" ]')):
            target = self.target(does=does)
            target.seed_files = [target.input(b"x")]
            self.assertIn(words, target.check("moved"))

    def test_sanitizer(self):
        """Of real programs: this build's targets have none."""
        target = self.target()
        target.path = os.path.join(os.environ["TDP_BUILD"], "fuzz_spte")
        self.assertEqual(target.check("sanitizer"), "__asan_init is not there")
        self.assertIsNone(target.check("libraries"))

    def test_libraries(self):
        for line, fine in (("libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x1)", True),
                           ("/lib64/ld-linux-x86-64.so.2 (0x1)", True),
                           ("libstdc++.so.6 => /lib/libstdc++.so.6 (0x1)", True),
                           ("libboost_context.so.1.74.0 => /lib/libboost_context.so.1.74.0 (0x1)", False),
                           ("liburcu-bp.so.8 => not found", False)):
            self.assertEqual(bool(cmd_oss_fuzz.LIBRARIES.search(line)), fine, line)


class Files(unittest.TestCase):
    def test_dictionaries(self):
        for name in ("programs.dict", "words.dict"):
            with open(os.path.join(HERE, name), encoding="utf-8") as f:
                lines = [line.rstrip("\n") for line in f if not line.startswith("#")]
            self.assertTrue(lines)
            for line in lines:
                self.assertRegex(line, WORD)
                # A record of a program has four bytes.
                self.assertTrue(name != "programs.dict" or line.count("\\x") == 4, line)

    def test_seeds(self):
        tdp = os.path.join(os.environ["TDP_BUILD"], "tdp")
        with tempfile.TemporaryDirectory() as work:
            made = []
            for n in range(2):
                made.append(os.path.join(work, f"{n}.zip"))
                subprocess.run([sys.executable, "-B", os.path.join(HERE, "seeds.py"), ROOT, "fuzz_spte", tdp,
                                made[-1]], check=True)
            with open(made[0], "rb") as one, open(made[1], "rb") as two:
                self.assertEqual(one.read(), two.read())
            with zipfile.ZipFile(made[0]) as archive:
                found = {name: archive.read(name) for name in archive.namelist()}
        self.assertEqual(found, {seeds.name_of(path): seeds.from_hex(path) for path in seeds.files("spte")})


if __name__ == "__main__":
    unittest.main()
