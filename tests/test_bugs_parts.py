# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""What ./dev bugs and fuzz/bugs/plant.py make of semantic patches, and of what searches say."""
import argparse
import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest
import xml.etree.ElementTree
from pathlib import Path
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools", "dev"), os.path.join(ROOT, "fuzz", "bugs")]

import bug_docs  # noqa: E402
import bug_engines  # noqa: E402
import bug_run  # noqa: E402
import bug_trees  # noqa: E402
import cmd_bugs  # noqa: E402
import doc_tables  # noqa: E402
import known_bugs  # noqa: E402
import paths  # noqa: E402
import plant  # noqa: E402

HEADER = """// SPDX-License-Identifier: GPL-2.0-only
// title: twice is not once
// fix: what if
// kind: S
// rules: TU
// file: a.c
// kernel: mm/a.c
//
// story: It was done
//	once only.
"""
RULE = """@@
@@
-twice();
+bug_reached();
+once();
"""
SECOND = """
@second@
@@
-thrice();
+once();
"""
SOURCE = "void f(void)\n{\n\ttwice();\n\tend();\n}\n"


class Planting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = Path(self.folder.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def bug(self, text, name="NAME.cocci"):
        return plant.Bug(self.write(name, text))

    def test_header(self):
        bug = self.bug(HEADER + RULE)
        self.assertEqual((bug.name, bug.kind, bug.rules, bug.files), ("NAME", "S", "TU", ["a.c"]))
        self.assertEqual(bug.story, "It was done once only.")
        self.assertEqual(plant.as_c(bug).splitlines()[-1],
                         "const struct bug bug = { \"NAME\", 'S', \"TU\" };")

    def test_bad_headers(self):
        for old, new, expected in (("// kind: S\n", "", "expected a line '// kind: ...'"),
                                   ("kind: S", "kind: Q", "found 'Q'"),
                                   ("rules: TU", "rules: T,U", "found 'T,U'")):
            with self.assertRaisesRegex(plant.BadPatch, expected):
                self.bug(HEADER.replace(old, new) + RULE)

    def test_for_kernel_only_the_file_is_needed(self):
        self.assertEqual(self.bug("// file: mm/a.c\n" + RULE, "NAME.kernel.cocci").name, "NAME")
        with self.assertRaises(plant.BadPatch):
            self.bug(RULE, "NAME.kernel.cocci")

    def test_rules_that_change_something(self):
        self.assertEqual(plant.rules_of(HEADER + "@seen@\n@@\n f();\n" + RULE + SECOND), 2)

    @unittest.skipUnless(shutil.which("spatch"), "no spatch")
    def test_plants(self):
        source = self.write("a.c", SOURCE)
        text = plant.plant(self.bug(HEADER + RULE), self.folder.name)["a.c"]
        self.assertEqual(text, f'#line 1 "{source}"\nvoid f(void)\n{{\n\tbug_reached();\n\tonce();\n'
                         f'#line 4 "{source}"\n\tend();\n}}\n')

    @unittest.skipUnless(shutil.which("spatch"), "no spatch")
    def test_what_does_not_match_is_an_error(self):
        self.write("a.c", SOURCE.replace("twice", "never"))
        with self.assertRaisesRegex(plant.BadPatch, "NAME.cocci does not match .*a.c"):
            plant.plant(self.bug(HEADER + RULE), self.folder.name)
        self.write("a.c", SOURCE)
        with self.assertRaisesRegex(plant.BadPatch, "2 of its rules .* differs in 1 places only"):
            plant.plant(self.bug(HEADER + RULE + SECOND), self.folder.name)
        self.write("b.c", SOURCE)
        with self.assertRaisesRegex(plant.BadPatch, "there is no .*c.c"):
            plant.plant(self.bug(HEADER.replace("a.c", "c.c") + RULE), self.folder.name)

    @unittest.skipUnless(shutil.which("spatch"), "no spatch")
    def test_kernel_gets_no_canaries(self):
        self.write("mm/a.c", SOURCE)
        patch, why = known_bugs.kernel_patch(self.bug(HEADER + RULE))
        self.assertIsNone(why)
        both = known_bugs.in_kernel(patch, self.folder.name)
        self.assertEqual(both["mm/a.c"], (SOURCE, SOURCE.replace("twice", "once")))

    def test_kernel_cannot(self):
        bug = self.bug(HEADER.replace("mm/a.c", "cannot: it has no twice()") + RULE)
        self.assertEqual(known_bugs.kernel_patch(bug), (None, "it has no twice()"))

    def test_a_header_takes_all_of_the_library_with_it(self):
        for name in ("a.c", "b.c", "b.h", "include/tdp/c.h"):
            self.write(name, "")
        bug = self.bug(HEADER + RULE)
        self.assertEqual(plant.copied(bug, self.folder.name), ["a.c"])
        bug = self.bug(HEADER.replace("file: a.c", "file: b.h") + RULE)
        self.assertEqual(plant.copied(bug, self.folder.name), ["a.c", "b.c", "b.h",
                                                               "include/tdp/c.h"])


class Trees(unittest.TestCase):
    """A kernel tree with a bug is links, but for what the bug changes."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.tree = os.path.join(self.folder.name, "linux")
        for path in ("Makefile", "mm/a.c", "mm/b.c", "mm/deep/c.c", "fs/d.c"):
            os.makedirs(os.path.dirname(os.path.join(self.tree, path)), exist_ok=True)
            Path(self.tree, path).write_text(path, encoding="utf-8")
        self.made = os.path.join(self.folder.name, "made")
        os.mkdir(self.made)
        self.out = os.path.join(self.made, "tree")

    def tearDown(self):
        self.folder.cleanup()

    def test_only_what_changes_is_copied(self):
        bug_trees.overlay(self.tree, self.out, {"mm/deep/c.c": "changed"})
        for path in ("Makefile", "mm/a.c", "mm/b.c", "fs/d.c"):
            self.assertEqual(Path(self.out, path).read_text(encoding="utf-8"), path)
        for path in ("Makefile", "mm/a.c", "mm/b.c", "fs"):
            self.assertTrue(os.path.islink(os.path.join(self.out, path)), path)
        self.assertEqual(Path(self.out, "mm/deep/c.c").read_text(encoding="utf-8"), "changed")
        self.assertEqual(Path(self.tree, "mm/deep/c.c").read_text(encoding="utf-8"), "mm/deep/c.c")

    def test_what_is_there_is_kept(self):
        changed = {"mm/a.c": "changed"}
        tree = os.path.realpath(self.tree)
        self.assertFalse(bug_trees.is_made(self.made, tree, changed, "about"))
        bug_trees.overlay(tree, self.out, changed)
        self.assertFalse(bug_trees.is_made(self.made, tree, changed, "about"))
        Path(self.made, "bug.c").write_text("about", encoding="utf-8")
        self.assertTrue(bug_trees.is_made(self.made, tree, changed, "about"))
        self.assertFalse(bug_trees.is_made(self.made, tree, {"mm/a.c": "changed again"}, "about"))
        self.assertFalse(bug_trees.is_made(self.made, tree + "-other", changed, "about"))
        self.assertFalse(bug_trees.is_made(self.made, tree, changed, "its rules are others now"))


class Searching(unittest.TestCase):
    def outcome(self, script, budget=60):
        return bug_run.run(["sh", "-c", script], budget, bug_run.Running())

    def test_milestones(self):
        outcome, status = self.outcome("""
            echo '#1024	NEW    cov: 1 ft: 1 corp: 1/1b exec/s: 0 rss: 30Mb'
            echo 'bug: reached executions=3'
            echo 'bug: other rule=! executions=4'
            echo 'bug: triggered executions=70'
            echo 'bug: detected rule=T executions=2000'
            kill -ABRT $$""")
        self.assertEqual(outcome.milestones, {"reached": 3, "triggered": 70, "detected": 2000})
        self.assertEqual((outcome.rule, outcome.others, outcome.crash, outcome.executions),
                         ("T", ["!"], None, 2000))

    def test_a_crash_is_no_detection(self):
        outcome, status = self.outcome("echo 'bug: reached executions=3'; kill -SEGV $$")
        self.assertEqual((outcome.rule, outcome.crash, status), (None, "SIGSEGV", -11))

    def test_sanitizers(self):
        for line in ("==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
                     "WARNING: ThreadSanitizer: data race (pid=1)"):
            outcome, _ = self.outcome(f"echo '{line}'; exit 1")
            self.assertRegex(outcome.crash, "^(Address|Thread)Sanitizer: (heap|data)")

    def test_budget_is_of_processor_time(self):
        outcome, status = self.outcome("while :; do :; done", 0.5)
        self.assertEqual((status, outcome.rule, outcome.crash), (0, None, None))
        self.assertGreater(outcome.seconds, 0.4)

    def test_searches_that_go_on_add_up(self):
        first, _ = self.outcome("echo 'bug: reached executions=5'; kill -SEGV $$")
        second, _ = self.outcome("echo 'bug: detected rule=T executions=10'")
        first.add(second)
        self.assertEqual(first.milestones, {"reached": 5, "detected": 15})


# Makes a thousand executions, of which the last one ends the run if the target's name has "crashes" in it.
AFL = """#!/bin/sh
while [ "$1" != -- ]; do
	case $1 in -o) out=$2;; -s) seed=$2;; -i) seeds=$2;; esac
	shift
