#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tdp check: a small log of each kind of MMU is accepted, what is wrong with it is found, and bad input is
refused with file, line and what was expected."""
import lzma
import os
import re
import subprocess
import sys
import tempfile
import unittest

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")
NONE = "8000000000000000"
FROZEN = "80000000000005a0"
KVM = "kvm=0xffffc90000323000"

# (upper bits, lower bits) of what an SPTE is: as in Linux 6.12, see DESIGN or docs/oracle.md.
BITS = {
    "npt": {"table": (0, 0x827), "rwx": (0, 0xe67), "clean": (0, 0xe27), "ro": (0, 0xe65), "aged": (0, 0xe45),
            "huge": (1 << 63, 0xee7), "mmio": (1 << 51, 0x17)},
    "ept": {"table": (0, 0x907), "rwx": (0x8600 << 48, 0xb77), "clean": (0x8600 << 48, 0x977),
            "ro": (0x8600 << 48, 0xb75), "aged": (0x8600 << 48, 0xa75), "huge": (0x8600 << 48, 0xbf3),
            "mmio": (0, 0x16)},
    "ept-no-ad": {"table": (0x10 << 48, 0x807), "rwx": (0x8610 << 48, 0x877), "clean": (0x8610 << 48, 0x877),
                  "ro": (0x8610 << 48, 0x875), "aged": (0x8750 << 48, 0x870), "huge": (0x8610 << 48, 0x8f3),
                  "mmio": (0, 0x16)},
}


class Log:
    """A VM's life, as a kernel would have written it down."""

    def __init__(self, kind):
        self.kind = kind
        self.lines = ["# tracer: nop", "#"]

    def say(self, task, event, text):
        self.lines.append(f"     {task} [000] ..... {len(self.lines):10}: {event}: {text}")
        return len(self.lines)

    def spte(self, what, page):
        upper, lower = BITS[self.kind][what]
        return f"{upper | page << 12 | lower:x}"

    def change(self, task, gfn, level, old, new):
        return self.say(task, "kvm_tdp_mmu_spte_changed",
                        f"as id 0 gfn {gfn:x} level {level} old_spte {old} new_spte {new}")

    def page(self, task, event, gfn, level):
        return self.say(task, event, f"sp gen 0 gfn {gfn:x} l{level} 8-byte q0 direct wux nxe ad root 0 sync")

    def link(self, task, gfn, level, page, old=NONE):
        self.page(task, "kvm_mmu_get_page", gfn, level - 1)
        self.change(task, gfn, level, old, self.spte("table", page))

    def fault(self, gfn, kind, level=1, pfn=None):
        code = {"read": (4, 1), "write": (6, 2), "exec": (0x14, 4)}[kind][self.kind != "npt"]
        self.say("vcpu-11", "kvm_page_fault",
                 f"vcpu 0 rip 0x401000 address {gfn << 12:#018x} error_code {code:#x}")
        if level:
            self.say("vcpu-11", "kvm_mmu_spte_requested",
                     f"gfn {gfn:x} pfn {pfn if pfn is not None else 0x400000 + gfn:x} level {level}")

    def set(self, gfn, spte, level, table):
        at = table * 4096 + (gfn >> 9 * (level - 1) & 511) * 8
        self.say("vcpu-11", "kvm_mmu_set_spte", f"gfn {gfn:x} spte {spte} (rwxu) level {level} at {at:x}")

    def freeze(self, task, gfn, level, entries):
        """All 512 entries, those that are something given by number."""
        self.page(task, "kvm_mmu_prepare_zap_page", gfn, level)
        span = 512 ** (level - 1)
        for i in range(512):
            old, within = entries.get(i, (NONE, None))
            self.change(task, gfn + i * span, level, old, FROZEN)
            if within:
                within()

    def text(self):
        return "\n".join(self.lines) + "\n"


