# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""tools/lint/kernel_copy.py: what was copied is found, what carries over by design is not."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.path.join(ROOT, "tools", "lint", "kernel_copy.py")

KERNEL = """\
/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/one.h>
#include <linux/two.h>
#define FIRST_MASK\t0x10ull
#define SECOND_MASK\t0x20ull
enum weather { RAIN = 1, SNOW = 2, HAIL = 4, WIND = 8, SUN = 16, FOG = 32, ICE = 64, DUST = 128,
	SAND = 256, ASH = 512, DEW = 1024, HAZE = 2048, };

/*
 * Walks the orchard from left to right. Stops at the first
 * tree that bears no fruit at all; later trees are not looked at.
 */
static int orchard(struct orchard *o, unsigned long limit)
{
	unsigned long i, sum = 0;

	for (i = 0; i < limit; i++) {
		if (!o->tree[i].fruit)
			break;
		sum += o->tree[i].fruit * FIRST_MASK;
		o->tree[i].seen = true;
	}
	return sum > 0x1000 ? -E2BIG : (int)sum;
}
"""


class KernelCopy(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.tree = os.path.join(self.dir.name, "kernel")
        os.makedirs(os.path.join(self.tree, "arch/x86/kvm/mmu"))
        self.write("kernel/arch/x86/kvm/mmu/orchard.c", KERNEL)

    def write(self, name, text):
        path = os.path.join(self.dir.name, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def lint(self, text, tree=None):
        done = subprocess.run([sys.executable, "-B", TOOL, "--kernel", tree or self.tree,
                               self.write("ours.c", text)], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def code(self, text=KERNEL):
        """The function alone."""
        return text[text.index("static int"):]

    def assert_clean(self, text):
        status, output = self.lint(text)
        self.assertEqual(status, 0, output)

    def test_pasted_function_is_found(self):
        status, output = self.lint("void f(void) {}\n" + self.code())
        self.assertEqual(status, 1, output)
        self.assertRegex(output, r"ours\.c:2-13: \d\d tokens identical to "
                                 r"arch/x86/kvm/mmu/orchard\.c:13-24")

    def test_layout_comments_and_number_bases_do_not_hide_it(self):
        text = self.code().replace("\n", " ").replace("0x1000", "/* big */ 4096UL")
        text = text.replace("{", "\n{ // here\n")
        status, output = self.lint(text)
        self.assertEqual(status, 1, output)
        self.assertIn("tokens identical", output)

    def test_a_run_shorter_than_the_limit_passes(self):
        lines = self.code().split("\n")
        text = "\n".join(lines[:7] + ["\twrite_it_afresh();"] + lines[8:])
        self.assert_clean(text.replace("sum = 0;", "sum = 0, more;"))

    def test_code_of_our_own_passes(self):
        self.assert_clean("static int orchard(struct orchard *o)\n{\n\treturn walk(o);\n}\n")

    def test_pasted_sentence_is_found_across_layout(self):
        for comment in ("/* We are kind. stops at the FIRST tree that\n * bears no fruit at all; "
                        "later trees are not looked at. */",
                        "// Stops at the first tree that bears no fruit at all; later\n"
                        "// trees are not looked at.\n"):
            status, output = self.lint(comment)
            self.assertEqual(status, 1, output)
            self.assertIn("comment sentence identical to arch/x86/kvm/mmu/orchard.c:", output)

    def test_short_sentences_and_the_licence_pass(self):
        self.assert_clean("/* SPDX-License-Identifier: GPL-2.0 */\n/* Walks the orchard. */\n")

    def test_tables_of_constants_pass(self):
        self.assert_clean(KERNEL[:KERNEL.index("/*\n")].split("\n", 1)[1])

    def test_a_function_like_macro_is_code(self):
        body = "; ".join(f"do_{i}(x, {i})" for i in range(12))
        self.write("kernel/arch/x86/kvm/mmu/macro.h", f"#define DO(x) {body}\n")
        status, output = self.lint(f"#define DO(x) \\\n\t{body}\n")
        self.assertEqual(status, 1, output)

    def test_bad_tree_is_bad_input(self):
        status, output = self.lint("int x;\n", tree=self.dir.name)
        self.assertEqual(status, 2, output)
        self.assertIn("expected a kernel tree", output)


if __name__ == "__main__":
    unittest.main()
