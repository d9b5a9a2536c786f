#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: finds.sh REGEX PROGRAM: the program, which has a bug in it, fails, and says what matches; of a
# death by signal 11 that is "SIGSEGV".
set -u
out=$("$2" 2>&1)
status=$?
[ $status != 139 ] || out+=$'\nSIGSEGV'
[ $status != 0 ] || { echo "FAILED: $2 finds nothing"; exit 1; }
grep -Eq -- "$1" <<<"$out" && exit 0
echo "FAILED: $2 ends with status $status, but does not say '$1':"
head -40 <<<"$out"
exit 1
