# SPDX-License-Identifier: GPL-2.0-only
"""build/report/NAME.json: the same result for people and for CI."""
import json
import os

import paths


def read(name):
    """What a report says, or None if there is none."""
    try:
        with open(os.path.join(paths.BUILD, "report", name + ".json"), encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def put(path, text):
    """Writes a file wholly or not at all, whatever ends the process; returns its path as a user would
    type it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{os.getpid()}"
    with open(new, "w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    os.replace(new, path)
    return paths.shown(path)


def write(name, ok, figures, **detail):
    """Writes a report; returns its path as a user would type it."""
    about = {"ok": bool(ok), "figures": figures, **detail}
    return put(os.path.join(paths.BUILD, "report", name + ".json"), json.dumps(about, indent=2) + "\n")
