#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Doctors a kernel's log: makes it one that a broken kernel would have written, or a broken recorder.

    tests/log_doctor.py --list
    tests/log_doctor.py NAME LOG[.xz] OUT

prints the line of OUT and the rule that `tdp check OUT` must name.  tests/test_check_doctored.py does it
for all of them.  A doctoring gets the lines and changes them; it returns the line, from 1, at which the
rule must be reported, or None for any line."""
import lzma
import re
import sys

NONE = 0x8000000000000000
FROZEN = 0x80000000000005a0
CHANGED = re.compile(r"(.*-(\d+) +\[.*kvm_tdp_mmu_spte_changed: )as id (\d) gfn ([0-9a-f]+) level (\d) "
                     r"old_spte ([0-9a-f]+) new_spte ([0-9a-f]+)$")
HEAD = re.compile(r"^.*-(\d+) +(?:\([ \d-]+\) )?\[\d+\].*? ([a-z_]+): (.*)$")
W, HOST, MMU, HUGE, NX = 1 << 1, 1 << 9, 1 << 10, 1 << 7, 1 << 63       # NPT's bits
ADDRESS = 0x000ffffffffff000
DOCTORINGS = {}


class NotHere(Exception):
    """The log has nothing that could be doctored like that."""


def doctoring(rule):
    def add(function):
        DOCTORINGS[function.__name__.replace("_", "-")] = (rule, function)
        return function
    return add


def read(path):
    with (lzma.open if path.endswith(".xz") else open)(path, "rt") as file:
        return file.read().split("\n")


def event(line):
    """(pid, event, text)"""
    found = HEAD.match(line)
    return found.groups() if found else (None, None, "")


class Change:
    def __init__(self, at, found):
        self.at, self.head, self.pid = at, found[1], found[2]
        self.as_id, self.level = int(found[3]), int(found[5])
        self.gfn, self.old, self.new = (int(found[n], 16) for n in (4, 6, 7))

    def __str__(self):
        return (f"{self.head}as id {self.as_id} gfn {self.gfn:x} level {self.level} "
                f"old_spte {self.old:x} new_spte {self.new:x}")

    @property
    def key(self):
        return self.as_id, self.gfn, self.level


def present(spte):
    return spte & 1 << 11


def leaf(spte, level):
    return present(spte) and (level == 1 or spte & HUGE)


def table(spte, level):
    return present(spte) and not leaf(spte, level)


def changes(lines):
    for at, line in enumerate(lines):
        found = "spte_changed" in line and CHANGED.match(line)
        if found:
            yield Change(at, found)


def first(lines, wanted, skip=0):
    """The first change that is wanted, but for the first few."""
    for change in changes(lines):
        if wanted(change):
            if not skip:
                return change
            skip -= 1
    raise NotHere


def first_event(lines, name, wanted=lambda text: True, start=0):
    for at in range(start, len(lines)):
        if f" {name}: " in lines[at]:
            pid, found, text = event(lines[at])
            if found == name and wanted(text):
                return at, pid, text
    raise NotHere


def number(line, word, change):
    """The line with the hexadecimal number that follows a word changed."""
    return re.sub(rf"\b{word} (0x)?([0-9a-f]+)",
                  lambda m: f"{word} {m[1] or ''}{change(int(m[2], 16)):x}", line, count=1)


def next_of(lines, at, pid):
    """The task's next line."""
    for n in range(at + 1, len(lines)):
        if event(lines[n])[0] == pid:
            return n
    raise NotHere


def later(lines, change):
    """The next change of the same SPTE, where that is the next change of its place in any root."""
    for other in changes(lines):
        if other.at > change.at and other.key == change.key:
            return other
    raise NotHere


def store(lines, change):
    lines[change.at] = str(change)
    return change.at + 1


# ---- rule A: each change replaces what was there, and nothing is lost ----

@doctoring("A")
def transition_dropped(lines):
    """Of a leaf that lost a bit; the next one says that it replaces what this one left."""
    for skip in range(1000):
        change = first(lines, lambda c: leaf(c.new, c.level) and c.old & ~c.new & (W | 0x60), skip)
        after = later(lines, change)
        if not change.old & ~change.new & after.old:    # the CPU sets A and D again
            del lines[change.at]
            return after.at
    raise NotHere


@doctoring("A")
def bit_flipped(lines):
    """In what a change says that it replaced: an address bit."""
    change = first(lines, lambda c: leaf(c.old, c.level) and c.new == NONE)
    change.old ^= 1 << 30
    return store(lines, change)


