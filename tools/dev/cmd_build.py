# SPDX-License-Identifier: GPL-2.0-only
"""Builds one or more presets of CMakePresets.json into build/PRESET.

Programs land at the top of that folder: build/plain/tdp, build/asan/test_program, ..."""
import argparse

import builds
import packages

SUMMARY = "build presets (default: plain)"
PACKAGES = packages.BUILD + packages.CLANG


def known(name):
    if name not in builds.presets():
        raise argparse.ArgumentTypeError(
            f"no preset '{name}'; there are: " + ", ".join(builds.presets()))
    return name


def add_arguments(p):
    p.add_argument("preset", nargs="*", default=["plain"], type=known, metavar="PRESET",
                   help="any of: " + ", ".join(f"{name} ({what})"
                                               for name, what in builds.presets().items()))


def run(args):
    for preset in args.preset:
        builds.build(preset, args.jobs)
    return 0
