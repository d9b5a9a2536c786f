# SPDX-License-Identifier: GPL-2.0-only
"""Builds for aarch64 with Debian's cross compiler. The libraries are arm64 packages, which a machine has only
if its dpkg knows that architecture; so they are fetched by apt with lists and settings of its own, and
opened in a folder that only the cross build looks into. Nothing is installed."""
import glob
import os
import shutil
import subprocess

import debian_kernel
import paths

ARCHITECTURE = "arm64"
COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64-static"
TOOLCHAIN = os.path.join(paths.ROOT, "cmake", "aarch64-linux-gnu.cmake")
LIBRARIES = ["liburcu-dev", "liburcu8", "libcmocka-dev", "libcmocka0", "liblzma-dev", "liblzma5"]


class Missing(Exception):
    """What the machine lacks for a cross build, in words."""


def _sources():
    """This machine's own release, for another architecture."""
    found, codename = debian_kernel.machine_sources()
    suites = (codename, "stable")
    kept = [dict(stanza, Types="deb", Components="main", Architectures=ARCHITECTURE,
                 Suites=" ".join(s for s in stanza["Suites"].split() if s in suites))
            for stanza in found if set(stanza.get("Suites", "").split()) & set(suites)
            and "main" in stanza.get("Components", "").split()]
    return "\n".join("".join(f"{name}: {value}\n" for name, value in s.items()) for s in kept)


def _apt(folder):
    """Options that make apt leave the system's alone."""
    settings = {
        "Dir::State": os.path.join(folder, "state"),
        "Dir::State::status": "/dev/null",
        "Dir::Cache": os.path.join(folder, "cache"),
        "Dir::Etc::SourceList": os.path.join(folder, "machine.sources"),
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "none",
        "APT::Architecture": ARCHITECTURE,
        "APT::Architectures": ARCHITECTURE,
        "APT::Sandbox::User": "root",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _run(command, **how):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **how)
    if done.returncode:
        said = done.stdout.splitlines()[-3:]
        raise Missing(f"`{command[0]} {command[-1]}` failed: " + " / ".join(said))


def libraries(folder):
    """Fetches and opens the arm64 packages unless that was done; returns the folder that has their files."""
    root = os.path.join(folder, "root")
    if os.path.isdir(root):
        return root
    text = _sources()
    if not text or not shutil.which("apt-get"):
        raise Missing("no source of apt's is Debian's own release")
    for lists in ("state/lists", "cache/archives"):
        os.makedirs(os.path.join(folder, lists, "partial"), exist_ok=True)
    with open(os.path.join(folder, "machine.sources"), "w", encoding="utf-8") as f:
        f.write(text)
    _run(["apt-get", *_apt(folder), "update"])
    debs = os.path.join(folder, "debs")
    shutil.rmtree(debs, ignore_errors=True)
    os.makedirs(debs)
    _run(["apt-get", *_apt(folder), "download", *LIBRARIES], cwd=debs)
    opened = root + ".new"
    shutil.rmtree(opened, ignore_errors=True)
    for deb in sorted(glob.glob(os.path.join(debs, "*.deb"))):
        _run(["dpkg-deb", "-x", deb, opened])
    os.rename(opened, root)
    return root


def configure(folder):
    """A build folder for aarch64 in `folder`; returns it. Raises Missing."""
    for program in (COMPILER, EMULATOR, "ninja"):
        if not shutil.which(program):
            raise Missing(f"there is no {program} (packages: tools/dev/packages.py, CROSS)")
    root = libraries(folder)
    build = os.path.join(folder, "build")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        _run(["cmake", "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}", f"-DTDP_CROSS_ROOT={root}",
              "-DTDP_WERROR=ON", "-B", build, "-S", paths.ROOT])
    return build
