#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# What is installed is enough to build and run the example, by pkg-config and by CMake's find_package.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${TDP_BUILD:?the build directory}
source=$PWD/examples
prefix=$work/prefix

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

cmake --install "$build" --prefix "$prefix" >"$work/install.log" || fail "$(cat "$work/install.log")"

# The tree must not know where it was built: move it and use it there.
mv "$prefix" "$work/moved"
prefix=$work/moved
pc=$(find "$prefix" -name tdp-sim.pc)
[ -n "$pc" ] || fail "no tdp-sim.pc was installed"
export PKG_CONFIG_PATH=${pc%/*}

# shellcheck disable=SC2046 # the flags are words
gcc -std=gnu11 -Wall -Wextra -Werror -o "$work/by-pkg-config" "$source/map_and_split.c" \
	$(pkg-config --cflags --libs tdp-sim) || fail "the example does not build with pkg-config"

cmake -G Ninja -S "$source" -B "$work/example" -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log" 2>&1 &&
	cmake --build "$work/example" >>"$work/cmake.log" 2>&1 || fail "$(cat "$work/cmake.log")"

"$work/by-pkg-config" >"$work/1" || fail "the example built with pkg-config fails: $(cat "$work/1")"
"$work/example/map_and_split" >"$work/2" || fail "the example built with CMake fails: $(cat "$work/2")"
cmp "$work/1" "$work/2" || fail "the two examples differ"

# A 2M page that may not be executed; split, its pages may, and all but the faulting one, which got
# an SPTE of its own, keep the dirty bit.
diff -u - "$work/1" <<'EOF' || fail "the example printed something else"
fault at 0x10000: fixed
gfn 0x0 level 2 spte 8600000400000bf3
fault at 0x1e000: fixed
gfn 0x0 level 1 spte 8600000400000b77
gfn 0x1e level 1 spte 860000040001e977
gfn 0x1f level 1 spte 860000040001fb77
EOF
