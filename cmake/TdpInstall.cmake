# SPDX-License-Identifier: GPL-2.0-only
# What `cmake --install` puts where: the libraries, their public headers, and how to find them.

include(CMakePackageConfigHelpers)

install(TARGETS tdp-sim ${tdp_native_libraries} EXPORT tdp-targets
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libtdp/include/tdp"
	DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(tdp_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tdp)
install(EXPORT tdp-targets NAMESPACE tdp:: DESTINATION ${tdp_cmake_dir})
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tdp-config.cmake.in"
	"${PROJECT_BINARY_DIR}/tdp-config.cmake" INSTALL_DESTINATION ${tdp_cmake_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tdp-config-version.cmake"
	COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tdp-config.cmake"
	      "${PROJECT_BINARY_DIR}/tdp-config-version.cmake" DESTINATION ${tdp_cmake_dir})

# The prefix is worked out from where the .pc file is, so that the tree can be moved.
file(RELATIVE_PATH tdp_pc_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
     "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" tdp_pc_prefix "${tdp_pc_prefix}")
foreach(name tdp tdp-sim)
	configure_file("${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc"
		       @ONLY)
	install(FILES "${PROJECT_BINARY_DIR}/${name}.pc"
		DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
