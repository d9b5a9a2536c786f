#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tdp import: what becomes of a small log, and what it says of bad input.

tests/data/import/small.trace is made by hand: one of each kind of event.  small.tdp is what must
become of it; it replays without a violation.  faithful.trace is what a kernel would have recorded,
and a replay does to every SPTE what it says."""
import lzma
import os
import re
import subprocess
import sys
import tempfile
import unittest

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")
DATA = os.path.join("tests", "data", "import")
SMALL = os.path.join(DATA, "small.trace")
FAITHFUL = os.path.join(DATA, "faithful.trace")

SUMMARY = """\
: vm 0 of 1: 18 operations by 4 threads, out of 65 events
  10 page faults
  1 of them taken again because of a race, left out
  1 unmaps outside of known guest memory, left out
  1 events of other kinds, skipped ('--list' names them)
"""
HEAD = "TASK-PID [CPU] FLAGS TIME: EVENT: ..."
FAULT = ("         CPU 0/KVM-101 [000] .....   100.000001: kvm_page_fault: vcpu 0 rip 0x401000 "
         "address 0x0000000000010000 error_code 0x100000006\n")
CHANGED = ("         CPU 0/KVM-101 [000] .....   100.000002: kvm_tdp_mmu_spte_changed: as id 0 gfn 10 "
           "level 1 old_spte 8000000000000000 new_spte 410e67\n")


def contents(path):
    with open(path, "rb") as file:
        return file.read()


class Import(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)

    def run_import(self, *arguments):
        return subprocess.run([TDP, "import", *arguments], capture_output=True, text=True)

    def refused(self, message, *arguments):
        done = self.run_import(*arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", message + "\n"))

    def usage(self, message, *arguments):
        self.refused(f"tdp import: {message}; 'tdp import --help' says more", *arguments)

    # ---- good input ----

    def test_small(self):
        done = self.run_import(SMALL)
        self.assertEqual(done.stdout, contents(os.path.join(DATA, "small.tdp")).decode())
        self.assertEqual((done.returncode, done.stderr), (0, SMALL + SUMMARY))

    def test_output_file(self):
        out = self.path("out.tdp")
        done = self.run_import(SMALL, "--quiet", "-o", out)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(contents(out), contents(os.path.join(DATA, "small.tdp")))

    def test_compressed(self):
        log = self.write("small.trace", lzma.compress(contents(SMALL)))
        done = self.run_import(log, "-q")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, contents(os.path.join(DATA, "small.tdp")).decode())

    def test_compressed_in_parts(self):
        text = contents(SMALL)
        log = self.write("small.trace", lzma.compress(text[:3000]) + lzma.compress(text[3000:]))
        self.assertEqual(self.run_import(log, "-q").stdout,
                         contents(os.path.join(DATA, "small.tdp")).decode())

    def test_replays(self):
        done = subprocess.run([TDP, "run", os.path.join(DATA, "small.tdp")], capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_verify(self):
        done = self.run_import(FAITHFUL, "--verify", "-q")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"{FAITHFUL} vm 0: 20 SPTE classes recorded, 20 replayed, "
                         "20 the same: 100.00%\n")

    def test_ept(self):
        """The same on EPT: other bits, no-A/D included, and exit qualifications for error codes. Bit 6 says
        that the guest's PAT is ignored, as it is unless the VM has certain devices."""
        for ad, kind, kept in ((True, "0000", 0xfff), (False, "0010", 0xfff), (True, "0000", 0xfbf)):
            leaf = {  # by what the SPTE is on NPT: the upper half less the type, the lower 12 bits
                "e67": ("8600", "b77"), "e65": ("8600", "b75"), "e47": ("8600", "a77"),
                "e45": ("8600", "a75"), "825": ("8000", "975"),
            } if ad else {
                "e67": ("8600", "877"), "e65": ("8600", "875"), "e47": ("8740", "870"),
                "e45": ("8740", "870"), "825": ("8000", "875"),
            }

            def spte(match):
                if match.group(2) == "827":
                    return f"{int(kind, 16):04x}000000{match.group(1)}{'907' if ad else '807'}"
                upper, lower = leaf[match.group(2)]
                return (f"{int(upper, 16) | int(kind, 16):04x}000000{match.group(1)}"
                        f"{int(lower, 16) & kept:03x}")

            text = contents(FAITHFUL).decode()
            text = re.sub(r"\b(?:0x)?(4[12][0-3]|10[123])(e67|e65|e47|e45|825|827)\b", spte, text)
            for npt, ept in (("0x100000006", "0x182"), ("0x100000007", "0x18a"),
                             ("0x100000014", "0x184"), ("0x100000004", "0x181")):
                text = text.replace(f"error_code {npt}\n", f"error_code {ept}\n")
            log = self.write("ept.trace", text)
            done = self.run_import(log, "-q", "--verify")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("the same: 100.00%", done.stdout)
            program = self.run_import(log, "-q").stdout
            self.assertIn(f"vm mmu=ept ad={'on' if ad else 'off'} levels=4", program)
            self.assertEqual(program.splitlines()[3:],
                             self.run_import(FAITHFUL, "-q").stdout.splitlines()[3:])

    def test_verify_notices(self):
        wrong = (
            # The page that was written stays read-only.
            ("old 0x412e65 new 412e67 spurious 0 fixed 1", "old 0x412e65 new 412e65 spurious 1 fixed 0",
             "old_spte 412e67 new_spte 8000000000000000", "old_spte 412e65 new_spte 8000000000000000"),
            # A page table that nothing asked for.
            ("gfn 0 level 2 old_spte 103827 new_spte 8000000000000000",
             "gfn 200 level 2 old_spte 8000000000000000 new_spte 109827"),
            # What an instruction fetch mapped is not executable.
            ("old_spte 8000000000000000 new_spte 412e67",
             "old_spte 8000000000000000 new_spte 8000000000412e67"),
        )
        for replacements in wrong:
            text = contents(FAITHFUL).decode()
            for right, other in zip(replacements[::2], replacements[1::2]):
                self.assertIn(right, text)
                text = text.replace(right, other, 1)
            done = self.run_import(self.write("wrong.trace", text), "--verify", "-q")
            self.assertEqual(done.returncode, 1, replacements[1] + done.stdout + done.stderr)
            self.assertIn(" unnamed ", done.stdout)

    def test_max_ops(self):
        done = self.run_import(SMALL, "--max-ops", "3")
        self.assertTrue(done.stdout.endswith(
            "thread vcpu 0\n\twrite 0x10 x3\n\texec 0x13\n\twrite 0xfed00\n"), done.stdout)
        self.assertIn("operations left out at the end\n", done.stderr)

    def test_vm_option(self):
        done = self.run_import(SMALL, "-q", "--vm-option", "eager_split=off", "-s", "maxphyaddr=52")
        self.assertIn("\nvm mmu=npt ad=on levels=4 nx_huge_pages=off maxphyaddr=52\n", done.stdout)

    def test_notes(self):
        self.write("noted.txt", "host kernel: Linux 6.12 | kvm: eager_page_split=N nx_huge_pages=Y "
                   "nx_recovery_ratio=7 | other: left out\n")
        # Nothing huge is mapped in the beginning of the log, so only the notes speak of these.
        text = "".join(contents(SMALL).decode().splitlines(True)[:20])
        done = self.run_import(self.write("noted.trace", text), "-q")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(
            "# noted.trace, vm 0 of 1\n# host kernel: Linux 6.12\n# kvm: eager_page_split=N "
            "nx_huge_pages=Y nx_recovery_ratio=7\ntdp 1\nvm mmu=npt ad=on levels=4 nx_ratio=7\n"),
            done.stdout)

    def test_list(self):
        done = self.run_import(SMALL, "--list")
        self.assertEqual((done.returncode, done.stdout), (0, (
            f"{SMALL}: 69 lines, 65 events of the MMU, 3 tasks, 1 VM\n"
            "vm 0: 65 events, lines 5..69\nskipped: sched_switch (1)\n").replace(
                "69 lines", f"{len(contents(SMALL).splitlines())} lines").replace(
                "5..69", f"5..{len(contents(SMALL).splitlines())}")))

    def test_lost_events(self):
        log = self.write("lost.trace", contents(SMALL).decode() + "CPU:1 [LOST 12 EVENTS]\n")
        self.assertIn("  12 events lost by the recording kernel: the log has holes\n",
                      self.run_import(log).stderr)

    def test_one_vm_after_another(self):
        text = contents(SMALL).decode()
        again = text.replace("KVM-101", "KVM-201").replace("KVM-102", "KVM-202")
        log = self.write("two.trace", text + again)
        done = self.run_import(log, "-q", "--vm", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[1:],
                         contents(os.path.join(DATA, "small.tdp")).decode().splitlines()[1:])

    def test_help(self):
        done = self.run_import("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("usage: tdp import LOG"))

    # ---- bad input: files ----

    def test_no_file(self):
        self.refused("nowhere/x.trace: cannot be read: No such file or directory", "nowhere/x.trace")

    def test_truncated_xz(self):
        data = lzma.compress(contents(SMALL))
        for size in (len(data) // 2, len(data) - 1, 7):
            log = self.write("cut.xz", data[:size])
            done = self.run_import(log)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"^\S+/cut\.xz: the xz data end early: expected a whole "
                             r"\.xz file, this one was cut \(after line \d+\)\n$")

    def test_damaged_xz(self):
        data = bytearray(lzma.compress(contents(SMALL)))
        data[40] ^= 0xff
        log = self.write("bad.xz", bytes(data))
        self.refused(f"{log}: the xz data are damaged: expected what 'xz -t' accepts (after line 0)",
                     log)

    def test_wrong_file(self):
        log = os.path.join(DATA, "small.tdp")
        self.refused(f"{log}:2: no line of tracefs' file 'trace': expected \"{HEAD}\"", log)

    def test_empty(self):
        for text, lines in (("", 0), ("# tracer: nop\n#\n", 2)):
            log = self.write("empty.trace", text)
            self.refused(f"{log}: no kvm_tdp_mmu_spte_changed in {lines} lines: expected a log made "
                         "as docs/recording.md says", log)

    def test_no_changes(self):
        log = self.write("faults.trace", FAULT)
        self.refused(f"{log}: no kvm_tdp_mmu_spte_changed in 1 lines: expected a log made as "
                     "docs/recording.md says", log)

    def test_binary(self):
        log = self.write("binary.trace", FAULT.encode() + b"\0\1\2\n")
        self.refused(f"{log}: a NUL byte: expected the text of tracefs' file 'trace' (after line 1)",
                     log)

    def test_long_line(self):
        log = self.write("long.trace", FAULT + "x" * 300000)
        self.refused(f"{log}: a line is longer than 256 KiB: expected the text of tracefs' file "
                     "'trace' (after line 1)", log)

    # ---- bad input: lines ----

    def test_garbage_lines(self):
        for garbage in ("garbage", "x-1 [000] kvm_page_fault", "a b c d e f: g",
                        "       task [000] ..... 1.5: kvm_mmu_get_page: x",
                        "       task-12 [zero] ..... 1.5: kvm_mmu_get_page: x",
                        "       task-12 [000] .....", "\1\2\3"):
            log = self.write("garbage.trace", FAULT + garbage + "\n" + CHANGED)
            self.refused(f"{log}:2: no line of tracefs' file 'trace': expected \"{HEAD}\"", log)

    def test_garbled_events(self):
        forms = {
            "kvm_page_fault: vcpu x rip 0 address 0 error_code 0":
                "vcpu %dv rip * address %xa error_code %xb",
            "kvm_tdp_mmu_spte_changed: as id 2 gfn 0 level 1 old_spte 0 new_spte 0":
                "as id %ds gfn %xa level %dl old_spte %xb new_spte %xc",
            "kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 6 old_spte 0 new_spte 0":
                "as id %ds gfn %xa level %dl old_spte %xb new_spte %xc",
            "kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 1 old_spte 0":
                "as id %ds gfn %xa level %dl old_spte %xb new_spte %xc",
            # Of shadow paging, for a guest of the guest.
            "kvm_mmu_get_page: sp gen 0 gfn 5 l1 8-byte q0 wux nxe ad root 0 sync new":
                "sp gen * gfn %xa l%dl * * direct",
            "kvm_unmap_hva_range: mmu notifier unmap range: 0x1000":
                "mmu notifier unmap range: %xa -- %xb",
            "kvm_set_memory_region: (f+0x4/0x8) kvm=0x1 slot=0 flags=0x0 gpa=0x0 size=0x0":
                "= kvm=%xk slot=%nd flags=%nf gpa=%xa size=%nb hva=%xc",
        }
        for event, form in forms.items():
            name = event.split(":")[0]
            log = self.write("garbled.trace", CHANGED + "     task-12 [000] ..... 1.5: " + event + "\n")
            self.refused(f"{log}:2: event {name} is not understood: expected \"{form}\"", log)

    def test_two_vms_at_once(self):
        other = FAULT.replace("101", "201")
        log = self.write("both.trace", FAULT + CHANGED + other + FAULT)
        self.refused(f"{log}:4: vCPU 0 is run by PID 201 and by PID 101 at the same time: expected one "
                     "VM at a time, or the probes of docs/recording.md, which tell VMs apart", log)

    def test_vm_that_maps_nothing(self):
        probe = "     task-12 [000] ..... 1.5: kvm_mmu_init_tdp_mmu: (f+0x4/0x8) kvm=0x1000\n"
        other = probe.replace("0x1000", "0x2000").replace("task-12", "task-13")
        log = self.write("idle.trace", probe + other + CHANGED.replace("CPU 0/KVM-101", "task-13"))
        self.refused(f"{log}:1: VM 0 maps nothing: expected one whose guest ran", log, "--vm", "0")

    # ---- bad input: arguments ----

    def test_arguments(self):
        self.usage("no log is named")
        self.usage("one log at a time, not two", "one", "two")
        self.usage("--vm takes a number, not x", SMALL, "--vm", "x")
        self.usage("--vm takes a number, not -1", SMALL, "--vm=-1")
        self.usage("--max-ops takes a number from 1, not 0", SMALL, "-m", "0")
        self.usage("--max-ops takes a number from 1, not 3x", SMALL, "-m", "3x")
        self.refused(f"{SMALL}: there is no VM 1: expected 0..0", SMALL, "--vm", "1")
        self.refused(f"{SMALL}: --vm-option mmu: expected KEY=VALUE with a key of a program's vm line",
                     SMALL, "-s", "mmu")
        self.refused(f"{SMALL}: --vm-option x=1: expected KEY=VALUE with a key of a program's vm line",
                     SMALL, "-s", "x=1")
        self.refused(f"{SMALL}: --vm-option mmu=arm: expected a value that the vm line of a program "
                     "takes", SMALL, "-s", "mmu=arm")
        self.refused(f"{SMALL}: --vm-option levels=4x: expected a value that the vm line of a program "
                     "takes", SMALL, "-s", "levels=4x")
        self.refused(f"{SMALL}: the program made of this log is not valid: levels is 9: expected 4..5",
                     SMALL, "-s", "levels=9", "-q")
        self.refused("no/where.tdp: No such file or directory", SMALL, "-q", "-o", "no/where.tdp")


if __name__ == "__main__":
    sys.exit(unittest.main())
