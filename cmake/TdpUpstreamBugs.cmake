# SPDX-License-Identifier: GPL-2.0-only
# Builds on the kernel's own TDP MMU with a known bug in it.
#
# tdp_upstream_bug(FOLDER) makes what tdp_bug() makes (TdpBugs.cmake), with upstream-NAME for NAME, out of
# FOLDER/tree, a kernel tree that has the bug (tools/dev/bug_trees.py), and FOLDER/bug.c. Nothing there says
# when the bug is reached or triggered.

include(TdpUpstream)

function(tdp_upstream_bug folder)
	cmake_path(GET folder FILENAME bug)
	set(name upstream-${bug})
	tdp_upstream_backend(${name} "${folder}/tree" REPAIRED LIKE upstream-repaired)
	target_sources(tdp-sim-${name} PRIVATE "${folder}/bug.c" $<TARGET_OBJECTS:tdp-canary>)
	target_include_directories(tdp-sim-${name} PRIVATE "${TDP_BUGS_DIR}"
		$<TARGET_PROPERTY:oracle,INTERFACE_INCLUDE_DIRECTORIES>)
	tdp_bug_programs(${name})
endfunction()
