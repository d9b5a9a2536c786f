# SPDX-License-Identifier: GPL-2.0-only
"""The project's own files."""
import os
import subprocess

import paths


def listed(*suffixes):
    """Sorted paths, relative to the source tree, of files with these suffixes."""
    names = tracked() or walked()
    return sorted(n for n in set(names)
                  if n.endswith(suffixes) and os.path.exists(os.path.join(paths.ROOT, n)))


def tracked():
    """What git knows or would add; nothing where git or its folder is missing."""
    try:
        done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=paths.ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines()


def walked():
    """All files, for a tree that came as a tarball."""
    names = []
    for where, folders, files in os.walk(paths.ROOT):
        folders[:] = [f for f in folders if f not in (".git", "build", "__pycache__")]
        names += [os.path.relpath(os.path.join(where, f), paths.ROOT) for f in files]
    return names
