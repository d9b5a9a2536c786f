# SPDX-License-Identifier: GPL-2.0-only
# A new source file needs no edit here: sources are found by pattern.

# tdp_sources(OUT pattern... [EXCLUDE regex...]): the files of this directory that match a pattern,
# less those whose name matches a regex.
function(tdp_sources out)
	cmake_parse_arguments(ARG "" "" "EXCLUDE" ${ARGN})
	list(TRANSFORM ARG_UNPARSED_ARGUMENTS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
	file(GLOB found CONFIGURE_DEPENDS ${ARG_UNPARSED_ARGUMENTS})
	foreach(regex IN LISTS ARG_EXCLUDE)
		list(FILTER found EXCLUDE REGEX "/${regex}$")
	endforeach()
	list(SORT found)
	set(${out} ${found} PARENT_SCOPE)
endfunction()

# tdp_link_time(TARGET): an executable that is to be fast is optimised when it is linked.
function(tdp_link_time target)
	set_target_properties(${target} PROPERTIES TDP_LINK_TIME ON)
endfunction()
