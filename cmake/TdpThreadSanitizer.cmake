# SPDX-License-Identifier: GPL-2.0-only
# TDP_SANITIZE=thread. TSan is to see what the mirrored code does, and nothing else: the oracle, the
# executor and the simulation's own book-keeping are hardware and scheduler, which no two simulated
# threads share. So the mirrored code alone is instrumented, and what other code asks of the C
# library is not watched either (tsan_libc.c).

if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
	message(FATAL_ERROR "TDP_SANITIZE=thread needs clang; the compiler is "
			    "${CMAKE_C_COMPILER_ID}: use -DCMAKE_C_COMPILER=clang-19")
endif()

add_compile_definitions(TDP_TSAN)
add_compile_options(-fno-omit-frame-pointer)
add_link_options(-fsanitize=thread)

add_library(tdp-tsan-libc OBJECT "${PROJECT_SOURCE_DIR}/libtdp/platform/tsan_libc.c")
# Programs with the property TDP_WATCHED are watched as a whole.
link_libraries($<$<AND:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>,$<NOT:$<BOOL:$<TARGET_PROPERTY:TDP_WATCHED>>>>:tdp-tsan-libc>)

# tdp_watch_threads(TARGET EXCEPT): TSan watches what it does, but for its sources whose path matches.
function(tdp_watch_threads target except)
	target_compile_options(${target} PRIVATE -fsanitize=thread)
	get_target_property(sources ${target} SOURCES)
	list(FILTER sources INCLUDE REGEX "${except}")
	set_property(SOURCE ${sources} APPEND PROPERTY COMPILE_OPTIONS -fno-sanitize=thread)
endfunction()
