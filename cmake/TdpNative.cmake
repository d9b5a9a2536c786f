# SPDX-License-Identifier: GPL-2.0-only
# The mirrored MMU on real threads (docs/native.md): what is installed as libtdp.
#	tdp-native		libtdp.a
#	tdp-native-shared	libtdp.so; not in builds with sanitizers, which belong in programs
#	tdp-native-points	for unit tests and stress: other CPUs get in between where the test says
# The file includes this of libtdp's folder.

tdp_sources(platform platform/native*.c)

# tdp_native(TARGET [options of add_library...]): the sources, compiled for real threads.
function(tdp_native target)
	add_library(${target} ${ARGN} ${mirrored} ${platform})
	tdp_includes(${target})
	target_compile_definitions(${target} PRIVATE TDP_NATIVE _GNU_SOURCE)
	# What the public headers declare is exported, and may be inlined all the same.
	target_compile_options(${target} PRIVATE -fPIC -fvisibility=hidden -fno-semantic-interposition)
	if(TDP_SANITIZE STREQUAL "thread")
		target_compile_options(${target} PRIVATE -fsanitize=thread)
	endif()
endfunction()

tdp_native(tdp-native-objects OBJECT)
add_library(tdp-native STATIC $<TARGET_OBJECTS:tdp-native-objects>)
set(tdp_native_libraries tdp-native)
if(NOT TDP_SANITIZE)
	add_library(tdp-native-shared SHARED $<TARGET_OBJECTS:tdp-native-objects>)
	set_target_properties(tdp-native-shared PROPERTIES EXPORT_NAME tdp-shared
		VERSION ${PROJECT_VERSION}
		SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
	list(APPEND tdp_native_libraries tdp-native-shared)
endif()
set_target_properties(tdp-native PROPERTIES EXPORT_NAME tdp)
foreach(library IN LISTS tdp_native_libraries)
	set_target_properties(${library} PROPERTIES OUTPUT_NAME tdp LINKER_LANGUAGE C)
	target_include_directories(${library} INTERFACE
		$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
		$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
	target_link_libraries(${library} PRIVATE urcu-bp)
endforeach()

tdp_native(tdp-native-points STATIC EXCLUDE_FROM_ALL)
target_compile_definitions(tdp-native-points PRIVATE NATIVE_POINTS)
target_link_libraries(tdp-native-points PRIVATE urcu-bp)

# What drives a native library from inside, as tdp-internal.
foreach(kind native native-points)
	add_library(tdp-${kind}-internal INTERFACE)
	target_include_directories(tdp-${kind}-internal INTERFACE
		${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/platform)
	target_compile_definitions(tdp-${kind}-internal INTERFACE TDP_NATIVE _GNU_SOURCE
		$<$<STREQUAL:${kind},native-points>:NATIVE_POINTS>)
	target_link_libraries(tdp-${kind}-internal INTERFACE tdp-${kind})
endforeach()

# All that `ctest -R ^native-` runs.
add_custom_target(native-tests)

# tdp_native_program(NAME SOURCE LIBRARY): the program test_NAME on a native library. With TSan all of it is
# watched, by TSan's own functions of the C library.
function(tdp_native_program name source library)
	add_executable(test_${name} ${source})
	set_target_properties(test_${name} PROPERTIES TDP_WATCHED ON)
	target_link_libraries(test_${name} PRIVATE ${library})
	if(TDP_SANITIZE STREQUAL "thread")
		target_compile_options(test_${name} PRIVATE -fsanitize=thread)
	endif()
endfunction()

# tdp_native_test(NAME SOURCE LIBRARY): and it is a test.
function(tdp_native_test name source library)
	tdp_native_program(${name} ${source} ${library})
	target_link_libraries(test_${name} PRIVATE PkgConfig::CMOCKA)
	add_dependencies(native-tests test_${name})
	add_test(NAME ${name} COMMAND test_${name})
	tdp_test_settings(${name})
endfunction()
