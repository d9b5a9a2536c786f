# SPDX-License-Identifier: GPL-2.0-only
"""usage: seeds.py TOP fuzz_NAME TDP OUT.zip: the corpus of a fuzz target, as the target reads it."""
import os
import sys
import tempfile
import zipfile

TOP, NAME, TDP, OUT = sys.argv[1:]
sys.path.insert(0, os.path.join(TOP, "tools", "dev"))

import seeds  # noqa: E402


def main():
    target = NAME.removeprefix("fuzz_")
    most = seeds.MAX_POINTS.get(target, seeds.MAX_POINTS_OTHERS)
    with tempfile.TemporaryDirectory() as work, \
            zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in seeds.files(target):
            seed = os.path.join(work, "seed")
            if path.endswith(".hex"):
                with open(seed, "wb") as f:
                    f.write(seeds.from_hex(path))
            elif seeds.points(path, TDP) > most:
                continue
            else:
                seeds.to_binary(path, TDP, seed)
            # The same archive whenever it is made.
            entry = zipfile.ZipInfo(seeds.name_of(path))
            with open(seed, "rb") as f:
                archive.writestr(entry, f.read(), zipfile.ZIP_DEFLATED)


main()
