#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp pairs: finds known bugs, saves programs that replay them, shares its work out, refuses bad input.
#
# tdp-test: plain-only
set -uo pipefail

tdp=$TDP_BUILD/tdp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

wrong() {
	echo "$@"
	failed=1
}

# finds BUG PAIRS RULE: the pairs show the known bug, and what is saved replays it; libtdp itself is clean
finds() {
	local bug=$1 pairs=$2 rule=$3 save=$work/$1 output status
	mkdir "$save"
	output=$("$tdp-$bug" pairs -m 300 --only="$pairs" --save="$save")
	status=$?
	[ $status = 1 ] || wrong "tdp-$bug pairs --only=$pairs: status $status, expected 1"
	grep -q "\"rules\":\"[A-Z]*$rule" <<<"$output" ||
		wrong "tdp-$bug pairs --only=$pairs: rule $rule is not broken in: $output"
	for program in "$save"/*.tdp; do
		"$tdp-$bug" run --quiet "$program" >"$work/out"
		[ $? = 1 ] || wrong "$program does not replay: $(cat "$work/out")"
	done
	output=$("$tdp" pairs -m 300 --only="$pairs") || wrong "tdp pairs --only=$pairs: $output"
}
finds seq-after-lookup write+unmap.non-present.ept-ad N
finds age-plain-store write+age.write-protected.ept-ad A
finds huge-over-table-no-flush read+write.removed-table.ept-ad T

# The parts are the whole.
"$tdp" pairs --list | sort >"$work/whole"
for i in 0 1 2; do
	"$tdp" pairs --list --part=$i/3
done | sort >"$work/parts"
cmp -s "$work/whole" "$work/parts" || wrong "tdp pairs --list: three parts are not the whole"
[ "$(wc -l <"$work/whole")" -gt 25000 ] || wrong "tdp pairs --list: $(wc -l <"$work/whole") pairs"

# Triples: the same seed runs the same, and a known bug is found by chance too.
for i in 1 2; do
	"$tdp" pairs --triples=20 --runs=20 --seed=5 | sed 's/"seconds".*//' >"$work/triples$i" ||
		wrong "tdp pairs --triples: $(cat "$work/triples$i")"
done
cmp -s "$work/triples1" "$work/triples2" || wrong "tdp pairs --triples: two runs of a seed differ"
mkdir "$work/triples"
"$tdp-age-plain-store" pairs --triples=100 --runs=30 --save="$work/triples" >"$work/out"
[ $? = 1 ] || wrong "tdp pairs --triples: the known bug is not found in 100 triples"
for program in "$work"/triples/*.tdp; do
	"$tdp-age-plain-store" run --quiet "$program" >"$work/out"
	[ $? = 1 ] || wrong "$program does not replay: $(cat "$work/out")"
done

# refuses PATTERN ARGUMENT...
refuses() {
	local pattern=$1 output
	shift
	output=$("$tdp" pairs "$@" 2>&1)
	[ $? = 2 ] || wrong "tdp pairs $*: not refused"
	grep -q -- "$pattern" <<<"$output" || wrong "tdp pairs $*: $output"
}
refuses 'expected I/N with I below N, found 3/3' --part=3/3
refuses 'expected 0 to 16, found x' --preemptions=x
refuses 'expected a number, found -1' --max-schedules=-1
refuses 'unexpected argument x' x
exit $failed
