# SPDX-License-Identifier: GPL-2.0-only
"""Runs guests, a VMM and a host on real threads, all on one VM of libtdp, under ThreadSanitizer;
or with --backend=upstream on one of the kernel's own code.

Guests write, read and execute; the VMM migrates, moves and deletes slots, splits, recovers NX pages,
zaps; the host unmaps, moves, ages pages and forms huge ones. What must hold meanwhile is checked where it
happens, and everything else whenever all threads are brought to rest: no write of a guest is lost, no
translation is stale, nothing leaks (docs/stress.md). Interrupted, it ends with the summary.

A report of a sanitizer counts like a violation. Report: build/report/stress.json.

Exit status: 0 nothing wrong, 1 a violation or a sanitizer's report, 2 bad input."""
import json
import os
import re
import signal
import subprocess
import sys

import arguments
import backends
import packages
import paths
import report

SUMMARY = "stress it with real threads, under TSan"
PACKAGES = packages.BUILD + packages.CLANG

# flavour: preset
FLAVOURS = {"tsan": "tsan", "asan": "asan", "plain": "plain"}
SANITIZER = re.compile(r"^(?:WARNING: ThreadSanitizer|==\d+==ERROR: AddressSanitizer|"
                       r"==\d+==ERROR: LeakSanitizer|\S+: runtime error): ?(.*)", re.M)


def add_arguments(p):
    p.add_argument("--seconds", type=arguments.whole, default=60, metavar="N",
                   help="how long (default: %(default)s)")
    p.add_argument("--flavour", default="tsan", metavar="NAME",
                   type=arguments.one_of("flavour", list(FLAVOURS)),
                   help="tsan (default), asan (with UBSan), or plain")
    backends.add_argument(p)
    p.add_argument("--vcpus", type=arguments.whole, default=2, metavar="N",
                   help="vCPUs, 1 to 8 (default: %(default)s)")
    p.add_argument("--memory", type=arguments.whole, default=64, metavar="MIB",
                   help="of the guest (default: %(default)s)")
    p.add_argument("--backing", default="2M", metavar="SIZE",
                   type=arguments.one_of("size", ["4K", "2M", "1G"]),
                   help="largest pages of the host: 4K, 2M or 1G (default: %(default)s)")
    p.add_argument("--vm", action="append", default=[], metavar="KEY=VALUE",
                   help="as on a program's vm line: mmu, ad, nx_huge_pages, ... (may be repeated)")
    p.add_argument("--mix", metavar="WORD,...",
                   help="what is done; build/tsan/tdp-stress --help lists the words (default: everything)")
    p.add_argument("--noise", default="on", metavar="on|off", type=arguments.one_of("noise", ["on", "off"]),
                   help="threads stop at places in the MMU where races might be (default: %(default)s)")
    p.add_argument("--seed", type=arguments.whole, default=1, metavar="N",
                   help="of the random numbers (default: %(default)s)")


def command(program, args, summary):
    line = [program, "--seconds", str(args.seconds), "--vcpus", str(args.vcpus), "--memory",
            str(args.memory), "--backing", args.backing, "--noise", args.noise, "--seed",
            str(args.seed), "--json", summary]
    for key in args.vm:
        line += ["--vm", key]
    if args.mix:
        line += ["--mix", args.mix]
    return line


def run_it(line, log, tsan_options):
    """Exit status and what was said; on the terminal as it comes, in `log` as well."""
    # A race is reported, and the run goes on: one report does not hide the next.
    environment = dict(os.environ, TSAN_OPTIONS="halt_on_error=0 exitcode=66 second_deadlock_stack=1 "
                       + tsan_options + os.environ.get("TSAN_OPTIONS", ""))
    said = []
    with open(log, "w", encoding="utf-8") as file:
        child = subprocess.Popen(line, stderr=subprocess.PIPE, env=environment)
        try:
            while chunk := child.stderr.read1():
                sys.stderr.buffer.write(chunk)
                sys.stderr.flush()
                said.append(chunk)
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            said.append(child.stderr.read())
        status = child.wait()
        text = b"".join(said).decode(errors="replace")
        file.write(text)
    return status, text


def run(args):
    program = backends.program(args, FLAVOURS[args.flavour], "tdp-stress")
    folder = os.path.join(paths.BUILD, "stress")
    os.makedirs(folder, exist_ok=True)
    name = args.flavour if args.backend == backends.LIBTDP else f"{args.flavour}-{args.backend}"
    summary, log = (os.path.join(folder, name + end) for end in (".json", ".log"))
    if os.path.exists(summary):
        os.remove(summary)
    line = command(program, args, summary)
    print(" ".join(map(paths.shown, line)), flush=True)
    status, said = run_it(line, log, backends.tsan_options(args))
    if status == 2:
        return 2
    found = SANITIZER.findall(said)
    figures = {"seconds": 0, "violations": 0, "guest_accesses": 0}
    if os.path.exists(summary):
        with open(summary, encoding="utf-8") as file:
            figures = json.load(file)
    elif not found:
        found = [f"ended with status {status} and no summary"]
    figures["sanitizer_reports"] = len(found)
    ok = not found and not figures["violations"] and status == 0
    path = report.write("stress", ok, figures, backend=args.backend, flavour=args.flavour,
                        seed=args.seed, vm=args.vm, command=" ".join(line), reports=found[:20])
    for one in found[:5]:
        print("sanitizer: " + one)
    if not ok:
        print(f"log: {paths.shown(log)}")
    print(f"report: {path}")
    return 0 if ok else 1
