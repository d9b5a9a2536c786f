# SPDX-License-Identifier: GPL-2.0-only
"""A kernel with tests of its TDP MMU in it: built out of a tree that is only read, and run under QEMU.

Kbuild looks into the folder of objects before it looks into the tree: there lie a few files of KVM's names,
which include the tree's and then the fixture (kunit-port/fixture/shadow)."""
import hashlib
import os
import re
import shutil
import subprocess
import time

import kunit_tests
import live
import packages
import paths
import upstream

# What a kernel needs to be booted with tests and KVM, and nothing else. Threads of a test spin while they wait
# for their turn: the kernel's own have to be able to preempt them.
CONFIG = """64BIT EXPERT SMP PREEMPT PRINTK PRINTK_TIME BUG FUTEX EPOLL EVENTFD HIGH_RES_TIMERS NO_HZ_IDLE MULTIUSER
    TTY SERIAL_8250 SERIAL_8250_CONSOLE X86_MPPARSE X86_LOCAL_APIC X86_IO_APIC CPU_SUP_INTEL CPU_SUP_AMD PROC_FS
    SYSFS DEBUG_KERNEL KALLSYMS UNWINDER_FRAME_POINTER KUNIT VIRTUALIZATION KVM KVM_INTEL KVM_AMD KVM_SMM
    KVM_PROVE_MMU""".split()
# --kasan: memory that is used after it was freed, locks and RCU. A report is no test's, but fails the one it comes in.
CHECKED = "KASAN KASAN_GENERIC KASAN_INLINE PROVE_LOCKING PROVE_RCU DEBUG_ATOMIC_SLEEP STACKTRACE".split()
# Not every tree has them.
OPTIONAL = ["KVM_PROVE_MMU", "KVM_SMM"]

FULL = os.path.join(upstream.CACHE, "full")
# Large, and read by no build of this kind.
LEFT_OUT = ["Documentation/[a-z]*/*", "drivers/gpu/drm/amd/include/*", "tools/testing/selftests/*"]
MMU = "arch/x86/kvm/mmu"
SHADOWS = {MMU: ["mmu.c", "page_track.c", "spte.c", "tdp_iter.c", "tdp_mmu.c"], "virt/kvm": ["kvm_main.c"]}
QEMU_ARGS = "-cpu qemu64,-svm -smp 4"
KERNEL_ARGS = ["oops=panic", "panic=-1"]


def unpack(version):
    """Debian's kernel, the whole of what its build reads, unpacked once."""
    tarball = upstream.debian_tarball(version)
    packages.ensure([f"linux-source-{version}"])
    name = os.path.basename(tarball).removesuffix(".tar.xz")
    tree = os.path.join(FULL, name)
    about = f"{os.stat(tarball).st_size} {int(os.stat(tarball).st_mtime)}\n"
    stamp = os.path.join(FULL, name + ".unpacked-from")
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as f:
            if f.read() == about:
                return tree
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(FULL, exist_ok=True)
    status, said = live.watch(["tar", "-xJf", tarball, "-C", FULL, *(f"--exclude={name}/{p}" for p in LEFT_OUT)],
                              f"unpack {name}")
    if status:
        raise paths.Failure(f"{tarball} cannot be unpacked:\n" + "\n".join(said[-5:]), status=2)
    with open(stamp, "w", encoding="ascii") as f:
        f.write(about)
    return tree


def tree_of(name):
    """The tree that was named, or Debian's of a version."""
    if not name or re.fullmatch(r"\d+\.\d+", name):
        return unpack(name or upstream.DEFAULT)
    tree = os.path.realpath(name)
    for file in ("Makefile", MMU + "/tdp_mmu.c", "tools/testing/kunit/kunit.py"):
        if not os.path.exists(os.path.join(tree, file)):
            raise paths.Failure(f"--kernel {name}: expected a kernel's source tree, with {file} in it", status=2)
    for file in (".config", "include/config"):
        if os.path.exists(os.path.join(tree, file)):
            raise paths.Failure(f"--kernel {name}: a kernel was built in this tree ({file} is there), and no other "
                                "can be built beside it: name a clean one, as `git worktree add` makes", status=2)
    return tree


