# SPDX-License-Identifier: GPL-2.0-only
"""Files of KUnit tests: which suites and cases they have."""
import glob
import os
import re

import paths

FIXTURE = os.path.join(paths.ROOT, "kunit-port", "fixture")
SMOKE, SUITE = [os.path.join(paths.ROOT, "kunit-port", name) for name in ("smoke", "suite")]
HEADER = '#include "tdp_kunit.h"'


class File:
    """One file: .path, .suites {suite: [names of its cases]}"""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if HEADER not in text:
            raise paths.Failure(f"{path}: expected a test for the fixture, with {HEADER}", status=2)
        tables = {name: re.findall(r"\bKUNIT_CASE(?:_\w+)?\(\s*(\w+)", body) for name, body in re.findall(
            r"\bstruct kunit_case (\w+)\[\]\s*=\s*\{(.*?)\n\};", text, re.S)}
        self.suites = {}
        for body in re.findall(r"\bstruct kunit_suite \w+\s*=\s*\{(.*?)\n\};", text, re.S):
            name = re.search(r"\.name\s*=\s*\"([^\"]+)\"", body)
            table = re.search(r"\.test_cases\s*=\s*(\w+)", body)
            if not name or not table or not tables.get(table[1]):
                raise paths.Failure(f"{path}: expected a kunit_suite with .name and .test_cases, and "
                                    "cases in that table", status=2)
            self.suites[name[1]] = tables[table[1]]
        if not self.suites:
            raise paths.Failure(f"{path}: expected a struct kunit_suite", status=2)


def files(names):
    """The files that were named, those of folders among them; by default the project's own."""
    found = []
    for name in names or [SMOKE, SUITE]:
        if os.path.isdir(name):
            here = sorted(glob.glob(os.path.join(name, "*.c")))
            if not here:
                raise paths.Failure(f"{name}: expected files *.c in it", status=2)
            found += here
        elif os.path.isfile(name):
            found.append(name)
        else:
            raise paths.Failure(f"{name}: there is no such file or folder", status=2)
    tests, seen = [File(path) for path in found], {}
    for test in tests:
        for suite in test.suites:
            if suite in seen:
                raise paths.Failure(f"{test.path}: the suite {suite} is in {seen[suite]}, too", status=2)
            seen[suite] = test.path
        base = os.path.basename(test.path)
        if sum(os.path.basename(t.path) == base for t in tests) > 1:
            raise paths.Failure(f"{test.path}: another file is called {base}, too", status=2)
    return tests


def wanted(tests):
    """{suite: [cases]} of all of them."""
    return {suite: cases for test in tests for suite, cases in test.suites.items()}
