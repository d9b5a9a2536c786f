#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same corpus gives the same hash over every event and point: run twice, in any order, and by
# every other build in the same folder that is up to date (compilers, sanitizers).
#
# tdp-test: timeout=600
set -euo pipefail

programs=(corpus/*/*.tdp bench/programs/*/*.tdp)
tdp=$TDP_BUILD/tdp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hashes() {	# TDP PROGRAM...; status 2, a choice that never comes, does not matter here
	{ "$@" 2>/dev/null || [ $? = 2 ]; } | LC_ALL=C sort -k 2
}

hashes "$tdp" run --quiet --hash "${programs[@]}" >"$work/first"
[ "$(wc -l <"$work/first")" = ${#programs[@]} ] || {
	echo "expected ${#programs[@]} hashes, found $(wc -l <"$work/first")"
	exit 1
}
[ "$(cut -d' ' -f 1 "$work/first" | sort -u | wc -l)" -gt $((${#programs[@]} / 2)) ] || {
	echo "different programs have the same hash: it says nothing"
	exit 1
}

mapfile -t backwards < <(printf '%s\n' "${programs[@]}" | tac)
hashes "$tdp" run --quiet --hash "${backwards[@]}" >"$work/second"
diff "$work/first" "$work/second" || {
	echo "a second run, in the opposite order, differs"
	exit 1
}

# Of fuzz/, the targets and their driver are no part of tdp.
newest=$(find libtdp oracle fuzz tools/tdp -name '*.[ch]' \
	! -path 'fuzz/fuzz_*' ! -path 'fuzz/driver*' -printf '%T@ %p\n' |
	sort -n | tail -1 | cut -d' ' -f 2)
for other in "$(dirname "$TDP_BUILD")"/*/tdp; do
	[ -x "$other" ] && ! [ "$other" -ef "$tdp" ] || continue
	if [ "$newest" -nt "$other" ]; then
		echo "$other: older than $newest, left out"
		continue
	fi
	hashes "$other" run --quiet --hash "${programs[@]}" >"$work/other"
	diff "$work/first" "$work/other" || {
		echo "$other differs from $tdp"
		exit 1
	}
	echo "$other: the same"
done
echo "${#programs[@]} programs, the same each time"
