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


def write(name, ok, figures, **detail):
    """Writes a report; returns its path as a user would type it."""
    folder = os.path.join(paths.BUILD, "report")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + ".json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"ok": bool(ok), "figures": figures, **detail}, f, indent=2)
        f.write("\n")
    return paths.shown(path)
