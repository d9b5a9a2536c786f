# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's source for comparing and building with: what concerns KVM of Debian's tarball, unpacked
once."""
import os
import shutil
import subprocess

TARBALL = "/usr/src/linux-source-6.12.tar.xz"
FOLDERS = ["arch/x86/kvm", "virt/kvm", "tools/testing/selftests/kvm"]
HEADERS = [("include/linux", "kvm"), ("arch/x86/include/asm", "kvm")]
# What the upstream backend is built of besides.
BUILT_WITH = ["arch/x86/include", "include/linux", "Makefile"]


def _stamp(about, name):
    """What a tree of that name is unpacked from, and what of it is."""
    return f"{about} {' '.join(f'{name}/{folder}' for folder in FOLDERS + BUILT_WITH)}\n"


def kept(cache, name, about=None):
    """The tree cache/NAME, if it was unpacked there before (from `about`, if given); else None."""
    target = os.path.join(cache, name)
    try:
        with open(os.path.join(target, ".unpacked-from"), encoding="ascii") as f:
            stamp = f.read()
    except FileNotFoundError:
        return None
    known = stamp == _stamp(about, name) if about else stamp.endswith(_stamp("", name))
    return target if known else None


def unpack(cache, tarball=TARBALL, about=None):
    """Unpacks what is compared into cache/NAME unless it is there; returns that folder. `about` says which
    tarball it is, without spaces, if its size and time do not."""
    if not os.path.exists(tarball):
        raise FileNotFoundError(f"{tarball} is missing (Debian package linux-source-6.12)")
    name = os.path.basename(tarball).removesuffix(".tar.xz")
    target = os.path.join(cache, name)
    if not about:
        status = os.stat(tarball)
        about = f"{status.st_size} {int(status.st_mtime)}"
    if kept(cache, name, about):
        return target
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    subprocess.run(["tar", "-xJf", tarball, "-C", target, "--strip-components=1",
                    *(f"{name}/{folder}" for folder in FOLDERS + BUILT_WITH)], check=True)
    with open(os.path.join(target, ".unpacked-from"), "w", encoding="ascii") as f:
        f.write(_stamp(about, name))
    return target


def sources(tree):
    """Paths, relative to the tree, of the files to compare with."""
    found = []
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(tree, folder)):
            found += [os.path.relpath(os.path.join(where, n), tree) for n in names
                      if n.endswith((".c", ".h"))]
    for folder, prefix in HEADERS:
        where = os.path.join(tree, folder)
        if os.path.isdir(where):
            found += [os.path.join(folder, n) for n in os.listdir(where)
                      if n.startswith(prefix) and n.endswith(".h")]
    return sorted(found)
