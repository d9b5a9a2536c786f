# SPDX-License-Identifier: GPL-2.0-only
# Builds with a known bug in them. A semantic patch (docs/bugs.md) puts it into a copy of what it
# changes when that is built; nothing else differs, and nothing else is compiled again.
#
# tdp_bug(PATCH) takes the path of NAME.cocci and makes, none of it unless it is asked for,
#   tdp-sim-NAME	libtdp with the bug
#   tdpfuzz-NAME	programs, executor and all, on it: link tests with it in place of tdpfuzz
#   bug-NAME		runs programs, or makes them up at random, and says whether they show the bug
#   tdp-NAME		the tdp command on it
#   fuzz_mmu-NAME, fuzz_race-NAME	fuzz targets that look for it
#   tdp-native-NAME	libtdp with the bug on real threads
#   test_native-threads-NAME	the test on real threads, on it
#   tdp-stress-NAME	guests, a VMM and a host on real threads, on it

find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_program(TDP_SPATCH spatch)
if(NOT TDP_SPATCH)
	message(STATUS "no spatch: no builds with known bugs (Debian package coccinelle)")
endif()

set(TDP_BUGS_DIR "${PROJECT_SOURCE_DIR}/fuzz/bugs")

# TSan is not to watch the canaries: threads share them without a lock.
add_library(tdp-canary OBJECT EXCLUDE_FROM_ALL "${TDP_BUGS_DIR}/canary.c")
# These are compiled once for all bugs.
add_library(tdp-bug-watch OBJECT EXCLUDE_FROM_ALL "${TDP_BUGS_DIR}/watch.c")
add_library(tdp-bug-run OBJECT EXCLUDE_FROM_ALL "${TDP_BUGS_DIR}/bug_run.c")
foreach(target tdp-bug-watch tdp-bug-run)
	target_include_directories(${target} PRIVATE "${TDP_BUGS_DIR}"
		$<TARGET_PROPERTY:tdp-internal,INTERFACE_INCLUDE_DIRECTORIES>
		$<TARGET_PROPERTY:tdp-sim,INTERFACE_INCLUDE_DIRECTORIES>
		$<TARGET_PROPERTY:tdpfuzz,INTERFACE_INCLUDE_DIRECTORIES>
		$<TARGET_PROPERTY:oracle,INTERFACE_INCLUDE_DIRECTORIES>)
endforeach()

# What looks for a bug: programs on the backend NAME, which has one.
function(tdp_bug_programs name)
	foreach(target fuzz_mmu fuzz_race)
		tdp_backend_program(${target}-${name} ${name} ${target}
			$<TARGET_OBJECTS:tdp-bug-watch>)
	endforeach()
	if(NOT TDP_LIBFUZZER)
		tdp_backend_program(bug-${name} ${name} tdp-bug-run $<TARGET_OBJECTS:tdp-bug-watch>)
		tdp_backend_program(tdp-${name} ${name} tdp)
	endif()
endfunction()

# The bug on real threads, with points: `copies` take the place of those files of libtdp's that match `replaced`.
function(tdp_native_bug name out copies replaced)
	add_library(tdp-native-${name} STATIC EXCLUDE_FROM_ALL ${copies}
		"$<FILTER:$<TARGET_OBJECTS:tdp-native-points>,EXCLUDE,/(${replaced})[.]o$>"
		$<TARGET_OBJECTS:tdp-canary>)
	target_include_directories(tdp-native-${name} PUBLIC "${out}" "${out}/include"
		$<TARGET_PROPERTY:tdp-native-points-internal,INTERFACE_INCLUDE_DIRECTORIES>
		$<TARGET_PROPERTY:tdp-native,INTERFACE_INCLUDE_DIRECTORIES>)
	target_compile_definitions(tdp-native-${name} PUBLIC
		$<TARGET_PROPERTY:tdp-native-points-internal,INTERFACE_COMPILE_DEFINITIONS>)
	target_compile_options(tdp-native-${name} PRIVATE
		$<TARGET_PROPERTY:tdp-native-points,COMPILE_OPTIONS>
		-include "${TDP_BUGS_DIR}/canary.h" -w)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		target_compile_options(tdp-native-${name} PRIVATE -fno-lto)
	endif()
	target_link_libraries(tdp-native-${name} PRIVATE urcu-bp)
	tdp_native_program(native-threads-${name}
		"${PROJECT_SOURCE_DIR}/tests/native/test_threads.c" tdp-native-${name})
	target_sources(test_native-threads-${name} PRIVATE $<TARGET_OBJECTS:native-noise>)
	set_target_properties(test_native-threads-${name} PROPERTIES EXCLUDE_FROM_ALL ON)
endfunction()

function(tdp_bug patch)
	cmake_path(GET patch STEM name)
	set(plant "${TDP_BUGS_DIR}/plant.py")
	set(libtdp "${PROJECT_SOURCE_DIR}/libtdp")
	set(out "${CMAKE_CURRENT_BINARY_DIR}/${name}")
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${patch}" "${plant}")
	execute_process(COMMAND "${Python3_EXECUTABLE}" -B "${plant}" --list "${patch}" "${libtdp}"
		OUTPUT_VARIABLE files OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
	string(REPLACE "\n" ";" files "${files}")
	list(TRANSFORM files PREPEND "${libtdp}/" OUTPUT_VARIABLE originals)
	list(TRANSFORM files PREPEND "${out}/" OUTPUT_VARIABLE copies)
	add_custom_command(OUTPUT ${copies} "${out}/bug.c"
		COMMAND "${Python3_EXECUTABLE}" -B "${plant}" "${patch}" "${libtdp}" "${out}"
		DEPENDS "${patch}" "${plant}" ${originals}
		COMMENT "Planting ${name}" VERBATIM)

	# All of libtdp's own objects but those that are replaced.
	list(FILTER files INCLUDE REGEX "\\.c$")
	set(replaced ${files})
	list(TRANSFORM replaced REPLACE "[.]" "[.]")
	list(JOIN replaced "|" replaced)
	add_library(tdp-sim-${name} STATIC EXCLUDE_FROM_ALL ${copies} "${out}/bug.c"
		"$<FILTER:$<TARGET_OBJECTS:tdp-sim>,EXCLUDE,/(${replaced})[.]o$>"
		$<TARGET_OBJECTS:tdp-canary>)
	target_include_directories(tdp-sim-${name} PUBLIC
		"${out}" "${out}/include"
		$<TARGET_PROPERTY:tdp-internal,INTERFACE_INCLUDE_DIRECTORIES>
		$<TARGET_PROPERTY:tdp-sim,INTERFACE_INCLUDE_DIRECTORIES>
		"${TDP_BUGS_DIR}" $<TARGET_PROPERTY:oracle,INTERFACE_INCLUDE_DIRECTORIES>)
	# What a bug leaves unused is not worth a warning, and no program with a bug is to be fast.
	target_compile_options(tdp-sim-${name} PRIVATE $<TARGET_PROPERTY:tdp-sim,COMPILE_OPTIONS>
		-include "${TDP_BUGS_DIR}/canary.h" -w)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		target_compile_options(tdp-sim-${name} PRIVATE -fno-lto)
	endif()

	tdp_backend(${name})
	tdp_bug_programs(${name})
	if(TARGET tdp-native)
		tdp_native_bug(${name} "${out}" "${copies}" "${replaced}")
	endif()
	if(TARGET tdp-stress)
		tdp_stress(tdp-stress-${name} tdp-native-${name} EXCLUDE_FROM_ALL)
	endif()
endfunction()
