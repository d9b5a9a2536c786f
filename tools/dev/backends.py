# SPDX-License-Identifier: GPL-2.0-only
"""Whose MMU a command runs on: --backend."""
import arguments
import builds
import paths
import upstream

# What comes after the first takes the kernel's source, as ./dev upstream unpacks it.
LIBTDP = "libtdp"
BACKENDS = [LIBTDP, "upstream", "upstream-repaired"]


def add_argument(p):
    p.add_argument("--backend", metavar="NAME", default=LIBTDP,
                   type=arguments.one_of("backend", BACKENDS),
                   help=f"whose MMU: {', '.join(BACKENDS)} (docs/upstream.md; default: %(default)s)")


def program(args, preset, name):
    """The program `name` on the MMU that --backend names, built."""
    if args.backend != LIBTDP:
        if not upstream.unpacked():
            raise paths.Failure(f"--backend={args.backend} takes a kernel's source: `./dev upstream` "
                                "unpacks Debian's", status=2)
        name += "-" + args.backend
    return builds.program(builds.build(preset, args.jobs, [name]), name)


def tsan_options(args):
    """What of the backend is known to race, and is not to be reported."""
    return "" if args.backend == LIBTDP else f"suppressions={upstream.RACES} "
