# SPDX-License-Identifier: GPL-2.0-only
# How everything is compiled: the options that CMakePresets.json combines.

option(TDP_LIBFUZZER "Link the fuzz targets with libFuzzer, or AFL++ in its place (by clang, afl-clang-fast)" OFF)
option(TDP_AFL_MUTATORS "Build what AFL++ loads to change inputs" OFF)
option(TDP_COVERAGE "Instrument for llvm-cov (clang only)" OFF)
option(TDP_WERROR "Treat warnings as errors" OFF)
set(TDP_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined; or thread")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Assertions stay on in every build, so no NDEBUG here.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

find_program(TDP_CCACHE ccache)
if(TDP_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
	set(CMAKE_C_COMPILER_LAUNCHER "${TDP_CCACHE}")
endif()

add_compile_options(-Wall -Wextra)
if(TDP_WERROR)
	add_compile_options(-Werror)
endif()

if((TDP_LIBFUZZER OR TDP_COVERAGE) AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
	message(FATAL_ERROR "TDP_LIBFUZZER and TDP_COVERAGE need clang; the compiler is "
			    "${CMAKE_C_COMPILER_ID}: use -DCMAKE_C_COMPILER=clang-19")
endif()

# Most of an execution is small functions that call each other across files: optimised as one
# program it takes a sixth less time. The objects hold machine code as well, so that what is
# installed, and all programs but those of tdp_link_time(), link as they always do.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT TDP_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	set(TDP_OBJECTS_HAVE_LTO ON)
	add_compile_options(-flto -ffat-lto-objects)
	add_link_options($<IF:$<BOOL:$<TARGET_PROPERTY:TDP_LINK_TIME>>,-flto=auto,-fno-lto>)
endif()

# gcc clears and copies a struct of a hundred bytes by a string instruction, which takes longer to
# start than the C library's function takes in all.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	add_compile_options(-mmemset-strategy=libcall:-1:noalign -mmemcpy-strategy=libcall:-1:noalign)
endif()

if(TDP_SANITIZE STREQUAL "thread")
	include(TdpThreadSanitizer)
elseif(TDP_SANITIZE)
	add_compile_options(-fsanitize=${TDP_SANITIZE} -fno-sanitize-recover=all
			    -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${TDP_SANITIZE})
	# A stack frame on the heap for each function that takes the address of a local takes a third
	# of the time.
	if(TDP_SANITIZE MATCHES "address" AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
		add_compile_options(-fsanitize-address-use-after-return=never)
	endif()
endif()
if(TDP_LIBFUZZER)
	# Inputs are programs, which the mutator understands: comparing bytes would teach libFuzzer
	# nothing and takes a third of the time.
	add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp,indirect-calls)
endif()
if(TDP_COVERAGE)
	add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
	add_compile_definitions(TDP_COVERAGE_BUILD)	# what counts is not to be taken back
	add_link_options(-fprofile-instr-generate)
endif()
