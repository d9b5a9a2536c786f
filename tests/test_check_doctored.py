#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# tdp-test: timeout=600
"""Doctored copies of a kernel's logs are rejected, with file, line and rule.

Each doctoring of tests/log_doctor.py is applied to each log below that has something to doctor like that,
and there must be one for each.  Then single lines are doctored at random: a change dropped, told twice, at
another level, in another address space, of another page, or with a bit flipped; none may be accepted.

The logs are in TDP_SHARED/data/ftrace, by default ../shared/data/ftrace beside the source tree. Without them
the test counts as skipped."""
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import log_doctor  # noqa: E402

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")
LOGS = os.path.join(os.environ.get("TDP_SHARED", "../shared"), "data", "ftrace")
NAMES = ["demand_paging-2v-thp-nx", "kvm_page_table-2v-thp-counter-kp",
         "kvm_page_table-2v-hugetlb2m-noeager", "memslot_perf-moveactive-counter-kp",
         "nx_huge_pages-counter-kp", "smm_test-counter-kp", "tdp_stress-1v-thp-noslot",
         "tdp_stress-2v-thp-logcollapse-exec"]
RANDOM_LOGS = ["memslot_perf-moveactive-counter-kp", "nx_huge_pages-counter-kp",
               "tdp_stress-2v-thp-logcollapse-exec"]
RANDOM_EACH = 12
SKIPPED = 77


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


def flip(rng, line, field):
    return re.sub(field + r" ([0-9a-f]+)", lambda m: f"{field} {int(m[1], 16) ^ 1 << rng.randrange(64):x}",
                  line)


RANDOM = {
    "dropped": lambda rng, line: [],
    "told twice": lambda rng, line: [line, line],
    "bit of old": lambda rng, line: [flip(rng, line, "old_spte")],
    "bit of new": lambda rng, line: [flip(rng, line, "new_spte")],
    "level": lambda rng, line: [re.sub(r"level (\d)", lambda m: f"level {int(m[1]) % 4 + 1}", line)],
    "gfn": lambda rng, line: [re.sub(r"gfn ([0-9a-f]+)", lambda m:
                                     f"gfn {int(m[1], 16) ^ 1 << rng.randrange(20):x}", line)],
    "address space": lambda rng, line: [re.sub(r"as id (\d)", lambda m: f"as id {1 - int(m[1])}", line)],
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
    if not os.path.isdir(LOGS):
        print(f"SKIP: no logs in {os.path.abspath(LOGS)}: set TDP_SHARED to the directory that has "
              "data/ftrace")
        return SKIPPED
    logs = {name: log_doctor.read(os.path.join(LOGS, name + ".trace.xz")) for name in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "doctored.trace")
        return doctored(path, logs) | at_random(path, logs)


if __name__ == "__main__":
    sys.exit(main())
