# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev corpus: which inputs are needed, what is made of those that come in, and what it refuses."""
import argparse
import contextlib
import io
import os
import stat
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import cmd_corpus  # noqa: E402
import corpus_cover  # noqa: E402
import paths  # noqa: E402

# The control file of a merge of four inputs, in which the third one ended the process.
CONTROL = """4
0
seeds/a
seeds/b
seeds/c
seeds/d
STARTED 0 10
FT 0 1 2 3
COV 0 1 2
STARTED 1 20
FT 1 3 4
COV 1 4
STARTED 2 30
STARTED 3 30
FT 3 5 6 7
COV 3 5
"""

PROGRAM = """tdp 1
vm mmu=ept ad=on levels=4
slot 0 base=0x0 pages=0x1 backing=4K
thread vcpu 0
\tread 0x0
\twrite 0x0 x2
\tread 0x0
thread host
\tunmap 0x0 0x1
schedule
\tt0.0@load#13 -> t1
"""

# tdp, with a rule broken by what has two operations or more, or by nothing.
TDP = """#!/bin/sh
case $1 in
shrink) %s ;;
convert) cat "$3" ;;
run) echo "$2:7: rule N broken (no SPTE is left): page-fault: found one"; exit 1 ;;
esac
"""
SHRINKS = 'printf "tdp 1\\nvm mmu=npt\\n" > "$5"; exit 1'


class Cover(unittest.TestCase):
    def test_control_file(self):
        covered = corpus_cover.read_control(CONTROL.splitlines())
        self.assertEqual(covered.edges, {"seeds/a": {1, 2, 3}, "seeds/b": {3, 4},
                                         "seeds/d": {5, 6, 7}})
        self.assertEqual(covered.crashed, ["seeds/c"])
        self.assertEqual(covered.total(), 7)

    def test_smallest(self):
        covered = corpus_cover.Covered()
        covered.edges = {"hand": {1, 2}, "many": {1, 2, 3, 4, 5}, "part": {3, 4}, "same": {5, 6},
                         "more": {6, 7, 5}, "none": {1, 2}, "long": {8}, "tiny": {8}}
        chosen = corpus_cover.smallest(covered, ["hand"], lambda name: len(name) + (name == "long"))
        # What adds most comes first; "same" and "part" then add nothing, nor does "none"; 8 takes the shorter one.
        self.assertEqual(chosen, [("many", 3), ("more", 2), ("tiny", 1)])

    def test_nothing(self):
        self.assertEqual(corpus_cover.Covered().total(), 0)
        self.assertEqual(corpus_cover.smallest(corpus_cover.Covered(), [], len), [])


class Text(unittest.TestCase):
    def test_comment(self):
        said = cmd_corpus.comment("word " * 60)
        self.assertTrue(all(line.startswith("# word") and len(line) <= 100
                            for line in said.splitlines()))
        self.assertEqual(said.count("word"), 60)

    def test_words_of_a_program(self):
        self.assertEqual(cmd_corpus.words_of(PROGRAM), "vcpu 0, host: read, write, unmap")
        self.assertEqual(cmd_corpus.words_of("tdp 1\nvm mmu=ept\nthread host\n"), "host: nothing")

    def test_hex(self):
        self.assertEqual(cmd_corpus.as_hex(bytes(range(18))),
                         "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n10 11\n")


class Folders(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)

    def file(self, *path, text="x"):
        path = os.path.join(self.work.name, *path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_libfuzzer(self):
        self.file("one")
        self.file("two")
        self.assertEqual(cmd_corpus.inputs_below(self.work.name), ([self.work.name], 2))

    def test_afl(self):
        for name in ("main", "second"):
            self.file(name, "queue", "id:000000")
            self.file(name, "crashes", "README.txt")
        queues = [os.path.join(self.work.name, name, "queue") for name in ("main", "second")]
        self.assertEqual(cmd_corpus.inputs_below(self.work.name), (queues, 2))

    def test_none(self):
        for folder, words in ((self.work.name, "there is no input"),
                              (os.path.join(self.work.name, "no"), "expected a folder")):
            with self.assertRaisesRegex(paths.Failure, words) as caught:
                cmd_corpus.inputs_below(folder)
            self.assertEqual(caught.exception.status, 2)

    def keep(self, name, shrink, target=None):
        tdp = self.file("tdp", text=TDP % shrink)
        os.chmod(tdp, os.stat(tdp).st_mode | stat.S_IXUSR)
        crash = self.file("crash", text=PROGRAM)
        regress = os.path.join(self.work.name, "corpus", "regress")
        os.makedirs(regress, exist_ok=True)
        old, cmd_corpus.REGRESS = cmd_corpus.REGRESS, regress
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                status = cmd_corpus.keep(argparse.Namespace(file=crash, name=name, target=target,
                                                            what="What it shows."), tdp)
        finally:
            cmd_corpus.REGRESS = old
        self.assertEqual(status, 0)
        with open(os.path.join(regress, name + ".tdp"), encoding="utf-8") as f:
            return f.read(), said.getvalue()

    def test_import_shrinks(self):
        text, said = self.keep("it-breaks", SHRINKS)
        self.assertEqual(text, "# What it shows.\ntdp 1\nvm mmu=npt\n")
        self.assertIn("rule N broken (no SPTE is left): page-fault: found one", said)

    def test_import_of_what_is_mended(self):
        text, _ = self.keep("was-broken", "exit 0")
        self.assertEqual(text, "# What it shows.\n" + PROGRAM)

    def test_import_refuses(self):
        self.keep("taken", "exit 0")
        for name, words in (("taken", "exists"), ("../x", "lower-case"), ("X", "lower-case"),
                            ("", "lower-case")):
            with self.assertRaisesRegex(paths.Failure, words) as caught:
                self.keep(name, "exit 0")
            self.assertEqual(caught.exception.status, 2)


if __name__ == "__main__":
    unittest.main()
