# SPDX-License-Identifier: GPL-2.0-only
"""./dev bugs --mutants: how many mechanical changes of the mirrored files something tells of."""
import collections
import json
import os
import re
import subprocess
import threading
import time

import builds
import doc_tables
import live
import paths
import report

LISTED = os.path.join(paths.ROOT, "fuzz", "bugs", "mutants", "equivalent")
# FILE: FUNCTION: KIND: `TEXT` -> CHANGE / CHANGE; KIND #2: the second such text in the function.
ENTRY = re.compile(r"^(\w+\.c): (\w+): (\w+)(?: #(\d+))?: `(.*)` -> (.+)$")
DOC = os.path.join(paths.ROOT, "docs", "mutants.md")
WANTED = 95.0
RANDOM = 2000
# In a sample: mutants, as few programs at random as one needs to see that this works.
QUICK = {"mutants": 40, "random": 0}
HOW = ["rule", "warn", "crash", "endless", "counts", "inputs", "tests", "random"]


class Mutant:
    def __init__(self, site, change):
        self.site, self.change = site, change
        self.name = f"{site['site']}:{change}"
        self.what = site["changes"][change - 1]
        self.how = self.by = self.equivalent = None
        self.reaching = 0

    def key(self):
        s = self.site
        return s["file"], s["function"], s["kind"], s["nth"], s["text"], self.what

    def __str__(self):
        s = self.site
        nth = f" #{s['nth']}" if s["nth"] > 1 else ""
        return f"{s['file']}: {s['function']}: {s['kind']}{nth}: `{s['text']}` -> {self.what}"


def mutants_of(where):
    path = os.path.join(where, "fuzz", "bugs", "mutants", "mutants", "sites.json")
    with open(path, encoding="utf-8") as f:
        sites = json.load(f)
    return [Mutant(site, n) for site in sites for n in range(1, len(site["changes"]) + 1)]


