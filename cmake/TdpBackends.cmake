# SPDX-License-Identifier: GPL-2.0-only
# What else than libtdp can be below programs and executor: libtdp with a bug, the kernel's own code.
# The code of the backend NAME is the library tdp-sim-NAME.

# tdp_backend(NAME) makes tdpfuzz-NAME, to link with in place of tdpfuzz.
function(tdp_backend name)
	add_library(tdpfuzz-${name} INTERFACE)
	add_dependencies(tdpfuzz-${name} tdpfuzz)
	target_include_directories(tdpfuzz-${name} INTERFACE
		$<TARGET_PROPERTY:tdpfuzz,INTERFACE_INCLUDE_DIRECTORIES>)
	target_link_libraries(tdpfuzz-${name} INTERFACE
		$<TARGET_FILE:tdpfuzz> oracle tdp-sim-${name} ${TDP_FIBER_OBJECTS})
endfunction()

# tdp_backend_program(TARGET NAME ORIGINAL [objects...]): the target ORIGINAL on the backend NAME, of
# the same object files and others; built only if it is asked for.
function(tdp_backend_program target name original)
	add_executable(${target} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${original}> ${ARGN})
	set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
	target_link_libraries(${target} PRIVATE tdpfuzz-${name})
	if(original STREQUAL "tdp")
		target_link_libraries(${target} PRIVATE PkgConfig::LZMA)
	elseif(TDP_LIBFUZZER)
		target_link_options(${target} PRIVATE -fsanitize=fuzzer)
	endif()
endfunction()
