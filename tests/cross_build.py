# SPDX-License-Identifier: GPL-2.0-only
"""libtdp for another CPU: built by Debian's cross compiler without a warning, the unit tests on the native library
and the test on real threads pass under qemu, and a simulated program does what it does here. test_aarch64.py and
test_s390x.py are this."""
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import cross  # noqa: E402

HERE = os.environ["TDP_BUILD"]
PROGRAMS = ["corpus/fuzz_race", "corpus/regress"]
SKIPPED = 77


def run(*command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **how)


class Cross(unittest.TestCase):
    """cpu: what is built for; folder: where; built_in: the build folder in it"""

    cpu = folder = built_in = None

    def build(self, *targets):
        done = run("cmake", "--build", self.built_in, "-j", "2", "--target", *targets)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    def test_native(self):
        """The unit tests of the mirrored code, and real threads."""
        self.build("native-tests", "tdp-native-shared")
        done = run("ctest", "--test-dir", self.built_in, "-R", "^native-", "-E", "^native-finds",
                   "--output-on-failure", "--no-tests=error")
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    def test_sim(self):
        """The same program, the same events."""
        self.build("tdp")
        for folder in PROGRAMS:
            with self.subTest(folder):
                names = sorted(os.listdir(os.path.join(ROOT, folder)))
                files = [os.path.join(folder, n) for n in names if n.endswith(".tdp")][:20]
                self.assertTrue(files)
                there = run(*cross.run_command(self.cpu, self.folder, "tdp", "run", "--hash", *files),
                            cwd=ROOT).stdout
                here = run(os.path.join(HERE, "tdp"), "run", "--hash", *files, cwd=ROOT).stdout
                self.assertIn(files[0], here)
                self.assertEqual(there, here)


def main(cpu):
    Cross.cpu, Cross.folder = cpu, os.path.join(HERE, cpu)
    try:
        Cross.built_in = cross.configure(cpu, Cross.folder)
    except cross.Missing as missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main(module=sys.modules[__name__])