def listed():
    """{key of a mutant that does what the library does: why}"""
    found, keys = {}, []
    with open(LISTED, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("\t"):
                for key in keys:
                    found[key] = (found[key] + " " + line.strip()).strip()
                continue
            if line.startswith("#") or not line.strip():
                keys = []
                continue
            entry = ENTRY.match(line.rstrip("\n"))
            if not entry:
                raise paths.Failure(f"{paths.shown(LISTED)}:{number}: expected 'FILE: FUNCTION: "
                                    "KIND: `TEXT` -> CHANGE / CHANGE', then indented lines that "
                                    "say why", 2)
            file, function, kind, nth, text, changes = entry.groups()
            for change in changes.split(" / "):
                key = (file, function, kind, int(nth or 1), text, change)
                if key in found:
                    raise paths.Failure(f"{paths.shown(LISTED)}:{number}: '{change}' is listed "
                                        "twice", 2)
                found[key] = ""
                keys.append(key)
    return found


class Judges:
    """Processes that share the mutants."""

    def __init__(self, program, mutants, jobs, random):
        self.by_name = {m.name: m for m in mutants}
        self.status, self.lock = live.Status(), threading.Lock()
        self.begun, self.done, self.failed = time.monotonic(), 0, []
        jobs = max(1, min(jobs, len(mutants)))
        names = [m.name for m in mutants]
        self.processes = [subprocess.Popen(
            [program, f"--random={random}", *names[n::jobs]], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for n in range(jobs)]

    def read(self, process):
        for line in process.stdout:
            words = line.rstrip("\n").split("\t")
            with self.lock:
                if words[0] not in self.by_name:
                    self.failed.append(line.rstrip("\n"))
                    continue
                self.note(self.by_name[words[0]], words[1:])
        if process.wait():
            self.failed.append(f"a judge ended with status {process.returncode}")

    def note(self, mutant, words):
        self.done += 1
        if words[0] == "alive":
            mutant.reaching = int(words[1])
        else:
            mutant.how, mutant.by = how_of(words[1], words[2]), words[2] + ", " + words[3]
        alive = sum(m.how is None for m in self.by_name.values()) - len(self.by_name) + self.done
        self.status.update(f"mutants: {self.done:,} of {len(self.by_name):,}, {alive} alive, "
                           f"{time.monotonic() - self.begun:.0f} s")

    def run(self):
        readers = [threading.Thread(target=self.read, args=(p,), daemon=True)
                   for p in self.processes]
        try:
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
        except BaseException:
            for process in self.processes:
                process.kill()
            raise
        self.status.clear()
        if self.failed:
            raise paths.Failure("mutants cannot be judged:\n" + "\n".join(self.failed[:20]), 2)


def how_of(stage, how):
    """The column of the table."""
    if stage == "corpus":
        return ("warn" if how == "rule !" else "rule" if how.startswith("rule ") else
                "crash" if how.startswith(("crash", "exit")) else
                "endless" if how == "endless" else "counts")
    return stage


def score(mutants):
    mattering = [m for m in mutants if not m.equivalent]
    killed = sum(m.how is not None for m in mattering)
    return round(100.0 * killed / len(mattering), 2) if mattering else 100.0


def tables(mutants):
    """How they were told of, by file; and the rules, by letter: lines of words."""
    files = list(dict.fromkeys(m.site["file"] for m in mutants))
    lines = [["file", "mutants", *HOW, "equivalent", "alive", "score"]]
    for name in files + ["all"]:
        mine = [m for m in mutants if name in (m.site["file"], "all")]
        how = collections.Counter(m.how for m in mine)
        lines.append([name, str(len(mine)), *(str(how[h]) for h in HOW),
                      str(sum(bool(m.equivalent) for m in mine)),
                      str(sum(m.how is None and not m.equivalent for m in mine)),
                      f"{score(mine):.2f} %"])
    rules = collections.Counter(m.by.split(",")[0][-1] for m in mutants if m.how == "rule")
    return lines, [[rule, str(count)] for rule, count in rules.most_common()]


def shown(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "".join("  ".join(f"{w:{n}}" if i == 0 else f"{w:>{n}}"
                             for i, (w, n) in enumerate(zip(line, widths))).rstrip() + "\n"
                   for line in lines)


def write_docs():
    """The tables of the last full report, into docs/mutants.md."""
    command = "bugs --mutants"
    last = doc_tables.source("mutants", command)

    def table(lines):
        rule = ["---"] + ["--:"] * (len(lines[0]) - 1)
        return "".join("| " + " | ".join(line) + " |\n" for line in [lines[0], rule, *lines[1:]])

    rules = ", ".join(f"{rule} {count}" for rule, count in last["rules"])
    doc_tables.put(DOC, command, f"{table(last['table'])}\nRules broken by the corpus: {rules}.\n")
    return 0


def run(args):
    if args.docs:
        return write_docs()
    where = builds.build("plain", args.jobs, ["tdp-mutants"])
    return judge(where, args.jobs, args.quick, args.random)


def judge(where, jobs, quick, random=None):
    """Has the mutants of a build judged, or a sample of them; returns the exit status."""
    everything = mutants_of(where)
    known = listed()
    wrong = [f"{paths.shown(LISTED)}: no such mutant: {key}" for key in
             known.keys() - {m.key() for m in everything}]
    mutants = everything
    if random is None:
        random = QUICK["random"] if quick else RANDOM
    if quick:
        step = max(1, len(everything) // QUICK["mutants"])
        mutants = everything[::step]
    for mutant in mutants:
        mutant.equivalent = known.get(mutant.key())
    print(f"{len(mutants):,} mutants of {len(everything):,}", flush=True)
    Judges(builds.program(where, "tdp-mutants"), mutants, jobs, random).run()

    wrong += [f"{paths.shown(LISTED)}: it is told of by {m.by}: {m}" for m in mutants
              if m.equivalent is not None and m.how]
    wrong += [f"{paths.shown(LISTED)}: no reason: {m}" for m in mutants if m.equivalent == ""]
    alive = [m for m in mutants if m.how is None and m.equivalent is None]
    lines, rules = tables(mutants)
    print("\n" + shown(lines) + "\nbroken rules: "
          + ", ".join(f"{rule} {count}" for rule, count in rules))
    for mutant in alive:
        print(f"ALIVE: {mutant} (line {mutant.site['line']}, {mutant.name}, reached by "
              f"{mutant.reaching})")
    for text in wrong:
        print("WRONG: " + text)
    killed = sum(m.how is not None for m in mutants)
    figures = {"mutants": len(mutants), "killed": killed,
               "equivalent": sum(bool(m.equivalent) for m in mutants), "alive": len(alive),
               "score_pct": score(mutants),
               "by_corpus_pct": round(100.0 * sum(m.how in HOW[:4] for m in mutants)
                                      / max(1, killed), 2)}
    figures.update({f"{name}.score_pct": score([m for m in mutants if m.site["file"] == name])
                    for name in dict.fromkeys(m.site["file"] for m in mutants)})
    ok = not wrong and figures["score_pct"] >= WANTED
    name = "mutants-quick" if quick else "mutants"
    path = report.write(name, ok, figures, table=lines, rules=rules, wrong=wrong,
                        alive=[{"mutant": str(m), "line": m.site["line"], "name": m.name,
                                "reached_by": m.reaching} for m in alive],
                        killers={m.name: m.by for m in mutants if m.how})
    print(f"\n{figures['score_pct']} % of {len(mutants) - figures['equivalent']:,} mutants that "
          f"matter are told of, {WANTED:.0f} % wanted\nreport: {path}")
    return 0 if ok else 1
