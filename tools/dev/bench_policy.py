# SPDX-License-Identifier: GPL-2.0-only
"""./dev bench policy: what a fault that splits a huge page is worth, against one that zaps it.

bench_policy_counts counts what the MMU does, for up to 416 vCPUs that one thread plays; bench_policy takes the
time of one and of two threads, all scenarios in turn, round after round. Where ./dev upstream has unpacked Linux 6.1
and 6.12, their own code is measured beside. docs/policy.md explains the tables."""
import collections
import json
import os
import statistics
import subprocess

import builds
import live
import paths
import policy_docs
import report
import upstream

# The last Debian kernel that zaps on fault, and one that splits.
KERNELS = {"zap": "6.1", "split": "6.12"}
VCPUS = [2, 4, 8, 16, 32, 64, 96, 416]
THREADS = [1, 2]
ROUNDS = 9
COUNTED = ["faults", "fast", "splits", "tables", "sptes", "flushes", "pml", "dirty"]


class Scenario(collections.namedtuple("Scenario", "workload percent policy eager")):
    """percent: of writes, while logged; None where memory is executed"""

    @property
    def kind(self):
        return self.workload + (f"-{self.percent}" if self.percent else "")

    @property
    def name(self):
        return f"{self.kind}.{self.policy}" + ("-eager" if self.eager else "")

    @property
    def phase(self):
        """The one that the commit is about."""
        return "round 1" if self.percent else "execute"

    def command(self, program, vcpus, threads):
        line = [program, f"--workload={self.workload}", f"--policy={self.policy}", f"--vcpus={vcpus}",
                f"--threads={threads}"]
        if self.percent:
            line.append(f"--percent={self.percent}")
        return line + (["--eager"] if self.eager else [])


SCENARIOS = ([Scenario("execute", None, policy, False) for policy in ("zap", "split")]
             + [Scenario("dirty", percent, policy, eager) for percent in (5, 100)
                for eager in (False, True) for policy in ("zap", "split")])


