# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev kunit --in-tree: its patch fits a tree, and the folder that goes with it is whole."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools", "dev")]

import kunit_in_tree  # noqa: E402
import kunit_kernel   # noqa: E402
import kunit_tests    # noqa: E402
import paths          # noqa: E402
import upstream       # noqa: E402

# Of ./dev kunit, if it was run here.
DEBIAN = os.path.join(kunit_kernel.FULL, os.path.basename(upstream.debian_tarball(upstream.DEFAULT))
                      .removesuffix(".tar.xz"))
FILES = {"Makefile": "kvm-y += x86.o\n\nkvm-$(CONFIG_X86_64) += mmu/tdp_iter.o mmu/tdp_mmu.o\n\nobj-y += kvm.o\n",
         "Kconfig": "if VIRTUALIZATION\n\nconfig KVM\n\tbool\n\nendif # VIRTUALIZATION\n"}


class InTree(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tree)
        self.kvm = os.path.join(self.tree, kunit_in_tree.KVM)
        os.makedirs(self.kvm)

    def put(self, texts):
        for name, text in texts.items():
            with open(os.path.join(self.kvm, name), "w", encoding="utf-8") as f:
                f.write(text)

    def lines(self, name):
        with open(os.path.join(self.kvm, name), encoding="utf-8") as f:
            return f.read().splitlines()

    def check_patch(self):
        done = subprocess.run(["patch", "-p1", "-d", self.tree], input=kunit_in_tree.patch(self.tree), text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("fuzz", done.stdout)
        for name, (where, mark, line) in kunit_in_tree.LINES.items():
            lines = [have for have in self.lines(name) if have]
            self.assertEqual(lines.index(line) - lines.index(mark), 1 if where == "after" else -1)

    def test_patch(self):
        self.put(FILES)
        self.check_patch()

    @unittest.skipUnless(os.path.isdir(DEBIAN), "./dev kunit has unpacked no kernel")
    def test_patch_of_debian(self):
        for name in FILES:
            shutil.copy(os.path.join(DEBIAN, kunit_in_tree.KVM, name), self.kvm)
        self.check_patch()

    def test_tree_that_looks_otherwise(self):
        self.put({**FILES, "Kconfig": "endif\n"})
        with self.assertRaises(paths.Failure) as caught:
            kunit_in_tree.patch(self.tree)
        self.assertEqual(caught.exception.status, 2)
        self.assertIn("Kconfig: expected the line 'endif # VIRTUALIZATION'", str(caught.exception))

    def test_folder(self):
        tests = kunit_tests.files([])
        out = os.path.join(self.kvm, kunit_in_tree.NAME)
        kunit_in_tree.folder(tests, out)
        with open(os.path.join(out, "Makefile.kvm"), encoding="utf-8") as f:
            text = f.read()
        for name in sum(kunit_kernel.SHADOWS.values(), []):
            self.assertRegex(text, r"\b" + name.removesuffix(".c") + r"\b")
        for where, _, names in os.walk(out):
            for name in names:
                with open(os.path.join(where, name), encoding="utf-8") as f:
                    self.includes(out, where, f.read())
        with open(os.path.join(out, "tdp_tests.h"), encoding="utf-8") as f:
            self.assertEqual(f.read().count("#include"), len(tests))

    def includes(self, out, where, text):
        """What a file includes of this folder is there, and of the tree nothing but what stands beside it."""
        for path in re.findall(r'^#include "([^"]+)"', text, re.M):
            self.assertFalse(path.startswith("tree/"), path)
            own = any(os.path.exists(os.path.join(folder, path)) for folder in (where, os.path.join(out, "fixture")))
            self.assertTrue(own or re.match(r"(\.\./|mmu/|mmu\.h$|x86\.h$)", path), f"{where}: {path}")


if __name__ == "__main__":
    unittest.main()
