# SPDX-License-Identifier: GPL-2.0-only
"""./dev fuzz --all: every fuzz target in every build, in turns, for so many hours each.

What was done is in build/soak/state.json, which is written after each turn: whatever ends the soak, the
same command goes on with the time that is left and the inputs kept so far."""
import contextlib
import fcntl
import io
import json
import math
import os
import re
import shutil
import subprocess
import time
import types

import builds
import fuzz_run
import live
import paths
import report
import seeds
import soak_page

HOURS = 1
SLICE = 300		# seconds of a turn
# A turn that a finding ends counts as this part of one at least, so that there are so many a turn at most.
FINDINGS_A_TURN = 5
SAMPLES = 8		# of a turn, for the curves
FORMAT = "libtdp soak 1"
# Targets whose threads can race, so that TSan sees more than their other builds do.
RACING = ("race",)


def folder():
    return os.path.join(paths.BUILD, "soak")


def parts():
    """Every (target, build): what takes turns."""
    return [(target, build) for target in seeds.targets() for build in soak_page.BUILDS
            if build != "tsan" or target in RACING]


def kind_of(finding):
    """What two findings have in common if they are the same one. Numbers, as of calls and lines, are not
    part of it, for the same mistake may be met elsewhere in an input."""
    return (finding["target"], finding["build"], finding["rule"], re.sub(r"[0-9]+", "", finding["summary"]))


class Campaign:
    """What was done so far: @slices, the turns; @findings, each once, with how often it was met."""

    def __init__(self, hours, slice_seconds, seed, slices=(), findings=()):
        self.hours, self.slice_seconds, self.seed = hours, slice_seconds, seed
        self.slices, self.findings = list(slices), list(findings)

    def spent(self, part):
        """Seconds that a part has had."""
        return sum(one["counted"] for one in self.slices if (one["target"], one["build"]) == part)

    def turns(self, part):
        return sum((one["target"], one["build"]) == part for one in self.slices)

    def left(self, part):
        return max(0.0, self.hours * 3600 - self.spent(part))

    def next(self, listed):
        """(the part whose turn it is, seconds of the turn), or None when all have had their time. It is the
        one that has had the fewest turns."""
        due = [part for part in listed if self.left(part) >= 1]
        if not due:
            return None
        part = min(due, key=self.turns)
        return part, max(1, min(self.slice_seconds, round(self.left(part))))

    def done(self, listed):
        """The share of the time that is over, from 0 to 1."""
        whole = self.hours * 3600 * len(listed)
        return 1 - sum(self.left(part) for part in listed) / whole

    def clock(self):
        """Seconds of fuzzing, all parts together."""
        return sum(one["seconds"] for one in self.slices)

    def ok(self):
        return not self.findings and not any(one["failed"] for one in self.slices)

    def add_finding(self, new):
        """Lists a finding unless it is known; returns whether it was new."""
        for known in self.findings:
            if kind_of(known) == kind_of(new):
                known["times"] += 1
                return False
        self.findings.append({**new, "times": 1})
        return True

    def as_json(self):
        return json.dumps({"format": FORMAT, "seed": self.seed, "slices": self.slices,
                           "findings": self.findings}, indent=1) + "\n"


SLICE_KEYS = {"target": str, "build": str, "begun": (int, float), "planned": int, "seconds": (int, float),
              "counted": (int, float), "executions": int, "coverage": int, "corpus": int, "findings": int,
              "samples": list, "failed": (str, type(None))}
FINDING_KEYS = {"target": str, "build": str, "rule": (str, type(None)), "summary": str, "times": int,
                "at": (int, float)}


def checked(path, listed, keys, what):
    """The entries of the state, or a failure that says which one is not as it should be."""
    if not isinstance(listed, list):
        raise paths.Failure(f"{paths.shown(path)}: expected a list '{what}'", status=2)
    for number, one in enumerate(listed, 1):
        for key, kind in keys.items():
            if not isinstance(one, dict) or not isinstance(one.get(key, ...), kind):
                raise paths.Failure(f"{paths.shown(path)}: expected '{key}' in number {number} of '{what}'; "
                                    "--new begins another soak", status=2)
    return listed


