#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Test of a known bug: its program shows it where it is, by one of its rules, and is clean elsewhere.

usage: check.py PATCH PROGRAM BUG-NAME TDP

BUG-NAME is the program of that name with the bug in it, TDP the tdp command without. The program has
to run into the code that is wrong, and something has to go wrong there. Without the bug the point of
a choice need not come.
"""
import re
import subprocess
import sys

import plant


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace")
    return done.returncode, done.stdout


def wrong_with_bug(bug, program, with_bug):
    status, output = run(with_bug, program)
    said = set(re.findall(r"^bug: (\w+)", output, re.MULTILINE))
    missing = {"reached", "triggered", "detected"} - said
    if status == 1 and not missing:
        return None
    if status > 1 or status < 0:
        return f"{with_bug} {program} ended with status {status}:\n{output}"
    return (f"{bug.name} was not {' and not '.join(sorted(missing))}; one of the rules {bug.rules} "
            f"was to be broken:\n{output}")


def wrong_without(program, tdp):
    status, output = run(tdp, "run", "-q", program)
    if status == 2 and "broken" not in output:
        complaints = [line for line in output.splitlines() if "never comes" not in line]
        return "\n".join(complaints) or None
    return output if status else None


def main(arguments):
    if len(arguments) != 4:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    patch, program, with_bug, tdp = arguments
    try:
        bug = plant.Bug(patch)
    except (plant.BadPatch, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    bad = 0
    for what, wrong in (("with the bug", wrong_with_bug(bug, program, with_bug)),
                        ("without the bug", wrong_without(program, tdp))):
        if wrong:
            print(f"FAILED {what}: {wrong}")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
