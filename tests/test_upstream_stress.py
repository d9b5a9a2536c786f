#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own code on real threads (docs/stress.md): a bounded number of accesses on each kind of MMU,
without a violation, where what is known to be wrong with it is put right."""
import os
import sys
import unittest

import test_stress

PROGRAM = test_stress.STRESS + "-upstream-repaired"
# What only libtdp has.
OWN = "fault_policy=zap"


class UpstreamStress(unittest.TestCase):
    def test_kinds(self):
        for options in test_stress.KINDS:
            if OWN not in options:
                test_stress.check_kind(self, PROGRAM, options)

    def test_what_it_does_not_have_is_refused(self):
        done = test_stress.run(PROGRAM, "--accesses", "1", "--vm", OWN)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"--vm {OWN}: expected split", done.stderr)


if __name__ == "__main__":
    if not os.path.exists(PROGRAM):
        print("skipped: no kernel tree was there when this was built; ./dev upstream unpacks one")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
