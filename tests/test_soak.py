# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev fuzz --all: whose turn it is, that nothing but a turn is lost, its page, and what it refuses."""
import argparse
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock
from xml.etree import ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))
BUILD = tempfile.TemporaryDirectory()
os.environ["TDP_BUILD_ROOT"] = BUILD.name

import cmd_fuzz  # noqa: E402
import libfuzzer  # noqa: E402
import live  # noqa: E402
import paths  # noqa: E402
import soak  # noqa: E402
import soak_page  # noqa: E402
import svg_chart  # noqa: E402

PARTS = [("mmu", "plain"), ("mmu", "asan"), ("race", "tsan")]
# Takes the time that it is given.
FUZZER = """#!/bin/sh
for a; do case $a in -max_total_time=*) seconds=${a#*=};; esac; done
echo "#2	INITED cov: 10 ft: 12 corp: 1/1b exec/s: 0 rss: 30Mb"
sleep $seconds
echo "#4096	NEW    cov: 17 ft: 30 corp: 5/99b lim: 43 exec/s: 2048 rss: 41Mb L: 9/43 MS: 1 Cross-"
"""
# A soak of two parts by that; its turns take a second.
DRIVER = """import sys
sys.path.insert(0, "tools/dev")
import types
import builds, seeds, soak
builds.build = lambda preset, *_: sys.argv[1]
builds.folder = lambda preset: sys.argv[1]
seeds.targets = lambda: ["api"]
seeds.convert = lambda target, *_: (sys.argv[1], 0, 0)
sys.exit(soak.run(types.SimpleNamespace(new=False, hours=float(sys.argv[2]), slice=1, seed=1, jobs=1)))
"""


def turn(target="mmu", build="plain", **given):
    return {"target": target, "build": build, "begun": 1, "planned": 10, "seconds": 10.0, "counted": 10.0,
            "executions": 100, "coverage": 7, "corpus": 3, "rss_mb": 1, "findings": 0,
            "samples": [[5.0, 40, 6, 2], [10.0, 100, 7, 3]], "failed": None, "version": "v", **given}


def finding(**given):
    return {"target": "mmu", "build": "plain", "rule": "T", "summary": "deadly <signal>", "artifact": "a",
            "replay": "tdp run \"a\" && <b>", "at": 4.0, **given}


def campaign(slices=(), hours=1.0, found=()):
    made = soak.Campaign(hours, 300, 1, slices)
    for one in found:
        made.add_finding(one)
    return made


class Turns(unittest.TestCase):
    def order(self, made, count):
        """The next parts, and the lengths of their turns, if each takes what it was given."""
        out = []
        for _ in range(count):
            due = made.next(PARTS)
            out.append(due)
            if due is None:
                break
            (target, build), seconds = due
            made.slices.append(turn(target, build, counted=seconds + 0.4))
        return out

    def test_all_take_turns(self):
        self.assertEqual([part for part, _ in self.order(campaign(), 7)], PARTS + PARTS + PARTS[:1])

    def test_each_has_its_hours(self):
        made = campaign(hours=0.25)
        order = self.order(made, 100)
        self.assertIsNone(order[-1])
        for part in PARTS:
            self.assertEqual([seconds for other, seconds in order[:-1] if other == part], [300, 300, 299])
        self.assertEqual(made.done(PARTS), 1)

    def test_more_hours_go_on(self):
        made = campaign([turn(*part, counted=3600) for part in PARTS])
        self.assertIsNone(made.next(PARTS))
        made.hours = 2
        self.assertEqual(made.next(PARTS), (PARTS[0], 300))
        self.assertEqual(made.done(PARTS), 0.5)

    def test_a_turn_that_was_missed_is_made_up_for(self):
        made = campaign([turn(*PARTS[0], counted=300), turn(*PARTS[2], counted=300)])
        self.assertEqual(made.next(PARTS)[0], PARTS[1])

    def test_parts(self):
        listed = soak.parts()
        self.assertEqual({build for target, build in listed if target == "race"}, {"plain", "asan", "tsan"})
        self.assertEqual({build for target, build in listed if target == "spte"}, {"plain", "asan"})


