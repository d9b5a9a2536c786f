# SPDX-License-Identifier: GPL-2.0-only
"""Live progress: one line that changes on a terminal, a plain line now and then elsewhere."""
import queue
import shutil
import subprocess
import sys
import threading
import time

PLAIN_EVERY = 5.0
TERMINAL_EVERY = 0.2


class Status:
    """The line at the bottom. Text given to update() may be shown late or not at all."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.every = TERMINAL_EVERY if self.terminal else PLAIN_EVERY
        # Elsewhere than on a terminal, what ends within the first interval stays silent.
        self.last = 0.0 if self.terminal else time.monotonic()

    def update(self, text):
        now = time.monotonic()
        if now - self.last < self.every:
            return
        self.last = now
        if self.terminal:
            width = shutil.get_terminal_size().columns - 1
            print("\r\033[K" + text[:width], end="", flush=True)
        else:
            print(text, flush=True)

    def note(self, text):
        """A line that stays."""
        self.clear()
        print(text, flush=True)

    def clear(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def lines_of(process):
    """Yields the process's output lines as they come, and None whenever none comes for a moment."""
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line.rstrip("\r\n"))
        lines.put(read)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=TERMINAL_EVERY)
        except queue.Empty:
            yield None
            continue
        if line is read:
            return
        yield line


def start(command, **options):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace", **options)


def tied(command):
    """The command that ends when ./dev does, even if that is killed: fuzzers would go on for hours."""
    # What is not there is to be an error of ours, not setpriv's.
    there = shutil.which("setpriv") and shutil.which(command[0])
    return ["setpriv", "--pdeathsig", "KILL", *command] if there else command


def watch(command, title, **options):
    """Runs a command with its newest output line as the status; returns (status, all lines)."""
    status = Status()
    begun = time.monotonic()
    output = []
    with start(command, **options) as process:
        try:
            for line in lines_of(process):
                if line:
                    output.append(line)
                newest = output[-1] if output else ""
                status.update(f"{title}: {time.monotonic() - begun:.0f} s  {newest}")
        except BaseException:
            process.kill()
            raise
    status.clear()
    return process.returncode, output
