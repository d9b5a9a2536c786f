#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# ./dev says what it does, and refuses what it does not understand with status 2 and a clear message.
set -uo pipefail

bad=0
refused() # EXPECTED-TEXT ARGUMENTS...
{
	local expected=$1 output status
	shift
	output=$(./dev "$@" 2>&1 </dev/null)
	status=$?
	if [ $status != 2 ] || [[ $output != *"$expected"* ]]; then
		printf 'FAILED: ./dev %s: expected status 2 and "%s"; got status %s and\n%s\n' \
			"$*" "$expected" "$status" "$output" >&2
		bad=1
	fi
}

helps() # COMMAND
{
	local output
	if ! output=$(./dev $1 --help 2>&1) || [[ $output != *"usage: ./dev"* ]]; then
		printf 'FAILED: ./dev %s --help:\n%s\n' "$1" "$output" >&2
		bad=1
	fi
}

refused "required: COMMAND"
refused "invalid choice: 'nonsense'" nonsense
refused "no preset 'nonsense'" build nonsense
refused "expected a whole number" build --jobs 0
refused "unrecognized arguments: --nonsense" test --nonsense
refused "invalid choice: 'nonsense'" test --preset nonsense
refused "no target 'nonsense'" fuzz nonsense
refused "expected a whole number" fuzz --seconds x
refused "expected a whole number" fuzz --seconds -1
refused "expected one argument" fuzz --seed
refused "expected hours" fuzz --all --hours x
refused "expected it without a target" fuzz race --all
refused "--hours is a soak's: expected --all" fuzz --hours 1
refused "no check 'nonsense'" lint nonsense
refused "no benchmark 'nonsense'" bench nonsense
refused "--docs: expected one of mmu, policy" bench fuzz --docs
refused "--rounds: expected mmu" bench policy --rounds 2
refused "unrecognized arguments: nonsense" coverage nonsense
refused "no known bug 'nonsense'" bugs --bug nonsense
refused "no engine 'nonsense'" bugs --engines nonsense
refused "expected it without --engines" bugs --fuzzers --quick
refused "is no kernel tree" bugs --kernel tests

helps ""
list=$(./dev --help)
for file in tools/dev/cmd_*.py; do
	name=${file##*/cmd_}
	name=${name%.py}
	name=${name//_/-}
	helps "$name"
	if [[ $list != *"    $name "* ]]; then
		echo "FAILED: ./dev --help does not list $name" >&2
		bad=1
	fi
done

# Without root or sudo, missing packages are named in the line that installs them.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '#!/bin/sh\nexit 1\n' >"$scratch/dpkg-query"
cp "$scratch/dpkg-query" "$scratch/sudo"
chmod +x "$scratch"/*
cat >"$scratch/not_root.py" <<'EOF'
import os
import sys

sys.path.insert(0, "tools/dev")
os.geteuid = lambda: 1000
import packages
import paths

try:
    packages.ensure(["one-package", "another"])
except paths.Failure as failure:
    print(failure)
    sys.exit(failure.status)
EOF
output=$(PATH=$scratch:$PATH python3 -B "$scratch/not_root.py" 2>&1)
if [ $? != 2 ] ||
   [[ $output != *"sudo apt-get install -y --no-install-recommends one-package another"* ]]; then
	printf 'FAILED: missing packages are not named:\n%s\n' "$output" >&2
	bad=1
fi
exit $bad