class Findings(unittest.TestCase):
    """What a turn leaves behind, with the fuzzer in between made up."""

    def rotation(self, run, said=None):
        made = campaign()
        with mock.patch.object(soak, "version", lambda: "v"):
            rotation = soak.Rotation(made, PARTS, 1)
        explained = mock.patch.object(soak.fuzz_run, "explain", lambda *_: said or finding())
        for patch in (mock.patch.object(rotation, "run", run), explained):
            patch.start()
            self.addCleanup(patch.stop)
        return rotation

    def turns(self, rotation, count):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            for _ in range(count):
                rotation.turn(*rotation.campaign.next(PARTS))
                rotation.write()
        return said.getvalue()

    def result(self, seconds, status=0):
        result = libfuzzer.Run("mmu")
        result.seconds, result.status, result.executions = seconds, status, 50
        return result

    def test_a_finding_ends_a_turn_and_no_soak(self):
        rotation = self.rotation(lambda *_: (self.result(1.0, 77), "fuzz_mmu"))
        said = self.turns(rotation, 7)
        made = rotation.campaign
        # mmu.plain had three turns, the others two; each is counted as a fifth.
        self.assertEqual([made.spent(part) for part in PARTS], [180, 120, 120])
        self.assertEqual([(one["build"], one["times"]) for one in made.findings],
                         [("plain", 3), ("asan", 2), ("tsan", 2)])
        self.assertEqual(said.count("met again: mmu, plain: rule T is broken"), 2)
        self.assertFalse(made.ok())

    def test_the_same_elsewhere_is_the_same(self):
        made = campaign(found=[finding(rule=None, summary=f"call {n}, unmap: {what}")
                               for n, what in ((3, "lost"), (12, "lost"), (3, "found"))])
        self.assertEqual([one["times"] for one in made.findings], [2, 1])

    def test_nothing_found(self):
        rotation = self.rotation(lambda *_: (self.result(300.0), "fuzz_mmu"))
        self.turns(rotation, 3)
        self.assertTrue(rotation.campaign.ok())
        self.assertEqual(rotation.campaign.spent(PARTS[0]), 300)

    def test_a_turn_that_fails_is_said_and_counts(self):
        def hangs(*_):
            raise paths.Failure("fuzz_mmu did not stop")
        rotation = self.rotation(hangs)
        self.assertIn("FAILED: fuzz_mmu did not stop", self.turns(rotation, 1))
        self.assertEqual(rotation.campaign.spent(PARTS[0]), 300)
        self.assertFalse(rotation.campaign.ok())

    def test_report(self):
        rotation = self.rotation(lambda *_: (self.result(300.0, 77), "fuzz_mmu"))
        self.turns(rotation, 1)
        with open(os.path.join(paths.BUILD, "report", "soak.json"), encoding="utf-8") as f:
            about = json.load(f)
        self.assertFalse(about["ok"])
        self.assertEqual(about["figures"]["mmu.plain.executions"], 50)
        self.assertEqual((about["figures"]["mmu.plain.findings"], about["figures"]["mmu.asan.findings"]), (1, 0))

    def test_samples(self):
        sampler, run = soak.Sampler(80), self.result(0.0)
        for run.seconds in range(0, 81, 2):
            sampler.look(run)
        run.seconds = 81.0
        sampler.look(run, last=True)
        self.assertEqual([at for at, *_ in sampler.taken], [10, 20, 30, 40, 50, 60, 70, 81])


