# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""What ./dev makes of what other programs say: libFuzzer, tdp, lcov, clang-format."""
import argparse
import contextlib
import io
import json
import os
import stat
import sys
import tempfile
import unittest
from xml.etree import ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools", "dev"), os.path.join(ROOT, "tools", "lint")]
BUILD = tempfile.TemporaryDirectory()
os.environ["TDP_BUILD_ROOT"] = BUILD.name

import bench_policy  # noqa: E402
import cmd_bench  # noqa: E402
import cmd_fuzz  # noqa: E402
import formatting  # noqa: E402
import fuzz_run  # noqa: E402
import libfuzzer  # noqa: E402
import llvmcov  # noqa: E402
import paths  # noqa: E402
import policy_docs  # noqa: E402
import report  # noqa: E402
import seeds  # noqa: E402

FUZZER = """#!/bin/sh
for a; do
	case $a in -artifact_prefix=*) prefix=${a#*=};; -seed=*) echo "INFO: Seed: ${a#*=}";; esac
done
echo "#2	INITED cov: 10 ft: 12 corp: 1/1b exec/s: 0 rss: 30Mb"
echo "#4096	NEW    cov: 17 ft: 30 corp: 5/99b lim: 43 exec/s: 2048 rss: 41Mb L: 9/43 MS: 1 Cross-"
%s
echo "stat::number_of_executed_units: 5000"
echo "stat::peak_rss_mb:              44"
exit %d
"""

FINDS = """echo "program.tdp: rule U broken (nothing freed is used): gfn 0x10"
echo "==1== ERROR: libFuzzer: deadly signal"
echo "SUMMARY: libFuzzer: deadly signal"
printf x > "${prefix}crash-1"
echo "artifact_prefix='${prefix}'; Test unit written to ${prefix}crash-1"
"""

TDP = """#!/bin/sh
if [ "$1" = convert ]; then while [ $# -gt 1 ]; do shift; done; echo "tdp 1" > "$1"; exit 0; fi
echo "$2:3: rule U broken (nothing freed is used): gfn 0x10"
exit %d
"""

LCOV = """SF:/src/libtdp/a.c
FNDA:3,used
FNDA:0,a.c:never
DA:1,3
DA:2,0
DA:3,0
DA:5,1
DA:7,0
end_of_record
"""


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = scratch.name

    def script(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, stat.S_IRWXU)
        return path


class Fuzzing(Scratch):
    def fuzz(self, body, status):
        program = self.script("fuzz_mmu", FUZZER % (body, status))
        return program, libfuzzer.run(program, "mmu", [], 1, 7, os.path.join(self.dir, "found-"))

    def explain(self, run, program, tdp_status):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            finding = fuzz_run.explain(run, program, self.script("tdp", TDP % tdp_status))
        return finding, said.getvalue()

    def test_a_quiet_run(self):
        _, run = self.fuzz("", 0)
        self.assertFalse(run.found)
        self.assertEqual((run.executions, run.coverage, run.corpus, run.rate, run.rss),
                         (5000, 17, 5, 2048, 44))
        self.assertIn("INFO: Seed: 7", run.output)

    def test_a_finding_names_its_rule_and_how_to_replay_it(self):
        program, run = self.fuzz(FINDS, 77)
        self.assertTrue(run.found)
        finding, said = self.explain(run, program, 1)
        self.assertEqual(finding["rule"], "U")
        self.assertTrue(os.path.exists(os.path.join(self.dir, "found-crash-1")))
        self.assertIn("  tdp 1\n", said)
        self.assertIn("rule U is broken", said)
        self.assertRegex(said, r"replay: \S*/tdp run \S*/found-crash-1\.tdp\n")

    def test_a_program_that_the_target_saved_is_the_one_shown(self):
        own = os.path.join(self.dir, "finding-1.tdp")
        body = f"printf 'tdp 1\\nvm mmu=npt\\n' > {own}\necho 'tdp run --trace {own}'\n" + FINDS
        program, run = self.fuzz(body, 77)
        _, said = self.explain(run, program, 1)
        self.assertIn("  vm mmu=npt\n", said)
        self.assertIn("/finding-1.tdp\n", said[said.index("replay:"):])

    def test_what_only_the_sanitizers_see_is_replayed_by_the_target(self):
        program, run = self.fuzz(FINDS, 77)
        _, said = self.explain(run, program, 0)
        self.assertRegex(said, r"replay: \S*/fuzz_mmu \S*/found-crash-1\n")
        self.assertIn("ERROR: libFuzzer: deadly signal", said)

    def test_what_a_target_says_itself_is_what_was_found(self):
        body = "echo 'fuzz_mmu: call 9: was refused but changed SPTEs'\n" + "\n".join(FINDS.splitlines()[1:])
        program, run = self.fuzz(body, 77)
        finding, said = self.explain(run, program, 0)
        self.assertEqual((finding["rule"], finding["summary"]), (None, "call 9: was refused but changed SPTEs"))
        self.assertIn("FINDING: call 9: was refused", said)

    def test_a_fuzzer_that_dies_without_an_input_is_a_finding(self):
        program, run = self.fuzz("echo 'cannot start'", 3)
        self.assertTrue(run.found)
        finding, said = self.explain(run, program, 0)
        self.assertIsNone(finding["artifact"])
        self.assertIn("ended with status 3", said)
        self.assertIn("cannot start", said)

    def test_a_program_that_is_not_there(self):
        with self.assertRaises(OSError):
            libfuzzer.run(os.path.join(self.dir, "nothing"), "mmu", [], 1, 1, self.dir)


