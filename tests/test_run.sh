#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp run: exit statuses, messages for bad input, and what --trace, --dump, --stat and --hash print.
#
# tdp-test: plain-only
set -uo pipefail

tdp=$TDP_BUILD/tdp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect STATUS PATTERN ARGUMENT...: the status, and a line of the output that the pattern matches
expect() {
	local status=$1 pattern=$2 output
	shift 2
	output=$(cd "$work" && "$tdp" run "$@" 2>&1)
	local found=$?
	if [ $found != "$status" ]; then
		echo "tdp run $*: status $found, expected $status"
		failed=1
	fi
	if ! grep -qE -- "$pattern" <<<"$output"; then
		printf "tdp run %s: no line matches '%s' in:\n%s\n" "$*" "$pattern" "$output"
		failed=1
	fi
}

program() {	# NAME, its lines after the version from standard input
	{ echo "tdp 1"; cat; } >"$work/$1"
}

program good.tdp <<'END'
vm mmu=ept ad=on levels=4
slot 0 base=0x0 pages=0x1000 backing=2M
thread vcpu 0
	write 0x200
	exec 0x201
thread host
	age 0x201 0x1
END
program never.tdp <<'END'
vm mmu=ept ad=on levels=4
slot 0 base=0x0 pages=0x1000 backing=2M
thread vcpu 0
	write 0x200
schedule
	t0.0@alloc#100 fail
END
program inside.tdp <<'END'
vm mmu=ept ad=on levels=4
slot 0 base=0x0 pages=0x1000 backing=2M
thread vcpu 0
	write 0x200
thread host
	unmap 0x200 0x1
schedule
	t0.0@cmpxchg(2M)#1 -> t1
END
program bad.tdp <<'END'
vm mmu=ept ad=on levels=4
slot 0 base=0x0 pages=0x1000 backing=2M
thread vcpu 0
	wrote 0x200
END
printf 'anything' >"$work/raw"

expect 0 '^good\.tdp: ok \(3 operations, 2 accesses, 2 faults, 1 splits,' good.tdp
expect 0 '^raw: ok' --raw raw
expect 2 '^never\.tdp:7: the point of the choice .t0\.0@alloc#100 fail. never comes$' never.tdp
expect 0 '^inside\.tdp: ok' inside.tdp
expect 2 '^bad\.tdp:5: .*wrote' bad.tdp
expect 2 '^missing\.tdp: No such file' missing.tdp
expect 2 'expected a FILE'
expect 2 "bad option --nonsense; 'tdp run --help' says more" --nonsense good.tdp
expect 2 'expected calls, changes, points, all or hex, found some' --trace=hex,some good.tdp
expect 2 '--width: expected 40 to 1000, found 39' --width=39 good.tdp
expect 2 '--html: expected one FILE, found also raw' --html=x.html good.tdp raw
expect 2 '--max-points: expected a number, found x' --max-points=x good.tdp
expect 0 '^good\.tdp: ok \(3 operations, 1 accesses,' --max-accesses=1 good.tdp
expect 0 '^usage: tdp run' --help

# Bad input does not keep the rest from running.
expect 2 '^good\.tdp: ok' bad.tdp good.tdp

# The trace: columns, the source line of the program and of libtdp, SPTEs in words, the address of a point.
expect 0 '^ +step +t0 vcpu 0 +t1 host$' --trace good.tdp
expect 0 '^ +[0-9]+  t0\.0 write 0x200  \[line 5\]$' --trace good.tdp
expect 0 '^ +[0-9]+ {26}t1\.0 age 0x201 0x1  \[line 8\]$' --trace good.tdp
expect 0 '^ +[0-9]+  ╰─{23}▶ t1 runs: t0 has ended$' --trace good.tdp
expect 0 'cmpxchg\(2M\)#1 gfn 0x200: none → page pfn 0x400200 rw- A D WB host-writable MMU-writable  \[tdp_[a-z]+\.[ch]:[0-9]+\]$' --trace --width=160 good.tdp
expect 0 'cmpxchg\(2M\)#1 gfn 0x200: 8000000000000000 none → 8600000400200bf3 page pfn 0x400200 rw- ' --trace=hex --width=160 good.tdp
expect 0 'and 511 more changes like it, up to gfn 0x3ff' --trace --width=200 good.tdp
expect 0 '^ +[0-9]+ +age 0x201\+0x1  = 1$' --trace=calls good.tdp
expect 0 'tlb#1 gfn 0x200: vCPU looks it up in its TLB, nothing there' --trace=points good.tdp
expect 0 'cond-resched#1' --trace=all good.tdp

# Less detail is fewer lines, and no line is wider than what was asked for.
lines() { (cd "$work" && "$tdp" run "$@" good.tdp | wc -l); }
if ! [ "$(lines --trace=calls)" -lt "$(lines --trace)" ] ||
   ! [ "$(lines --trace)" -lt "$(lines --trace=points)" ] ||
   ! [ "$(lines --trace=points)" -lt "$(lines --trace=all)" ]; then
	echo "tdp run --trace: calls, changes, points and all do not print more and more"
	failed=1
fi
widest=$(cd "$work" && "$tdp" run --trace=points,hex --width=90 good.tdp | grep -v '^good\.tdp:' |
	LC_ALL=C.UTF-8 wc -L)
if [ "$widest" -gt 90 ]; then
	echo "tdp run --trace --width=90: a line of $widest characters"
	failed=1
fi

# The dump: a root, links and leaves below one another.
expect 0 '^root 0x10000[0-9a-f]+ role 0x[0-9a-f]+ address space 0$' --dump good.tdp
expect 0 '^    1G gfn 0x0-0x3ffff [0-9a-f]{16} table pfn 0x1000' --dump good.tdp
expect 0 '^        4K gfn 0x202 8600000400202b77 page pfn 0x400202 rwx A D WB' --dump good.tdp

expect 0 '^	faults\.exec +1 ' --stat good.tdp
expect 0 '^[0-9a-f]{16}  good\.tdp$' --hash good.tdp

if [ -w /dev/full ]; then
	full=$(cd "$work" && "$tdp" run --dump good.tdp 2>&1 >/dev/full)
	if [ $? != 2 ] || [[ $full != *"standard output: No space left on device"* ]]; then
		echo "tdp run: a full device is not noticed: $full"
		failed=1
	fi
fi

quiet=$(cd "$work" && "$tdp" run --quiet good.tdp)
if [ -n "$quiet" ]; then
	echo "tdp run --quiet prints: $quiet"
	failed=1
fi
exit $failed
