# SPDX-License-Identifier: GPL-2.0-only
"""Where things are, and the one exception that commands fail with."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Everything that is made goes here; TDP_BUILD_ROOT moves it out of the source tree.
BUILD = os.path.abspath(os.environ.get("TDP_BUILD_ROOT") or os.path.join(ROOT, "build"))


class Failure(Exception):
    """Ends the command: the message for the user, and the exit status."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def shown(path):
    """The path as the user would type it in the source tree."""
    relative = os.path.relpath(path, ROOT)
    return path if relative.startswith("..") else relative