def phases(scenario, program, vcpus, threads):
    done = subprocess.run(scenario.command(program, vcpus, threads), capture_output=True, text=True)
    if done.returncode or done.stderr:
        raise paths.Failure(f"{' '.join(done.args)} ended with status {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def count(program, status):
    """By scenario, vCPUs and phase: what the MMU did."""
    found = {}
    for scenario in SCENARIOS:
        found[scenario.name] = {}
        for vcpus in VCPUS:
            status.update(f"counting {scenario.name}, {vcpus} vCPUs")
            found[scenario.name][str(vcpus)] = {
                name: {what: phase[what] for what in COUNTED if what in phase}
                for name, phase in phases(scenario, program, vcpus, 1).items()}
    return found


def per_vcpu(counts, scenario, phase, what):
    """(what one vCPU adds, what there is in any case), or a failure: the numbers are not on a line."""
    values = {vcpus: counts[scenario.name][str(vcpus)][phase][what] for vcpus in VCPUS}
    first, second = VCPUS[:2]
    slope = (values[second] - values[first]) // (second - first)
    fixed = values[first] - slope * first
    for vcpus, value in values.items():
        if value != fixed + slope * vcpus:
            raise paths.Failure(f"{scenario.name}, {phase}: {value} {what} with {vcpus} vCPUs; expected "
                                f"{fixed + slope * vcpus}, as with {first} and {second}")
    return slope, fixed


def linear(counts):
    """Of 1 GiB, by scenario, phase and figure."""
    return {scenario.name: {phase: {what: per_vcpu(counts, scenario, phase, what) for what in COUNTED
                                    if what in counts[scenario.name][str(VCPUS[0])][phase]}
                            for phase in counts[scenario.name][str(VCPUS[0])]}
            for scenario in SCENARIOS}


def times(scenario, program, threads):
    """By phase: (processor seconds of a thread, the clock's)."""
    took = {}
    for name, phase in phases(scenario, program, threads, threads).items():
        # The VMM's phases are one thread's whatever the number of vCPUs.
        players = 1 if name.startswith(("log", "harvest")) else threads
        took[name] = (phase["cpu_seconds"] / players, phase["seconds"])
    return took


def measure(program, kernels, status):
    """By threads and scenario: what each round took. And on one thread, the kernels' own code."""
    found = {str(threads): {scenario.name: [] for scenario in SCENARIOS} for threads in THREADS}
    theirs = {scenario.name: [] for scenario in SCENARIOS if scenario.policy in kernels}
    for number in range(ROUNDS):
        for threads in THREADS:
            for scenario in SCENARIOS:
                status.update(f"round {number + 1} of {ROUNDS}: {scenario.name}, on {threads}")
                found[str(threads)][scenario.name].append(times(scenario, program, threads))
                if threads == 1 and scenario.policy in kernels:
                    theirs[scenario.name].append(times(scenario, kernels[scenario.policy], 1))
    return found, theirs


def kernel_programs(jobs):
    """policy: program, of those kernels whose trees are there; others are built beside the default one only."""
    if not upstream.unpacked():
        return {}
    names = {policy: "bench_policy-upstream" + ("" if version == upstream.DEFAULT else "-" + version)
             for policy, version in KERNELS.items()
             if os.path.exists(os.path.join(upstream.CACHE, f"linux-source-{version}",
                                            "arch/x86/kvm/mmu/tdp_mmu.c"))}
    where = builds.build("plain", jobs, names.values(), defines=[f"TDP_UPSTREAM_TREE={upstream.default_tree()}"])
    return {policy: builds.program(where, name) for policy, name in names.items()}


def floor(kind):
    """A scenario and a phase of it with the same accesses, and no fault."""
    return ("execute.split", "execute again") if kind == "execute" else (f"{kind}.split", "round 2")


def speedups(seconds, threads, kind):
    """Zapping's time over splitting's, with the guest's own share and without: medians of neighbours."""
    phase = "execute" if kind == "execute" else "round 1"
    rounds = seconds[str(threads)]
    own_name, own_phase = floor(kind)
    whole, faults = [], []
    for zap, split, own in zip(rounds[kind + ".zap"], rounds[kind + ".split"], rounds[own_name]):
        whole.append(zap[phase][0] / split[phase][0])
        faults.append((zap[phase][0] - own[own_phase][0]) / (split[phase][0] - own[own_phase][0]))
    return statistics.median(whole), statistics.median(faults)


def figures(lines, seconds):
    out = {}
    for scenario in SCENARIOS:
        line = lines[scenario.name][scenario.phase]
        out["faults." + scenario.name] = line["faults"][0]
        tables = [phase["tables"][0] for phase in lines[scenario.name].values()]
        out["tables." + scenario.name] = sum(tables)
    for kind in dict.fromkeys(scenario.kind for scenario in SCENARIOS):
        for threads in THREADS:
            whole, faults = speedups(seconds, threads, kind)
            out[f"speedup.{kind}.{threads}"] = round(whole, 2)
            out[f"speedup_of_faults.{kind}.{threads}"] = round(faults, 2)
    return out


def run(args):
    if args.docs:
        return policy_docs.write()
    kernels = kernel_programs(args.jobs)
    where = builds.build("plain", args.jobs, ["bench_policy", "bench_policy_counts"])
    status = live.Status()
    counts = count(builds.program(where, "bench_policy_counts"), status)
    lines = linear(counts)
    seconds, theirs = measure(builds.program(where, "bench_policy"), kernels, status)
    status.clear()
    path = report.write("policy", True, figures(lines, seconds), vcpus=VCPUS, counts=counts, per_gib=lines,
                        seconds=seconds, kernels=KERNELS, kernel_seconds=theirs)
    about = report.read("policy")
    print(policy_docs.tables(about))
    if len(kernels) < len(KERNELS):
        print("no table of the kernel's own code: ./dev upstream and ./dev upstream --kernel "
              f"{KERNELS['zap']} unpack the trees\n")
    print(f"picture: {policy_docs.draw(about)}")
    print(f"report: {path}")
    return 0
