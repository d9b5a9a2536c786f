# SPDX-License-Identifier: GPL-2.0-only
"""Builds a kernel with KUnit tests of its TDP MMU in it and runs them under QEMU, on a machine that needs no
virtualization hardware. The kernel's tree is only read. By default: Debian's linux-source-6.12, unpacked into
build/cache on first use, and the tests of kunit-port/. FILE and DIR name others, such as `tdp kunit` makes.

A kernel that crashes, hangs or warns has failed, and so has a test that did not run. With --prove, each known bug
that the kernel's code can have is put into a copy of the files that it changes: the test made from its program
has to fail there, and to pass without. Reports: build/report/kunit.json."""
import time

import arguments
import kunit_in_tree
import kunit_judge
import kunit_kernel
import kunit_prove
import kunit_suite
import kunit_tests
import packages
import paths
import report

SUMMARY = "run KUnit tests in a kernel of yours, under QEMU"
PACKAGES = packages.KUNIT
# A test takes milliseconds, and in a kernel that checks itself some ten times as long.
TIMEOUT = 120
TIMEOUT_KASAN = 600


def add_arguments(p):
    p.add_argument("tests", nargs="*", metavar="FILE|DIR", help="tests (default: kunit-port/smoke and "
                   "kunit-port/suite)")
    p.add_argument("--kernel", metavar="TREE|6.1", help="a clean source tree of a kernel; it is not written to "
                   "(default: Debian's linux-source-6.12), or the version of Debian's")
    p.add_argument("--prove", action="store_true", help="show that each known bug's test fails with the bug and "
                   "passes without")
    p.add_argument("--bug", action="append", metavar="NAME", help="with --prove: this one only; may be repeated")
    p.add_argument("--kasan", action="store_true", help="a kernel that checks itself as well: KASAN, PROVE_LOCKING, "
                   "PROVE_RCU")
    p.add_argument("--in-tree", action="store_true", help="print the patch that makes the tests part of the kernel's "
                   "tree, and leave the folder that goes with it in build/kunit/in-tree")
    p.add_argument("--timeout", type=arguments.whole, metavar="SECONDS",
                   help=f"what the kernel has to be done in (default: {TIMEOUT}, with --kasan {TIMEOUT_KASAN})")


def table(cases):
    """One line for each suite."""
    rows = {}
    for case in cases:
        rows.setdefault(case.suite, []).append(case)
    for suite, found in sorted(rows.items()):
        bad = [c for c in found if c.bad]
        skipped = sum(c.state == "skip" for c in found)
        print(f"{suite:40} {len(found) - len(bad) - skipped:4} passed {len(bad):4} failed {skipped:4} skipped")


def explain(cases, problems):
    for case in cases:
        if case.bad:
            print(f"\n{case.suite}.{case.name}: {case.state}")
            print("\n".join("    " + w for w in case.words[:20]))
    for problem in problems:
        print("\nproblem: " + problem)


def as_json(case):
    return {"suite": case.suite, "case": case.name, "state": case.state, "rules": case.rules()}


def run(args):
    if args.bug and not args.prove:
        raise paths.Failure("--bug: expected --prove with it", status=2)
    tests = kunit_tests.files(args.tests)
    tree = kunit_kernel.tree_of(args.kernel)
    if not args.tests:
        tests = kunit_suite.of(tree, tests, args.jobs)
    if args.in_tree:
        return kunit_in_tree.run(tree, tests)
    timeout = args.timeout or (TIMEOUT_KASAN if args.kasan else TIMEOUT)
    kernel = kunit_kernel.Kernel(tree, args.jobs, args.kasan)
    if args.prove:
        return kunit_prove.run(kernel, tests, args.bug, timeout)

    begun, new = time.monotonic(), kernel.new()
    built = kernel.build(tests)
    wanted = kunit_tests.wanted(tests)
    text, late, ran = kernel.run(timeout)
    cases, problems = kunit_judge.judge(text, wanted, late)
    failed = sum(c.bad for c in cases)
    table(cases)
    explain(cases, problems)
    figures = {"cases": len(cases), "failed": failed, "build_s": round(built, 1), "run_s": round(ran, 1),
               "first_s" if new else "changed_s": round(time.monotonic() - begun, 1)}
    print(f"\nkunit: {kernel.tree}: {len(cases)} tests, {failed} failed, {len(problems)} problems; built in "
          f"{built:.0f} s, run in {ran:.0f} s; all that the kernel said: {paths.shown(kernel.log)}")
    path = report.write(kernel.report, not failed and not problems, merged(kernel, figures), problems=problems,
                        kernel=kernel.tree, results=[as_json(c) for c in cases])
    print("report: " + path)
    return 1 if failed or problems else 0


def merged(kernel, figures):
    """With what an earlier run has measured: a first build is rare, and --prove is another run."""
    before = (report.read(kernel.report) or {}).get("figures", {})
    return {**{k: before[k] for k in ("first_s", "changed_s", "rows", "proven", "proven_c_pct") if k in before},
            **figures}
