# SPDX-License-Identifier: GPL-2.0-only
"""Takes care of the corpus: what it covers, what fuzzers add to it, what a crash leaves in it.

Programs written by hand are tests, and stay whatever they cover. What fuzzers found is beside them in
corpus/found/fuzz_TARGET, as text, and only what reaches edges of the target that nothing else does.
docs/corpus.md says more. Report: build/report/corpus.json.

Exit status: 0 done, 1 an input made the target fail, 2 bad input."""
import hashlib
import os
import re
import subprocess
import tempfile

import arguments
import builds
import corpus_cover
import packages
import paths
import report
import seeds

SUMMARY = "what the corpus covers; merge what fuzzers found, keep a crash"
PACKAGES = packages.BUILD + packages.CLANG

# Whose inputs are programs.
PROGRAMS = ("mmu", "race")
FOUND = os.path.join(seeds.CORPUS, "found")
REGRESS = os.path.join(seeds.CORPUS, "regress")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
RULE = re.compile(r"\brule [A-Z!] broken.*")
WIDTH = 100
BYTES_A_LINE = 16


def add_arguments(p):
    actions = p.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name, words):
        return actions.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".",
                                  allow_abbrev=False)

    def one_target(p, needed):
        p.add_argument("--target", required=needed, metavar="TARGET",
                       type=arguments.one_of("target", seeds.targets()),
                       help="one of: " + ", ".join(seeds.targets()))

    one_target(action("stats", "a table of what there is for each target, and what it covers"), False)
    one_target(action("minimize", "drop what fuzzers found and something else covers by now"), False)
    merge = action("merge", "take over what covers more, of the inputs that a fuzzer has kept in a folder")
    merge.add_argument("folder", metavar="DIR")
    one_target(merge, True)
    keep = action("import", "keep a fuzzer's finding: shrunk, as corpus/regress/NAME.tdp; the input of a target that "
                  "takes no programs as corpus/fuzz_TARGET/NAME.hex")
    keep.add_argument("file", metavar="FILE")
    keep.add_argument("name", metavar="NAME", help="of lower-case letters, digits and hyphens")
    keep.add_argument("--what", required=True, metavar="TEXT", help="what it shows, for its first line")
    one_target(keep, False)


# ---- inputs as text ----

def comment(words):
    """Lines of at most WIDTH columns."""
    lines, line = [], "#"
    for word in words.split():
        if len(line) + 1 + len(word) > WIDTH and line != "#":
            lines.append(line)
            line = "#"
        line += " " + word
    return "\n".join(lines + [line]) + "\n"


def as_hex(data):
    rows = [data[i:i + BYTES_A_LINE] for i in range(0, len(data), BYTES_A_LINE)]
    return "".join(row.hex(" ") + "\n" for row in rows)


