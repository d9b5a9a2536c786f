# SPDX-License-Identifier: GPL-2.0-only
"""Builds the kernel's own TDP MMU out of a kernel tree, in userspace, and runs the corpus on it with the
oracle watching. What the oracle is known to find in that kernel (docs/findings) is named; anything
else is new, and is printed with the command that replays it.

The tree is only read. After this, `tdp run --backend=upstream`, `tdp explore` and `tdp shrink` work
on it too, and with --fuzz the fuzz targets run on it for a while. With --diff, made-up programs run both
on it, with the findings put right around it, and on libtdp: after each call both must be in the same
state. Reports: build/report/upstream.json, upstream-fuzz.json and diff.json."""
import hashlib
import os
import re

import arguments
import builds
import cmd_fuzz
import debian_kernel
import fuzz_run
import live
import packages
import paths
import report
import upstream
import upstream_diff

SUMMARY = "build the kernel's own TDP MMU, and run the corpus on it"
PACKAGES = packages.BUILD
PRESET = "plain"
# About a minute.
PROGRAMS = 200000

# What compilers and linkers say of a tree that the shims do not fit.
UNKNOWN = [re.compile(r"implicit declaration of function .(\w+)."),
           re.compile(r"call to undeclared function '(\w+)'"),
           re.compile(r"use of undeclared identifier '(\w+)'"),
           re.compile(r".(\w+). undeclared"),
           re.compile(r"unknown type name .(\w+)."),
           re.compile(r"no member named .(\w+)."),
           re.compile(r"undefined reference to `(\w+)'"),
           re.compile(r"(?:too (?:few|many) arguments|conflicting types).* .(\w+).")]


def add_arguments(p):
    p.add_argument("--kernel", metavar="TREE", default=upstream.DEFAULT,
                   help="a kernel's source tree, or the version of a Debian package linux-source-VERSION, or "
                        f"{debian_kernel.NEWEST_KERNEL}: Debian's newest, from {debian_kernel.NEWEST}; "
                        "fetched if need be, without touching the system's apt (default: "
                        f"{upstream.DEFAULT}, whose package is installed)")
    p.add_argument("--fuzz", type=arguments.whole, metavar="SECONDS",
                   help="then fuzz it, so long in all, as ./dev fuzz does libtdp")
    p.add_argument("--seed", type=arguments.whole, default=1, metavar="N",
                   help="of --fuzz's and --diff's random numbers (default: %(default)s)")
    p.add_argument("--continue", action="store_true", dest="resume",
                   help="--fuzz starts from what earlier runs kept too")
    p.add_argument("--diff", action="store_true",
                   help="then compare libtdp with it: the same programs on both")
    p.add_argument("--programs", type=arguments.whole, metavar="N", default=PROGRAMS,
                   help="how many --diff makes up, besides the corpus (default: %(default)s)")


def tree_of(kernel):
    """The tree that --kernel names."""
    if kernel == debian_kernel.NEWEST_KERNEL or re.fullmatch(r"\d+\.\d+", kernel):
        packages.ensure(packages.KERNEL if kernel == upstream.DEFAULT else ["xz-utils"])
        return upstream.unpack(kernel) or upstream.fetch(kernel)
    if not os.path.isfile(os.path.join(kernel, "arch/x86/kvm/mmu/tdp_mmu.c")):
        raise paths.Failure(f"--kernel: expected a kernel tree, a version as in '{upstream.DEFAULT}', or "
                            f"'{debian_kernel.NEWEST_KERNEL}', found '{kernel}': it has no "
                            "arch/x86/kvm/mmu/tdp_mmu.c", status=2)
    return os.path.realpath(kernel)


def misfit(tree, failure):
    """The same failure, with what the shims lack for this tree, as far as can be told."""
    said = str(failure)
    refused = re.search(r"^upstream: .*?^(?=ninja: |FAILED: )", said + "\nninja: ", re.M | re.S)
    if refused:
        return paths.Failure(refused[0].rstrip(), status=2)
    lacking = sorted({found[1] for pattern in UNKNOWN for found in pattern.finditer(said)})
    if not lacking:
        return failure
    where = "kunit-port/upstream"
    return paths.Failure(
        f"{said}\n\n{tree} does not fit the shims. They do not know, or know otherwise: "
        f"{', '.join(lacking)}.\nA function of the tree's mmu.c or x86.c, or a type, goes into "
        f"{where}/manifest; what is to be faked into {where}/kernel_*.h; a member of struct kvm or "
        f"kvm_vcpu into {where}/host.h; what differs between versions into {where}/versions.h.",
        status=2)