def life(kind):
    """A VM that maps, logs, splits, ages, unmaps, runs into MMIO and goes."""
    log = Log(kind)
    spte, vmm, vcpu = log.spte, "vmm-10", "vcpu-11"
    rwx, ro = spte("rwx", 0x400010), spte("ro", 0x400010)
    huge = spte("huge", 0x400200)
    log.say(vmm, "kvm_mmu_init_tdp_mmu", f"(f+0x4/0x8) {KVM}")
    log.say(vmm, "kvm_set_memory_region", f"(f+0x4/0x8) {KVM} slot=0 flags=0x0 gpa=0x0 size=0x800000 hva=0x7f0000000000")
    log.page(vcpu, "kvm_mmu_get_page", 0, 4)
    log.fault(0x10, "write")
    for level, page in ((4, 0x101), (3, 0x102), (2, 0x103)):
        log.link(vcpu, 0, level, page)
    log.change(vcpu, 0x10, 1, NONE, rwx)
    log.set(0x10, rwx, 1, 0x103)
    log.fault(0x205, "read", 2)
    log.change(vcpu, 0x200, 2, NONE, huge)
    log.set(0x200, huge, 2, 0x102)
    # Logging starts, the guest writes: a fast page fault.
    log.change(vmm, 0x10, 1, rwx, ro)
    log.fault(0x10, "write", 0)
    log.say(vcpu, "fast_page_fault", f"vcpu 0 gva 10000 error_code P|W|U sptep ffff888000103080 old 0x{ro} "
            f"new {rwx} spurious 0 fixed 1")
    # The huge page is split, X is given back to what it becomes, and one of it is aged.
    log.link(vmm, 0x200, 2, 0x104, huge)
    log.say(vmm, "kvm_mmu_split_huge_page", f"gfn 200 spte {huge} level 2 errno 0")
    upper, lower = BITS[kind]["huge"]
    lower &= ~0x80
    if kind == "npt":
        upper = 0
    else:
        lower |= 4

    def child(i):
        return f"{upper | (0x400200 + i) << 12 | lower:x}"
    log.say(vmm, "kvm_age_hva", "mmu notifier age hva: 0x00007f0000200000 -- 0x00007f0000201000")
    aged = {"npt": int(child(0), 16) & ~0x20, "ept": int(child(0), 16) & ~0x100,
            "ept-no-ad": int(child(0), 16) & ~7 | 5 << 54}[kind]
    log.change(vmm, 0x200, 1, child(0), f"{aged:x}")
    # An unmap of two pages, of which one is mapped.
    log.say(vmm, "kvm_tdp_mmu_unmap_gfn_range", f"(f+0x4/0x8) {KVM} slot=0x1 start=0x10 end=0x12")
    log.change(vmm, 0x10, 1, rwx, NONE)
    log.say(vmm, "kvm_tdp_mmu_unmap_gfn_range_ret", "(f+0x4/0x8 <- f) flush=1")
    # MMIO: its SPTE is made, found stale, and made again.
    for gen, old in ((2, NONE), (4, spte("mmio", 0x30))):
        upper_mmio, lower_mmio = BITS[kind]["mmio"]
        mmio = f"{upper_mmio | 0x30 << 12 | lower_mmio - 0x10 + (gen << 3):x}"
        log.fault(0x30, "write", 1, 1 << 63)
        if gen == 4:
            log.say(vcpu, "check_mmio_spte", f"spte {old} kvm_gen 4 spte-gen 2 valid 0")
        log.change(vcpu, 0x30, 1, old, mmio)
        log.say(vcpu, "mark_mmio_spte", f"sptep:ffff888000103180 gfn 30 access 7 gen {gen}")
    # All roots are zapped, and the VM goes.
    log.say(vmm, "kvm_mmu_zap_all_fast", "kvm-mmu-valid-gen 0 used_pages 0")
    log.say(vmm, "kvm_tdp_mmu_zap_invalidated_roots", f"(f+0x4/0x8) {KVM}")
    log.change(vmm, 0, 4, spte("table", 0x101), NONE)
    entries = {n: (child(n), None) for n in range(512)}
    entries[0] = (f"{aged:x}", None)
    log.freeze(vmm, 0, 3, {0: (spte("table", 0x102), lambda: log.freeze(vmm, 0, 2, {
        0: (spte("table", 0x103), lambda: log.freeze(vmm, 0, 1, {0x30: (mmio, None)})),
        1: (spte("table", 0x104), lambda: log.freeze(vmm, 0x200, 1, entries))}))})
    log.say(vmm, "kvm_tdp_mmu_zap_invalidated_roots_ret", "(f+0x4/0x8 <- f)")
    log.say(vmm, "kvm_mmu_uninit_tdp_mmu", f"(f+0x4/0x8) {KVM}")
    return log


