# SPDX-License-Identifier: GPL-2.0-only
"""The project's own tests, with what is expected of a tree's kernel: kunit-port/suite expects what 6.12 does, and that
6.1 does otherwise the oracle knows (docs/upstream.md)."""
import os
import shutil
import subprocess

import builds
import cmd_upstream
import known_bugs
import kunit_tests
import kunit_userspace
import paths
import upstream

# Kernels for which the fixture is made, and the suite is not.
OTHERS = ["6.1"]
PRESET = "plain"


def made(tdp, programs, out):
    """Has tests made by a `tdp` of the kernel's code; it says of which programs none can be made."""
    shutil.rmtree(out, ignore_errors=True)
    for path in programs:
        done = subprocess.run([tdp, "kunit", "--all-mmus", path, "-o", out], cwd=paths.ROOT, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode not in (0, 2):
            raise paths.Failure(f"tdp kunit {path}: {done.stderr}")
        print(done.stderr, end="")


def of(tree, tests, jobs):
    """The project's tests, for a tree."""
    version = upstream.version_of(tree)
    if version not in OTHERS:
        return tests
    where = cmd_upstream.build(tree, PRESET, jobs, ["tdp", "tdp-upstream"])
    out = os.path.join(paths.BUILD, "kunit", f"suite-{version}")
    programs = [os.path.relpath(known_bugs.program(n), paths.ROOT) for n in kunit_userspace.suite()]
    made(builds.program(where, "tdp-upstream"), programs, out)
    return kunit_tests.files([kunit_tests.SMOKE, out])
