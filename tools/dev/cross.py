# SPDX-License-Identifier: GPL-2.0-only
"""Builds for other architectures with Debian's cross compilers. The libraries are packages of that architecture,
which a machine has only if its dpkg knows it; so they are fetched by apt with lists and settings of its own,
and opened in a folder that only the cross build looks into. Nothing is installed."""
import glob
import os
import shutil
import subprocess

import debian_kernel
import paths

# The CPU, as GNU and qemu call it: what Debian calls it
DEBIAN = {"aarch64": "arm64", "s390x": "s390x"}
TOOLCHAIN = os.path.join(paths.ROOT, "cmake", "cross.cmake")
LIBRARIES = ["liburcu-dev", "liburcu8", "libcmocka-dev", "libcmocka0", "liblzma-dev", "liblzma5"]


class Missing(Exception):
    """What the machine lacks for a cross build, in words."""


def emulator(cpu):
    return f"qemu-{cpu}-static"


def triple(cpu):
    return f"{cpu}-linux-gnu"


def run_command(cpu, folder, program, *arguments):
    """The command that runs a program of the cross build in `folder`."""
    where = os.path.join(folder, "root/usr/lib", triple(cpu))
    return [emulator(cpu), "-L", f"/usr/{triple(cpu)}", "-E", f"LD_LIBRARY_PATH={where}",
            os.path.join(folder, "build", program), *arguments]


def _sources(cpu):
    """This machine's own release, for another architecture."""
    found, codename = debian_kernel.machine_sources()
    suites = (codename, "stable")
    kept = [dict(stanza, Types="deb", Components="main", Architectures=DEBIAN[cpu],
                 Suites=" ".join(s for s in stanza["Suites"].split() if s in suites))
            for stanza in found if set(stanza.get("Suites", "").split()) & set(suites)
            and "main" in stanza.get("Components", "").split()]
    return "\n".join("".join(f"{name}: {value}\n" for name, value in s.items()) for s in kept)


def _apt(cpu, folder):
    """Options that make apt leave the system's alone."""
    settings = {
        "Dir::State": os.path.join(folder, "state"),
        "Dir::State::status": "/dev/null",
        "Dir::Cache": os.path.join(folder, "cache"),
        "Dir::Etc::SourceList": os.path.join(folder, "machine.sources"),
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "none",
        "APT::Architecture": DEBIAN[cpu],
        "APT::Architectures": DEBIAN[cpu],
        "APT::Sandbox::User": "root",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _run(command, **how):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **how)
    if done.returncode:
        said = done.stdout.splitlines()[-3:]
        raise Missing(f"`{command[0]} {command[-1]}` failed: " + " / ".join(said))


def libraries(cpu, folder):
    """Fetches and opens the libraries' packages unless that was done; returns the folder that has their files."""
    root = os.path.join(folder, "root")
    if os.path.isdir(root):
        return root
    text = _sources(cpu)
    if not text or not shutil.which("apt-get"):
        raise Missing("no source of apt's is Debian's own release")
    for lists in ("state/lists", "cache/archives"):
        os.makedirs(os.path.join(folder, lists, "partial"), exist_ok=True)
    with open(os.path.join(folder, "machine.sources"), "w", encoding="utf-8") as f:
        f.write(text)
    _run(["apt-get", *_apt(cpu, folder), "update"])
    debs = os.path.join(folder, "debs")
    shutil.rmtree(debs, ignore_errors=True)
    os.makedirs(debs)
    _run(["apt-get", *_apt(cpu, folder), "download", *LIBRARIES], cwd=debs)
    opened = root + ".new"
    shutil.rmtree(opened, ignore_errors=True)
    for deb in sorted(glob.glob(os.path.join(debs, "*.deb"))):
        _run(["dpkg-deb", "-x", deb, opened])
    os.rename(opened, root)
    return root


def configure(cpu, folder):
    """A build folder for the CPU in `folder`; returns it. Raises Missing."""
    for program in (triple(cpu) + "-gcc", emulator(cpu), "ninja"):
        if not shutil.which(program):
            raise Missing(f"there is no {program} (packages: tools/dev/packages.py, CROSS)")
    root = libraries(cpu, folder)
    build = os.path.join(folder, "build")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        _run(["cmake", "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}",
              f"-DTDP_CROSS_CPU={cpu}", f"-DTDP_CROSS_ROOT={root}", "-DTDP_WERROR=ON", "-B", build, "-S", paths.ROOT])
    return build
