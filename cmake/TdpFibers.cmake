# SPDX-License-Identifier: GPL-2.0-only
# What simulated threads switch stacks with: Boost.Context's fcontext, or the C library's ucontext,
# which is everywhere and takes twenty times as long.

set(TDP_FIBERS "auto" CACHE STRING "How to switch stacks: boost, ucontext, or auto (boost if there)")
set_property(CACHE TDP_FIBERS PROPERTY STRINGS auto boost ucontext)
if(NOT TDP_FIBERS MATCHES "^(auto|boost|ucontext)$")
	message(FATAL_ERROR "TDP_FIBERS=${TDP_FIBERS}: expected auto, boost or ucontext")
endif()

# Two functions of the static library are all that is used. Their object files become part of
# libtdp, so that what is installed needs no Boost to link with.
if(NOT TDP_FIBERS STREQUAL "ucontext")
	find_library(TDP_BOOST_CONTEXT libboost_context.a)
	if(TDP_BOOST_CONTEXT)
		execute_process(COMMAND ${CMAKE_AR} t "${TDP_BOOST_CONTEXT}"
				OUTPUT_VARIABLE members COMMAND_ERROR_IS_FATAL ANY)
		string(REGEX MATCHALL "(make|jump)_[^\n]*\\.o" members "${members}")
		set(dir "${PROJECT_BINARY_DIR}/boost-context")
		file(MAKE_DIRECTORY "${dir}")
		execute_process(COMMAND ${CMAKE_AR} x "${TDP_BOOST_CONTEXT}" ${members}
				WORKING_DIRECTORY "${dir}" COMMAND_ERROR_IS_FATAL ANY)
		list(TRANSFORM members PREPEND "${dir}/" OUTPUT_VARIABLE TDP_FIBER_OBJECTS)
	elseif(TDP_FIBERS STREQUAL "boost")
		message(FATAL_ERROR "TDP_FIBERS=boost: there is no libboost_context.a; install "
				    "libboost-context-dev, or use TDP_FIBERS=ucontext")
	else()
		message(STATUS "no libboost_context.a: fibers use ucontext, which is slower")
	endif()
endif()

# tdp_use_fibers(TARGET): it holds fiber.c.
function(tdp_use_fibers target)
	if(TDP_FIBER_OBJECTS)
		set_source_files_properties(${TDP_FIBER_OBJECTS} PROPERTIES EXTERNAL_OBJECT ON)
		target_sources(${target} PRIVATE ${TDP_FIBER_OBJECTS})
		target_compile_definitions(${target} PRIVATE TDP_FIBERS_BOOST)
	endif()
endfunction()
