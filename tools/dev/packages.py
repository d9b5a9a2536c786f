# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages: which are missing, and installing them."""
import os
import shutil
import subprocess
import sys

import live
import paths

BUILD = ["cmake", "ninja-build", "gcc", "libc6-dev", "pkg-config", "libcmocka-dev", "liblzma-dev",
         "liburcu-dev", "libboost-context-dev"]
# spatch, which puts known bugs into copies of libtdp.
BUGS = ["coccinelle"]
# libtdp for other CPUs, and what runs it here; the libraries are fetched by cross.py.
CROSS = ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "gcc-s390x-linux-gnu", "libc6-dev-s390x-cross",
         "qemu-user-static"]
CLANG = ["clang-19", "llvm-19", "libclang-rt-19-dev"]
# afl-clang-fast, which is clang-14, and afl-fuzz.
AFL = ["afl++"]
# A browser, for the test that clicks through the page of `tdp run --html`.
BROWSER = ["chromium", "chromium-driver", "python3-selenium"]
# Whether a patch fits.
PATCH = ["patch"]
KERNEL = ["linux-source-6.12", "xz-utils"]
# A kernel with KUnit tests in it, and what it runs on (docs/kunit.md).
KUNIT = KERNEL + ["make", "gcc", "libc6-dev", "bc", "flex", "bison", "libelf-dev", "qemu-system-x86", "coccinelle"]
LINT = ["clang-format-19", "clang-tidy-19"] + KERNEL


def missing(wanted):
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    installed = {line.split()[0] for line in query.stdout.splitlines()
                 if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def as_root():
    """The prefix that makes a command run as root without asking, or None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"],
                                               capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def ensure(wanted):
    """Installs what is missing of `wanted`, or says exactly what to install and fails."""
    if not shutil.which("dpkg-query"):
        print("dev: this is not Debian: relying on the programs of these packages being there: "
              + " ".join(wanted), file=sys.stderr)
        return
    lacking = missing(wanted)
    if not lacking:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *lacking]
    root = as_root()
    if root is None:
        raise paths.Failure("packages are missing, and this is neither root nor has sudo; run:\n"
                            "  sudo " + " ".join(install), status=2)
    print("dev: installing " + " ".join(lacking), flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for title, command in (("apt-get update", ["apt-get", "update"]), ("apt-get install", install)):
        status, output = live.watch(root + command, title, env=env)
        if status:
            raise paths.Failure(f"`{' '.join(command)}` failed:\n" + "\n".join(output[-15:]),
                                status=2)
