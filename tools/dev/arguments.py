# SPDX-License-Identifier: GPL-2.0-only
"""Types of command-line arguments, with errors that say what was expected."""
import argparse
import re


def whole(text):
    """A whole number from 1."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1 to 999999999, not '{text}'")
    return int(text)


def hours(text):
    """A number of hours, which may be a fraction: from a second to about a year."""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text) or float(text) * 3600 < 1:
        raise argparse.ArgumentTypeError(
            f"expected hours from 0.0003 to 9999, such as 0.5, not '{text}'")
    return float(text)


def one_of(what, names):
    """The type of arguments that name one of some things."""
    def check(name):
        if name not in names:
            raise argparse.ArgumentTypeError(f"no {what} '{name}'; there are: " + ", ".join(names))
        return name
    return check