def as_program(path, tdp):
    """The canonical text of a program in any form, or of any bytes."""
    done = subprocess.run([tdp, "convert", "--raw", path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise paths.Failure(f"{paths.shown(path)} does not convert:\n" + done.stderr.strip())
    return done.stdout


def words_of(program):
    """What a program is made of, for people: its threads, then its operations."""
    threads, ops = [], {}
    for line in program.splitlines():
        words = line.split()
        if line.startswith("thread "):
            threads.append(" ".join(words[1:]))
        elif threads and line.startswith("\t") and words[0][0].isalpha() and "@" not in words[0]:
            ops[words[0]] = None
    return ", ".join(threads) + ": " + (", ".join(ops) or "nothing")


# ---- what there is ----

def write_seed(path, tdp, folder):
    """An input as the target reads it; returns where it is."""
    seed = os.path.join(folder, seeds.name_of(path))
    if path.endswith(".hex"):
        with open(seed, "wb") as f:
            f.write(seeds.from_hex(path))
    else:
        seeds.to_binary(path, tdp, seed)
    return seed


def is_found(path):
    return path.startswith(FOUND + os.sep)


class Measured:
    """The corpus of a target, and what it covers. @files: {what the target read: file of the corpus}; @more:
    folders of inputs that are looked at, too, if they cover something more; they are @others then."""

    def __init__(self, target, tdp, jobs, folder, more=()):
        self.target = target
        listed, self.slow = seeds.started_from(target, tdp, jobs)
        self.files = {write_seed(path, tdp, folder): path for path in listed}
        program = builds.program(builds.build("fuzz-plain", jobs, ["fuzz_" + target]),
                                 "fuzz_" + target)
        self.others = corpus_cover.add(program, folder, more) if more else []
        self.covered = corpus_cover.of(program, folder)

    def base(self):
        """What was written by hand."""
        return [seed for seed in self.covered.edges
                if seed in self.files and not is_found(self.files[seed])]

    def needed(self):
        """Of what fuzzers found: [(what the target read, edges it adds)]"""
        return corpus_cover.smallest(self.covered, self.base(), os.path.getsize)


def complain(measured):
    """Of inputs that made the target fail; how many there are."""
    for seed in measured.covered.crashed:
        print(f"fuzz_{measured.target} fails on {paths.shown(measured.files.get(seed, seed))}")
    return len(measured.covered.crashed)


def each_target(args):
    return [args.target] if args.target else seeds.targets()


def stats(args, tdp):
    figures, wrong = {}, 0
    rows = [("target", "inputs", "found", "too slow", "bytes", "as text", "edges",
             "by found alone")]
    for target in each_target(args):
        with tempfile.TemporaryDirectory() as folder:
            measured = Measured(target, tdp, args.jobs, folder)
            covered, base = measured.covered, measured.base()
            by_hand = set().union(*(covered.edges[seed] for seed in base))
            one = {
                "inputs": len(measured.files),
                "found": sum(map(is_found, measured.files.values())),
                "slow": measured.slow,
                "bytes": sum(map(os.path.getsize, measured.files)),
                "text_bytes": sum(map(os.path.getsize, measured.files.values())),
                "edges": covered.total(),
                "by_found": covered.total() - len(by_hand),
            }
            wrong += complain(measured)
        figures.update({f"{target}.{key}": value for key, value in one.items()})
        rows.append((target, *(f"{value:,}" for value in one.values())))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0])]
                        + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]))
    print("report: " + report.write("corpus", not wrong, figures))
    return 1 if wrong else 0


def minimize(args, tdp):
    wrong = 0
    for target in each_target(args):
        with tempfile.TemporaryDirectory() as folder:
            measured = Measured(target, tdp, args.jobs, folder)
            wrong += complain(measured)
            kept = {measured.files[seed] for seed, _ in measured.needed()}
        mine = os.path.join(FOUND, "fuzz_" + target) + os.sep
        found = [path for path in measured.files.values() if path.startswith(mine)]
        drop = [path for path in found if path not in kept]
        for path in drop if not wrong else []:
            os.unlink(path)
        print(f"{target}: {len(found) - len(drop)} of {len(found)} found inputs are needed beside "
              f"{len(measured.files) - len(found)} others")
    if wrong:
        print("nothing was dropped")
    return 1 if wrong else 0


# ---- what comes in ----

def inputs_below(folder):
    """The folders of a fuzzer's inputs: of AFL++'s output the queues; and how many inputs those are."""
    if not os.path.isdir(folder):
        raise paths.Failure(f"{folder}: expected a folder of inputs", status=2)
    queues = [os.path.join(where, "queue") for where, below, _ in os.walk(folder)
              if "queue" in below]
    tops = sorted(queues) or [folder]
    count = sum(len(names) for top in tops for _, _, names in os.walk(top))
    if not count:
        raise paths.Failure(f"{folder}: there is no input in it", status=2)
    return tops, count


def canonical(target, path, tdp):
    """(text, bytes) of an input: a program is what its text says."""
    if target not in PROGRAMS:
        with open(path, "rb") as f:
            data = f.read()
        return as_hex(data), data
    text = as_program(path, tdp)
    with tempfile.TemporaryDirectory() as folder:
        program, seed = os.path.join(folder, "program.tdp"), os.path.join(folder, "seed")
        with open(program, "w", encoding="utf-8") as f:
            f.write(text)
        seeds.to_binary(program, tdp, seed)
        with open(seed, "rb") as f:
            return text, f.read()


