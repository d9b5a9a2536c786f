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
export LD_LIBRARY_PATH=${pc%/pkgconfig/*}

# with PROGRAM PACKAGE [options]: the example, with what pkg-config says
with()
{
	local program=$1 package=$2
	shift 2
	# shellcheck disable=SC2046 # the flags are words
	gcc -std=gnu11 -Wall -Wextra -Werror -o "$work/$program" "$source/map_and_split.c" \
		$(pkg-config --cflags "$package") "$@" $(pkg-config --libs "$package") ||
		fail "the example does not build with pkg-config $package $*"
}

with by-pkg-config tdp-sim
with native tdp
readelf -d "$work/native" | grep -q 'NEEDED.*libtdp\.so\.' || fail "libtdp.so is not what tdp.pc names"
# shellcheck disable=SC2046 # the flags are words
gcc -std=gnu11 -o "$work/native-static" "$source/map_and_split.c" $(pkg-config --cflags tdp) \
	"$LD_LIBRARY_PATH/libtdp.a" $(pkg-config --static --libs-only-l tdp | sed s/-ltdp//) ||
	fail "the example does not build with libtdp.a"
# What is exported is what the headers declare.
nm -D --defined-only "$LD_LIBRARY_PATH/libtdp.so" | awk '{ print $3 }' | sort >"$work/exported"
while read -r name; do
	grep -rqw "$name" "$prefix/include/tdp" || fail "libtdp.so exports $name, which no header has"
done <"$work/exported"

cmake -G Ninja -S "$source" -B "$work/example" -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log" 2>&1 &&
	cmake --build "$work/example" >>"$work/cmake.log" 2>&1 || fail "$(cat "$work/cmake.log")"

"$work/by-pkg-config" >"$work/1" || fail "the example built with pkg-config fails: $(cat "$work/1")"
"$work/example/map_and_split" >"$work/2" || fail "the example built with CMake fails: $(cat "$work/2")"
cmp "$work/1" "$work/2" || fail "the two examples differ"
for program in native native-static example/on_real_threads; do
	"$work/$program" >"$work/2" || fail "$program fails: $(cat "$work/2")"
	cmp "$work/1" "$work/2" || fail "$program prints something else than on the sim platform"
done

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
