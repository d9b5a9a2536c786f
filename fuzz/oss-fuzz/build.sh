#!/bin/bash -eu
# SPDX-License-Identifier: GPL-2.0-only
# Builds the fuzz targets as OSS-Fuzz wants it: with its compilers, flags and engine, into $OUT, with seeds,
# dictionaries and options beside them. ./dev oss-fuzz rehearses it.

: "${SRC:?}" "${OUT:?}" "${WORK:?}" "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
top=$SRC/libtdp
here=$top/fuzz/oss-fuzz
library=$WORK/library
tools=$WORK/tools
# What has been counted is not to be taken back between inputs.
[ "${SANITIZER:-}" != coverage ] || CFLAGS="${CFLAGS:-} -DTDP_COVERAGE_BUILD"

# The flags say what is wanted: optimisation, the sanitizer, the engine's instrumentation.
cmake -S "$top" -B "$library" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="$CC" \
	-DCMAKE_C_FLAGS="${CFLAGS:-}" -DCMAKE_EXE_LINKER_FLAGS="${CFLAGS:-}"
cmake --build "$library" --target tdpfuzz
libraries=("$library/fuzz/libtdpfuzz.a" "$library/oracle/liboracle.a" "$library/libtdp/libtdp-sim.a")
include=(-I"$top/fuzz" -I"$top/oracle" -I"$top/libtdp" -I"$top/libtdp/include" -I"$top/libtdp/platform")

# What turns programs into inputs is not fuzzed: neither sanitizer nor engine.
env -u CFLAGS -u CXXFLAGS cmake -S "$top" -B "$tools" -G Ninja -DCMAKE_BUILD_TYPE=Release \
	-DCMAKE_C_COMPILER="${HOST_CC:-$CC}"
env -u CFLAGS -u CXXFLAGS cmake --build "$tools" --target tdp

for source in "$top"/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	# shellcheck disable=SC2086 # flags are words
	$CC ${CFLAGS:-} "${include[@]}" -std=gnu11 -c "$source" -o "$WORK/$name.o"
	# shellcheck disable=SC2086
	$CXX ${CXXFLAGS:-} "$WORK/$name.o" "${libraries[@]}" $LIB_FUZZING_ENGINE -o "$OUT/$name"
	python3 "$here/seeds.py" "$top" "$name" "$tools/tdp" "$OUT/${name}_seed_corpus.zip"
	cp "$here/options" "$OUT/$name.options"
	case $name in
	fuzz_mmu | fuzz_race) cp "$here/programs.dict" "$OUT/$name.dict" ;;
	*) cp "$here/words.dict" "$OUT/$name.dict" ;;
	esac
done