@doctoring("A")
def zap_loses_dirty(lines):
    """A zap that read the SPTE, then stored: what the CPU set in between is not in the old value."""
    change = first(lines, lambda c: leaf(c.old, c.level) and c.old & W and c.old & 1 << 6 and
                   c.new == NONE, 2)
    change.old &= ~(1 << 6)
    return store(lines, change)


@doctoring("A")
def level_changed(lines):
    change = first(lines, lambda c: leaf(c.old, c.level) and c.level == 1 and c.new == FROZEN)
    change.level = 2
    store(lines, change)


@doctoring("A")
def other_address_space(lines):
    change = first(lines, lambda c: leaf(c.old, c.level) and c.new == FROZEN)
    change.as_id ^= 1
    return store(lines, change)


@doctoring("A")
def told_twice(lines):
    change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level), 5)
    lines.insert(change.at, lines[change.at])
    return change.at + 2


@doctoring("A")
def frozen_in_use(lines):
    """A leaf of a page table that is in use is frozen, rather than zapped, and stays so."""
    change = first(lines, lambda c: leaf(c.old, c.level) and c.new == NONE)
    change.new = FROZEN
    return store(lines, change)


@doctoring("A")
def frozen_is_overwritten(lines):
    change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level), 2)
    change.old = FROZEN
    return store(lines, change)


@doctoring("A")
def entry_not_frozen(lines):
    """A page table is taken away, and one entry of it is forgotten."""
    change = first(lines, lambda c: c.new == FROZEN and leaf(c.old, c.level), 1)
    del lines[change.at]


@doctoring("A")
def fast_fault_dropped(lines):
    """W appears, and nobody set it."""
    at, _, _ = first_event(lines, "fast_page_fault", lambda text: text.endswith("fixed 1"))
    del lines[at]


@doctoring("A")
def aging_sets_a_bit(lines):
    vcpus = {event(line)[0] for line in lines if " kvm_page_fault: " in line}
    change = first(lines, lambda c: leaf(c.old, c.level) and leaf(c.new, c.level) and
                   c.pid not in vcpus)
    change.new |= 1 << 63
    return store(lines, change)


@doctoring("A")
def fast_fault_of_another_value(lines):
    """A fast page fault changes an SPTE that is another one by then."""
    at, _, _ = first_event(lines, "fast_page_fault", lambda text: text.endswith("fixed 1"))
    for word in ("old", "new"):
        lines[at] = number(lines[at], word, lambda spte: spte ^ 1 << 30)
    return at + 1


@doctoring("A")
def nothing_changed(lines):
    change = first(lines, lambda c: leaf(c.old, c.level) and c.new == NONE)
    change.new = change.old
    return store(lines, change)


@doctoring("A")
def leaf_becomes_mmio(lines):
    change = first(lines, lambda c: c.level == 1 and leaf(c.old, 1) and c.new == NONE)
    change.new = first(lines, mmio).new & ~ADDRESS | 1 << 51 | change.gfn << 12
    return store(lines, change)


@doctoring("A")
def table_becomes_mmio(lines):
    change = first(lines, lambda c: table(c.old, c.level) and c.new == NONE)
    change.new = first(lines, mmio).new & ~ADDRESS | 1 << 51 | change.gfn << 12
    return store(lines, change)


@doctoring("A")
def table_replaced(lines):
    """A page table gives way to another one without being taken away."""
    change = first(lines, lambda c: table(c.old, c.level) and c.new == NONE)
    change.new = change.old + 0x1000
    return store(lines, change)


# ---- rule B: bits ----

@doctoring("B")
def writable_by_nobody(lines):
    change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level) and c.new & W, 3)
    change.new &= ~HOST
    return store(lines, change)


@doctoring("B")
def table_read_only(lines):
    change = first(lines, lambda c: c.old == NONE and table(c.new, c.level), 1)
    change.new &= ~W
    return store(lines, change)


@doctoring("B")
def reserved_bit(lines):
    change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level) and c.level == 2)
    change.new |= 1 << 14
    return store(lines, change)


# ---- rule M: what is mapped is what was asked for ----

@doctoring("M")
def wrong_page(lines):
    change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level), 4)
    change.new += 1 << 12 + 9 * (change.level - 1)
    return store(lines, change)


@doctoring("M")
def page_exchanged(lines):
    """A leaf is given another page while it is mapped."""
    change = first(lines, lambda c: leaf(c.old, c.level) and leaf(c.new, c.level))
    change.new ^= 1 << 30
    return store(lines, change)


