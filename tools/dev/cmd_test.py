# SPDX-License-Identifier: GPL-2.0-only
"""Builds with gcc and with clang's ASan+UBSan, and runs every test in both builds; then the tests on real
threads under TSan.

The last line counts all the tests in ctest's own words. Report: build/report/test.json."""
import os
import re
import time

import builds
import live
import packages
import paths
import report
import upstream

SUMMARY = "build and run every test, plain and under ASan+UBSan"
PACKAGES = (packages.BUILD + packages.CLANG + packages.BUGS + packages.BROWSER
            + packages.CROSS + packages.KERNEL + packages.PATCH)
PRESETS = ["plain", "asan"]
# More builds of tdp whose runs the test "determinism" compares with those of the build under test.
COMPARED = ["clang"]
# Tests on real threads: TSan is what sees an access that nothing orders.
WATCHED, WATCHED_TARGET, WATCHED_TESTS = "tsan", "native-tests", "^native-"

CLOSING = re.compile(r"^\d+% tests passed, (\d+) tests failed out of (\d+)")
RESULT = re.compile(r"^\s*\d+/\d+ Test\s+#\d+: (\S+) \.*\s*(.*?)\s+[\d.]+ sec")


def add_arguments(p):
    p.add_argument("-R", "--only", metavar="REGEX", help="only tests whose name matches")
    p.add_argument("--preset", action="append", choices=PRESETS + ["clang", "gcc-asan"],
                   help="in this build only (may be repeated)")


def ctest(preset, jobs, only, targets=()):
    """Runs one build's tests, or those whose name matches `only`; returns (run, failed, names of the failed,
    of the skipped)."""
    where = builds.build(preset, jobs, targets)
    command = ["ctest", "--test-dir", where, "--output-on-failure", "-j", str(jobs)]
    if only:
        command += ["-R", only]
    total = failed = 0
    wrong, skipped = [], []
    with live.start(command) as process:
        for line in live.lines_of(process):
            if line is None:
                continue
            print(line, flush=True)
            closing = CLOSING.match(line)
            if closing:
                failed, total = int(closing[1]), int(closing[2])
            result = RESULT.match(line)
            if result and "Skipped" in result[2]:
                skipped.append(f"{preset}/{result[1]}")
            elif result and "Passed" not in result[2]:
                wrong.append(f"{preset}/{result[1]}")
    if process.returncode and not failed:
        raise paths.Failure(f"ctest itself failed in {paths.shown(where)}")
    return total, failed, wrong, skipped


def run(args):
    begun = time.monotonic()
    total = failed = 0
    wrong, skipped = [], []
    upstream.unpack("6.12")
    if not args.preset:
        for preset in COMPARED:
            builds.build(preset, args.jobs, ["tdp"])
    runs = [(preset, args.only, ()) for preset in args.preset or PRESETS]
    if not args.preset and not args.only:
        runs.append((WATCHED, WATCHED_TESTS, [WATCHED_TARGET]))
    for preset, only, targets in runs:
        ran, bad, names, left_out = ctest(preset, args.jobs, only, targets)
        total, failed = total + ran, failed + bad
        wrong, skipped = wrong + names, skipped + left_out
    if not total:
        raise paths.Failure("no test ran" + (f": none matches '{args.only}'" if args.only else ""),
                            status=2 if args.only else 1)
    seconds = round(time.monotonic() - begun, 1)
    path = report.write("test", not failed,
                        {"tests": total, "failed": failed, "skipped": len(skipped),
                         "seconds": seconds},
                        failed=wrong, skipped=skipped)
    print(f"\nreport: {path}")
    for name in skipped:
        print(f"skipped, for lack of what it needs: {name}")
    for name in wrong:
        preset, test = name.split("/", 1)
        print(f"failed: {test}; again with: ctest --test-dir "
              f"{paths.shown(os.path.join(paths.BUILD, preset))} --output-on-failure -R '^{test}$'")
    percent = 100 * (total - failed) // total
    print(f"{percent}% tests passed, {failed} tests failed out of {total}", flush=True)
    return 1 if failed else 0