class Check(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def write(self, name, data):
        path = os.path.join(self.dir.name, name)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def check(self, *arguments):
        return subprocess.run([TDP, "check", *arguments], capture_output=True, text=True)

    def accepted(self, text, *options):
        path = self.write("good.trace", text)
        done = self.check(path, "-q", *options)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def rejected(self, text, rule, line, what, *options):
        path = self.write("bad.trace", text)
        done = self.check(path, "-q", *options)
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        self.assertRegex(done.stdout, re.compile(f"^{re.escape(path)}:{line or '[0-9]+'}: rule {rule} broken: "
                                                 f".*{what}", re.M))

    def refused(self, message, *arguments):
        done = self.check(*arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", message + "\n"))

    def changed(self, kind, old, new, count=1):
        """(the log with the first such text replaced, its line)"""
        text = life(kind).text()
        self.assertIn(old, text)
        return text.replace(old, new, count), text[:text.index(old)].count("\n") + 1

    # ---- what is right ----

    def test_good(self):
        for kind in BITS:
            with self.subTest(kind):
                self.accepted(life(kind).text())

    def test_summary(self):
        path = self.write("good.trace.xz", lzma.compress(life("npt").text().encode()))
        done = self.check(path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"{path}: {len(life('npt').lines) - 2} events, 2060 changes of SPTEs, "
                         "1 root: 0 violations\n"
                         "  ends checked: 1 of unmaps, 1 of zaps of roots, 1 of VMs\n"
                         "  at most 5 page tables and 513 leaves at a time; at the end 0 and 0\n")

    def test_known(self):
        """A second fault on a page may clear D: told, and no violation."""
        log = life("npt")
        at = next(n for n, line in enumerate(log.lines) if "kvm_mmu_set_spte" in line) + 1
        more = Log("npt")
        more.lines = []
        more.fault(0x10, "write")
        more.change("vcpu-11", 0x10, 1, more.spte("rwx", 0x400010), more.spte("clean", 0x400010))
        more.set(0x10, more.spte("clean", 0x400010), 1, 0x103)
        log.lines[at:at] = more.lines
        path = self.write("known.trace", log.text())
        done = self.check(path, "--known")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn(f"{path}:{at + 3}: known: as 0 gfn 10 4K: refault-d\n", done.stdout)
        self.assertIn("  1 refault-d: docs/check.md\n", done.stdout)

    def test_inverted(self):
        """A line that another CPU wrote down later than the one that follows it."""
        log = life("npt")
        at = next(n for n, line in enumerate(log.lines) if "new_spte 400010e67" in line)
        other = log.lines[at].replace("vcpu-11", "vcpu-12").replace(f"old_spte {NONE} new_spte 400010e67",
                                                                    "old_spte 400010e67 new_spte 400010e65")
        asked = [line.replace("vcpu-11", "vcpu-12") for line in log.lines if "requested: gfn 10 " in line][:1]
        wrote = [n for n, line in enumerate(log.lines) if "old_spte 400010e67 new_spte 400010e65" in line]
        del log.lines[wrote[0]]
        log.lines[at:at] = asked + [other]
        path = self.write("inverted.trace", log.text())
        done = self.check(path)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("  1 change written down before the one that it follows\n", done.stdout)

    def zapped_while_mapped(self, invalidate):
        """(a log in which a leaf is zapped while a vCPU maps its page, the line at which that is mapped)"""
        log = Log("npt")
        vmm, vcpu, rwx = "vmm-10", "vcpu-11", log.spte("rwx", 0x400010)
        log.say(vmm, "kvm_mmu_init_tdp_mmu", f"(f+0x4/0x8) {KVM}")
        for root in range(1 + invalidate):
            if root:
                log.say(vmm, "kvm_mmu_zap_all_fast", "kvm-mmu-valid-gen 0 used_pages 0")
                log.say(vmm, "kvm_tdp_mmu_zap_invalidated_roots", f"(f+0x4/0x8) {KVM}")
            log.page(vcpu, "kvm_mmu_get_page", 0, 4)
            log.fault(0x10, "write")
            for level in (4, 3, 2):
                log.link(vcpu, 0, level, 0x105 + 4 * root - level)
            if not invalidate or not root:
                log.change(vcpu, 0x10, 1, NONE, rwx)
                log.set(0x10, rwx, 1, 0x103)
        if not invalidate:
            log.fault(0x10, "write")
        log.change(vmm, 0x10, 1, rwx, NONE)
        line = log.change(vcpu, 0x10, 1, NONE, rwx)
        return log.text(), line

    def test_zap_while_mapping(self):
        """In an invalidated root, which is zapped with mmu_lock held for read as faults hold it, that is fine."""
        text, line = self.zapped_while_mapped(False)
        self.rejected(text, "N", line, "mapped by a look-up of line [0-9]+, and unmapped in line [0-9]+ since")
        self.accepted(self.zapped_while_mapped(True)[0])

    def test_midway(self):
        """A log that begins when the VM runs: what was there before is learned, what comes is checked."""
        for kind in BITS:
            lines = life(kind).lines
            start = next(n for n, line in enumerate(lines) if "new_spte " + Log(kind).spte("ro", 0x400010) in line)
            self.accepted("\n".join(lines[start:]) + "\n")
            text = "\n".join(lines[start:]) + "\n"
            self.rejected(re.sub(r"(gfn 10 level 1 old_spte \w+)7( new_spte 8000000000000000)", r"\g<1>5\2", text),
                          "A", None, "is replaced, which was not there")

    def test_guest_pat(self):
        """EPT of a VM whose devices need the guest's PAT, in a log that begins with a leaf."""
        def heed_pat(spte):
            value = int(spte[0], 16)
            return f"{value & ~0x40 if value & 1 << 11 and value & 0x30 == 0x30 else value:x}"
        for kind in ("ept", "ept-no-ad"):
            lines = life(kind).lines
            start = next(n for n, line in enumerate(lines) if "new_spte " + Log(kind).spte("ro", 0x400010) in line)
            self.accepted(re.sub(r"(?<![0-9a-f])8[0-9a-f]{15}\b", heed_pat, "\n".join(lines[start:]) + "\n"))

    def test_not_recorded(self):
        for event in ("kvm_mmu_prepare_zap_page", "kvm_mmu_get_page", "kvm_mmu_split_huge_page",
                      "kvm_mmu_spte_requested"):
            text = "\n".join(line for line in life("npt").lines
                             if event + ":" not in line or " l4 " in line) + "\n"
            self.rejected(text, "[LM]", None, "")
            self.accepted(text, "--not-recorded", event)

    # ---- what is wrong: rules that logs of NPT do not have, and what they have on EPT ----

    def test_bits(self):
        for kind, bad, what in (("ept", "8600000400010b76", "hardware rejects"),
                                ("ept", "8200000400010b77", "not host-writable|not MMU-writable"),
                                ("ept", "8630000400010b77", "no such A/D type"),
                                ("ept-no-ad", "8610000400010a77", "without A/D hardware"),
                                ("npt", "10000400010e67", "software bits"),
                                ("npt", "400010ee7", None)):
            text, line = self.changed(kind, "new_spte " + Log(kind).spte("rwx", 0x400010), "new_spte " + bad)
            with self.subTest(bad):
                if not what:    # bit 7 of a 4K leaf is PAT: legal, and not what was there later
                    self.rejected(text, "A", None, "is replaced, which was not there")
                else:
                    self.rejected(text, "B", line, what)

    def test_l1tf(self):
        text = life("ept").text()
        self.rejected(text, "G", None, "L1TF", "-s", "l1tf=on", "-s", "maxphyaddr=36", "-s", "cachebits=36")

    def test_mitigation_given(self):
        huge = Log("npt").spte("huge", 0x400200)
        text, line = self.changed("npt", "gfn 200 level 2 old_spte 8000000000000000 new_spte " + huge,
                                  f"gfn 200 level 2 old_spte {NONE} new_spte {int(huge, 16) & ~(1 << 63):x}")
        self.rejected(text, "X", line, "is huge and executable", "-s", "nx_huge_pages=on")

    def test_too_many(self):
        lines = life("npt").lines
        at = next(n for n, line in enumerate(lines) if "kvm_mmu_prepare_zap_page" in line)
        path = self.write("many.trace", "\n".join(lines[:at] + 30 * [lines[at]] + lines[at:]))
        done = self.check(path)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count(" broken: "), 20)
        self.assertRegex(done.stdout, r"\n  \d+ violations are not shown: --all shows them\n")
        self.assertGreater(self.check(path, "--all").stdout.count(" broken: "), 20)

    # ---- bad input ----

    def test_lost_events(self):
        text = life("npt").text().split("\n")
        path = self.write("lost.trace", "\n".join(text[:9] + ["CPU:1 [LOST 12 EVENTS]"] + text[9:]))
        self.refused(f"{path}:10: 12 events were lost here: expected a log without holes, as "
                     "docs/recording.md says", path)
        path = self.write("end.trace", "\n".join(text[:-1] + ["CPU:1 [LOST 3 EVENTS]"]))
        self.assertEqual(self.check(path).returncode, 2)

    def test_bad_lines(self):
        text = life("npt").text().split("\n")
        path = self.write("bad.trace", "\n".join(text[:5] + ["garbage"] + text[5:]))
        self.refused(f"{path}:6: no line of tracefs' file 'trace': expected \"TASK-PID [CPU] FLAGS TIME: "
                     "EVENT: ...\"", path)
        path = self.write("bad.trace", "\n".join(text).replace("as id 0 gfn", "as id 9 gfn", 1))
        self.assertRegex(self.check(path).stderr, r"^\S+:\d+: event kvm_tdp_mmu_spte_changed is not understood: "
                         r"expected \"as id %ds gfn")

    def test_bad_numbers(self):
        text, line = self.changed("npt", "old_spte 8000000000000000 new_spte", "old_spte {} new_spte")
        for number in ("-", "", "g", "10000000000000000", "ffffffffffffffff0", "0x", "--1"):
            path = self.write("bad.trace", text.replace("{}", number))
            with self.subTest(number):
                self.refused(f'{path}:{line}: event kvm_tdp_mmu_spte_changed is not understood: expected '
                             '"as id %ds gfn %xa level %dl old_spte %xb new_spte %xc"', path)

    def test_cut(self):
        path = self.write("cut.xz", lzma.compress(life("npt").text().encode())[:-40])
        self.assertRegex(self.check(path).stderr, r"^\S+: the xz data end early")

    def test_arguments(self):
        def usage(message, *arguments):
            self.refused(f"tdp check: {message}; 'tdp check --help' says more", *arguments)
        usage("no log is named")
        usage("bad option --frobnicate", "--frobnicate", "x")
        usage("--not-recorded takes the name of an event that can be done without, not kvm_page_fault", "-n",
              "kvm_page_fault", "x")
        self.refused("tdp check: --vm-option mmu=arm: expected a value that the vm line of a program takes",
                     "-s", "mmu=arm", "x")
        self.refused("/no/where: cannot be read: No such file or directory", "/no/where")
        self.assertEqual(self.check("--help").returncode, 0)

    def test_worst_of_all(self):
        good = self.write("good.trace", life("npt").text())
        bad = self.write("bad.trace", life("npt").text().replace("new_spte 400010e67", "new_spte 400010c67", 1))
        self.assertEqual(self.check("-q", good, bad, good).returncode, 1)
        self.assertEqual(self.check("-q", bad, "/no/where").returncode, 2)


if __name__ == "__main__":
    sys.exit(unittest.main())
