# SPDX-License-Identifier: GPL-2.0-only
"""Rehearses OSS-Fuzz: runs fuzz/oss-fuzz/build.sh with its variables, for each engine and sanitizer that Debian has,
and makes the checks that OSS-Fuzz makes of a build.

  start      each target starts without a corpus, and runs a few inputs of its own
  seeds      its seed corpus is there and runs clean
  edges      it has at least 100 edges
  sanitizer  the sanitizer is linked in, and no other
  libraries  all shared libraries are those of the base image
  files      dictionary and options are there and are accepted
  moved      it runs in another folder, with an empty environment, and writes nothing there

Not to be had on Debian 12: honggfuzz. Report: build/report/oss-fuzz.json.

Exit status: 0 all fine, 1 a check failed, 2 bad input."""
import configparser
import os
import re
import shutil
import subprocess
import tempfile
import zipfile

import live
import packages
import paths
import report
import seeds

SUMMARY = "rehearse OSS-Fuzz's build and its checks"
PACKAGES = packages.BUILD + packages.CLANG + packages.AFL

COMMON = "-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
SANITIZERS = {
    "address": "-fsanitize=address -fsanitize-address-use-after-scope",
    "undefined": "-fsanitize=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,"
                 "returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound "
                 "-fno-sanitize-recover=all",
    "memory": "-fsanitize=memory -fsanitize-memory-track-origins",
}
# engine: (CC, CXX, flags, LIB_FUZZING_ENGINE, sanitizers)
ENGINES = {
    "libfuzzer": ("clang-19", "clang++-19", "-fsanitize=fuzzer-no-link", "-fsanitize=fuzzer",
                  ("address", "undefined", "memory")),
    "afl": ("afl-clang-fast", "afl-clang-fast++", "", "/usr/lib/afl/libAFLDriver.a", ("address",)),
}
# What a sanitizer's runtime has, and only that.
RUNTIME = {"address": "__asan_init", "undefined": "__ubsan_handle_", "memory": "__msan_init"}
# The base image has these, as every Debian and Ubuntu.
LIBRARIES = re.compile(r"(linux-vdso|ld-linux|libc|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+)"
                       r"[-.\w]*\.so")
EDGES = 100
SECONDS = 300
CHECKS = ("start", "seeds", "edges", "sanitizer", "libraries", "files", "moved")


def add_arguments(p):
    p.add_argument("--engine", choices=sorted(ENGINES), help="this one only")
    p.add_argument("--sanitizer", choices=sorted(SANITIZERS), help="this one only")


def environment(engine, sanitizer, out, work):
    cc, cxx, flags, library, _ = ENGINES[engine]
    words = " ".join(filter(None, (COMMON, SANITIZERS[sanitizer], flags)))
    env = {name: os.environ[name] for name in ("PATH", "HOME", "CCACHE_DIR", "LANG") if name in os.environ}
    return {**env, "SRC": os.path.join(work, "src"), "OUT": out, "WORK": os.path.join(work, "work"),
            "CC": cc, "CXX": cxx, "CFLAGS": words, "CXXFLAGS": words, "LIB_FUZZING_ENGINE": library,
            "HOST_CC": "gcc", "FUZZING_ENGINE": engine, "SANITIZER": sanitizer, "ARCHITECTURE": "x86_64",
            "AFL_QUIET": "1"}


def build(engine, sanitizer, out, work):
    env = environment(engine, sanitizer, out, work)
    for name in ("SRC", "OUT", "WORK"):
        os.makedirs(env[name])
    # Where OSS-Fuzz has it.
    os.symlink(paths.ROOT, os.path.join(env["SRC"], "libtdp"))
    status, said = live.watch([os.path.join(paths.ROOT, "fuzz", "oss-fuzz", "build.sh")],
                              f"build.sh for {engine}, {sanitizer}", env=env)
    if status:
        raise paths.Failure(f"build.sh failed for {engine}, {sanitizer}:\n" + "\n".join(said[-40:]))


