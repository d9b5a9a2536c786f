# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""./dev fuzz --engine=afl: what it asks of AFL++, and what it makes of its files, with a program in AFL++'s place."""
import argparse
import os
import stat
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))

import afl  # noqa: E402
import cmd_fuzz  # noqa: E402
import paths  # noqa: E402

# Keeps an input and, as the seed says, finds something; its statistics come at the end.
AFL = """#!/bin/sh
while [ "$1" != -- ]; do
	case $1 in -o) out=$2;; -s) seed=$2;; -M|-S) name=$2;; esac
	shift
done
out=$out/${name:-default}
mkdir -p "$out/queue" "$out/crashes"
echo "execs_done        : 3" > "$out/fuzzer_stats"
: > "$out/queue/id:000000,time:0,execs:0,orig:seed"
: > "$out/queue/id:000007,src:000000,time:9,execs:1200,op:afl_mmu.so"
[ $seed = 1 ] || echo bytes > "$out/crashes/id:000000,sig:06"
printf '%s\\n' "execs_done        : 2000" "execs_per_sec     : inf" "corpus_count      : 2" \\
	"edges_found       : 34" "peak_rss_mb       : 5" > "$out/fuzzer_stats"
"""


def arguments(**given):
    return argparse.Namespace(**{"jobs": 1, "seed": 1, "instances": 1, "cmplog": False,
                                 "resume": False, "engine": "afl", "build": None, "target": None,
                                 "seconds": 60, "hours": None, "slice": None, "new": False, **given})


class Runs(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        program = os.path.join(self.work.name, "afl-fuzz")
        with open(program, "w", encoding="utf-8") as f:
            f.write(AFL)
        os.chmod(program, os.stat(program).st_mode | stat.S_IXUSR)
        env = dict(os.environ, PATH=self.work.name + os.pathsep + os.environ["PATH"])
        self.out = os.path.join(self.work.name, "out")
        for what, value in (("targets", lambda *_: ("fuzz_mmu", [], env)),):
            patch = mock.patch.object(afl, what, value)
            patch.start()
            self.addCleanup(patch.stop)
        path = mock.patch.dict(os.environ, env)
        path.start()
        self.addCleanup(path.stop)

    def run_afl(self, **given):
        return afl.run("mmu", "plain", "seeds", self.out, 1, arguments(**given))

    def test_nothing_found(self):
        result = self.run_afl()
        self.assertFalse(result.found)
        self.assertEqual((result.executions, result.coverage, result.corpus, result.rss),
                         (2000, 34, 2, 5))

    def test_found(self):
        result = self.run_afl(seed=2)
        self.assertTrue(result.found)
        self.assertTrue(result.artifact.endswith("out/default/crashes/id:000000,sig:06"))
        self.assertEqual(result.status, 0)

    def test_two_instances(self):
        result = self.run_afl(instances=2)
        # The second one has another seed, and finds something.
        self.assertIn("other1", result.artifact)
        self.assertEqual(sorted(os.listdir(self.out)), ["main", "other1"])

    def test_on_the_way(self):
        self.run_afl()
        result = afl.Run("mmu", self.out)
        result.seconds = 2.0
        result.read_files()
        self.assertEqual((result.executions, result.rate, result.corpus), (1200, 600, 2))
        self.assertIn("1,200 executions  600/s  corpus 2  findings 0", result.line())

    def test_what_was_kept_is_gone_unless_wanted(self):
        old = os.path.join(self.out, "default", "queue", "id:000001,old")
        os.makedirs(os.path.dirname(old))
        with open(old, "w", encoding="utf-8"):
            pass
        self.run_afl(resume=True)
        self.assertTrue(os.path.exists(old))
        self.run_afl()
        self.assertFalse(os.path.exists(old))


class Asked(unittest.TestCase):
    def test_commands(self):
        one, = afl.commands("fuzz_mmu", ["-c", "log"], "seeds", "out", 9, 4, 1, False)
        self.assertEqual(one, ["afl-fuzz", "-i", "seeds", "-o", "out", "-V", "9", "-s", "4", "-m", "none",
                               "-t", "20000", "-c", "log", "--", "fuzz_mmu"])
        main, other = afl.commands("fuzz_mmu", [], "seeds", "out", 9, 4, 2, True)
        self.assertEqual(main[1:3] + main[-4:-2], ["-i", "-", "-M", "main"])
        self.assertEqual(other[7:9] + other[-4:-2], ["-s", "5", "-S", "other1"])

    def test_refused(self):
        for given, words in (({"build": "tsan"}, "not built with TSan"),
                             ({"engine": "libfuzzer", "instances": 2}, "expected --engine=afl"),
                             ({"engine": "libfuzzer", "cmplog": True}, "expected --engine=afl")):
            with self.assertRaisesRegex(paths.Failure, words) as caught:
                cmd_fuzz.parts(arguments(**given))
            self.assertEqual(caught.exception.status, 2)

    def test_shares(self):
        self.assertEqual(cmd_fuzz.parts(arguments()), [("mmu", "asan", 30), ("race", "asan", 30)])
        self.assertEqual(cmd_fuzz.parts(arguments(target="spte", build="plain")),
                         [("spte", "plain", 60)])


if __name__ == "__main__":
    unittest.main()
