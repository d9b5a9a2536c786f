# SPDX-License-Identifier: GPL-2.0-only
# Builds with a bug in them. The bug is in a copy of one source file of libtdp, which is made from
# an edit (tests/planted/plant.py says what one looks like) when it is built; nothing else differs,
# and nothing else is compiled again.
#
# tdp_planted(EDIT) takes the path of NAME.edit and makes
#   tdp-sim-NAME	libtdp with the bug
#   tdpfuzz-NAME	programs, executor and all, on it: link tests with it in place of tdpfuzz
#   tdp-NAME		the tdp command on it

find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(tdp_planted edit)
	cmake_path(GET edit STEM name)
	set(plant "${PROJECT_SOURCE_DIR}/tests/planted/plant.py")
	set(libtdp "${PROJECT_SOURCE_DIR}/libtdp")
	file(STRINGS "${edit}" line REGEX "^file [a-z_]+\\.c$" LIMIT_COUNT 1)
	if(NOT line)
		message(FATAL_ERROR "${edit}: expected a line 'file NAME.c'")
	endif()
	string(REGEX REPLACE "^file " "" file "${line}")
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${edit}")

	set(copy "${CMAKE_CURRENT_BINARY_DIR}/${name}/${file}")
	add_custom_command(OUTPUT "${copy}"
		COMMAND Python3::Interpreter "${plant}" "${edit}" "${libtdp}" "${copy}"
		DEPENDS "${edit}" "${plant}" "${libtdp}/${file}"
		COMMENT "Planting ${name} in ${file}" VERBATIM)

	string(REPLACE "." "\\." object "/${file}.o")
	add_library(tdp-sim-${name} STATIC EXCLUDE_FROM_ALL "${copy}"
		$<FILTER:$<TARGET_OBJECTS:tdp-sim>,EXCLUDE,${object}$>)
	target_include_directories(tdp-sim-${name} PUBLIC
		$<TARGET_PROPERTY:tdp-internal,INTERFACE_INCLUDE_DIRECTORIES>
		$<TARGET_PROPERTY:tdp-sim,INTERFACE_INCLUDE_DIRECTORIES>)
	# What a bug leaves unused is not worth a warning.
	target_compile_options(tdp-sim-${name} PRIVATE
		$<TARGET_PROPERTY:tdp-sim,COMPILE_OPTIONS> -w)

	add_library(tdpfuzz-${name} INTERFACE)
	add_dependencies(tdpfuzz-${name} tdpfuzz)
	target_include_directories(tdpfuzz-${name} INTERFACE
		$<TARGET_PROPERTY:tdpfuzz,INTERFACE_INCLUDE_DIRECTORIES>)
	target_link_libraries(tdpfuzz-${name} INTERFACE
		$<TARGET_FILE:tdpfuzz> oracle tdp-sim-${name} ${TDP_FIBER_OBJECTS})

	add_executable(tdp-${name} $<TARGET_OBJECTS:tdp>)
	set_target_properties(tdp-${name} PROPERTIES LINKER_LANGUAGE C)
	target_link_libraries(tdp-${name} PRIVATE tdpfuzz-${name} PkgConfig::LZMA)
endfunction()
