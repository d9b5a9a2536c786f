# SPDX-License-Identifier: GPL-2.0-only
"""./dev: finds the commands beside this file, reads the arguments, runs one.

A command is a file cmd_NAME.py with
    SUMMARY             one line for ./dev --help
    PACKAGES            Debian packages it needs (packages.BUILD and others)
    add_arguments(p)    its options, on an argparse parser
    run(args)           does it; returns the exit status: 0 fine, 1 a finding or failure, 2 bad
                        input
"""
import argparse
import importlib
import os
import sys

import arguments
import packages
import paths


def commands():
    here = os.path.dirname(os.path.abspath(__file__))
    names = sorted(f[4:-3] for f in os.listdir(here)
                   if f.startswith("cmd_") and f.endswith(".py"))
    return {name.replace("_", "-"): importlib.import_module("cmd_" + name) for name in names}


def make_parser(found):
    parser = argparse.ArgumentParser(
        prog="./dev", description="Build, test and fuzz libtdp.", allow_abbrev=False,
        epilog="Each command says more with --help. Reports are left in build/report/.")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in found.items():
        p = sub.add_parser(name, help=module.SUMMARY, description=module.__doc__,
                           formatter_class=argparse.RawDescriptionHelpFormatter,
                           allow_abbrev=False)
        p.add_argument("-j", "--jobs", type=arguments.whole, default=os.cpu_count() or 1,
                       metavar="N", help="processes at a time (default: one per CPU)")
        module.add_arguments(p)
    return parser


def main():
    found = commands()
    args = make_parser(found).parse_args()
    os.chdir(paths.ROOT)
    try:
        packages.ensure(found[args.command].PACKAGES)
        return found[args.command].run(args)
    except paths.Failure as failure:
        print(f"dev: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        print("\ndev: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
