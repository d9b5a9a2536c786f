# SPDX-License-Identifier: GPL-2.0-only
"""What fuzzers found, corpus/found: as canonical as if it had been written by hand, with a line that says what it
is, and clean by the target that it is for."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import seeds  # noqa: E402

BUILD = os.environ["TDP_BUILD"]
TDP = os.path.join(BUILD, "tdp")
FOUND = os.path.join(seeds.CORPUS, "found")


def without_comment(path):
    """The text of a program; its first lines have to be comments."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines(keepends=True)
    said = [line for line in lines if line.startswith("# ")]
    assert said and lines[:len(said)] == said, f"{path}: expected comments at its top, and nowhere else"
    return "".join(lines[len(said):])


def main():
    for folder in sorted(os.listdir(FOUND)):
        listed = sorted(os.path.join(FOUND, folder, name)
                        for name in os.listdir(os.path.join(FOUND, folder)))
        with tempfile.TemporaryDirectory() as work:
            inputs = []
            for path in listed:
                inputs.append(os.path.join(work, os.path.basename(path)))
                text = without_comment(path)
                if path.endswith(".hex"):
                    with open(inputs[-1], "wb") as f:
                        f.write(seeds.from_hex(path))
                    continue
                said = subprocess.run([TDP, "convert", path], check=True, capture_output=True,
                                      text=True).stdout
                assert said == text, f"{path}: expected canonical text:\n{said}"
                seeds.to_binary(path, TDP, inputs[-1])
            done = subprocess.run([os.path.join(BUILD, folder), *inputs], capture_output=True, text=True)
            assert done.returncode == 0, f"{folder} on {FOUND}/{folder}:\n{done.stdout}{done.stderr}"
        print(f"{folder}: {len(listed)} inputs run clean")


main()
