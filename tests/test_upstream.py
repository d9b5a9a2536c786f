# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: timeout=600
"""The upstream backend: the corpus on the kernel's own code breaks no rule but those that are known to be
broken there; what it takes from a tree is what it says; --backend finds it."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ["TDP_BUILD"]
TDP = os.path.join(BUILD, "tdp")
UPSTREAM = os.path.join(BUILD, "tdp-upstream")
sys.path[:0] = [os.path.join(ROOT, "tools", "dev"), os.path.join(ROOT, "kunit-port", "upstream")]

import c_items      # noqa: E402
import extract      # noqa: E402
import upstream     # noqa: E402
import upstream_version     # noqa: E402


def tdp(*args, program=TDP):
    return subprocess.run([program, *args], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


class Corpus(unittest.TestCase):
    def test_corpus(self):
        upstream_version.run_corpus(self, UPSTREAM, "6.12")

    def test_corpus_with_findings_repaired(self):
        program = os.path.join(BUILD, "tdp-upstream-repaired")
        for name in upstream.programs():
            rule, said = upstream.replay(program, name)
            with self.subTest(name):
                self.assertIn(rule, (None, upstream.CANNOT), said)

    def test_every_known_finding_has_its_story(self):
        for rule, finding in upstream.known("6.12").values():
            self.assertEqual(len(rule), 1)
            self.assertTrue(os.path.exists(os.path.join(ROOT, "docs", "findings", finding + ".md")))

    def test_what_is_known_of_other_versions_is_told(self):
        with open(os.path.join(ROOT, "docs", "upstream.md"), encoding="utf-8") as f:
            page = f.read()
        known = [(version, *k) for version in ("6.1", "7.2")
                 for k in upstream.known(version).items()]
        self.assertGreater(len(known), 20)
        for version, program, (rule, finding) in known:
            with self.subTest(f"{version} {program}"):
                self.assertTrue(os.path.exists(os.path.join(ROOT, "corpus", program)))
                self.assertIn(rule, [*"TDUNMLPWXGBA!", "crash"])
                story = os.path.join(ROOT, "docs", "findings", finding + ".md")
                self.assertTrue(os.path.exists(story) or f"| `{finding}` |" in page)

    def test_same_program_twice_has_the_same_hash(self):
        program = os.path.join("corpus", "fuzz_mmu", "everything.tdp")
        hashes = {tdp("run", "--quiet", "--hash", program, program=UPSTREAM).stdout for _ in range(2)}
        self.assertEqual(len(hashes), 1)


    def test_table_whose_steps_are_uneven(self):
        done = tdp("run", "--trace", "tests/data/upstream/nx-toggle-in-split.tdp", program=UPSTREAM)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("rwx D WB host-writable MMU-writable; and 200 more changes like it", done.stdout)
        self.assertIn("rw- D WB host-writable MMU-writable; and 310 more changes like it", done.stdout)


class Backend(unittest.TestCase):
    PROGRAM = "corpus/regress/clear-crosses-huge-page.tdp"

    def test_chosen_by_option(self):
        self.assertEqual(tdp("run", "-q", self.PROGRAM).returncode, 0)
        for how in (["--backend=upstream"], ["--backend", "upstream"]):
            done = tdp("run", "-q", *how, self.PROGRAM)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("rule D broken", done.stdout)
        self.assertEqual(tdp("run", "-q", "--backend=libtdp", self.PROGRAM,
                             program=UPSTREAM).returncode, 0)

    def test_shrunk_and_explored(self):
        done = tdp("shrink", "-q", "--backend=upstream", self.PROGRAM)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("log-clear", done.stdout)
        done = tdp("explore", "-q", "--backend=upstream", "--max=200",
                   "corpus/regress/fault-takes-write-access.tdp")
        self.assertIn(done.returncode, (0, 1), done.stdout)

    def test_bad_use(self):
        done = tdp("run", "--backend=other", self.PROGRAM)
        self.assertEqual(done.returncode, 2)
        self.assertIn("expected libtdp, upstream or upstream-repaired, found other", done.stdout)
        with tempfile.NamedTemporaryFile("w", suffix=".tdp") as f:
            f.write("tdp 1\nvm mmu=ept fault_policy=zap\nthread vcpu 0\n\tread 0x1\n")
            f.flush()
            done = tdp("run", "--backend=upstream", f.name)
        self.assertEqual(done.returncode, 2)
        self.assertIn("fault_policy=zap: expected split", done.stdout)


class Mirror(unittest.TestCase):
    CHECK = os.path.join(ROOT, "tools", "mirror-check")
    TREE = os.path.join(BUILD, "..", "cache", "linux-source-6.12")

    def run_check(self, *args):
        return subprocess.run([sys.executable, self.CHECK, *args], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    def test_table_is_that_of_the_page(self):
        with open(os.path.join(ROOT, "docs", "mirror.md"), encoding="utf-8") as f:
            self.assertTrue(f.read().endswith(self.run_check("--table").stdout))

    def test_every_function_has_a_twin_or_a_reason(self):
        with open(os.path.join(ROOT, "kunit-port", "upstream", "mirror"), encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
        self.assertGreater(len(rows), 150)
        for file, name, _, twin, remark in rows:
            with self.subTest(f"{file} {name}"):
                self.assertTrue(remark)
                if twin == "-":
                    continue
                where, twin_name = twin.split(":")
                texts = []
                for folder in ("libtdp", "libtdp/include/tdp"):
                    path = os.path.join(ROOT, folder, where)
                    if os.path.exists(path):
                        with open(path, encoding="utf-8") as f:
                            texts.append(f.read())
                self.assertRegex("".join(texts), rf"\b{twin_name}\(")

    def test_tree(self):
        if not os.path.exists(self.TREE):
            self.skipTest("another tree is used")
        done = self.run_check(self.TREE)
        self.assertEqual(done.returncode, 0, done.stdout)
        with tempfile.TemporaryDirectory() as tree:
            os.makedirs(os.path.join(tree, "arch/x86/kvm"))
            mmu = os.path.join(tree, "arch/x86/kvm/mmu")
            shutil.copytree(os.path.join(self.TREE, "arch/x86/kvm/mmu"), mmu)
            with open(os.path.join(mmu, "tdp_iter.c"), "r+", encoding="utf-8") as f:
                text = f.read().replace("void tdp_iter_restart(", "void tdp_iter_again(", 1)
                f.seek(0)
                f.write(text + "/* A comment changes nothing. */\n")
            done = self.run_check(tree)
        self.assertEqual(done.returncode, 1)
        self.assertIn("added: tdp_iter.c tdp_iter_again()  no twin\n", done.stdout)
        self.assertIn("removed: tdp_iter.c tdp_iter_restart()  twin: tdp_iter.c:tdp_iter_restart\n",
                      done.stdout)
        self.assertIn("2 added, removed or changed", done.stdout)

    def test_bad_use(self):
        done = self.run_check("/nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere has no file", done.stdout)


class Items(unittest.TestCase):
    TEXT = """\
