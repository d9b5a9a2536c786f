# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# tdp-test: timeout=1800
"""libtdp for aarch64: built by Debian's cross compiler without a warning, the unit tests on the native library
and the test on real threads pass under qemu, and a simulated program does what it does here."""
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import arm64  # noqa: E402

HERE = os.environ["TDP_BUILD"]
PROGRAMS = ["corpus/fuzz_race", "corpus/regress"]
SKIPPED = 77


def run(*command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **how)


def emulated(program, *arguments):
    """The output of a program of the cross build."""
    libraries = os.path.join(FOLDER, "root/usr/lib/aarch64-linux-gnu")
    return run(arm64.EMULATOR, "-L", "/usr/aarch64-linux-gnu", "-E", f"LD_LIBRARY_PATH={libraries}",
               os.path.join(BUILD, program), *arguments, cwd=ROOT).stdout


class Aarch64(unittest.TestCase):
    def build(self, *targets):
        done = run("cmake", "--build", BUILD, "-j", "2", "--target", *targets)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    def test_native(self):
        """The unit tests of the mirrored code, and real threads."""
        self.build("native-tests", "tdp-native-shared")
        done = run("ctest", "--test-dir", BUILD, "-R", "^native-", "-E", "^native-finds",
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
                there = emulated("tdp", "run", "--hash", *files)
                here = run(os.path.join(HERE, "tdp"), "run", "--hash", *files, cwd=ROOT).stdout
                self.assertIn(files[0], here)
                self.assertEqual(there, here)


if __name__ == "__main__":
    FOLDER = os.path.join(HERE, "aarch64")
    try:
        BUILD = arm64.configure(FOLDER)
    except arm64.Missing as missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