class Seeds(Scratch):
    def test_hex(self):
        self.assertEqual(seeds.from_hex(self.script("a.hex", "00 ff # two\n10\n")), b"\x00\xff\x10")

    def test_bad_hex(self):
        with self.assertRaises(paths.Failure) as caught:
            seeds.from_hex(self.script("a.hex", "0g\n"))
        self.assertEqual(caught.exception.status, 2)


    def test_programs_that_race(self):
        one = self.script("one.tdp", "tdp 1\nthread vcpu 0\n\twrite 0x0\n")
        two = self.script("two.tdp", "tdp 1\nthread vcpu 0\n\twrite 0x0\nthread vmm\n\tlog-get 0\n")
        self.assertEqual([seeds.wants("race", path) for path in (one, two)], [False, True])
        self.assertTrue(seeds.wants("mmu", one))
        self.assertFalse(seeds.wants("api", two))
        race = os.path.join(seeds.CORPUS, "fuzz_race", "x.tdp")
        self.assertFalse(seeds.wants("mmu", race))


class Sharing(unittest.TestCase):
    def parts(self, *words):
        parser = argparse.ArgumentParser()
        cmd_fuzz.add_arguments(parser)
        return cmd_fuzz.parts(parser.parse_args(words))

    def test_sums(self):
        one = {"executions": 2, "seconds": 0.1, "findings": 0, "corpus": 7}
        two = {"executions": 3, "seconds": 0.2, "findings": 1, "corpus": 8}
        figures = cmd_fuzz.sums([("mmu", "asan", one), ("race", "tsan", two)])
        self.assertEqual((figures["executions"], figures["seconds"], figures["findings"]),
                         (5, 0.3, 1))
        self.assertEqual((figures["mmu.asan.corpus"], figures["race.tsan.corpus"]), (7, 8))

    def test_without_a_target_all_get_their_share(self):
        listed = self.parts()
        self.assertEqual(sum(seconds for _, _, seconds in listed), 60)
        self.assertEqual({target for target, _, _ in listed}, {"mmu", "race"})
        self.assertIn(("race", "tsan"), [(target, build) for target, build, _ in listed])

    def test_a_target_has_the_time_for_itself(self):
        self.assertEqual(self.parts("race", "--seconds", "7"), [("race", "asan", 7)])
        self.assertEqual(self.parts("race", "--tsan"), [("race", "tsan", 60)])
        self.assertEqual(self.parts("spte", "--plain"), [("spte", "plain", 60)])


class Reports(unittest.TestCase):
    def test_shape(self):
        with open(report.write("x", True, {"a.b": 1}, why="so"), encoding="utf-8") as f:
            self.assertEqual(json.load(f), {"ok": True, "figures": {"a.b": 1}, "why": "so"})

    def test_figures_name_their_build(self):
        self.assertEqual(cmd_bench.with_build("fuzz_mmu.*.exec_per_s", "asan"),
                         "fuzz_mmu.asan.exec_per_s")


