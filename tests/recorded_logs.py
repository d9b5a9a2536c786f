# SPDX-License-Identifier: GPL-2.0-only
"""Where the recorded logs of a real TDP MMU are: TDP_SHARED/data/ftrace, by default ../shared/data/ftrace
beside the source tree. A test that needs them counts as skipped without them, and says so."""
import glob
import os

FOLDER = os.path.join(os.environ.get("TDP_SHARED", "../shared"), "data", "ftrace")
COUNT = 27
SKIPPED = 77
END = ".trace.xz"


def path(name):
    return os.path.join(FOLDER, name + END)


def name(log):
    return os.path.basename(log).removesuffix(END)


def find():
    """The paths of all logs; of none, with a word about it."""
    logs = sorted(glob.glob(path("*")))
    if not logs:
        print(f"SKIP: no logs in {os.path.abspath(FOLDER)}: set TDP_SHARED to the directory that has "
              "data/ftrace")
    return logs
