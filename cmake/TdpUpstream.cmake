# SPDX-License-Identifier: GPL-2.0-only
# Builds on the kernel's own TDP MMU, out of the tree TDP_UPSTREAM_TREE (docs/upstream.md). Without
# a tree there are none.
#
# tdp_upstream_backend(NAME TREE [REPAIRED] [ZAPS] [LIKE OTHER]) makes
#   tdp-sim-NAME	the tree's code behind libtdp's interface
#   tdpfuzz-NAME	programs, executor and all, on it: link with it in place of tdpfuzz
# REPAIRED: with the findings put right (repairs.h). ZAPS: TREE has fault_policy=zap
# (zap-policy.kernel.cocci). LIKE: of the objects of the backend OTHER, where TREE has the same files. And
# tdp_upstream(...) makes besides
#   tdp-NAME		the tdp command on it
#   fuzz_mmu-NAME, fuzz_race-NAME	fuzz targets on it, which are built only if they are asked for

find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(TDP_UPSTREAM_TREE "auto" CACHE STRING
	"Kernel tree for the upstream backend; auto: what ./dev upstream has unpacked; empty: none")
set(TDP_UPSTREAM_ZAP_TREE "" CACHE STRING
	"The same tree with fault_policy=zap, as ./dev upstream --diff makes it; empty: no fuzz_diff-zap")
set(TDP_UPSTREAM_DIR "${PROJECT_SOURCE_DIR}/kunit-port/upstream")

# What libtdp has in common with the tree's code: the public interface, slots, notifiers, dirty log,
# stocks of memory.
set(TDP_UPSTREAM_SHARED vm.c vm_api.c vcpu_api.c page_stat.c memslot.c memslot_arch.c dirty_log.c
	notifier.c page_track.c mmu_cache.c)

# tdp_diff(TARGET NAME [ZAPS]) makes TARGET, a fuzz_diff (with fault_policy=zap): libtdp beside the backend NAME.
# That one's world - executor, oracle and platform again - is one object file of which a single
# function can be seen.
function(tdp_diff target name)
	set(diff "${TDP_UPSTREAM_DIR}/diff")
	set(policy VM_SPLIT)
	if("ZAPS" IN_LIST ARGN)
		set(policy VM_ZAP)
	endif()
	foreach(world libtdp upstream)
		set(objects diff-world-${world}-${policy})
		if(NOT TARGET ${objects})
			add_library(${objects} OBJECT EXCLUDE_FROM_ALL "${diff}/world.c")
			target_compile_definitions(${objects} PRIVATE
				DIFF_WORLD=diff_world_${world} DIFF_POLICY=${policy})
			target_link_libraries(${objects} PRIVATE tdpfuzz)
		endif()
	endforeach()
	set(object "${CMAKE_CURRENT_BINARY_DIR}/${target}-world.o")
	set(join "${CMAKE_LINKER}" -r)
	set(group "")
	if(TDP_OBJECTS_HAVE_LTO)
		set(group "-Wl,")
		set(join "${CMAKE_C_COMPILER}" -O2 -flto=auto -flinker-output=nolto-rel -nostdlib -r)
	endif()
	add_custom_command(OUTPUT "${object}"
		COMMAND ${join} -o "${object}.all"
			$<TARGET_OBJECTS:diff-world-upstream-${policy}> "${group}--start-group"
			$<TARGET_FILE:tdpfuzz> $<TARGET_FILE:oracle> $<TARGET_FILE:tdp-sim-${name}>
			${TDP_FIBER_OBJECTS} "${group}--end-group"
		COMMAND "${CMAKE_OBJCOPY}" --wildcard --remove-section=.gnu.lto_*
			--keep-global-symbol=diff_world_upstream "${object}.all" "${object}"
		DEPENDS diff-world-upstream-${policy} $<TARGET_OBJECTS:diff-world-upstream-${policy}> tdpfuzz oracle
			tdp-sim-${name}
		COMMAND_EXPAND_LISTS VERBATIM)
	add_executable(${target} EXCLUDE_FROM_ALL "${diff}/fuzz_diff.c" "${diff}/compared.c"
		$<TARGET_OBJECTS:diff-world-libtdp-${policy}> "${object}")
	set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON)
	target_link_libraries(${target} PRIVATE tdpfuzz)
	tdp_link_time(${target})
	if(TDP_LIBFUZZER)
		target_link_options(${target} PRIVATE -fsanitize=fuzzer)
	else()
		target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/fuzz/driver.c"
			"${PROJECT_SOURCE_DIR}/fuzz/driver_mutate.c")
	endif()
endfunction()

# tdp_upstream_changed(OUT TREE OTHER): which of the files that the backend is made of are not those of OTHER.
function(tdp_upstream_changed out tree other)
	file(GLOB files RELATIVE "${other}" "${other}/arch/x86/kvm/mmu/*.[ch]"
		"${other}/arch/x86/kvm/*.[ch]" "${other}/arch/x86/kvm/svm/svm.c"
		"${other}/arch/x86/include/asm/kvm_host.h" "${other}/include/linux/kvm_host.h")
	set(changed)
	foreach(file IN LISTS files)
		file(REAL_PATH "${tree}/${file}" mine)
		file(REAL_PATH "${other}/${file}" its)
		if(NOT mine STREQUAL its)
			list(APPEND changed "${file}")
		endif()
	endforeach()
	set(${out} "${changed}" PARENT_SCOPE)