class Target:
    """A target that was built, and what is checked of it. Each check returns None, or what is wrong."""

    def __init__(self, engine, sanitizer, out, name, work):
        self.engine, self.sanitizer, self.name = engine, sanitizer, name
        self.path = os.path.join(out, name)
        self.out, self.work = out, work
        self.seed_files = []

    def ran(self, *arguments, **options):
        return subprocess.run([self.path, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=SECONDS, cwd=self.work, **options)

    def fine(self, done):
        return None if done.returncode == 0 else \
            f"status {done.returncode}: " + " ".join(done.stderr.splitlines()[-3:])

    def input(self, data=b""):
        path = os.path.join(self.work, "input")
        with open(path, "wb") as f:
            f.write(data)
        return path

    def start(self):
        for data in (b"", b"\xd1", bytes(range(64))):
            wrong = self.fine(self.ran(self.input(data)))
            if wrong:
                return wrong
        return self.fine(self.ran("-runs=4", "-rss_limit_mb=2048", "-malloc_limit_mb=8192")) \
            if self.engine == "libfuzzer" else None

    def seeds(self):
        folder = os.path.join(self.work, self.name)
        with zipfile.ZipFile(self.path + "_seed_corpus.zip") as archive:
            archive.extractall(folder)
        self.seed_files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        return self.fine(self.ran(*self.seed_files)) if self.seed_files else "the archive is empty"

    def edges(self):
        if self.engine == "libfuzzer":
            told = re.search(r"Loaded \d+ modules\s+\((\d+) inline", self.ran("-runs=0").stderr)
            count = int(told[1]) if told else 0
        else:
            trace = os.path.join(self.work, "map")
            subprocess.run(["afl-showmap", "-q", "-m", "none", "-t", "20000", "-o", trace, "--", self.path,
                            self.seed_files[0]], stdin=subprocess.DEVNULL, capture_output=True,
                           check=False, timeout=SECONDS, cwd=self.work)
            with open(trace, encoding="utf-8") as f:
                count = len(f.readlines())
        return None if count >= EDGES else f"{count} edges: expected {EDGES} at least"

    def sanitizer_is_in(self):
        symbols = subprocess.run(["nm", self.path], capture_output=True, text=True, check=True).stdout
        for name, symbol in RUNTIME.items():
            if (symbol in symbols) != (name == self.sanitizer) and not (
                    # Its handlers are part of the other runtimes.
                    name == "undefined" and self.sanitizer != "undefined"):
                return f"{symbol} is {'there' if symbol in symbols else 'not there'}"
        return None

    def libraries(self):
        listed = subprocess.run(["ldd", self.path], capture_output=True, text=True, check=True).stdout
        strange = [line.strip() for line in listed.splitlines()
                   if "not found" in line or not LIBRARIES.search(line)]
        return "; ".join(strange) or None

    def files(self):
        options = configparser.ConfigParser()
        with open(self.path + ".options", encoding="utf-8") as f:
            options.read_file(f)
        words = [f"-{key}={value}" for key, value in options["libfuzzer"].items()]
        if not os.path.exists(self.path + ".dict"):
            return "there is no dictionary"
        if self.engine != "libfuzzer":
            return None
        return self.fine(self.ran("-runs=1", f"-dict={self.path}.dict", *words))

    def moved(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copy(self.path, folder)
            done = subprocess.run([copy, self.seed_files[0]], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=SECONDS, cwd=folder, env={})
            if os.listdir(folder) != [self.name]:
                return "it has written " + ", ".join(sorted(set(os.listdir(folder)) - {self.name}))
            return self.fine(done)

    def check(self, name):
        if name == "sanitizer":
            return self.sanitizer_is_in()
        try:
            return getattr(self, name)()
        except subprocess.TimeoutExpired:
            return f"it took more than {SECONDS} s"


def check_build(engine, sanitizer, status):
    """{target: {check: what is wrong, or None}}"""
    found = {}
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "out")
        build(engine, sanitizer, out, work)
        for target in seeds.targets():
            one = Target(engine, sanitizer, out, "fuzz_" + target, work)
            found[one.name] = {}
            for name in CHECKS:
                status.update(f"{engine}, {sanitizer}: {one.name}: {name}")
                found[one.name][name] = one.check(name)
    return found


def show(results):
    width = max(len(name) for each in results.values() for name in each)
    print(f"{'engine':10} {'sanitizer':10} {'target':{width}} " + " ".join(CHECKS))
    for (engine, sanitizer), each in results.items():
        for name, checks in each.items():
            print(f"{engine:10} {sanitizer:10} {name:{width}} "
                  + " ".join(("ok" if checks[check] is None else "FAILED").ljust(len(check))
                             for check in CHECKS).rstrip())
    for (engine, sanitizer), each in results.items():
        for name, checks in each.items():
            for check, wrong in checks.items():
                if wrong is not None:
                    print(f"\n{engine}, {sanitizer}, {name}: {check}: {wrong}")


def run(args):
    results, status = {}, live.Status()
    for engine in [args.engine] if args.engine else ENGINES:
        for sanitizer in ENGINES[engine][-1]:
            if args.sanitizer in (None, sanitizer):
                results[engine, sanitizer] = check_build(engine, sanitizer, status)
    status.clear()
    if not results:
        raise paths.Failure(f"{args.engine} is not built with {args.sanitizer} here", status=2)
    show(results)
    verdicts = [wrong for each in results.values() for checks in each.values()
                for wrong in checks.values()]
    failed = sum(wrong is not None for wrong in verdicts)
    path = report.write("oss-fuzz", not failed,
                        {"builds": len(results), "checks": len(verdicts), "failed": failed},
                        results={" ".join(key): each for key, each in results.items()})
    print(f"\n{len(results)} builds, {len(verdicts)} checks, {failed} failed\nreport: {path}")
    return 1 if failed else 0
