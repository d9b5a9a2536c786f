# SPDX-License-Identifier: GPL-2.0-only
"""Runs one program that looks for a known bug, for so many seconds of processor time at most."""
import os
import re
import signal
import subprocess
import threading
import time

SAID = re.compile(r"^bug: (reached|triggered|detected|other)(?: (?:rule=)?(\S+))? executions=(\d+)$")
EXECUTIONS = re.compile(r"^#(\d+)\s|^stat::number_of_executed_units:\s+(\d+)")
EXPLORED = re.compile(r"\b(\d+) schedules? with at most")
TIMES = re.compile(r"\b(reached|triggered) (\d+) times")
BROKEN = re.compile(r"\brule (\S) broken")
SANITIZER = re.compile(r"^(?:==\d+==)?\s*(?:ERROR|WARNING): (\w+Sanitizer): (\S+)"
                       r"|(runtime error): ")
POLL = 0.1		# seconds
GRACE = 20		# seconds from the request to stop until it is killed
SLOW = 40		# times the processor time: a machine that is that busy measures nothing

ENVIRONMENT = {
    # What is found has to be said, where it is in the source has not.
    "ASAN_OPTIONS": "symbolize=0:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "symbolize=0",
    # Its handler of SIGSEGV can wait for a thread that waits for it to report.
    "TSAN_OPTIONS": "symbolize=0:report_signal_unsafe=0:halt_on_error=1:handle_segv=0",
}


class Outcome:
    """What one run came to. executions: of each milestone, the number of the execution."""

    def __init__(self):
        self.milestones = {}
        self.rule = None
        self.others = []
        self.executions = 0
        self.seconds = 0.0
        self.crash = None
        self.tail = []

    def read(self, line):
        self.tail = self.tail[-40:] + [line]
        said = SAID.match(line)
        if said:
            what, by, executions = said[1], said[2], int(said[3])
            self.executions = max(self.executions, executions)
            if what == "other":
                self.others.append(by)
            else:
                self.milestones[what] = executions
            if what == "detected":
                self.rule = by
            return
        count = EXECUTIONS.match(line)
        if count:
            self.executions = max(self.executions, int(count[1] or count[2]))
        found = SANITIZER.search(line)
        if found and not self.crash:
            self.crash = f"{found[1]}: {found[2]}" if found[1] else found[3]

    def add(self, later):
        """The same search went on after what was not the bug ended it."""
        for what, executions in later.milestones.items():
            self.milestones.setdefault(what, executions + self.executions)
        self.rule = later.rule
        self.others += [rule for rule in later.others if rule not in self.others]
        self.executions += later.executions
        self.seconds += later.seconds
        self.crash = self.crash or later.crash
        self.tail = later.tail


def processes():
    """{process: (its parent, seconds of processor time of it and of the children it has waited for)}"""
    found, tick = {}, os.sysconf("SC_CLK_TCK")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(pid)] = int(fields[1]), sum(map(int, fields[11:15])) / tick
    return found


def family_seconds(pid):
    """Processor time of a process and of all that it has started."""
    known = processes()
    wanted, total = {pid}, 0.0
    while wanted:
        total += sum(known[one][1] for one in wanted if one in known)
        wanted = {one for one, (parent, _) in known.items() if parent in wanted}
    return total


def processor_seconds(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Running:
    """The processes that run, to be stopped all at once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.processes = set()
        self.stopped = False

    def add(self, process):
        with self.lock:
            self.processes.add(process)
            if self.stopped:
                process.kill()

    def drop(self, process):
        with self.lock:
            self.processes.discard(process)

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.kill()


def run(command, budget, running, read=Outcome.read, env=None, spent=processor_seconds, cwd=None):
    """Runs a command until it ends or has used its budget; returns its Outcome and status. env: what is set
    for it; spent(pid): the processor time it has had; cwd: where it is run"""
    outcome = Outcome()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", cwd=cwd,
                               env={**os.environ, **ENVIRONMENT, **(env or {})})
    running.add(process)

    def listen():
        for line in process.stdout:
            read(outcome, line.rstrip("\n"))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    begun, asked, had = time.monotonic(), None, 0.0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        now = time.monotonic()
        had = max(had, spent(process.pid))
        if asked is None and (had > budget or now - begun > budget * SLOW):
            asked = now
            process.send_signal(signal.SIGINT)
        elif asked is not None and now - asked > GRACE:
            process.kill()
        time.sleep(POLL if now - begun > 1 else POLL / 10)
    running.drop(process)
    process.returncode = os.waitstatus_to_exitcode(status)
    listener.join()
    process.stdout.close()
    # The first lacks who was left behind, the second what was done since it was asked for.
    outcome.seconds = max(usage.ru_utime + usage.ru_stime, had)
    ended = process.returncode if asked is None else 0
    if not outcome.rule and ended < 0 and not outcome.crash:
        outcome.crash = signal.Signals(-ended).name
    return outcome, ended
