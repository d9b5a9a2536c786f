#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp convert: what it writes, what it says of bad input, and its exit status.
set -u
tdp=$TDP_BUILD/tdp
data=tests/data/program
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# expect STATUS STDERR COMMAND...: standard output goes to $dir/out.
expect() {
	local status=$1 stderr=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	if [ $got != "$status" ] || [ "$(cat "$dir/err")" != "$stderr" ]; then
		printf 'FAIL: %s\n  exit %s, expected %s\n  said: %s\n  expected: %s\n' \
			"$*" $got "$status" "$(cat "$dir/err")" "$stderr"
		failed=1
	fi
}

same() {
	if ! cmp "$1" "$2"; then
		echo "FAIL: $1 and $2 differ"
		failed=1
	fi
}

grep -v '^#' $data/v1.tdp >"$dir/canonical"
expect 0 '' "$tdp" convert $data/v1.tdp
same "$dir/out" "$dir/canonical"
expect 0 '' "$tdp" convert $data/v1.bin -o "$dir/text"
same "$dir/text" "$dir/canonical"
expect 0 '' "$tdp" convert --to binary "$dir/text"
same "$dir/out" $data/v1.bin
expect 0 '' "$tdp" convert -t text --output="$dir/text" $data/v1-fuzzer.bin
same "$dir/text" $data/v1-fuzzer.tdp

{ printf '\xff'; tail -c +2 $data/v1-fuzzer.bin; } >"$dir/artifact"
expect 0 '' "$tdp" convert --raw "$dir/artifact"
same "$dir/out" $data/v1-fuzzer.tdp
"$tdp" convert "$dir/artifact" >/dev/null 2>"$dir/err"
[ $? = 2 ] && grep -q "^$dir/artifact:1: expected 'tdp 1' first, found '" "$dir/err" || {
	echo "FAIL: bytes without a header: $(cat "$dir/err")"
	failed=1
}

printf 'tdp 1\nthread vmm\n\tzap\n' >"$dir/bad"
expect 2 "$dir/bad:3: 'zap': expected one of slot-add, slot-delete, slot-move, slot-flags, log-start, \
log-get, log-clear, log-stop, split, write-protect, track, untrack, zap-range, zap-fast, \
nx-recover, nx-toggle, destroy" "$tdp" convert "$dir/bad"
printf '\xd9' >"$dir/bad"
expect 2 "$dir/bad: version 9 of the binary form: expected version 1" "$tdp" convert "$dir/bad"
expect 2 "$dir/none: No such file or directory" "$tdp" convert "$dir/none"
expect 2 "$dir: Is a directory" "$tdp" convert "$dir"
expect 2 "$dir/none/out: No such file or directory" "$tdp" convert $data/v1.tdp -o "$dir/none/out"
expect 2 "tdp convert: expected one FILE; 'tdp convert --help' says more" "$tdp" convert
expect 2 "tdp convert: expected one FILE; 'tdp convert --help' says more" "$tdp" convert a b
expect 2 "tdp convert: bad option --frob; 'tdp convert --help' says more" "$tdp" convert --frob
expect 2 "tdp convert: --to: expected text or binary, found xml; 'tdp convert --help' says more" \
	"$tdp" convert --to xml $data/v1.tdp
if [ -w /dev/full ]; then
	"$tdp" convert $data/v1.tdp >/dev/full 2>"$dir/err"
	[ $? = 2 ] && grep -q 'standard output: No space left on device' "$dir/err" || {
		echo "FAIL: a full device is not noticed: $(cat "$dir/err")"
		failed=1
	}
fi

expect 0 '' "$tdp" convert --help
grep -q '^usage: tdp convert FILE' "$dir/out" || { echo 'FAIL: --help'; failed=1; }
expect 0 '' "$tdp" --help
grep -q '^  convert ' "$dir/out" || { echo 'FAIL: tdp --help'; failed=1; }
expect 2 "tdp: there is no command 'frob'; 'tdp --help' lists them" "$tdp" frob
"$tdp" >/dev/null 2>&1
[ $? = 2 ] || { echo 'FAIL: tdp without a command'; failed=1; }
exit $failed