@doctoring("M")
def mapping_takes_x(lines):
    """A second fault on a page makes it unfit to be executed."""
    change = first(lines, lambda c: c.level == 1 and leaf(c.old, 1) and leaf(c.new, 1) and
                   not (c.old | c.new) & NX and
                   event(lines[c.at - 1])[:2] == (c.pid, "kvm_mmu_spte_requested"))
    change.new |= NX
    return store(lines, change)


@doctoring("M")
def leaf_for_table_unasked(lines):
    """A huge page takes the place of a page table, and nobody faulted."""
    huge = first(lines, lambda c: c.level == 2 and leaf(c.new, 2))
    change = first(lines, lambda c: c.level == 2 and table(c.old, 2) and c.new == NONE)
    change.new = huge.new
    return store(lines, change)


@doctoring("M")
def gfn_inside_of_huge_page(lines):
    change = first(lines, lambda c: c.level == 2 and leaf(c.old, 2) and c.new == NONE)
    change.gfn += 1
    return store(lines, change)


@doctoring("M")
def mapping_told_twice(lines):
    at, _, _ = first_event(lines, "kvm_mmu_set_spte")
    lines.insert(at, lines[at])
    return at + 2


@doctoring("M")
def other_page_told(lines):
    """kvm_mmu_set_spte names another page than was asked for."""
    at, _, _ = first_event(lines, "kvm_mmu_set_spte")
    lines[at] = number(lines[at], "spte", lambda spte: spte ^ 1 << 30)
    return at + 1


@doctoring("M")
def too_large(lines):
    """A huge page is mapped where a small one was asked for."""
    change = first(lines, lambda c: leaf(c.new, c.level) and c.level == 2 and
                   not leaf(c.old, c.level))
    at = change.at - 1
    while event(lines[at])[:2] != (change.pid, "kvm_mmu_spte_requested"):
        at -= 1
    lines[at] = lines[at].replace("level 2", "level 1")
    return change.at + 1


@doctoring("M")
def nobody_asked(lines):
    at, pid, _ = first_event(lines, "kvm_mmu_spte_requested", start=len(lines) // 3)
    n = next_of(lines, at, pid)
    del lines[at]
    if event(lines[n - 1])[1] not in ("kvm_tdp_mmu_spte_changed", "kvm_mmu_set_spte"):
        raise NotHere
    return n


@doctoring("M")
def write_not_granted(lines):
    for skip in range(1000):
        change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level) and c.new & W, skip)
        _, asked, _ = event(lines[change.at - 1])
        _, fault, text = event(lines[change.at - 2])
        if (asked, fault) == ("kvm_mmu_spte_requested", "kvm_page_fault") and \
                int(text.split()[-1], 16) & 2:
            break
    change.new &= ~W
    return store(lines, change)


@doctoring("M")
def fetch_not_granted(lines):
    for at in range(2, len(lines)):
        found = CHANGED.match(lines[at])
        if found and event(lines[at - 1])[1] == "kvm_mmu_spte_requested":
            _, fault, text = event(lines[at - 2])
            change = Change(at, found)
            if fault == "kvm_page_fault" and int(text.split()[-1], 16) & 16 and \
                    change.old == NONE and leaf(change.new, 1) and change.level == 1:
                change.new |= 1 << 63
                return store(lines, change)
    raise NotHere


@doctoring("M")
def fast_fault_not_allowed(lines):
    """A fast page fault makes writable what is not MMU-writable."""
    at, _, _ = first_event(lines, "fast_page_fault", lambda text: text.endswith("fixed 1"))
    lines[at] = number(lines[at], "old", lambda spte: spte & ~MMU)
    return at + 1


@doctoring("M")
def wrong_slot_of_table(lines):
    """kvm_mmu_set_spte names an SPTE that is another page's."""
    at, _, _ = first_event(lines, "kvm_mmu_set_spte")
    lines[at] = number(lines[at], "at", lambda address: address ^ 0x800)
    return at + 1


# ---- rule L: page tables balance ----

@doctoring("L")
def table_not_given_back(lines):
    at, pid, _ = first_event(lines, "kvm_mmu_prepare_zap_page")
    del lines[at]
    return max(c.at for c in changes(lines[:at]) if c.pid == pid) + 1


@doctoring("L")
def table_given_back_twice(lines):
    at, _, _ = first_event(lines, "kvm_mmu_prepare_zap_page")
    lines.insert(at, lines[at])
    return at + 2


@doctoring("L")
def table_not_allocated(lines):
    at, pid, _ = first_event(lines, "kvm_mmu_get_page", lambda text: " l2 " in text)
    n = next_of(lines, at, pid)
    del lines[at]
    return n


