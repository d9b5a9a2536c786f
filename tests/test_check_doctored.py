#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# tdp-test: timeout=600
"""Doctored copies of a kernel's logs (tests/recorded_logs.py) are rejected, with file, line and rule.

Each doctoring of tests/log_doctor.py is applied to each log below that has something to doctor like that,
and there must be one for each.  Then single lines are doctored at random: a change dropped, told twice, at
another level, in another address space, of another page, or with a bit flipped; none may be accepted.
"""
import os
import random
import re
import subprocess
import sys
import tempfile

import log_doctor
import recorded_logs

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")
NAMES = ["demand_paging-2v-thp-nx", "kvm_page_table-2v-thp-counter-kp",
         "kvm_page_table-2v-hugetlb2m-noeager", "memslot_perf-moveactive-counter-kp",
         "nx_huge_pages-counter-kp", "smm_test-counter-kp", "tdp_stress-1v-thp-noslot",
         "tdp_stress-2v-thp-logcollapse-exec"]
RANDOM_LOGS = ["memslot_perf-moveactive-counter-kp", "nx_huge_pages-counter-kp",
               "tdp_stress-2v-thp-logcollapse-exec"]
RANDOM_EACH = 12


def check(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return subprocess.run([TDP, "check", "--quiet", "--all", path], capture_output=True, text=True)


def doctored(path, logs):
    failed = 0
    for name, (rule, _) in log_doctor.DOCTORINGS.items():
        used = []
        for log, original in logs.items():
            lines = list(original)
            try:
                _, line = log_doctor.doctor(name, lines)
            except log_doctor.NotHere:
                continue
            used.append(log)
            done = check(path, lines)
            place = re.escape(f"{path}:{line}:") if line else re.escape(path) + r":\d+:"
            if done.returncode != 1 or not re.search(f"^{place} rule {rule} broken: ", done.stdout, re.M):
                print(f"FAIL: {name} in {log}: expected rule {rule} at line {line or '(any)'}, exit 1; found "
                      f"exit {done.returncode}\n{done.stdout[:1000]}{done.stderr}")
                failed = 1
        print(f"{rule} {name:28} {len(used)} logs")
        if not used:
            print(f"FAIL: {name}: no log has anything to be doctored like that")
            failed = 1
    return failed


def flip(rng, line, word, bits):
    return log_doctor.number(line, word, lambda value: value ^ 1 << rng.randrange(bits))


RANDOM = {
    "dropped": lambda rng, line: [],
    "told twice": lambda rng, line: [line, line],
    "bit of old": lambda rng, line: [flip(rng, line, "old_spte", 64)],
    "bit of new": lambda rng, line: [flip(rng, line, "new_spte", 64)],
    "level": lambda rng, line: [log_doctor.number(line, "level", lambda level: level % 4 + 1)],
    "gfn": lambda rng, line: [flip(rng, line, "gfn", 20)],
    "address space": lambda rng, line: [log_doctor.number(line, "as id", lambda as_id: 1 - as_id)],
}


def at_random(path, logs):
    rng = random.Random(5)
    failed = 0
    for log in RANDOM_LOGS:
        lines = logs[log]
        places = [n for n, line in enumerate(lines) if "kvm_tdp_mmu_spte_changed: " in line]
        for what, change in RANDOM.items():
            for _ in range(RANDOM_EACH):
                at = rng.choice(places)
                done = check(path, lines[:at] + change(rng, lines[at]) + lines[at + 1:])
                if done.returncode != 1 or " broken: " not in done.stdout:
                    print(f"FAIL: {log}:{at + 1}: {what}: exit {done.returncode}, expected 1\n{lines[at]}\n"
                          f"{done.stdout[:1000]}{done.stderr}")
                    failed = 1
    print(f"{len(RANDOM_LOGS) * len(RANDOM) * RANDOM_EACH} lines doctored at random")
    return failed


def main():
    if not recorded_logs.find():
        return recorded_logs.SKIPPED
    logs = {name: log_doctor.read(recorded_logs.path(name)) for name in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "doctored.trace")
        return doctored(path, logs) | at_random(path, logs)


if __name__ == "__main__":
    sys.exit(main())