def load(path, hours, slice_seconds, seed):
    """The campaign that is under way, or a new one if there is none."""
    try:
        with open(path, encoding="utf-8") as f:
            text = f.read()
    except FileNotFoundError:
        return Campaign(hours, slice_seconds, seed)
    try:
        about = json.loads(text)
    except ValueError as error:
        raise paths.Failure(f"{paths.shown(path)}: expected JSON: {error}; --new begins another soak",
                            status=2) from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise paths.Failure(f"{paths.shown(path)}: expected \"format\": \"{FORMAT}\"; --new begins another "
                            "soak", status=2)
    return Campaign(hours, slice_seconds, seed, checked(path, about.get("slices"), SLICE_KEYS, "slices"),
                    checked(path, about.get("findings"), FINDING_KEYS, "findings"))


@contextlib.contextmanager
def alone():
    """No two soaks share a state."""
    os.makedirs(folder(), exist_ok=True)
    with open(os.path.join(folder(), "lock"), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise paths.Failure(f"another soak runs in {paths.shown(folder())}", status=2) from None
        yield


class Sampler:
    """How a turn goes, some times in it: [seconds, executions, edges, inputs kept]"""

    def __init__(self, planned):
        self.every = planned / SAMPLES
        self.taken = []

    def look(self, run, last=False):
        since = run.seconds - (self.taken[-1][0] if self.taken else 0)
        if not run.executions or since < self.every and not last:
            return
        # What is left over at the end is too short for a rate of its own.
        if last and self.taken and since < self.every / 2:
            self.taken.pop()
        self.taken.append([round(run.seconds, 1), run.executions, run.coverage, run.corpus])


def version():
    """What is fuzzed, as git names it."""
    done = subprocess.run(["git", "-C", paths.ROOT, "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


class Rotation:
    """Runs the turns. Programs and seeds are made before, so that a turn's time is all for fuzzing."""

    def __init__(self, campaign, listed, jobs):
        self.campaign, self.listed, self.jobs = campaign, listed, jobs
        self.version = version()
        self.status = live.Status()
        self.seeds = {}
        self.tdp = None

    def prepare(self):
        self.tdp = builds.program(builds.build("plain", self.jobs, ["tdp"]), "tdp")
        for build, (preset, _) in fuzz_run.BUILDS.items():
            builds.build(preset, self.jobs, ["fuzz_" + target for target, of in self.listed if of == build])
        for target in seeds.targets():
            self.seeds[target], _, _ = seeds.convert(target, self.tdp, self.jobs)

    def run(self, part, planned, tell):
        """One run of the fuzzer; returns (libfuzzer.Run, the program)"""
        target, build = part
        args = types.SimpleNamespace(jobs=self.jobs, resume=True,
                                     seed=self.campaign.seed + len(self.campaign.slices))
        kept = os.path.join(folder(), "corpus", f"{target}-{build}")
        made = fuzz_run.Library(build=lambda preset, jobs, targets: builds.folder(preset))
        return fuzz_run.run_libfuzzer(target, build, planned, args, self.seeds[target], kept, made, tell)

    def explain(self, result, program, build, at):
        """A finding for the list. What is known already is not told again."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            found = fuzz_run.explain(result, program, self.tdp)
        new = {**found, "build": build, "at": round(at, 1), "when": round(time.time())}
        if self.campaign.add_finding(new):
            self.status.note(said.getvalue().rstrip())
        else:
            self.status.note(f"met again: {soak_page.name_of(new)}")

    def turn(self, part, planned):
        """A part's turn, which ends with what was done in the state."""
        target, build = part
        campaign, sampler = self.campaign, Sampler(planned)

        def tell(run):
            sampler.look(run)
            whole = campaign.hours * 3600 * len(self.listed)
            done = campaign.done(self.listed) + min(run.seconds, planned) / whole
            self.status.update(f"soak {100 * done:.1f}%, {len(campaign.findings)} findings; "
                               f"{soak_page.BUILDS[build]}, {run.line()}")

        begun, clock, result, failed = time.time(), campaign.clock(), None, None
        try:
            result, program = self.run(part, planned, tell)
            sampler.look(result, last=True)
        except paths.Failure as failure:
            failed = str(failure)
        if result:
            report.put(os.path.join(folder(), "log", f"{target}-{build}.log"), "\n".join(result.output) + "\n")
        seconds = result.seconds if result else time.time() - begun
        found = result is not None and result.found
        if found:
            self.explain(result, program, build, clock + seconds)
        counted = max(seconds, planned / FINDINGS_A_TURN) if found else max(seconds, planned)
        campaign.slices.append({
            "target": target, "build": build, "begun": round(begun), "planned": planned,
            "seconds": round(seconds, 1), "counted": round(counted, 1),
            "executions": result.executions if result else 0, "coverage": result.coverage if result else 0,
            "corpus": result.corpus if result else 0, "rss_mb": result.rss if result else 0,
            "findings": int(found), "samples": sampler.taken, "failed": failed, "version": self.version})
        self.status.note(soak_page.told(campaign.slices[-1], len(campaign.slices)))

    def write(self, running=True):
        """The state, then the page and the report, each of them wholly or not at all."""
        campaign, listed = self.campaign, self.listed
        report.put(state_file(), campaign.as_json())
        about = figures(campaign, listed)
        report.put(page_file(), soak_page.page(campaign, listed, about, running))
        return report.write("soak", campaign.ok(), about, seed=campaign.seed, hours=campaign.hours,
                            done=round(campaign.done(listed), 4), findings=campaign.findings)

    def go_on(self):
        """Turn after turn until all have had their time; returns the report's path."""
        try:
            self.write()
            while (due := self.campaign.next(self.listed)) is not None:
                self.turn(*due)
                self.write()
        finally:
            path = self.write(running=False)
        return path


def state_file():
    return os.path.join(folder(), "state.json")


def page_file():
    return os.path.join(paths.BUILD, "report", "soak.html")


def figures(campaign, listed):
    """Totals, and each part's own."""
    slices = campaign.slices
    out = {"executions": sum(one["executions"] for one in slices),
           "seconds": round(campaign.clock(), 1), "slices": len(slices),
           "findings": len(campaign.findings), "failed": sum(one["failed"] is not None for one in slices)}
    for target, build in listed:
        own = [one for one in slices if (one["target"], one["build"]) == (target, build)]
        seconds = sum(one["seconds"] for one in own)
        name = f"{target}.{build}"
        out |= {f"{name}.executions": sum(one["executions"] for one in own),
                f"{name}.seconds": round(seconds, 1),
                f"{name}.exec_per_s": round(sum(one["executions"] for one in own) / seconds) if seconds else 0,
                f"{name}.coverage": max((one["coverage"] for one in own), default=0),
                f"{name}.corpus": own[-1]["corpus"] if own else 0,
                f"{name}.findings": sum(one["target"] == target and one["build"] == build
                                        for one in campaign.findings)}
    return out


def begin_anew():
    """Forgets the last soak, but not its findings, which are in build/findings."""
    for name in os.listdir(folder()):
        path = os.path.join(folder(), name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif name != "lock":
            os.remove(path)


def announce(campaign, listed):
    hours, turns = campaign.hours * len(listed), sum(
        math.ceil(campaign.left(part) / campaign.slice_seconds) for part in listed)
    done = campaign.done(listed)
    print(f"soak: {len(listed)} parts, {soak_page.hours(campaign.hours)} each, "
          f"{soak_page.hours(hours)} in all; "
          + (f"{100 * done:.1f}% was done before, " if campaign.slices else "")
          + (f"{turns} turns of at most {campaign.slice_seconds} s are left\n" if turns else "nothing is left\n")
          + "page: " + paths.shown(page_file()), flush=True)


def run(args):
    listed = parts()
    with alone():
        if args.new:
            begin_anew()
        campaign = load(state_file(), args.hours or HOURS, args.slice or SLICE, args.seed)
        announce(campaign, listed)
        rotation = Rotation(campaign, listed, args.jobs)
        if campaign.next(listed):
            rotation.prepare()
        try:
            path = rotation.go_on()
        except KeyboardInterrupt:
            print(f"\nsoak: this turn is lost, {len(campaign.slices)} were written; the same command goes on")
            raise
    print("\n" + soak_page.text_table(figures(campaign, listed), listed))
    for finding in campaign.findings:
        print(f"FINDING: {soak_page.name_of(finding)}\n  replay: {finding.get('replay', 'nothing was kept')}")
    print(f"report: {path}")
    return 0 if campaign.ok() else 1
