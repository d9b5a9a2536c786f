# SPDX-License-Identifier: GPL-2.0-only
"""The corpus on a kernel's own code: each program breaks the rule that it is known to break there, or none."""
import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, "tools", "dev"))

import upstream     # noqa: E402


def run_corpus(test, program, version):
    """The assertions, of a TestCase."""
    known = upstream.known(version)
    ran = 0
    for name in upstream.programs():
        rule, said = upstream.replay(program, name)
        if rule == upstream.CANNOT:
            continue
        ran += 1
        with test.subTest(name):
            test.assertEqual(rule, known.get(name, (None,))[0], said)
    test.assertGreater(ran, 100)


def main(version):
    """All there is to test of a kernel other than the default one, if its tree has been fetched."""
    program = os.path.join(os.environ["TDP_BUILD"], f"tdp-upstream-{version}")
    if not os.path.exists(program):
        print(f"skipped: this build has no backend of Linux {version}, for lack of its tree: "
              f"./dev upstream --kernel {version} fetches it")
        sys.exit(77)

    class Corpus(unittest.TestCase):
        def test_corpus(self):
            run_corpus(self, program, version)

    sys.exit(not unittest.TextTestRunner().run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Corpus)).wasSuccessful())