def build(tree, preset, jobs, targets, defines=()):
    """Builds targets for a tree; returns the folder."""
    default = os.path.join(upstream.CACHE, f"linux-source-{upstream.DEFAULT}")
    where = None
    if os.path.realpath(default) != os.path.realpath(tree):
        name = f"{os.path.basename(tree)}-{hashlib.sha256(tree.encode()).hexdigest()[:8]}"
        where = os.path.join(paths.BUILD, "upstream", name, preset)
    try:
        return builds.build(preset, jobs, targets, where, [f"TDP_UPSTREAM_TREE={tree}", *defines])
    except paths.Failure as failure:
        raise misfit(tree, failure) from None


def replay(tdp, version):
    """Runs the corpus; returns figures, and what is new."""
    known = upstream.known(version)
    names = upstream.programs()
    figures = {"programs": len(names), "known": 0, "new": 0, "gone": 0, "skipped": 0}
    new, status = [], live.Status()
    for done, name in enumerate(names, 1):
        rule, said = upstream.replay(tdp, name)
        expected = known.get(name, (None, None))
        if rule == upstream.CANNOT:
            figures["skipped"] += 1
        elif rule == expected[0]:
            figures["known"] += rule is not None
        elif rule is None:
            figures["gone"] += 1
            status.note(f"{name}: {expected[1]} is not found in this tree")
        else:
            figures["new"] += 1
            new.append({"program": name, "rule": rule})
            status.note(f"{said.rstrip()}\n  replay: {paths.shown(tdp)} run --trace corpus/{name}")
        status.update(f"upstream: {done} of {len(names)} programs, {figures['new']} new violations")
    status.clear()
    return figures, new


def fuzz(tree, args):
    """Runs the fuzz targets; returns the number of findings."""
    def build_on(preset, jobs, targets):
        return build(tree, preset, jobs, targets)

    name = "-upstream-repaired"
    tdp = builds.program(build_on(PRESET, args.jobs, ["tdp" + name]), "tdp" + name)
    return cmd_fuzz.fuzz_all(cmd_fuzz.shared_out(args.fuzz, cmd_fuzz.BY_DEFAULT), args,
                             "upstream-fuzz", fuzz_run.Library(name, build_on, tdp, upstream.RACES))


def diff(tree, args):
    """Compares with libtdp; returns the number of differences."""
    zaps = upstream_diff.tree_that_zaps(tree)
    where = build(tree, PRESET, args.jobs, ["fuzz_diff", "fuzz_diff-zap", "tdp"],
                  [f"TDP_UPSTREAM_ZAP_TREE={zaps}"])
    programs = [builds.program(where, name) for name in ("fuzz_diff", "fuzz_diff-zap")]
    return upstream_diff.compare(programs, args.programs, args.seed, args.jobs,
                                 builds.program(where, "tdp"))


def run(args):
    tree = tree_of(args.kernel)
    version = upstream.version_of(tree)
    where = build(tree, PRESET, args.jobs, ["tdp", "tdp-upstream", "tdp-upstream-repaired"])
    tdp = builds.program(where, "tdp-upstream")
    figures, new = replay(tdp, version)
    print(f"upstream: Linux {version or 'of unknown version'}, {tree}: {figures['programs']} programs: "
          f"{figures['new']} new violations, {figures['known']} known ones (docs/findings), "
          f"{figures['gone']} known ones gone, {figures['skipped']} that this code cannot run")
    found = fuzz(tree, args) if args.fuzz else 0
    found += diff(tree, args) if args.diff else 0
    print("report: " + report.write("upstream", not new and not found, figures, new=new,
                                    version=version))
    return 1 if new or found else 0
