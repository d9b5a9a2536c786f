#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp explore and tdp run --scheduler, as a user meets them: exit statuses, what is saved replays.
set -u
tdp="$TDP_BUILD/tdp"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
	echo "FAILED: $*" >&2
	failed=1
}

expect()
{
	local want=$1 got
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$want" ] || { fail "exit $got, expected $want: $*"; cat "$dir/out" "$dir/err" >&2; }
}

says()
{
	grep -q -- "$1" "$dir/out" "$dir/err" || { fail "no '$1' in:"; cat "$dir/out" "$dir/err" >&2; }
}

cat >"$dir/faults.tdp" <<EOF
tdp 1
vm mmu=ept
slot 0 base=0x0 pages=0x400 backing=4K
thread vcpu 0
	read 0x10
	write 0x20
thread vcpu 1
	write 0x20
EOF

expect 0 "$tdp" explore -k 1 -l 1 "$dir/faults.tdp"
says "end state"
expect 0 "$tdp" explore --preemptions=1 --last=1 --jobs=1 --no-reduction --no-snapshot "$dir/faults.tdp"
expect 0 "$tdp" explore -k 3 --max=50 -q "$dir/faults.tdp"
expect 0 "$tdp" run --scheduler=random --runs=50 "$dir/faults.tdp"
says "50 schedules"
expect 0 "$tdp" run --scheduler=pct --runs=50 --depth=5 "$dir/faults.tdp"
expect 0 "$tdp" explore --help
expect 2 "$tdp" explore
expect 2 "$tdp" explore "$dir/nothing.tdp"
expect 2 "$tdp" explore -k many "$dir/faults.tdp"
says "expected 0 to 255"
expect 2 "$tdp" explore --jobs=0 "$dir/faults.tdp"
expect 2 "$tdp" explore --rules=TZ "$dir/faults.tdp"
says "expected letters of TDUNMLPWXGBA!, found TZ"
expect 2 "$tdp" run --scheduler=fair "$dir/faults.tdp"
says "random or pct"
expect 2 "$tdp" run --scheduler=pct --depth=100 "$dir/faults.tdp"
echo "not a program" >"$dir/bad.tdp"
expect 2 "$tdp" explore "$dir/bad.tdp"
says "bad.tdp:1"

# A bug that takes one preemption, in a build that has it.
bugged="$TDP_BUILD/tdp-age-plain-store"
cat >"$dir/age.tdp" <<EOF
tdp 1
vm mmu=ept ad=on
slot 0 base=0x0 pages=0x20 backing=4K flags=log
thread vcpu 0
	write 0x0
	write 0x0
thread host
	clean 0x0 0x1
	age 0x0 0x1
	unmap 0x0 0x1
thread vmm
	log-get 0
EOF
if [ -x "$bugged" ] || cmake --build "$TDP_BUILD" --target tdp-age-plain-store >/dev/null 2>&1; then
	expect 0 "$bugged" explore -k 0 "$dir/age.tdp"
	expect 1 "$bugged" explore -k 1 -s "$dir/found.tdp" "$dir/age.tdp"
	says "the smallest has 1 preemption"
	says "rule A"
	expect 1 "$bugged" run "$dir/found.tdp"
	says "rule A"
	expect 0 "$tdp" run "$dir/found.tdp"
	expect 1 "$bugged" explore -k 1 --no-reduction --no-snapshot -s "$dir/full.tdp" "$dir/age.tdp"
	cmp "$dir/found.tdp" "$dir/full.tdp" || fail "the smallest schedule depends on the reduction"
	expect 1 "$bugged" explore -k 2 --first -q "$dir/age.tdp"
	expect 1 "$bugged" explore -k 2 --rules=A -q "$dir/age.tdp"
	says "rule A broken"
	expect 0 "$bugged" explore -k 2 --rules='UL!' -q "$dir/age.tdp"
	for scheduler in random pct; do
		expect 1 "$bugged" run --scheduler=$scheduler --runs=20000 --save="$dir/$scheduler.tdp" \
			"$dir/age.tdp"
		expect 1 "$bugged" run "$dir/$scheduler.tdp"
		says "rule A"
	done
else
	fail "no build with a known bug"
fi
exit $failed