done
[ "$(ls "$seeds")" ] || exit 1
mkdir -p "$out/default/queue" "$out/default/crashes"
echo kept > "$out/default/queue/id:000000,time:0,execs:1,orig:seed"
echo "seed $seed $AFL_CUSTOM_MUTATOR_LIBRARY" > "$out/default/queue/id:000001,time:0,execs:9"
echo "execs_done : 1000" > "$out/default/fuzzer_stats"
case $2 in *crashes*) echo crash > "$out/default/crashes/id:000000,sig:06";; esac
"""
AGAIN = """#!/bin/sh
echo 'bug: reached executions=1'
echo program > finding-1.tdp
if grep -q crash "$@"; then %s; fi
grep -q 'seed 7 .*/afl_mmu.so$' "$@" && echo 'bug: other rule=M executions=2'
exit 0
"""


class AflSearching(unittest.TestCase):
    """The engine afl, with a script in AFL++'s place."""

    def search(self, name, says, seeds=None):
        bug = types.SimpleNamespace(build=name, kind="S")
        with tempfile.TemporaryDirectory() as folder:
            for path, text in (("afl-fuzz", AFL), ("fuzz_mmu-" + name, AGAIN % says)):
                Path(folder, path).write_text(text, encoding="utf-8")
                Path(folder, path).chmod(0o755)
            with mock.patch.object(paths, "BUILD", folder), \
                    mock.patch.dict(os.environ, PATH=folder + os.pathsep + os.environ["PATH"]):
                found = bug_engines.ALL["afl"].search(bug, 7, 5, bug_run.Running(), folder, {"mmu": seeds or folder})
            self.assertFalse(os.path.exists(os.path.join(folder, "bugs", name + "-afl-7")))
            self.assertFalse(os.path.exists("finding-1.tdp"))
        return found

    def test_one_that_fails_takes_no_other_with_it(self):
        def fails(*_):
            raise paths.Failure("it did not begin")
        good = types.SimpleNamespace(name="good", preset="p", search=lambda *_: bug_run.Outcome())
        bad = types.SimpleNamespace(name="bad", preset="p", search=fails)
        bug = types.SimpleNamespace(name="b")
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            done = cmd_bugs.search_all([cmd_bugs.Search(bug, engine, 1) for engine in (bad, good)], {"p": ""},
                                       {"b": {}}, 5, 1)
        self.assertEqual([one.engine.name for one, _ in done], ["good"])
        self.assertIn("FAILED: it did not begin", said.getvalue())

    def test_found(self):
        found = self.search("crashes", "echo 'bug: detected rule=T executions=1'; kill -ABRT $$")
        self.assertEqual((found.rule, found.crash, found.executions), ("T", None, 1000))
        self.assertEqual(found.milestones, {"reached": 1000, "detected": 1000})

    def test_what_is_not_the_bug_is_gone_past(self):
        found = self.search("crashes", "kill -SEGV $$")
        self.assertEqual((found.rule, found.crash), (None, "SIGSEGV"))
        self.assertEqual(found.executions, 1000 * bug_engines.RESTARTS)
        self.assertNotIn("detected", found.milestones)

    def test_nothing_found(self):
        found = self.search("quiet", "true")
        self.assertEqual((found.rule, found.crash, found.others, found.executions), (None, None, ["M"], 1000))
        self.assertEqual(found.milestones, {"reached": 1000})

    def test_without_seeds_it_begins_with_something(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(self.search("quiet", "true", empty).executions, 1000)

    def test_what_else_is_built(self):
        bug = types.SimpleNamespace(build="x", kind="C", name="x")
        asked = cmd_bugs.Search(bug, bug_engines.ALL["afl"], 1)
        built = {}
        with mock.patch.object(cmd_bugs.builds, "build", lambda preset, _, targets: built.update({preset: targets})):
            cmd_bugs.build_all([asked], 1)
        self.assertEqual(built, {"plain": ["tdp", "bug-x"], "afl": ["fuzz_race-x"], "afl-mutators": ["afl_race"]})

    def test_processor_time_of_a_family(self):
        busy = "import os, time; os.fork(); end = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n"
        with subprocess.Popen([sys.executable, "-c", busy + "time.sleep(60)"], start_new_session=True) as process:
            end = time.monotonic() + 60
            while bug_run.family_seconds(process.pid) < 1.2 and time.monotonic() < end:
                time.sleep(0.05)
            self.assertGreaterEqual(bug_run.family_seconds(process.pid), 1.2)
            self.assertLess(bug_run.processor_seconds(process.pid), 1.2)
            os.killpg(process.pid, signal.SIGKILL)


def search(seconds, detected, rule="T", others=()):
    return {"rule": rule if detected else None, "seconds": seconds, "executions": 100,
            "reached": 1, "triggered": 2, "detected": detected, "others": list(others),
            "crash": None}


class Reporting(unittest.TestCase):
    def rows(self):
        found = cmd_bugs.summary([search(1.0, 10), search(3.0, 30), search(120, None, others="!")], 120)
        lost = cmd_bugs.summary([search(120, None), search(120, None), search(9.0, 5)], 120)
        row = {"title": "t", "fix": "what if", "kind": "C", "rules": "T", "form": None}
        return {"a-bug": dict(row, engines={"fuzz": found, "asan": found}),
                "b-bug": dict(row, form="nearest", engines={"fuzz": lost, "asan": lost})}

    def test_figures(self):
        rows = self.rows()
        self.assertEqual(rows["a-bug"]["engines"]["fuzz"]["median_s"], 3.0)
        clean = {"mmu.fuzz": [{"crash": None}, {"crash": "finding: rule T"}]}
        figures = cmd_bugs.figures_of(rows, clean)
        self.assertEqual({name: figures[name] for name in
                          ("rows", "detected", "median_s", "slowest_s", "false_alarms")},
                         {"rows": 2, "detected": 1, "median_s": 61.5, "slowest_s": 120,
                          "false_alarms": 1})
        self.assertEqual(figures["c_rows_detected_under_sanitizers"], 2)
        self.assertFalse(cmd_bugs.good(figures))

    def test_tables_and_picture(self):
        rows = self.rows()
        figures = cmd_bugs.figures_of(rows, {})
        about = {"bugs": rows, "figures": figures, "budget_s": 120}
        self.assertIn("3.00 (2/3)", bug_docs.text_table(rows))
        self.assertIn(">120 (1/3)", bug_docs.text_table(rows))
        self.assertIn("- **b-bug**: nearest", bug_docs.markdown(about))
        xml.etree.ElementTree.fromstring(bug_docs.Picture(about).draw())

    def test_fuzzers_side_by_side(self):
        rows = self.rows()
        for row in rows.values():
            row["engines"] = {"fuzz": row["engines"]["fuzz"], "afl": row["engines"]["asan"]}
        page = bug_docs.markdown_fuzzers({"bugs": rows, "figures": cmd_bugs.figures_of(rows, {}), "budget_s": 120})
        self.assertIn("3 searches each, of at most 120 s. libFuzzer: 1 of 2 bugs, median 61.5 s; AFL++: 1 of 2", page)
        self.assertIn("| a-bug | C | 3.00 (2/3) | 3.00 (2/3) | 30 | 30 |", page)

    def test_fuzzers_are_two(self):
        parser = argparse.ArgumentParser()
        cmd_bugs.add_arguments(parser)
        args = parser.parse_args(["--fuzzers"])
        self.assertEqual([engine.name for engine in cmd_bugs.engines_of(args)], ["fuzz", "afl"])
        self.assertEqual((cmd_bugs.title_of(args), cmd_bugs.command_of(args)), ("bugs-fuzzers", "bugs --fuzzers"))
        for words in (["--fuzzers", "--quick"], ["--fuzzers", "--engines", "tsan"],
                      ["--fuzzers", "--backend", "upstream"], ["--backend", "upstream", "--engines", "afl"]):
            with self.assertRaises(paths.Failure) as caught:
                cmd_bugs.engines_of(parser.parse_args(words))
            self.assertEqual(caught.exception.status, 2)

    def test_table_of_real_threads(self):
        rows = self.rows()
        about = {"bugs": rows, "figures": cmd_bugs.figures_of(rows, {}), "budget_s": 120}
        self.assertNotIn("On real threads", bug_docs.markdown(about))
        warned = dict(search(2.0, 1), rule="!", others="")
        raced = dict(search(4.0, 1), rule="ThreadSanitizer", crash="ThreadSanitizer: data race")
        rows["a-bug"]["engines"] |= {"stress": cmd_bugs.summary([warned, search(30, None)], 30),
                                     "stress-tsan": cmd_bugs.summary([raced], 30)}
        page = bug_docs.markdown(about)
        self.assertIn("On real threads, 30 s of processor time", page)
        self.assertIn("| a-bug | 3.00 (2/3) |  | >16 (1/2) |  | 4.00 | 3/3/2 of 3 | ThreadSanitizer, WARN |", page)
        self.assertNotIn("ThreadSanitizer", page.split("On real threads")[0])

    def test_real_threads(self):
        for name, says, rule in (("a-rule", "rule U broken: a frame", "U"), ("silent", "ok", None),
                                 ("raced", "WARNING: ThreadSanitizer: data race (pid=1)", "ThreadSanitizer")):
            with tempfile.TemporaryDirectory() as folder:
                program = Path(folder, "tdp-stress-" + name)
                program.write_text(f"#!/bin/sh\necho '{says}'\necho 'bug: reached 7 times, triggered 0 times'\n",
                                   encoding="utf-8")
                program.chmod(0o755)
                bug = types.SimpleNamespace(build=name)
                found = bug_engines.ALL["stress"].search(bug, 2, 5, bug_run.Running(), folder, None)
                self.assertEqual(found.rule, rule)
                self.assertEqual(found.milestones.get("reached"), 7)
                self.assertNotIn("triggered", found.milestones)
                self.assertEqual("detected" in found.milestones, rule is not None)

    def test_table_of_a_page(self):
        page = "before\n<!-- from ./dev {} --docs -->\n{}<!-- end -->\nafter\n"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "page.md")
            path.write_text(page.format("a", "old\n") + page.format("a b", "kept\n"), encoding="utf-8")
            doc_tables.put(path, "a", "new \\1\n")
            self.assertEqual(path.read_text(encoding="utf-8"),
                             page.format("a", "new \\1\n") + page.format("a b", "kept\n"))
            with self.assertRaisesRegex(paths.Failure, "expected a line <!-- from ./dev c --docs -->"):
                doc_tables.put(path, "c", "")

    def test_pages_have_their_lines(self):
        for page, command in (("bugs", "bugs"), ("bugs", "bugs --backend=upstream"), ("bugs", "bugs --fuzzers"),
                              ("mutants", "bugs --mutants")):
            text = Path(ROOT, "docs", page + ".md").read_text(encoding="utf-8")
            self.assertEqual(text.count(f"<!-- from ./dev {command} --docs -->\n"), 1, command)


if __name__ == "__main__":
    unittest.main()
