# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""fuzz_diff: libtdp and the kernel's own code do the same, and one that does not is found."""
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ["TDP_BUILD"]
DIFF = os.path.join(BUILD, "fuzz_diff")
ZAP = os.path.join(BUILD, "fuzz_diff-zap")
PLANTED = os.path.join(BUILD, "fuzz_diff-planted")
sys.path.append(os.path.join(ROOT, "tools", "dev"))

import upstream_diff    # noqa: E402


class Diff(unittest.TestCase):
    def run_part(self, program, *arguments):
        part = upstream_diff.Part("it", [program, *arguments])
        part.run()
        return part

    def test_same(self):
        part = self.run_part(DIFF, "-runs=3000", "-seed=7", "corpus/fuzz_mmu",
                             "corpus/regress/frames-by-who-looks.tdp")
        self.assertIsNone(part.finding(), "\n".join(part.lines))
        # Every kind of MMU, and both depths, often enough to mean something.
        kinds = {name: n for name, n in part.figures.items() if name.startswith("programs.")}
        self.assertEqual(len(kinds), 6, kinds)
        self.assertGreater(min(kinds.values()), 150, kinds)
        programs = len([f for f in os.listdir(os.path.join(ROOT, "corpus/fuzz_mmu"))
                        if f.endswith(".tdp")])
        self.assertEqual(sum(kinds.values()), 3000 + programs + 1)
        self.assertGreater(part.figures["whole"], 2000)

    @unittest.skipUnless(os.path.exists(ZAP), "./dev upstream --diff has not made it")
    def test_zap_policy(self):
        part = self.run_part(ZAP, "-runs=1000", "-seed=3", "corpus/fuzz_mmu")
        self.assertIsNone(part.finding(), "\n".join(part.lines))
        self.assertTrue(all(name.endswith(".zap") for name in part.figures
                            if name.startswith("programs.")), part.figures)

    @unittest.skipUnless(os.path.exists(PLANTED), "no spatch: no bug is planted")
    def test_planted_difference_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            there = f"-artifact_prefix={folder}/"
            part = self.run_part(PLANTED, there, "-runs=20000")
            said = part.finding()
            self.assertIsNotNone(said, "a bug was not found")
            self.assertRegex(said, r"==== difference after call \d+, t\d\.\d+ ====")
            self.assertRegex(said, r"upstream: root 1, as 0: gfn 0x[0-9a-f]+ level \d: [0-9a-f]{16}")
            # What was saved shows it again, and is no difference where nothing is planted.
            saved = os.path.join(folder, "crash-driver")
            self.assertIsNotNone(self.run_part(PLANTED, there, saved).finding())
            self.assertIsNone(self.run_part(DIFF, there, saved).finding())
            # What was compared before is counted.
            self.assertTrue(part.figures)


if __name__ == "__main__":
    if not os.path.exists(DIFF):
        print("skipped: this build has no upstream backend, for lack of a kernel tree: "
              "./dev upstream unpacks Debian's linux-source-6.12")
        sys.exit(77)
    unittest.main()
