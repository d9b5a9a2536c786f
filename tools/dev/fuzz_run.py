# SPDX-License-Identifier: GPL-2.0-only
"""One run of a fuzz target in one build, and what is said of what it finds: ./dev fuzz and its soak."""
import hashlib
import os
import re
import shutil
import subprocess
import typing

import afl
import builds
import libfuzzer
import paths

# build: (preset, in words)
BUILDS = {"asan": ("fuzz", " under ASan and UBSan"), "tsan": ("fuzz-tsan", " under TSan"),
          "plain": ("fuzz-plain", "")}
# Whose inputs are programs.
PROGRAMS = ("mmu", "race")

SHOWN_LINES = 60
REPLAY = 300		# seconds for a finding to show again
OWN_TEXT = re.compile(r"^tdp run (?:--\S+ )*(\S.*\.tdp)$")
RULE = re.compile(r"\brule ([A-Z!])(?:\s|$)")
# What a target says itself before it aborts; what libFuzzer says of that tells nothing.
OWN_WORDS = re.compile(r"^fuzz_\w+: (.+)$", re.MULTILINE)


class Library(typing.NamedTuple):
    """Whose MMU is fuzzed."""
    suffix: str = ""            # of the programs that have it: fuzz_race-upstream
    build: typing.Callable = builds.build
    tdp: typing.Optional[str] = None    # the tdp command on it; None: the one that converts seeds
    races: typing.Optional[str] = None  # known data races, for TSan


def clipped(lines):
    if len(lines) > SHOWN_LINES:
        lines = lines[:SHOWN_LINES] + [f"... {len(lines) - SHOWN_LINES} lines more"]
    return "\n".join("  " + line for line in lines)


def output_of(command):
    """(status, lines); what does not end has a status too, for it is no better than what fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=REPLAY)
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace").splitlines()
        return 124, said + [f"it did not end within {REPLAY} s"]
    return done.returncode, done.stdout.splitlines()


def program_of(run, tdp):
    """The file with the finding's program as text: the target's own, or made from the input."""
    for line in run.output:
        own = OWN_TEXT.match(line)
        if own and os.path.exists(own[1]):
            return own[1]
    text = run.artifact + ".tdp"
    status, _ = output_of([tdp, "convert", "--raw", run.artifact, "--output", text])
    return text if status == 0 else None


def explain(run, program, tdp):
    """Prints everything about a finding; returns it for the report."""
    finding = {"target": run.target, "artifact": None, "rule": None, "summary": run.summary}
    said = run.said()
    if run.artifact is None:
        print(f"FINDING: {run.target} ended with status {run.status} and left no input:")
        print(clipped(said[-SHOWN_LINES:]))
        return finding
    finding["artifact"] = paths.shown(run.artifact)
    replay = [paths.shown(program), finding["artifact"]]
    shown = said
    if run.target in PROGRAMS:
        text = program_of(run, tdp)
        if text:
            with open(text, encoding="utf-8") as f:
                print("\nthe program, " + paths.shown(text) + ":")
                print(clipped(f.read().splitlines()))
            # Not every finding shows without the sanitizers: then the fuzz target replays it.
            status, output = output_of([tdp, "run", text])
            if status:
                replay = [paths.shown(tdp), "run", paths.shown(text)]
                shown = output
    rule = RULE.search("\n".join(shown)) or RULE.search("\n".join(said))
    finding["rule"] = rule[1] if rule else None
    words = OWN_WORDS.search("\n".join(said))
    if words and not rule:
        finding["summary"] = words[1]
    finding["replay"] = " ".join(replay)
    print("\nwhat was found:")
    print(clipped(shown))
    print(f"\nFINDING: {'rule ' + rule[1] + ' is broken' if rule else finding['summary'] or 'see above'}"
          f"\nkept:   {finding['artifact']}\nreplay: {finding['replay']}")
    return finding


def run_libfuzzer(target, build, seconds, args, seed_folder, kept, library, tell=None):
    """Builds it and runs it; see libfuzzer.run() for @tell. Returns (libfuzzer.Run, the program)"""
    name = "fuzz_" + target + library.suffix
    program = builds.program(library.build(BUILDS[build][0], args.jobs, [name]), name)
    if not args.resume:
        shutil.rmtree(kept, ignore_errors=True)
    os.makedirs(kept, exist_ok=True)
    findings = os.path.join(paths.BUILD, "findings")
    os.makedirs(findings, exist_ok=True)
    result = libfuzzer.run(program, target, [kept, seed_folder], seconds, args.seed,
                           os.path.join(findings, name + "-"),
                           # TSan's shadow is twice the size of what it is of.
                           ["-rss_limit_mb=4096"] if build == "tsan" else [], library.races, tell)
    return result, program


def run_afl(target, build, seconds, args, seed_folder, kept):
    """What is found is put where libFuzzer's findings are."""
    result = afl.run(target, build, seed_folder, kept, seconds, args)
    if result.artifact:
        findings = os.path.join(paths.BUILD, "findings")
        os.makedirs(findings, exist_ok=True)
        with open(result.artifact, "rb") as f:
            digest = hashlib.sha1(f.read()).hexdigest()
        result.artifact = shutil.copy(result.artifact,
                                      os.path.join(findings, f"fuzz_{target}-crash-{digest}"))
    name = "fuzz_" + target
    return result, builds.program(builds.folder(afl.BUILDS[build]), name)
