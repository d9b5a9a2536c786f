# SPDX-License-Identifier: GPL-2.0-only
"""./dev kunit --in-tree: the tests as a folder of a kernel's tree, and the two lines that the tree needs for it."""
import difflib
import os
import shutil

import kunit_kernel
import kunit_tests
import paths

KVM = "arch/x86/kvm"
NAME = "tdp_kunit"
HERE = os.path.join(paths.ROOT, "kunit-port", "in-tree")
# file: the line before which, or after which, one is put in; that line
LINES = {
    "Makefile": ("after", "kvm-$(CONFIG_X86_64) += mmu/tdp_iter.o mmu/tdp_mmu.o",
                 f"include $(srctree)/{KVM}/{NAME}/Makefile.kvm"),
    "Kconfig": ("before", "endif # VIRTUALIZATION", f'source "{KVM}/{NAME}/Kconfig"'),
}
# Where the shadow files find what they stand in for.
TREE = {folder: os.path.relpath(folder, f"{KVM}/{NAME}") for folder in kunit_kernel.SHADOWS}


def patch(tree):
    """The two lines, as a diff."""
    text = ""
    for name, (where, mark, line) in LINES.items():
        path = f"{KVM}/{name}"
        with open(os.path.join(tree, path), encoding="utf-8") as f:
            old = f.read().splitlines(keepends=True)
        if mark + "\n" not in old:
            raise paths.Failure(f"{os.path.join(tree, path)}: expected the line '{mark}' in it", status=2)
        at = old.index(mark + "\n") + (where == "after")
        new = old[:at] + [line + "\n"] + ([] if where == "after" else ["\n"]) + old[at:]
        text += "".join(difflib.unified_diff(old, new, "a/" + path, "b/" + path))
    return text


def folder(tests, out):
    """Writes the folder, with everything that belongs in it."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(HERE, out)
    shutil.copytree(kunit_tests.FIXTURE, os.path.join(out, "fixture"), ignore=shutil.ignore_patterns("shadow"))
    for place, names in kunit_kernel.SHADOWS.items():
        for name in names:
            with open(os.path.join(kunit_tests.FIXTURE, "shadow", name), encoding="utf-8") as f:
                text = f.read().replace('#include "tree/', f'#include "{TREE[place]}/')
            with open(os.path.join(out, name), "w", encoding="utf-8") as f:
                f.write(text)
    os.mkdir(os.path.join(out, "suite"))
    for test in tests:
        shutil.copy(test.path, os.path.join(out, "suite"))
    with open(os.path.join(out, "tdp_tests.h"), "w", encoding="utf-8") as f:
        f.write("/* SPDX-License-Identifier: GPL-2.0-only */\n")
        f.writelines(f'#include "suite/{os.path.basename(test.path)}"\n' for test in tests)
    with open(os.path.join(out, ".kunitconfig"), "w", encoding="utf-8") as f:
        f.writelines(f"CONFIG_{name}=y\n" for name in [*kunit_kernel.CONFIG, "KVM_TDP_KUNIT_TEST"])


def run(tree, tests):
    """Prints the patch, with what to do before it, as `git apply` takes it; returns the exit status."""
    text = patch(tree)
    out = os.path.join(paths.BUILD, "kunit", "in-tree", NAME)
    folder(tests, out)
    arguments = " ".join(f"--kernel_args={a}" for a in kunit_kernel.KERNEL_ARGS)
    print(f"""In the kernel's tree, which takes this patch and one folder:

    cp -r {out} {KVM}/
    git apply THIS
    tools/testing/kunit/kunit.py run --arch=x86_64 --kunitconfig={KVM}/{NAME} \\
        --qemu_args='{kunit_kernel.QEMU_ARGS}' {arguments}

{text}""", end="")
    return 0