class Kernel:
    """A folder of objects for a tree."""

    def __init__(self, tree, jobs=1, kasan=False):
        self.tree, self.jobs = tree, jobs
        self.config = CONFIG + (CHECKED if kasan else [])
        self.report = "kunit-kasan" if kasan else "kunit"
        name = f"{os.path.basename(tree)}-{hashlib.sha256(tree.encode()).hexdigest()[:8]}" + ("-kasan" if kasan else "")
        self.out = os.path.join(paths.BUILD, "kunit", name)
        self.log = os.path.join(self.out, "test.log")
        self.env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", KBUILD_BUILD_TIMESTAMP="@0")

    def new(self):
        return not os.path.exists(os.path.join(self.out, "arch/x86/boot/bzImage"))

    def _make(self, title, *targets):
        cc = ["CC=ccache gcc"] if shutil.which("ccache") else []
        status, said = live.watch(["make", "-C", self.tree, "ARCH=x86_64", "O=" + self.out, f"-j{self.jobs}",
                                   *cc, *targets], title, env=self.env)
        if not status:
            return
        with open(os.path.join(self.out, "make.log"), "w", encoding="utf-8") as f:
            f.write("\n".join(said) + "\n")
        errors = [line for line in said if ": error: " in line or "undefined reference" in line] or said[-10:]
        raise paths.Failure(f"the kernel does not build out of {self.tree}:\n  " + "\n  ".join(errors[:10])
                            + "\nall that was said: " + paths.shown(os.path.join(self.out, "make.log")))

    def configure(self):
        """Makes .config, unless it is there already."""
        wanted = "".join(f"CONFIG_{name}=y\n" for name in self.config)
        fragment = os.path.join(self.out, "wanted.config")
        if os.path.exists(fragment) and os.path.exists(os.path.join(self.out, ".config")):
            with open(fragment, encoding="ascii") as f:
                if f.read() == wanted:
                    return
        os.makedirs(self.out, exist_ok=True)
        with open(fragment, "w", encoding="ascii") as f:
            f.write(wanted)
        self._make("configure", "KCONFIG_ALLCONFIG=" + fragment, "allnoconfig")
        with open(os.path.join(self.out, ".config"), encoding="ascii") as f:
            have = set(f.read().split("\n"))
        lacking = [line for line in wanted.split() if line not in have
                   and line.removeprefix("CONFIG_").removesuffix("=y") not in OPTIONAL]
        if lacking:
            os.unlink(fragment)
            raise paths.Failure(f"{self.tree} cannot be configured with " + " ".join(lacking))

    def _link(self, path, target):
        """Whether it had to be made."""
        if os.path.islink(path) and os.readlink(path) == target:
            return False
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)
        return True

    def _put(self, path, text, anew):
        """Writes a file if that changes it, or at any rate."""
        if not anew and os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                if f.read() == text:
                    return
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def install(self, tests, tree=None):
        """Puts the shadow files, for the tree or one like it, and tests into the folder of objects."""
        tree = tree or self.tree
        for folder, names in SHADOWS.items():
            here = os.path.join(self.out, folder)
            os.makedirs(here, exist_ok=True)
            # What is compiled through another link is older than its objects.
            anew = self._link(os.path.join(here, "tree"), os.path.join(tree, folder))
            anew |= self._link(os.path.join(here, "fixture"), kunit_tests.FIXTURE)
            for name in names:
                with open(os.path.join(kunit_tests.FIXTURE, "shadow", name), encoding="utf-8") as f:
                    self._put(os.path.join(here, name), f.read(), anew)
        here = os.path.join(self.out, MMU)
        self._link(os.path.join(here, "tdp_kunit.h"), os.path.join(kunit_tests.FIXTURE, "tdp_kunit.h"))
        text = ""
        for test in tests:
            name = "test-" + os.path.basename(test.path)
            with open(test.path, encoding="utf-8") as f:
                self._put(os.path.join(here, name), f.read(), False)
            text += f'#include "{name}"\n'
        self._put(os.path.join(here, "tdp_tests.h"), text, False)

    def build(self, tests, tree=None):
        """Builds; returns how many seconds that took."""
        begun = time.monotonic()
        self.configure()
        self.install(tests, tree)
        self._make("build the kernel", "bzImage")
        return time.monotonic() - begun

    def run(self, timeout, suites="*"):
        """Boots it for the suites that match; returns (the log, whether time ran out, seconds)."""
        if os.path.exists(self.log):
            os.unlink(self.log)
        begun = time.monotonic()
        status = live.watch(["python3", "tools/testing/kunit/kunit.py", "exec", "--arch=x86_64", "--build_dir=" + self.out,
                             f"--timeout={timeout}", "--raw_output=all", "--qemu_args=" + QEMU_ARGS,
                             *("--kernel_args=" + a for a in KERNEL_ARGS), suites],
                            "run the tests", cwd=self.tree, env=self.env)
        seconds = time.monotonic() - begun
        if not os.path.exists(self.log):
            raise paths.Failure("kunit.py did not run the kernel:\n  " + "\n  ".join(status[1][-10:]))
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read(), seconds >= timeout, seconds