@doctoring("L")
def table_linked_twice(lines):
    one = first(lines, lambda c: c.old == NONE and table(c.new, c.level))
    two = first(lines, lambda c: c.old == NONE and table(c.new, c.level), 1)
    two.new = one.new
    return store(lines, two)


@doctoring("L")
def link_dropped(lines):
    """Entries of a page table change that nothing links."""
    change = first(lines, lambda c: c.old == NONE and table(c.new, c.level) and c.level == 2)
    del lines[change.at]
    return first(lines, lambda c: c.at >= change.at and c.level == 1 and
                 c.gfn >> 9 == change.gfn >> 9).at + 1


@doctoring("L")
def split_not_told(lines):
    at, pid, _ = first_event(lines, "kvm_mmu_split_huge_page", lambda text: text.endswith("errno 0"))
    del lines[at]
    return max(c.at for c in changes(lines[:at]) if c.pid == pid) + 1


@doctoring("L")
def split_of_nothing(lines):
    at, _, _ = first_event(lines, "kvm_mmu_split_huge_page", lambda text: text.endswith("errno 0"))
    lines.insert(at + 1, lines[at])
    return at + 2


@doctoring("L")
def vm_ends_too_early(lines):
    """A VM is gone while it has page tables."""
    end, _, _ = first_event(lines, "kvm_mmu_uninit_tdp_mmu")
    zap, _, _ = first_event(lines, "kvm_tdp_mmu_zap_all")
    root = max(n for n in range(zap) if " level 4 " in lines[n] and table(
        int(lines[n].split()[-1], 16), 4))
    lines.insert(root + 1, lines.pop(end))
    return root + 2


# ---- rule N: what is unmapped is gone ----

def bracket(lines, begin, end):
    """(first line, last line) of a call in which leaves or page tables go, up to its return."""
    start = 0
    while True:
        at, pid, text = first_event(lines, begin, start=start)
        back, _, _ = first_event(lines, end, start=at)
        within = [c for c in changes(lines) if at < c.at < back and c.pid == pid]
        if any(leaf(c.old, c.level) and c.new == NONE for c in within):
            return at, back, pid, text
        start = at + 1


@doctoring("N")
def unmap_without_its_zaps(lines):
    at, end, pid, _ = bracket(lines, "kvm_tdp_mmu_unmap_gfn_range", "kvm_tdp_mmu_unmap_gfn_range_ret")
    kept = [l for l in lines[at + 1:end] if event(l)[:2] != (pid, "kvm_tdp_mmu_spte_changed")]
    lines[at + 1:end] = kept
    return at + 1 + len(kept) + 1


@doctoring("N")
def unmap_misses_a_page(lines):
    """... and the leaf never changes again, as if it had been forgotten."""
    at, end, pid, _ = bracket(lines, "kvm_tdp_mmu_unmap_gfn_range", "kvm_tdp_mmu_unmap_gfn_range_ret")
    gone = next(c for c in changes(lines) if at < c.at < end and c.pid == pid and
                leaf(c.old, c.level) and c.new == NONE)
    end_line = end
    for change in reversed([c for c in changes(lines) if c.at >= gone.at and c.key == gone.key]):
        del lines[change.at]
        end_line -= change.at < end
    return end_line + 1


@doctoring("N")
def stale_look_up(lines):
    """A page is unmapped between its look-up and its mapping: nothing was mapped yet."""
    start, pid, text = first_event(lines, "kvm_tdp_mmu_unmap_gfn_range")
    end, _, _ = first_event(lines, "kvm_tdp_mmu_unmap_gfn_range_ret")
    unmap, back = lines[start], lines[end]
    kvm = re.search(r"kvm=(\S+)", text)[1]
    change = first(lines, lambda c: c.old == NONE and leaf(c.new, c.level) and c.at > end and
                   event(lines[c.at - 1])[:2] == (c.pid, "kvm_mmu_spte_requested"))
    unmap = re.sub(r"kvm=\S+", "kvm=" + kvm, unmap)
    unmap = re.sub(r"start=\S+ end=\S+",
                   f"start={change.gfn:#x} end={change.gfn + 512 ** (change.level - 1):#x}", unmap)
    # Whoever unmaps is none of those that are in the middle of something.
    lines[change.at:change.at] = [re.sub(r"^ *\S*-\d+ ", " unmapper-65000 ", l) for l in (unmap, back)]
    return change.at + 3


