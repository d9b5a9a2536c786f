#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What splitting on fault saves, counted (docs/policy.md): on small guests every fault, split, page table,
SPTE written and flush has its reason, so their numbers are held exactly. The same on a thread for each vCPU."""
import json
import os
import subprocess
import unittest

BUILD = os.environ["TDP_BUILD"]
VCPUS = 3
PIECES = 2                  # of 2M that a vCPU uses, out of its GiB
PAGES = PIECES * 512
MOST_OF_1G = 512            # pieces, split by who splits eagerly whether they are used or not
TABLES = VCPUS * (1 + PIECES)   # for the 2M entries of a GiB, and for the 4K entries of each piece used
KERNELS = {"zap": "bench_policy-upstream-6.1", "split": "bench_policy-upstream"}
NOTHING = {"faults": 0, "fast": 0, "splits": 0, "tables": 0, "flushes": 0, "pml": 0}


def run(program, *options):
    done = subprocess.run([os.path.join(BUILD, program), *options], capture_output=True, text=True,
                          timeout=600)
    return done


def phases(program, *options):
    done = run(program, f"--vcpus={VCPUS}", f"--pages={PAGES}", *options)
    if done.returncode or done.stderr:
        raise AssertionError(f"{program} {options}: {done.returncode}\n{done.stdout}{done.stderr}")
    return {name: {k: v for k, v in phase.items() if not k.endswith("seconds")}
            for name, phase in json.loads(done.stdout).items()}


def counts(*options):
    return phases("bench_policy_counts", *options)


def written(percent):
    """Pages that a vCPU writes in a round: each 20th, beginning with its first, if it is 5%."""
    return -(-PAGES // (100 // percent))


# The first write to a GiB maps all of it. One table is below the root, for all of the first 512 GiB.
POPULATE = {**NOTHING, "faults": VCPUS, "tables": 1, "sptes": 1 + VCPUS}
# Each GiB's leaf loses W, and then D.
LOG_START = {**NOTHING, "flushes": 1, "sptes": 2 * VCPUS}


def harvest(pages):
    """Each page that was logged loses D, by a write to its SPTE, and then there is one flush."""
    return {**NOTHING, "flushes": 1, "sptes": pages, "dirty": pages}


# Zapped: freezing the leaf and clearing it are two writes, and its flush is the only one; the tables are
# linked one by one; and each page is mapped by a fault of its own, whether it is read, written or executed,
# with D set: the hardware has nothing to log.
ZAPPED = {**NOTHING, "faults": VCPUS * PAGES, "tables": TABLES, "flushes": VCPUS,
          "sptes": VCPUS * 2 + TABLES + VCPUS * PAGES}


def split(faults, fast):
    """Each table is filled with 512 SPTEs and linked; each fault then sets its own page's SPTE. A fast one gives
    W only, so that the hardware sets D and logs a page that the fault has put into the log already."""
    return {"faults": faults, "fast": fast, "splits": TABLES, "tables": TABLES, "flushes": 0, "pml": fast,
            "sptes": TABLES * 513 + faults}


def again(pages):
    """D tells what is written from the second round on, and from the first where all was split before."""
    return {**NOTHING, "pml": pages, "sptes": 0}


class Counts(unittest.TestCase):
    def check(self, found, **expected):
        for name, phase in expected.items():
            name = name.replace("_", " ").replace("log start", "log-start")
            self.assertEqual(found[name], phase, name)

    def test_execute_split(self):
        # One fault for 2M: the other pages of the new table are executable from the beginning. What the
        # fault sets in its own page's SPTE is D, to 0.
        self.check(counts("--policy=split"), populate=POPULATE, execute=split(VCPUS * PIECES, 0),
                   execute_again={**NOTHING, "sptes": 0})

    def test_execute_zap(self):
        self.check(counts("--policy=zap"), populate=POPULATE, execute=ZAPPED,
                   execute_again={**NOTHING, "sptes": 0})

    def test_dirty_split(self):
        for percent in (5, 100):
            pages = VCPUS * written(percent)
            # Children of a write-protected page are, too: each page's first write is a fault, and a fast one
            # but for the one that splits. Reads go on.
            self.check(counts("--workload=dirty", f"--percent={percent}", "--policy=split"),
                       populate=POPULATE, log_start=LOG_START,
                       round_1=split(pages, pages - VCPUS * PIECES), harvest_1=harvest(pages),
                       round_2=again(pages), harvest_2=harvest(pages))

    def test_dirty_zap(self):
        for percent in (5, 100):
            pages = VCPUS * written(percent)
            # A read's fault maps the page writable, so it counts as written, once.
            self.check(counts("--workload=dirty", f"--percent={percent}", "--policy=zap"),
                       populate=POPULATE, log_start=LOG_START, round_1=ZAPPED,
                       harvest_1=harvest(VCPUS * PAGES), round_2=again(pages),
                       harvest_2=harvest(pages))

    def test_dirty_eager(self):
        for policy in ("split", "zap"):
            for percent in (5, 100):
                pages = VCPUS * written(percent)
                tables = VCPUS * (1 + MOST_OF_1G)
                # All of every GiB, before the first write; then each 4K page's SPTE loses D.
                start = {**NOTHING, "splits": tables, "tables": tables, "flushes": 1,
                         "sptes": tables * 513 + VCPUS * MOST_OF_1G * 512}
                self.check(counts("--workload=dirty", f"--percent={percent}", "--eager",
                                  f"--policy={policy}"), populate=POPULATE, log_start=start,
                           round_1=again(pages), harvest_1=harvest(pages), round_2=again(pages),
                           harvest_2=harvest(pages))

    def test_threads(self):
        """Nobody is in another's way but when the first table is linked: whoever loses that race faults again."""
        for options in (["--policy=split"], ["--policy=zap"],
                        ["--workload=dirty", "--policy=split"], ["--workload=dirty", "--policy=zap"],
                        ["--workload=dirty", "--eager"]):
            alone = counts(*options)
            together = phases("bench_policy", f"--threads={VCPUS}", *options)
            self.assertGreaterEqual(together["populate"].pop("faults"), alone["populate"].pop("faults"))
            for name, phase in alone.items():
                del phase["sptes"]
                self.assertEqual(together[name], phase, f"{options}: {name}")

    def test_kernel(self):
        """The kernel's own code does as much: Linux 6.1 zaps, 6.12 splits."""
        programs = {policy: program for policy, program in KERNELS.items()
                    if os.path.exists(os.path.join(BUILD, program))}
        if not programs:
            self.skipTest("this build has no kernel's own code, for lack of a tree: ./dev upstream unpacks one")
        for policy, program in programs.items():
            for options in (["--workload=execute"], ["--workload=dirty"], ["--workload=dirty", "--percent=100"],
                            ["--workload=dirty", "--eager"]):
                ours = counts(f"--policy={policy}", *options)
                for phase in ours.values():
                    del phase["sptes"]
                self.assertEqual(phases(program, f"--policy={policy}", *options), ours, f"{program} {options}")

    def test_bad_input(self):
        for options, said in [(["--policy=both"], "both: expected a word that --help says"),
                              (["--vcpus=0"], "0: expected a number in the range that --help says"),
                              (["--vcpus=513"], "513: expected a number in the range"),
                              (["--pages=100"], "100: expected a multiple of 512"),
                              (["--percent=3"], "3: expected what divides 100"),
                              (["file"], "file: expected options only")]:
            done = run("bench_policy", *options)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
