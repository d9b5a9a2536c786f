#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""Recorded logs of the real TDP MMU (tests/recorded_logs.py) are accepted by tdp check: all of
them, in one go."""
import os
import re
import subprocess
import sys

import recorded_logs

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")
EXPECTED_CHANGES = 315943       # of SPTEs, by the logs' own lists of what is in them
LEAST_ENDS = (150, 90, 20)      # of unmaps, zaps of roots, VMs: what the probes of ten logs show
KNOWN = {"refault-d", "mmio-leaf", "takes-write"}


def main():
    logs = recorded_logs.find()
    if not logs:
        return recorded_logs.SKIPPED
    done = subprocess.run([TDP, "check", *logs], capture_output=True, text=True)
    print(done.stdout + done.stderr)
    heads = re.findall(r": \d+ events, (\d+) changes of SPTEs, \d+ roots?: (\d+) violations?$", done.stdout,
                       re.M)
    ends = re.findall(r"ends checked: (\d+) of unmaps, (\d+) of zaps of roots, (\d+) of VMs$", done.stdout,
                      re.M)
    known = set(re.findall(r"^  \d+ ([a-z-]+): docs/check.md$", done.stdout, re.M))
    wrong = []
    if done.returncode or done.stderr or "broken" in done.stdout:
        wrong.append(f"exit {done.returncode}, expected 0 and no violation")
    if len(heads) != recorded_logs.COUNT or any(violations != "0" for _, violations in heads):
        wrong.append(f"{len(heads)} logs without a violation, expected {recorded_logs.COUNT}")
    if sum(int(changes) for changes, _ in heads) != EXPECTED_CHANGES:
        wrong.append(f"expected {EXPECTED_CHANGES} changes")
    if any(sum(map(int, column)) < least for column, least in zip(zip(*ends), LEAST_ENDS)):
        wrong.append(f"expected at least {LEAST_ENDS} ends checked")
    if not known <= KNOWN:
        wrong.append(f"known: {known - KNOWN}, which docs/check.md does not explain")
    for text in wrong:
        print("FAIL: " + text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