endfunction()

# tdp_upstream_objects(OBJECTS PART TREE TAKEN_BY PLATFORM [REPAIRED] [ZAPS]): one part of a backend, compiled as
# the target PLATFORM is: mmu, tree (the tree's other files and what serves them), shared (libtdp's), access.
function(tdp_upstream_objects objects part tree taken_by platform)
	cmake_parse_arguments(PARSE_ARGV 5 ARG "REPAIRED;ZAPS" "" "")
	set(kernel "${tree}/arch/x86/kvm")
	set(libtdp "${PROJECT_SOURCE_DIR}/libtdp")
	set(tree_files "${kernel}/mmu/tdp_iter.c" "${kernel}/mmu/spte.c" "${TDP_UPSTREAM_DIR}/front.c"
		"${TDP_UPSTREAM_DIR}/host_calls.c" "${libtdp}/tdp_dump.c")
	set(mmu_files "${kernel}/mmu/tdp_mmu.c")
	set(access_files "${TDP_UPSTREAM_DIR}/spte_access.c")
	set(shared_files ${TDP_UPSTREAM_SHARED})
	list(TRANSFORM shared_files PREPEND "${libtdp}/")
	list(APPEND shared_files "${TDP_UPSTREAM_DIR}/slot_flags.c")
	if(NOT platform STREQUAL "tdp-sim")
		list(APPEND shared_files "${libtdp}/platform/native_guest.c")
	endif()

	get_target_property(out upstream-taken-${taken_by} TDP_UPSTREAM_TAKEN)
	add_library(${objects} OBJECT EXCLUDE_FROM_ALL ${${part}_files})
	add_dependencies(${objects} upstream-taken-${taken_by})
	target_include_directories(${objects} PRIVATE "${TDP_UPSTREAM_DIR}" "${out}" "${out}/include"
		"${libtdp}/include" "${libtdp}/platform")
	target_compile_definitions(${objects} PRIVATE $<$<BOOL:${ARG_REPAIRED}>:UPSTREAM_REPAIRED>
		$<TARGET_PROPERTY:${platform},COMPILE_DEFINITIONS>)
	if(NOT part STREQUAL "access")
		target_compile_options(${objects} PRIVATE $<TARGET_PROPERTY:${platform},COMPILE_OPTIONS>)
	endif()
	if(part STREQUAL "shared")
		target_include_directories(${objects} PRIVATE "${libtdp}")
		target_compile_options(${objects} PRIVATE -include host.h)
		return()
	endif()

	# The tree's files are compiled as they are, and free to have what -Wextra warns of.
	target_include_directories(${objects} PRIVATE "${kernel}" "${kernel}/mmu" "${libtdp}")
	target_compile_options(${objects} PRIVATE -fno-strict-aliasing
		-include kernel.h -Wno-unused -Wno-unused-parameter -Wno-sign-compare
		-Wno-missing-field-initializers -Wno-old-style-declaration -Wno-override-init
		$<$<C_COMPILER_ID:Clang>:-Wno-unknown-warning-option>)
	target_compile_definitions(${objects} PRIVATE $<$<BOOL:${ARG_ZAPS}>:UPSTREAM_ZAPS>)
	if(part STREQUAL "mmu" AND ARG_REPAIRED)
		target_compile_definitions(${objects} PRIVATE make_spte=repaired_make_spte
			make_mmio_spte=repaired_make_mmio_spte)
	endif()
	set_source_files_properties("${libtdp}/tdp_dump.c" PROPERTIES
		COMPILE_OPTIONS "-include;tree_dump.h")
	set_source_files_properties("${kernel}/mmu/tdp_iter.c" "${kernel}/mmu/spte.c"
		"${kernel}/mmu/tdp_mmu.c" PROPERTIES COMPILE_OPTIONS -w)
endfunction()