class Policy(unittest.TestCase):
    """With zap a vCPU takes 1,000 faults, with split 50; time is a microsecond each, beside 100 for the guest."""

    FAULTS = {"zap": 1000, "split": 50}
    NAMES = {"execute": ["populate", "execute", "execute again"],
             "dirty": ["populate", "log-start", "round 1", "harvest 1", "round 2", "harvest 2"]}

    def phases(self, scenario, vcpus):
        faults = 0 if scenario.eager else vcpus * self.FAULTS[scenario.policy]
        return {name: {what: faults if name == scenario.phase else 1 for what in bench_policy.COUNTED}
                for name in self.NAMES[scenario.workload]}

    def seconds(self, scenario):
        took = {name: (1e-4, 2e-4) for name in self.NAMES[scenario.workload]}
        faults = 0 if scenario.eager else self.FAULTS[scenario.policy]
        return {**took, scenario.phase: (1e-4 + faults * 1e-6, 1)}

    def about(self, odd=None, kernels=True):
        counts = {scenario.name: {str(vcpus): self.phases(scenario, vcpus) for vcpus in bench_policy.VCPUS}
                  for scenario in bench_policy.SCENARIOS}
        if odd:
            counts["execute.zap"]["96"]["execute"]["faults"] += odd
        lines = bench_policy.linear(counts)
        seconds = {str(threads): {scenario.name: [self.seconds(scenario)] * 3
                                  for scenario in bench_policy.SCENARIOS} for threads in bench_policy.THREADS}
        return {"vcpus": bench_policy.VCPUS, "counts": counts, "per_gib": lines, "seconds": seconds,
                "kernels": bench_policy.KERNELS, "kernel_seconds": seconds["1"] if kernels else {},
                "figures": bench_policy.figures(lines, seconds)}

    def test_what_does_not_grow_with_the_vcpus_is_a_failure(self):
        with self.assertRaisesRegex(paths.Failure, "96003 faults with 96 vCPUs; expected 96000"):
            self.about(odd=3)

    def test_figures(self):
        figures = self.about()["figures"]
        self.assertEqual((figures["faults.dirty-5.zap"], figures["faults.dirty-5.split-eager"]), (1000, 0))
        self.assertEqual(figures["speedup.execute.1"], round(1100 / 150, 2))
        self.assertEqual(figures["speedup_of_faults.dirty-100.2"], 20)

    def test_tables_and_picture(self):
        about = self.about()
        rows = [line.split("|") for line in policy_docs.tables(about).splitlines() if line.startswith("|")]
        cells = {row[1].strip(): [cell.strip() for cell in row[2:-1]] for row in rows}
        # The commit's ratios: 48 times for a dirty round, 26 times for executing.
        self.assertEqual(cells["dirty round, 5% writes"][:3], ["16.9", "48.2", "20.0"])
        self.assertEqual(cells["executing"][:3], ["", "25.9", "20.0"])
        self.assertEqual(cells["here: executing, 1 vCPU on as many threads, ms"], ["1.10", "0.15", "7.3"])
        self.assertNotIn("Linux 6.1", policy_docs.tables(self.about(kernels=False)))
        self.assertIn("Linux 6.1: zap", policy_docs.tables(about))
        self.assertEqual(cells["416"], ["416,000", "20,800", "0"] + [""] * 6)
        picture = ElementTree.fromstring(policy_docs.Picture(about).draw())
        self.assertGreater(len(picture.findall("{http://www.w3.org/2000/svg}circle")), 42)


# A branch of its own on line 5, and one in a macro that line 1 uses; in two units.
FUNCTIONS = [{"name": unit + ":used", "filenames": ["/src/libtdp/a.c", "/src/libtdp/m.h"],
              "regions": [[1, 1, 9, 1, 3, 0, 0, 0], [1, 5, 1, 9, 3, 0, 1, 1]],
              "branches": [[5, 3, 5, 9, taken, 0, 0, 0, 4], [70, 1, 70, 2, 0, taken, 1, 0, 4]]}
             for unit, taken in (("a.c", 3), ("b.c", 0))]


class Coverage(unittest.TestCase):
    def test_branches_of_units_that_share_a_function_count_once(self):
        files = llvmcov.parse(LCOV, "/src")
        llvmcov.add_branches(files, FUNCTIONS, "/src")
        self.assertEqual(files["libtdp/a.c"].tally(), (5, 2, 4, 2))
        self.assertEqual(files["libtdp/a.c"].missed_branches(), [1, 5])

    def test_lcov(self):
        file = llvmcov.parse(LCOV, "/src")["libtdp/a.c"]
        self.assertEqual(file.tally(), (5, 2, 0, 0))
        self.assertEqual(file.missed_functions(), ["never"])
        self.assertEqual(file.missed_lines(), [(2, 3), (7, 7)])

    def test_units_that_share_a_header_add_up(self):
        file = llvmcov.parse(LCOV + LCOV.replace("DA:2,0", "DA:2,4"), "/src")["libtdp/a.c"]
        self.assertEqual(file.tally()[:2], (5, 3))


class Formatting(unittest.TestCase):
    def changes(self, ours, theirs):
        return formatting.wanted(ours, theirs)[1]

    def test_alignment_inside_a_line_is_free(self):
        self.assertEqual(self.changes("#define A\t\t1\n\tint x;\t/* x */",
                                      "#define A 1\n\tint x; /* x */"), [])

    def test_indentation_is_not(self):
        self.assertEqual(self.changes("  int x;", "\tint x;"), [(1, ["  int x;"], ["\tint x;"])])

    def test_macros_of_several_lines_are_free(self):
        self.assertEqual(self.changes("#define A ({ \\\n  1; })", "#define A \\\n\t({ 1; })"), [])

    def test_trailing_white_space_goes(self):
        lines, changes = formatting.wanted("int x; ", "int x;")
        self.assertEqual((lines, len(changes)), (["int x;"], 1))


if __name__ == "__main__":
    unittest.main()
