# SPDX-License-Identifier: GPL-2.0-only
"""Checks the source without running it.

  format   clang-format-19 changes nothing (tools/lint/formatting.py; --fix applies it)
  gcc      builds with gcc-12 without a warning
  clang    builds with clang-19 without a warning
  tidy     clang-tidy-19 finds nothing (checks: .clang-tidy)
  kernel   nothing was pasted from the kernel's source (tools/lint/kernel_copy.py)

Report: build/report/lint.json."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

import arguments
import builds
import live
import packages
import paths
import report
import sources

SUMMARY = "formatting, warnings, clang-tidy, and nothing pasted from the kernel"
PACKAGES = packages.BUILD + packages.CLANG + packages.LINT

GCC = "12"


def written():
    """The sources, less what `tdp kunit` has written, which checkpatch judges (tests/test_kunit.py)."""
    return [f for f in sources.listed(".c", ".h") if not f.startswith("kunit-port/suite/")]


def lint_tool(name, *arguments):
    """Runs tools/lint/NAME over all C files; returns its complaints."""
    tool = os.path.join(paths.ROOT, "tools", "lint", name)
    status, output = live.watch(
        [sys.executable, "-B", tool, *arguments, *written()], name)
    if status > 1:
        raise paths.Failure("\n".join(output), status=2)
    return output if status else []


def check_format(args):
    return lint_tool("formatting.py", *(["--fix"] if args.fix else []))


def check_gcc(args):
    version = subprocess.run(["gcc", "-dumpversion"], capture_output=True, text=True).stdout.strip()
    if version.split(".")[0] != GCC:
        return [f"gcc is version {version}; expected {GCC}, what Debian 12 has"]
    builds.build("plain", args.jobs)
    return []


def check_clang(args):
    builds.build("clang", args.jobs)
    return []


def tidy(where, source):
    done = subprocess.run(["clang-tidy-19", "-p", where, "--quiet", source],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # The notes that follow an error retell how the analyzer got there: too long for here.
    said = [line for line in done.stdout.splitlines() if re.search(r": (error|warning): ", line)]
    if not done.returncode:
        return []
    return said or [f"clang-tidy-19 failed on {paths.shown(source)}"]


def check_tidy(args):
    where = builds.folder("clang")
    builds.configure("clang")
    try:
        with open(os.path.join(where, "compile_commands.json"), encoding="utf-8") as f:
            files = sorted({entry["file"] for entry in json.load(f)
                            if entry["file"].startswith(os.path.join(paths.ROOT, ""))
                            and not entry["file"].startswith(os.path.join(paths.BUILD, ""))})
    except FileNotFoundError:
        return [f"{paths.shown(where)} compiles nothing"]
    status = live.Status()
    found = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for done, lines in enumerate(pool.map(lambda f: tidy(where, f), files), 1):
            found += lines
            status.update(f"tidy: {done} of {len(files)} files")
    status.clear()
    return found


def check_kernel(_args):
    return lint_tool("kernel_copy.py", "--cache", os.path.join(paths.BUILD, "cache"))


CHECKS = {"format": check_format, "gcc": check_gcc, "clang": check_clang, "tidy": check_tidy,
          "kernel": check_kernel}


def add_arguments(p):
    p.add_argument("check", nargs="*", metavar="CHECK", default=list(CHECKS),
                   type=arguments.one_of("check", CHECKS),
                   help="only these: " + ", ".join(CHECKS))
    p.add_argument("--fix", action="store_true", help="let the format check change the files")


def run(args):
    failed = {}
    figures = {}
    for name in args.check:
        begun = time.monotonic()
        try:
            complaints = CHECKS[name](args)
        except paths.Failure as failure:
            if failure.status == 2:
                raise
            complaints = str(failure).splitlines()
        if complaints:
            failed[name] = complaints
            print("\n".join(complaints))
        figures[name + ".seconds"] = round(time.monotonic() - begun, 1)
        print(f"{name}: {'FAILED' if complaints else 'ok'}", flush=True)
    print("report: " + report.write("lint", not failed, figures, failed=failed))
    return 1 if failed else 0