@doctoring("N")
def zap_after_look_up(lines):
    """A page is looked up, then zapped, then mapped all the same."""
    zaps = {}
    for at, line in enumerate(lines):
        pid, name, text = event(line)
        if name == "kvm_tdp_mmu_spte_changed":
            change = Change(at, CHANGED.match(line))
            if leaf(change.old, 1) and change.level == 1:
                zaps[change.gfn] = change
        if name == "kvm_mmu_spte_requested" and text.endswith(" level 1"):
            zap = zaps.get(int(text.split()[1], 16))
            if zap and zap.pid != pid and zap.new == NONE and event(lines[at + 1])[0] == pid and \
                    CHANGED.match(lines[at + 1]):
                lines.insert(at, lines.pop(zap.at))
                return at + 2
    raise NotHere


@doctoring("N")
def roots_not_zapped(lines):
    begin, end = "kvm_tdp_mmu_zap_invalidated_roots", "kvm_tdp_mmu_zap_invalidated_roots_ret"
    start = 0
    while True:
        at, pid, _ = first_event(lines, begin, start=start)
        back, _, _ = first_event(lines, end, start=at)
        if any(c.level == 4 for c in changes(lines[at:back])):
            break
        start = at + 1
    kept = [l for l in lines[at + 1:back] if event(l)[0] != pid]
    lines[at + 1:back] = kept
    return at + 1 + len(kept) + 1


# ---- rule X: the mitigation of huge pages ----

@doctoring("X")
def huge_and_executable(lines):
    change = first(lines, lambda c: leaf(c.new, c.level) and c.level > 1 and c.new >> 63 and
                   not leaf(c.old, c.level), 1)
    change.new &= ~(1 << 63)
    return store(lines, change)


@doctoring("X")
def huge_and_not_executable(lines):
    """Of those in a host that has the mitigation switched off."""
    change = first(lines, lambda c: leaf(c.new, c.level) and c.level > 1 and not c.new & NX and
                   not leaf(c.old, c.level), 1)
    change.new |= NX
    return store(lines, change)


# ---- rule G: MMIO SPTEs, and what is not present ----

def mmio(change):
    return not present(change.new) and change.new not in (NONE, FROZEN)


@doctoring("G")
def mmio_of_another_page(lines):
    change = first(lines, mmio)
    change.new ^= 1 << 20
    return store(lines, change)


@doctoring("G")
def mmio_generation(lines):
    change = first(lines, mmio)
    change.new ^= 1 << 4
    at, _, _ = first_event(lines, "mark_mmio_spte", start=change.at)
    store(lines, change)
    return at + 1


@doctoring("G")
def mmio_access(lines):
    """mark_mmio_spte names another access than the SPTE holds."""
    at, _, _ = first_event(lines, "mark_mmio_spte")
    lines[at] = number(lines[at], "access", lambda access: access ^ 2)
    return at + 1


@doctoring("G")
def stale_counts_as_valid(lines):
    at, _, _ = first_event(lines, "check_mmio_spte", lambda text: text.endswith("valid 0"))
    lines[at] = lines[at][:-1] + "1"
    return at + 1


@doctoring("G")
def generation_misread(lines):
    at, _, _ = first_event(lines, "check_mmio_spte")
    lines[at] = number(lines[at], "spte-gen", lambda generation: generation ^ 1)
    return at + 1


@doctoring("G")
def stale_is_emulated(lines):
    at, _, _ = first_event(lines, "check_mmio_spte", lambda text: text.endswith("valid 0"))
    handled = re.sub(r"check_mmio_spte: .*", "handle_mmio_page_fault: addr:0 gfn 1000 access 7", lines[at])
    lines.insert(at + 1, handled)
    return at + 2


@doctoring("G")
def not_present_with_an_address(lines):
    change = first(lines, lambda c: leaf(c.old, c.level) and c.new == NONE)
    change.new = change.old & ~(1 << 11)
    return store(lines, change)


def doctor(name, lines):
    """Changes the lines; returns (rule, line or None)."""
    rule, function = DOCTORINGS[name]
    return rule, function(lines)


def main(arguments):
    if arguments == ["--list"]:
        for name, (rule, _) in DOCTORINGS.items():
            print(rule, name)
        return 0
    if len(arguments) != 3 or arguments[0] not in DOCTORINGS:
        print(__doc__, file=sys.stderr)
        return 2
    name, path, out = arguments
    lines = read(path)
    try:
        rule, line = doctor(name, lines)
    except NotHere:
        print(f"{path}: nothing here to be doctored like that: {name}", file=sys.stderr)
        return 2
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    print(f"{out}:{line or '*'}: rule {rule}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
