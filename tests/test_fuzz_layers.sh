#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The targets below programs: their corpus, and inputs made from it, always the same ones; bad seeds are refused.
set -eu

for target in fuzz_spte fuzz_iter fuzz_api; do
	"$TDP_BUILD/$target" -runs=3000 -max_len=200 -seed=1 "corpus/$target"
done

bad=$(mktemp --suffix=.hex)
trap 'rm -f "$bad"' EXIT
echo "00 1" > "$bad"
if "$TDP_BUILD/fuzz_iter" "$bad" 2>"$bad.err"; then
	echo "half a byte was taken for an input"
	exit 1
fi
grep -q "expected pairs" "$bad.err"
rm -f "$bad.err"
