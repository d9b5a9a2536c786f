#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: finds.sh TEXT PROGRAM: the program, which has a bug in it, fails, and says TEXT.
set -u
out=$("$2" 2>&1)
status=$?
[ $status != 0 ] || { echo "FAILED: $2 finds nothing"; exit 1; }
grep -q -- "$1" <<<"$out" && exit 0
echo "FAILED: $2 ends with status $status, but does not say '$1':"
head -40 <<<"$out"
exit 1
