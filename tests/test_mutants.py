# SPDX-License-Identifier: GPL-2.0-only
"""The build that holds all mutants is the library if none is chosen; a sample of them is judged."""
# tdp-test: plain-only
# tdp-test: timeout=600
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.join("tools", "dev"))
import mutants  # noqa: E402


def hashes(tdp, programs):
    # Of a program for another library a choice may never come: status 2.
    return subprocess.run([tdp, "run", "--quiet", "--hash", *programs], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout.splitlines()


def main():
    build = os.environ["TDP_BUILD"]
    if not os.path.exists(os.path.join(build, "tdp-mutants")):
        print("no clang-19, no mutants")
        return 77
    programs = sorted(glob.glob("corpus/*/*.tdp"))
    library = hashes(os.path.join(build, "tdp"), programs)
    unmutated = hashes(os.path.join(build, "tdp-unmutated"), programs)
    if library != unmutated or len(library) < len(programs):
        for one, other in zip(library, unmutated):
            if one != other:
                print(f"the library: {one}\nunmutated:   {other}")
        return 1
    return mutants.judge(build, 1, quick=True)


if __name__ == "__main__":
    sys.exit(main())
