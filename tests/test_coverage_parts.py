# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev coverage: what no fuzz target reaches has a reason in docs/coverage.md, and the pages say so."""
import os
import re
import sys
import tempfile
import unittest
from unittest import mock
from xml.etree import ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import cmd_coverage  # noqa: E402
import coverage_page  # noqa: E402
import coverage_reasons  # noqa: E402
import llvmcov  # noqa: E402
import paths  # noqa: E402
import seeds  # noqa: E402

TEXT = f"""# Coverage

| figure | of |
|---|---|
| `whole.corpus` | all |

## {coverage_reasons.FUNCTIONS}

| function | why |
|---|---|
| `one`, `two` | nobody asks |

## The machine

| where | what |
|---|---|
| `a.c` | out of memory: `three` |
"""
CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\(")


def file_of(functions, branches):
    """@branches: {(function, line): times the branch was taken}"""
    file = llvmcov.File()
    file.functions = dict(functions)
    for number, ((function, line), count) in enumerate(branches.items()):
        file.lines[line] = 1
        file.branches[line, function, number, 0] = 1
        file.branches[line, function, number, 1] = count
    return file


class Reasons(unittest.TestCase):
    def complaints(self, functions, branches):
        return coverage_reasons.complaints({"a.c": file_of(functions, branches)}, coverage_reasons.Reasons(TEXT))

    def test_read(self):
        reasons = coverage_reasons.Reasons(TEXT)
        self.assertEqual(reasons.functions, {"one": "nobody asks", "two": "nobody asks"})
        self.assertEqual(reasons.branches, {"three": "The machine"})

    def test_all_have_one(self):
        self.assertEqual(self.complaints({"one": 0, "two": 0, "three": 5}, {("three", 7): 0}), [])

    def test_none_is_given(self):
        said = self.complaints({"one": 0, "two": 0, "three": 5, "four": 0, "five": 1}, {("five", 7): 0, ("five", 9): 0})
        self.assertEqual(len(said), 2)
        self.assertRegex(said[0], r"^a\.c: no target calls four\(\), and docs/coverage\.md does not say why")
        self.assertRegex(said[1], r"^a\.c:7: no target takes a branch of five\(\), and")

    def test_not_true_any_more(self):
        said = self.complaints({"one": 3}, {})
        self.assertEqual([line.partition("says that no target calls ")[2] for line in said],
                         ["one(): one does", "two(): there is no such function"])

    def test_a_branch_of_a_line_that_never_ran_is_the_lines(self):
        file = file_of({"one": 1}, {("one", 7): 0})
        file.lines[7] = 0
        self.assertEqual(coverage_reasons.unreached({"a.c": file}), {})

    def test_the_documentation_names_functions_that_there_are(self):
        reasons = coverage_reasons.load()
        self.assertGreater(len(reasons.functions), 10)
        there = set()
        for where, _, names in os.walk(os.path.join(ROOT, "libtdp")):
            for name in names:
                if name.endswith((".c", ".h")):
                    with open(os.path.join(where, name), encoding="utf-8") as f:
                        there.update(CALL.findall(f.read()))
        self.assertEqual(set(reasons.functions) - there, set())


class Pages(unittest.TestCase):
    def test_index(self):
        files = {"a.c": file_of({"one": 0, "three": 5, "four": 0}, {("three", 7): 0})}
        ran = {name: files for name in [*("fuzz_" + target for target in seeds.targets()), "targets", "corpus"]}
        shown = []
        with tempfile.TemporaryDirectory() as work, mock.patch.object(paths, "BUILD", work), \
                mock.patch.object(llvmcov, "show", lambda *args: shown.append(os.path.relpath(args[3], work))):
            path = coverage_page.write("profiles", ran, ["tdp"], coverage_reasons.Reasons(TEXT))
            with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                tree = ElementTree.fromstring(f.read().partition("\n")[2])
        links = [link.get("href") for link in tree.iter("a")]
        self.assertEqual(["report/coverage/" + link for link in links], [where + "/index.html" for where in shown])
        self.assertIn("fuzz_race/index.html", links)
        cells = ["".join(cell.itertext()) for cell in tree.iter("td")]
        for expected in ("33.3%  (1 of 3)", "50.0%  (1 of 2)", "nobody asks", "NO REASON IS GIVEN", "a.c:7",
                         "The machine"):
            self.assertIn(expected, cells)


class Replays(unittest.TestCase):
    def test_what_fuzzers_found_may_name_points_that_never_come(self):
        self.assertTrue(cmd_coverage.may_differ(os.path.join(seeds.CORPUS, "found", "fuzz_race", "x.tdp")))
        self.assertFalse(cmd_coverage.may_differ(os.path.join(seeds.CORPUS, "fuzz_race", "x.tdp")))
        wrong = []
        for path in ("found/fuzz_race/x.tdp", "fuzz_race/x.tdp"):
            cmd_coverage.replay(["sh", "-c", "exit 2", os.path.join(seeds.CORPUS, path)], "", wrong)
        self.assertEqual(len(wrong), 1)
        self.assertIn("corpus/fuzz_race/x.tdp ended with status 2", wrong[0])


if __name__ == "__main__":
    unittest.main()
