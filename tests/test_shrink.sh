#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp shrink: what becomes of a program that runs into a known bug, exit statuses, bad input.
set -uo pipefail

healthy=$TDP_BUILD/tdp
bugged=$TDP_BUILD/tdp-huge-over-table-no-flush
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

wrong() {
	echo "$@"
	failed=1
}

# expect STATUS PATTERN COMMAND...: the status, and a line of standard error that the pattern matches
expect() {
	local status=$1 pattern=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err"
	local found=$?
	[ $found == "$status" ] || wrong "$*: status $found, expected $status"
	[ -z "$pattern" ] || grep -qE -- "$pattern" "$work/err" ||
		wrong "$*: no line matches '$pattern' in:" "$(cat "$work/err")"
}

cat >"$work/large.tdp" <<'END'
tdp 1
vm mmu=ept ad=on levels=5 nx_huge_pages=off pml=on eager_split=on
slot 0 base=0x1000 pages=0x800 backing=4K
slot 1 base=0x40000 pages=0x200 backing=2M flags=log
thread vcpu 0
	write 0x1000 x64
	read 0x1007
	write 0x40000
	exec 0x1203
	write 0x1003 x512
	read 0x1400
thread vcpu 1
	read 0x40001
thread host
	age 0x1000 0x200
	huge-form 0x1000 2M
	unmap 0x1400 0x10
thread vmm
	log-get 1
	nx-recover
schedule
	t0.2@op#1 -> t2
	t0.3@op#1 -> t3
	t0.4@op#3 -> t2
	t2.1@op#1 -> t3
	t0.4@op#5 -> t2
	t0.5@op#1 resched
END

# All that the bug needs: a page table, a huge page over it, an access through that.
cat >"$work/expected.tdp" <<'END'
tdp 1
vm mmu=ept ad=on levels=4
slot 0 base=0x0 pages=0x200 backing=4K
thread vcpu 0
	read 0x0
thread host
	huge-form 0x0 2M
schedule
	t0.0@load#K -> t1
END

expect 1 'rule T broken' "$bugged" shrink "$work/large.tdp" -o "$work/small.tdp"
grep -q 'before: 4 threads, 12 operations, 5 preemptions, 1 other choice$' "$work/err" ||
	wrong "the size before is not as expected:" "$(cat "$work/err")"
grep -q 'after:  2 threads, 2 operations, 1 preemption, 0 other choices$' "$work/err" ||
	wrong "the size after is not as expected:" "$(cat "$work/err")"
# Which load it is depends on code that has nothing to do with it.
sed 's/load#[0-9]*/load#K/' "$work/small.tdp" | diff -u "$work/expected.tdp" - || wrong "the shrunk program is not the expected one"
[ -s "$work/out" ] && wrong "with -o, standard output is not empty"

# It is canonical, fails where the large one does, and passes where there is no bug.
"$healthy" convert "$work/small.tdp" | cmp - "$work/small.tdp" || wrong "it is not canonical"
expect 1 '' "$bugged" run "$work/small.tdp"
grep -q 'rule T broken' "$work/out" || wrong "the shrunk program breaks another rule"
expect 0 '' "$healthy" run "$work/small.tdp"

# Smaller it does not get; the same every time; without -o on standard output; both forms are taken.
expect 1 'after:  2 threads, 2 operations' "$bugged" shrink "$work/small.tdp"
cmp "$work/out" "$work/small.tdp" || wrong "a second time, something else comes out"
"$healthy" convert --to binary "$work/large.tdp" -o "$work/large.bin"
expect 1 '' "$bugged" shrink -q "$work/large.bin"
cmp "$work/out" "$work/small.tdp" || wrong "the binary form shrinks to something else"
[ -s "$work/err" ] && wrong "with -q, standard error is not empty"

# What was found until no more runs were allowed still fails.
expect 1 '40 executions in .*: no more allowed' "$bugged" shrink -n 40 "$work/large.tdp" \
	-o "$work/half.tdp"
expect 1 '' "$bugged" run "$work/half.tdp"

# Interrupted, it leaves what it has.
{
	sed '/^thread vcpu 0/q' "$work/large.tdp"
	for _ in $(seq 10000); do
		echo "	write 0x1200 x512"
	done
	sed '1,/^thread vcpu 0/d' "$work/large.tdp" | sed 's/t0\.\([0-9]\)/t0.1000\1/'
} >"$work/huge.tdp"
# Runs a command, and interrupts it as soon as it catches that (bit 1 of the signals that are caught).
interrupt() {
	"$@" &
	local pid=$!
	until grep -qs '^SigCgt:.*[2367abef]$' /proc/$pid/status || ! kill -0 $pid 2>/dev/null; do
		sleep 0.05
	done
	kill -INT $pid
	wait $pid
}
expect 1 ': interrupted$' interrupt \
	"$bugged" shrink -n 100000000 "$work/huge.tdp" -o "$work/some.tdp"
expect 1 '' "$bugged" run "$work/some.tdp"

expect 0 'no rule is broken: there is nothing to shrink' "$healthy" shrink "$work/large.tdp" \
	-o "$work/none.tdp"
[ -e "$work/none.tdp" ] && wrong "a program was written although none fails"

echo "tdp 2" >"$work/bad.tdp"
expect 2 'bad.tdp:1: ' "$healthy" shrink "$work/bad.tdp"
expect 2 'missing.tdp: No such file' "$healthy" shrink "$work/missing.tdp"
expect 2 'expected one FILE' "$healthy" shrink
expect 2 'expected one FILE' "$healthy" shrink "$work/small.tdp" "$work/large.tdp"
expect 2 'expected a number, found 1k' "$healthy" shrink -n 1k "$work/small.tdp"
expect 2 'bad option --fast' "$healthy" shrink --fast "$work/small.tdp"
expect 2 'nowhere/small.tdp: No such file' "$bugged" shrink -q "$work/small.tdp" \
	-o "$work/nowhere/small.tdp"
"$healthy" shrink --help | grep -q '^usage: tdp shrink' || wrong "--help says nothing"

exit $failed