def cheap(target, text, tdp, folder):
    """Whether a fuzzer would start from it."""
    if target not in PROGRAMS:
        return True
    path = os.path.join(folder, "cost.tdp")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return seeds.points(path, tdp) <= seeds.MAX_POINTS.get(target, seeds.MAX_POINTS_OTHERS)


def write_found(target, text, data, edges):
    """An input that is taken over, under a name made of what it is."""
    where = os.path.join(FOUND, "fuzz_" + target)
    os.makedirs(where, exist_ok=True)
    what = words_of(text) if target in PROGRAMS else f"{len(data)} bytes"
    ending = ".tdp" if target in PROGRAMS else ".hex"
    path = os.path.join(where, hashlib.sha1(data).hexdigest()[:12] + ending)
    with open(path, "w", encoding="utf-8") as f:
        f.write(comment(f"Found by fuzzing; {edges} edges that nothing before it had. {what}") + text)


def merge(args, tdp):
    folders, count = inputs_below(args.folder)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cost, \
            tempfile.TemporaryDirectory() as texts:
        first = Measured(args.target, tdp, args.jobs, folder, folders)
        wrong = complain(first)
        text_of = {}
        # What the text says is what is kept, so that is what has to add something.
        for path in first.others if not wrong else []:
            text, data = canonical(args.target, path, tdp)
            if cheap(args.target, text, tdp, cost):
                text_of[data] = text
                with open(os.path.join(texts, os.path.basename(path)), "wb") as f:
                    f.write(data)
        added = []
        if text_of:
            with tempfile.TemporaryDirectory() as again:
                second = Measured(args.target, tdp, args.jobs, again, [texts])
                have = [seed for seed in second.files if seed in second.covered.edges]
                for path, edges in corpus_cover.smallest(second.covered, have, os.path.getsize):
                    with open(path, "rb") as f:
                        added.append((f.read(), edges))
    for data, edges in added:
        write_found(args.target, text_of[data], data, edges)
    print(f"{args.target}: of {count:,} inputs {len(added)} were taken over, which add "
          f"{sum(edges for _, edges in added):,} edges")
    return 1 if wrong else 0


def keep_other(args):
    """The input of a target that takes no programs, as it is."""
    path = os.path.join(seeds.CORPUS, "fuzz_" + args.target, args.name + ".hex")
    with open(args.file, "rb") as f:
        data = f.read()
    with open(new(path), "w", encoding="utf-8") as f:
        f.write(comment(args.what) + as_hex(data))
    print(f"kept: {paths.shown(path)}\nreplay: build/plain/fuzz_{args.target} {paths.shown(args.file)}")
    return 0


def new(path):
    if os.path.exists(path):
        raise paths.Failure(f"{paths.shown(path)} exists: expected a new name", status=2)
    return path


def keep(args, tdp):
    """A finding, shrunk if it breaks a rule of this library."""
    if not NAME.match(args.name):
        raise paths.Failure(f"'{args.name}': expected a name of lower-case letters, digits and "
                            "hyphens", status=2)
    if not os.path.isfile(args.file):
        raise paths.Failure(f"{args.file}: expected a file", status=2)
    if args.target and args.target not in PROGRAMS:
        return keep_other(args)
    path = new(os.path.join(REGRESS, args.name + ".tdp"))
    with tempfile.TemporaryDirectory() as folder:
        small = os.path.join(folder, "small.tdp")
        status = subprocess.run([tdp, "shrink", "--raw", args.file, "--output", small]).returncode
        if status > 1:
            return 2
        text = as_program(small if status else args.file, tdp)
    with open(path, "w", encoding="utf-8") as f:
        f.write(comment(args.what) + text)
    said = subprocess.run([tdp, "run", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True).stdout
    broken = RULE.search(said)
    print(f"kept: {paths.shown(path)}\nreplay: {paths.shown(tdp)} run {paths.shown(path)}")
    print(f"it breaks a rule, and the test `corpus` fails until that is mended: {broken[0]}" if broken
          else "it breaks no rule of this library: it was kept as it is, and the test `corpus` sees to it")
    return 0


ACTIONS = {"stats": stats, "minimize": minimize, "merge": merge, "import": keep}


def run(args):
    tdp = builds.program(builds.build("plain", args.jobs, ["tdp"]), "tdp")
    return ACTIONS[args.action](args, tdp)
