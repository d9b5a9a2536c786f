# SPDX-License-Identifier: GPL-2.0-only
"""Builds one or more presets of CMakePresets.json into build/PRESET.

Programs land at the top of that folder: build/plain/tdp, build/asan/test_program, ..."""
import arguments
import builds
import packages

SUMMARY = "build presets (default: plain)"
PACKAGES = packages.BUILD + packages.CLANG


def add_arguments(p):
    presets = builds.presets()
    p.add_argument("preset", nargs="*", default=["plain"], metavar="PRESET",
                   type=arguments.one_of("preset", presets),
                   help="any of: " + ", ".join(f"{name} ({what})"
                                               for name, what in presets.items()))


def run(args):
    for preset in args.preset:
        builds.build(preset, args.jobs)
    return 0