#ifndef GUARD
#define GUARD
/* int commented(void) { } */
#define TWO_LINES(x) \\
	((x) + 1)
struct thing {
	int (*fn)(int a);
};
int plain(int a);
static int __read_mostly variable = -1;
EXPORT_SYMBOL_GPL(plain);
#ifdef CONFIG_A
static int one(int a)
{
	const char *s = "}";
	return a;
}
#else
static int one(int a) { return 2; }
#endif
enum colour { RED, GREEN };
#endif
"""

    def test_found(self):
        found = [(i.name, i.kind) for i in c_items.items(self.TEXT)]
        self.assertEqual(found, [("GUARD", "macro"), ("TWO_LINES", "macro"), ("thing", "type"),
                                 ("plain", "prototype"), ("variable", "variable"),
                                 ("one", "function"), ("one", "function"), ("colour", "type")])

    def test_text_is_whole(self):
        found = {i.name: i for i in c_items.items(self.TEXT)}
        self.assertEqual(found["TWO_LINES"].text, "#define TWO_LINES(x) \\\n\t((x) + 1)\n")
        self.assertEqual(found["variable"].text, "static int __read_mostly variable = -1;")
        self.assertEqual(found["one"].around[-1], ["#ifdef CONFIG_A\n", "#else\n"])

    def test_missing_symbol_is_named(self):
        with tempfile.TemporaryDirectory() as tree:
            with open(os.path.join(tree, "a.c"), "w", encoding="utf-8") as f:
                f.write(self.TEXT)
            text, present, missing = extract.taken(
                tree, [("a.c", [("one", True, 6), ("gone", False, 7), ("gone", True, 8)])])
        self.assertEqual(missing, [(os.path.join(tree, "a.c"), "gone", 7)])
        self.assertIn("a.c has no 'gone' (kunit-port/upstream/manifest:7)",
                      str(extract.lacks(missing)))
        self.assertEqual(present, ["one"])
        self.assertEqual(text.count("#line"), 2)


if __name__ == "__main__":
    if not os.path.exists(UPSTREAM):
        print("skipped: this build has no upstream backend, for lack of a kernel tree: "
              "./dev upstream unpacks Debian's linux-source-6.12")
        sys.exit(77)
    unittest.main()
