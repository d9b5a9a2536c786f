#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# tdp-test: timeout=600
"""Recorded logs of the real TDP MMU (tests/recorded_logs.py) against their replays, SPTE by SPTE.

Imports each log in full, replays it under the oracle and compares what every SPTE went through
(tdp import --verify, docs/import.md).  A difference that has no reason fails the test; so does a replay
that breaks a rule, a share of unexplained order (races) that is more than an exception, and a program in
corpus/imported that is not what the log gives.

"""
import glob
import os
import re
import subprocess
import sys

import recorded_logs

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")

# Shares of all classes compared, in percent.  The rest of what is not the same are D bits that a second
# fault cleared, which one thread at a time cannot do, and their 512 copies in each split.
LEAST_SAME = 95.0
MOST_RACES = 1.0

HEAD = re.compile(r"(\d+) SPTE classes recorded, (\d+) replayed, (\d+) the same: ([\d.]+)%")
REASON = re.compile(r"^ +(\d+) ([a-z-]+) ")


def verify(log, vm):
    """(status, output, classes compared, classes the same, {reason: count})"""
    done = subprocess.run([TDP, "import", log, "--verify", "--quiet", "--vm", str(vm)],
                          capture_output=True, text=True)
    head = HEAD.search(done.stdout)
    if not head:
        return done.returncode or 1, done.stdout + done.stderr, 0, 0, {}
    reasons = {}
    for line in done.stdout.splitlines()[1:]:
        reason = REASON.match(line)
        if reason:
            reasons[reason.group(2)] = int(reason.group(1))
    recorded, replayed, same = (int(head.group(n)) for n in (1, 2, 3))
    return done.returncode, done.stdout + done.stderr, recorded + replayed, 2 * same, reasons


def controls():
    """The comparison must notice a VM that is not the recorded one: (log, what is changed)."""
    failed = 0
    for name, option in (("nx_huge_pages-counter-kp", "nx_huge_pages=off"),
                         ("nx_huge_pages_1g", "fault_policy=zap"),
                         ("dirty_log_perf-1v-hugetlb2m-noeager", "eager_split=on")):
        log = recorded_logs.path(name)
        done = subprocess.run([TDP, "import", log, "--verify", "--quiet", "--vm-option", option],
                              capture_output=True, text=True)
        if done.returncode != 1 or " unnamed " not in done.stdout:
            print(f"FAIL: {name} with {option}: exit {done.returncode}, expected 1 and differences "
                  f"without a reason\n{done.stdout}{done.stderr}")
            failed = 1
    return failed


def corpus():
    """corpus/imported holds what tdp import makes of the logs, as each program says at its top."""
    failed = 0
    for path in sorted(glob.glob("corpus/imported/*.tdp")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        made = re.search(r"^# Made by tdp import(.*) of this log:$", text, re.M)
        log = recorded_logs.path(os.path.basename(path).removesuffix(".tdp"))
        done = subprocess.run([TDP, "import", log, "--quiet", *(made.group(1).split() if made else [])],
                              capture_output=True, text=True)
        if not made or done.stdout[done.stdout.find("tdp 1\n"):] != text[text.find("tdp 1\n"):]:
            print(f"FAIL: {path} is not what tdp import makes of its log\n{done.stderr}")
            failed = 1
    return failed


def main():
    logs = recorded_logs.find()
    if not logs:
        return recorded_logs.SKIPPED
    failed = controls() | corpus()
    if len(logs) != recorded_logs.COUNT:
        print(f"FAIL: {len(logs)} logs in {recorded_logs.FOLDER}, expected {recorded_logs.COUNT}")
        failed = 1
    all_classes = all_same = races = vms = 0
    for log in logs:
        name = recorded_logs.name(log)
        listing = subprocess.run([TDP, "import", "--list", log], capture_output=True, text=True)
        nr_vms = len(re.findall(r"^vm \d+:", listing.stdout, re.M))
        if not nr_vms:
            print(f"FAIL: {name}: no VM\n{listing.stdout}{listing.stderr}")
            failed = 1
        for vm in range(nr_vms):
            status, output, classes, same, reasons = verify(log, vm)
            where = f"{name} vm {vm}" if nr_vms > 1 else name
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
            rate = 100 * same / classes if classes else 0
            print(f"{where:60} {rate:6.2f}% of {classes} {'(' + why + ')' if why else ''}")
            if status:
                print(f"FAIL: {where}:\n{output}")
                failed = 1
            all_classes += classes
            all_same += same
            races += reasons.get("race", 0)
            vms += 1
    if all_classes:
        rate, raced = 100 * all_same / all_classes, 100 * races / all_classes
        print(f"{len(logs)} logs, {vms} VMs: {rate:.2f}% of {all_classes} classes the same, "
              f"{raced:.2f}% in races")
        if rate < LEAST_SAME or raced > MOST_RACES:
            print(f"FAIL: expected at least {LEAST_SAME}% the same and at most {MOST_RACES}% in races")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