class Resumed(unittest.TestCase):
    """Killed in the middle of a turn, it goes on after the last one that was whole."""

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        for name, text in (("fuzz_api", FUZZER), ("tdp", "#!/bin/sh\n")):
            with open(os.path.join(self.work.name, name), "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(os.path.join(self.work.name, name), 0o755)
        self.state = os.path.join(self.work.name, "build", "soak", "state.json")

    def start(self, hours):
        env = dict(os.environ, TDP_BUILD_ROOT=os.path.join(self.work.name, "build"))
        return subprocess.Popen([sys.executable, "-B", "-c", DRIVER, self.work.name, str(hours)], cwd=ROOT,
                                env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def slices(self):
        try:
            with open(self.state, encoding="utf-8") as f:
                return json.load(f)["slices"]
        except FileNotFoundError:
            return []

    def fuzzers(self):
        """The command lines of those that run."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as f:
                found.append(f.read().decode(errors="replace"))
        return [line for line in found if self.work.name + "/fuzz_api" in line]

    def wait_for(self, condition, what):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def test_kill(self):
        with self.start(3 / 3600) as process:
            self.wait_for(lambda: len(self.slices()) == 2 and self.fuzzers(), "no third turn within a minute")
            process.send_signal(signal.SIGKILL)
        before = self.slices()
        self.wait_for(lambda: not self.fuzzers(), "the fuzzer goes on without the soak")
        with self.start(3 / 3600) as process:
            said, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("was done before", said)
        after = self.slices()
        self.assertEqual(after[:len(before)], before)
        for build in ("plain", "asan"):
            self.assertGreater(sum(one["counted"] for one in after if one["build"] == build), 2)
        with self.start(3 / 3600) as process:
            said, _ = process.communicate(timeout=120)
        self.assertIn("nothing is left", said)
        self.assertEqual(self.slices(), after)

    def test_interrupt(self):
        with self.start(1) as process:
            self.wait_for(self.slices, "no turn within a minute")
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        self.assertRegex(said, "soak: this turn is lost, [0-9]+ were written; the same command goes on")
        page = os.path.join(self.work.name, "build", "report", "soak.html")
        with open(page, encoding="utf-8") as f:
            self.assertIn("the soak was interrupted", f.read())


class Page(unittest.TestCase):
    def page(self, made, running=False):
        text = soak_page.page(made, PARTS, soak.figures(made, PARTS), running)
        self.assertTrue(text.startswith("<!DOCTYPE html>\n"))
        return text, ElementTree.fromstring(text.partition("\n")[2])

    def test_nothing_yet(self):
        text, _ = self.page(campaign(), running=True)
        self.assertIn("not fuzzed yet", text)
        self.assertIn("http-equiv=\"refresh\"", text)

    def test_whole(self):
        slices = [turn(*part) for part in PARTS] + [turn(failed="it <hangs> & stays", executions=0, samples=[])]
        text, tree = self.page(campaign(slices, found=[finding(), finding(), finding(build="asan")]))
        for loaded in ("src=", "href=", "@import", "url("):
            self.assertNotIn(loaded, text)
        drawn = list(tree.iter("{http://www.w3.org/2000/svg}svg"))
        self.assertEqual(len(drawn), 1 + 2 * 2)
        bars, dots = (list(drawn[0].iter("{http://www.w3.org/2000/svg}" + what)) for what in ("rect", "circle"))
        self.assertEqual((len(bars), len(dots)), (4, 2))
        cells = ["".join(cell.itertext()) for cell in tree.iter("td")]
        for expected in ("mmu, plain: rule T is broken", "2×", "tdp run \"a\" && <b>", "it <hangs> & stays"):
            self.assertIn(expected, cells)
        self.assertNotIn("refresh", text)

    def test_curves(self):
        slices = [turn(), turn(build="asan"), turn(samples=[[4.0, 80, 3, 1], [10.0, 200, 9, 2]])]
        speed, edges = soak_page.curves(slices, PARTS[0])
        self.assertEqual(speed, [(2.5, 8), (7.5, 12), (12, 20), (17, 20)])
        # What was reached before stays reached while a turn runs what is there.
        self.assertEqual(edges, [(5, 6), (10, 7), (14, 7), (20, 9)])

    def test_scales(self):
        self.assertEqual(svg_chart.steps(0, 10, 4), [0, 5, 10])
        self.assertEqual(svg_chart.steps(5, 5, 4), [5])
        self.assertEqual(svg_chart.moments(7200, 3), [0, 3600, 7200])
        self.assertEqual(svg_chart.moments(400 * 86400, 3)[:2], [0, 134 * 86400])
        points = [(n, n) for n in range(1000)]
        self.assertLessEqual(len(svg_chart.thinned(points)), svg_chart.MOST + 1)
        self.assertEqual(svg_chart.thinned(points)[-1], (999, 999))

    def test_durations(self):
        self.assertEqual([soak_page.duration(seconds) for seconds in (12.4, 60, 450, 3600, 7530)],
                         ["12 s", "1 min", "7:30 min", "1 h", "2:05 h"])

    def test_text(self):
        made = campaign([turn()])
        lines = soak_page.text_table(soak.figures(made, PARTS), PARTS).splitlines()
        self.assertEqual(lines[1].split(), ["mmu", "plain", "10", "s", "100", "10", "7", "3", "0"])


class Refused(unittest.TestCase):
    def load(self, text):
        path = os.path.join(BUILD.name, "state.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return soak.load(path, 1, 300, 1)

    def test_states(self):
        good = campaign([turn()], found=[finding()])
        self.assertEqual(self.load(good.as_json()).as_json(), good.as_json())
        for text, words in (("{", "expected JSON"), ("[]", "expected \"format\""),
                            ('{"format": "libtdp soak 0"}', "expected \"format\""),
                            (json.dumps({"format": soak.FORMAT, "slices": [], "findings": 1}),
                             "expected a list 'findings'"),
                            (good.as_json().replace('"counted"', '"uncounted"'),
                             "expected 'counted' in number 1 of 'slices'")):
            with self.assertRaisesRegex(paths.Failure, words) as caught:
                self.load(text)
            self.assertEqual(caught.exception.status, 2)
            self.assertIn("state.json: ", str(caught.exception))

    def test_two_at_once(self):
        with soak.alone(), self.assertRaisesRegex(paths.Failure, "another soak runs"), soak.alone():
            pass

    def test_options(self):
        parser = argparse.ArgumentParser()
        cmd_fuzz.add_arguments(parser)
        for words in (["race"], ["--seconds", "9"], ["--tsan"], ["--engine=afl"], ["--continue"]):
            with self.assertRaisesRegex(paths.Failure, "expected it without") as caught:
                cmd_fuzz.run(parser.parse_args(["--all", *words]))
            self.assertEqual(caught.exception.status, 2)
        for words in (["--hours", "1"], ["--slice", "9"], ["--new"]):
            with self.assertRaisesRegex(paths.Failure, "expected --all"):
                cmd_fuzz.parts(parser.parse_args(words))
        for hours in ("0", "-1", "x", "1e3", "0.0001"):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                parser.parse_args(["--all", "--hours", hours])
        self.assertEqual(parser.parse_args(["--all", "--hours", "0.5"]).hours, 0.5)


class Tied(unittest.TestCase):
    def test_what_is_not_there_is_an_error(self):
        with self.assertRaises(OSError):
            live.start(live.tied([os.path.join(BUILD.name, "nothing")]))
        with live.start(live.tied(["sh", "-c", "exit 3"])) as process:
            self.assertEqual(process.wait(), 3)


if __name__ == "__main__":
    unittest.main()
