# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""README.md stays true: its program runs, and what it names is there."""
import os
import re
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")

with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
    TEXT = readme.read()


class Readme(unittest.TestCase):
    def test_program_runs_clean(self):
        block = re.search(r"^    (tdp 1\n(?:    .*\n)+)", TEXT, re.M)
        self.assertIsNotNone(block, "no program in README.md")
        with tempfile.NamedTemporaryFile("w", suffix=".tdp") as program:
            program.write(re.sub(r"^    ", "", block[1], flags=re.M))
            program.flush()
            done = subprocess.run([TDP, "run", program.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_commands_exist(self):
        named = set(re.findall(r"\./dev ([a-z][a-z-]*)", TEXT))
        there = {f[4:-3].replace("_", "-") for f in os.listdir(os.path.join(ROOT, "tools", "dev"))
                 if f.startswith("cmd_")}
        self.assertEqual(named - there, set(), "README.md names commands that do not exist")
        self.assertEqual(there - named, set(), "commands that README.md does not name")

    def test_folders_and_links_exist(self):
        table = re.findall(r"^\| (`[^|]*/`(?:, `[^|]*/`)*) \|", TEXT, re.M)
        named = [p for cell in table for p in re.findall(r"`([^`]+)`", cell)]
        self.assertGreater(len(named), 5)
        links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
        for path in named + links:
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), f"README.md names {path}")


if __name__ == "__main__":
    unittest.main()
