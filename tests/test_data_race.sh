#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: tsan-only
# TSan sees the program's own synchronisation and no other: a missing ordering is reported in every
# replay of a schedule, and where it is there, in none.
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

replays() # HOW-MANY-REPORT TDP PROGRAM
{
	local expected=$1 reported=0 i
	shift
	for i in {1..20}; do
		if "$1" run "$2" >"$work/out" 2>&1; then
			continue
		fi
		if ! grep -q "ThreadSanitizer: data race" "$work/out"; then
			cat "$work/out" >&2
			break
		fi
		reported=$((reported + 1))
	done
	if [ $reported != "$expected" ]; then
		echo "FAILED: $1 run $2: $reported of 20 replays reported a race, not $expected" >&2
		tail -40 "$work/out" >&2
		bad=1
	fi
}

# The second is the same with a preemption between the allocation of a table and its publication.
sed 's/^thread vcpu 1/&/; $a schedule\n\tt0.0@cmpxchg(512G)#1 -> t1' tests/data/publish.tdp >"$work/preempted.tdp"
for program in tests/data/publish.tdp "$work/preempted.tdp"; do
	replays 0 "$TDP_BUILD/tdp" "$program"
	replays 20 "$TDP_BUILD/tdp-relaxed-publish" "$program"
done

# Interleavings at random, and those of the corpus.
"$TDP_BUILD/fuzz_race" -artifact_prefix="$work/" -runs=2000 -seed=1 corpus/fuzz_race >"$work/out" 2>&1 || {
	echo "FAILED: fuzz_race:" >&2
	tail -60 "$work/out" >&2
	bad=1
}
exit $bad
