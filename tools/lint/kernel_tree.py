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


def unpack(cache, tarball=TARBALL):
    """Unpacks what is compared into cache/NAME unless it is there; returns that folder."""
    if not os.path.exists(tarball):
        raise FileNotFoundError(f"{tarball} is missing (Debian package linux-source-6.12)")
    name = os.path.basename(tarball).removesuffix(".tar.xz")
    target = os.path.join(cache, name)
    about = os.stat(tarball)
    patterns = [f"{name}/{folder}" for folder in FOLDERS + BUILT_WITH]
    stamp = f"{about.st_size} {int(about.st_mtime)} {' '.join(patterns)}\n"
    stamp_path = os.path.join(target, ".unpacked-from")
    if os.path.exists(stamp_path):
        with open(stamp_path, encoding="ascii") as f:
            if f.read() == stamp:
                return target
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    subprocess.run(["tar", "-xJf", tarball, "-C", target, "--strip-components=1", *patterns],
                   check=True)
    with open(stamp_path, "w", encoding="ascii") as f:
        f.write(stamp)
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