function(tdp_upstream_backend name tree)
	cmake_parse_arguments(PARSE_ARGV 2 ARG "REPAIRED;ZAPS" "LIKE" "")
	set(out "${CMAKE_CURRENT_BINARY_DIR}/${name}")
	set(taken_by ${name})
	set(api "${PROJECT_SOURCE_DIR}/libtdp/include/tdp/tdp.h")
	set(taken "${tree}/arch/x86/kvm/mmu/mmu.c" "${tree}/arch/x86/kvm/x86.c"
		"${tree}/arch/x86/kvm/svm/svm.c" "${tree}/arch/x86/include/asm/kvm_host.h"
		"${tree}/include/linux/kvm_host.h" "${tree}/arch/x86/kvm/x86.h")
	foreach(file IN LISTS taken)
		if(NOT EXISTS "${file}")
			message(FATAL_ERROR "upstream: ${tree} is no kernel tree with KVM for x86: "
				"there is no ${file}")
		endif()
	endforeach()

	# Whose objects each part is: those of another tree with the same files.
	foreach(part tree mmu access shared)
		set(${part}_of ${name})
	endforeach()
	if(ARG_LIKE AND TARGET tdp-sim-${ARG_LIKE})
		get_target_property(other tdp-sim-${ARG_LIKE} TDP_UPSTREAM_TREE)
		tdp_upstream_changed(changed "${tree}" "${other}")
		if(NOT changed MATCHES "[.]h(;|$)")
			set(access_of ${ARG_LIKE})
			set(shared_of ${ARG_LIKE})
			if(NOT "arch/x86/kvm/mmu/tdp_mmu.c" IN_LIST changed)
				set(mmu_of ${ARG_LIKE})
			endif()
			list(REMOVE_ITEM changed "arch/x86/kvm/mmu/tdp_mmu.c")
			if(NOT changed AND NOT ARG_ZAPS)
				set(tree_of ${ARG_LIKE})
				get_target_property(taken_by tdp-sim-${ARG_LIKE} TDP_UPSTREAM_TAKEN_BY)
			endif()
		endif()
	endif()

	if(taken_by STREQUAL name)
		file(GLOB parts CONFIGURE_DEPENDS "${TDP_UPSTREAM_DIR}/*.py")
		add_custom_command(OUTPUT "${out}/tree_config.h"
			COMMAND "${Python3_EXECUTABLE}" -B "${TDP_UPSTREAM_DIR}/extract.py" "${tree}" "${out}"
			DEPENDS ${parts} "${TDP_UPSTREAM_DIR}/manifest" "${api}" ${taken}
			COMMENT "Taking what is needed of ${tree}" VERBATIM)
		add_custom_target(upstream-taken-${name} DEPENDS "${out}/tree_config.h")
		set_target_properties(upstream-taken-${name} PROPERTIES TDP_UPSTREAM_TAKEN "${out}")
	endif()

	set(how "")
	foreach(word REPAIRED ZAPS)
		if(ARG_${word})
			list(APPEND how ${word})
		endif()
	endforeach()
	foreach(part tree mmu access shared)
		if(${part}_of STREQUAL name)
			tdp_upstream_objects(upstream-${part}-${name} ${part} "${tree}" ${taken_by} tdp-sim
				${how})
		endif()
	endforeach()

	add_library(tdp-sim-${name} STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:upstream-tree-${tree_of}>
		$<TARGET_OBJECTS:upstream-mmu-${mmu_of}> $<TARGET_OBJECTS:upstream-access-${access_of}>
		$<TARGET_OBJECTS:upstream-shared-${shared_of}>
		"$<FILTER:$<TARGET_OBJECTS:tdp-sim>,INCLUDE,/(platform/[a-z_]+|slot_tree)[.]c[.]o$>")
	set_target_properties(tdp-sim-${name} PROPERTIES LINKER_LANGUAGE C
		TDP_UPSTREAM_TREE "${tree}" TDP_UPSTREAM_TAKEN_BY ${taken_by})

	tdp_backend(${name})
endfunction()

function(tdp_upstream name tree)
	tdp_upstream_backend(${name} "${tree}" ${ARGN})
	foreach(target fuzz_mmu fuzz_race tdp)
		if(NOT TARGET ${target})
			continue()
		endif()
		tdp_backend_program(${target}-${name} ${name} ${target})
		tdp_link_time(${target}-${name})
	endforeach()
	if(TARGET tdp-${name})
		set_target_properties(tdp-${name} PROPERTIES EXCLUDE_FROM_ALL OFF)
	endif()
endfunction()

# tdp_upstream_native(NAME TREE [REPAIRED]), where tdp_upstream_backend(NAME TREE ...) is, makes
#	tdp-native-NAME, tdp-native-points-NAME	the tree's code on real threads: link with it in place of tdp-native or
#				tdp-native-points
function(tdp_upstream_native name tree)
	if(NOT TARGET tdp-native)
		return()
	endif()
	foreach(kind native native-points)
		set(like tdp-${kind})
		if(kind STREQUAL "native")
			set(like tdp-native-objects)
		endif()
		set(objects "")
		foreach(part tree mmu shared)
			tdp_upstream_objects(upstream-${kind}-${part}-${name} ${part} "${tree}" ${name}
				${like} ${ARGN})
			list(APPEND objects $<TARGET_OBJECTS:upstream-${kind}-${part}-${name}>)
		endforeach()
		set(platform "$<FILTER:$<TARGET_OBJECTS:${like}>,INCLUDE,/(platform/[a-z_]+|slot_tree)[.]c[.]o$>")
		add_library(tdp-${kind}-${name} STATIC EXCLUDE_FROM_ALL ${objects}
			"$<FILTER:${platform},EXCLUDE,/native_guest[.]c[.]o$>")
		set_target_properties(tdp-${kind}-${name} PROPERTIES LINKER_LANGUAGE C)
		target_include_directories(tdp-${kind}-${name} INTERFACE
			$<TARGET_PROPERTY:tdp-native,INTERFACE_INCLUDE_DIRECTORIES>)
		target_link_libraries(tdp-${kind}-${name} PRIVATE urcu-bp)
	endforeach()
endfunction()
