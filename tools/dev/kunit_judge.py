# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel's log says of KUnit tests, taken strictly: kunit.py itself may be content with a kernel that
crashed, hung or warned, and with a suite that never ran."""
import re

# Begins of what a kernel says when something is wrong with it, whatever the tests think.
TROUBLE = re.compile(r"^(WARNING: |BUG: |Oops\b|KASAN: |UBSAN: |general protection fault|INFO: rcu_|"
                     r"INFO: task |kernel BUG at |=+ WARNING|Kernel panic)")
# ... and what names a kernel that ended by it.
PANIC = "Kernel panic"
TIME = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?")
RESULT = re.compile(r"^(not ok|ok) (\d+)(?: -)? (\S+)(?:\s*# *(SKIP)\b *(.*))?")


class Case:
    """One test case: state is pass, fail, skip, warned, crash, hang or missing."""

    def __init__(self, suite, name, state, words=()):
        self.suite, self.name, self.state = suite, name, state
        self.words = [w for w in words if w]

    @property
    def bad(self):
        return self.state not in ("pass", "skip")

    def rules(self):
        """The rules that were broken, in the order they are named."""
        return list(dict.fromkeys(re.findall(r"\brule (\S):? ?", "\n".join(self.words))))


class Log:
    """The log, line by line; no kernel's time stamps."""

    def __init__(self, text):
        self.lines = [TIME.sub("", line.rstrip("\r")) for line in text.splitlines()]
        self.cases, self.problems = [], []
        self.suites = {}
        self.plan = None
        self.panicked = False
        self._read()

    def _finish(self, suite, last):
        """A suite's own result has come, or the log has ended within it."""
        planned, said = suite["plan"], suite["cases"]
        if planned is None:
            self.problems.append(f"{suite['name']}: its plan is missing")
        elif not planned:
            self.problems.append(f"{suite['name']}: it has no test")
        elif last and planned != said:
            self.problems.append(f"{suite['name']}: {said} of {planned} results")
        self.suites[suite["name"]] = dict(suite, done=last)

    def _read(self):
        suite, words, trouble = None, [], []
        for line in self.lines:
            text = line.strip()
            found = TROUBLE.match(text)
            if found:
                trouble.append(text)
                self.panicked |= text.startswith(PANIC)
            if line.startswith("    # Subtest: "):
                if suite:
                    self.problems.append(f"{suite['name']}: it has no result")
                    self._finish(suite, False)
                suite = {"name": text.removeprefix("# Subtest: "), "plan": None, "cases": 0}
                words, before = [], trouble
                trouble = []
                if before:
                    self.problems.append("before " + suite["name"] + ": " + before[0])
            elif re.match(r"^\s{4}1\.\.\d+$", line) and suite and suite["plan"] is None:
                suite["plan"] = int(text[3:])
            elif re.match(r"^1\.\.\d+$", line) and self.plan is None:
                self.plan = int(text[3:])
            elif suite and re.match(r"^ {4}(not )?ok ", line) and RESULT.match(text):
                state, number, name, skip, why = RESULT.match(text).groups()
                suite["cases"] += 1
                if int(number) != suite["cases"]:
                    self.problems.append(f"{suite['name']}: result {number} where {suite['cases']} "
                                         "was to come")
                state = "fail" if state == "not ok" else "skip" if skip else "pass"
                if trouble and state != "fail":
                    state = "warned"
                self.cases.append(Case(suite["name"], name, state,
                                       trouble + words + ([why] if skip else [])))
                words, trouble = [], []
            elif suite and re.match(r"^(not )?ok ", line) and RESULT.match(text):
                state, _, name, _, _ = RESULT.match(text).groups()
                if name != suite["name"]:
                    self.problems.append(f"{suite['name']}: its result is that of {name}")
                if trouble:
                    self.problems.append(f"after {name}: {trouble[0]}")
                if state == "not ok" and not any(c.bad for c in self.cases if c.suite == name):
                    self.problems.append(f"{name}: it failed, and none of its tests did")
                self._finish(suite, True)
                suite, words, trouble = None, [], []
            elif suite and not text.startswith("KTAP version"):
                words.append(text)
        self.tail = (suite, trouble + words)
        if suite:
            self._finish(suite, False)
        elif trouble:
            self.problems.append("at the end: " + trouble[0])


def judge(text, wanted, timed_out=False):
    """Returns (cases, problems): @wanted is {suite: [names of its cases]}; every one of them is among the
    cases. A run without problems and without a bad case is fine; no other is."""
    log = Log(text)
    end = "crash" if log.panicked else "hang" if timed_out else "missing"
    cases, problems = list(log.cases), list(log.problems)
    suite, words = log.tail
    for name, names in wanted.items():
        said = {c.name for c in cases if c.suite == name}
        if name not in log.suites:
            problems.append(f"{name}: it did not run")
        running = suite and suite["name"] == name
        for case in names:
            if case not in said:
                # The first one without a result is the one that was running.
                cases.append(Case(name, case, end if running else "missing",
                                  words if running else ["it did not run"]))
                running = False
    for name in sorted({c.suite for c in log.cases} - set(wanted)):
        problems.append(f"{name}: nobody asked for this suite")
    if log.panicked and not any(c.state == "crash" for c in cases):
        problems.append("the kernel has panicked")
    if timed_out and not any(c.state == "hang" for c in cases):
        problems.append("the kernel did not come to its end")
    return cases, problems
