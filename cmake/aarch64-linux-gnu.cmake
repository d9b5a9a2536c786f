# SPDX-License-Identifier: GPL-2.0-only
# A toolchain file for Debian's cross compiler, with what it runs run by qemu. TDP_CROSS_ROOT is a folder in
# which the arm64 packages of the libraries lie opened (tools/dev/arm64.py).

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TDP_CROSS_ROOT)

set(libraries "${TDP_CROSS_ROOT}/usr/lib/aarch64-linux-gnu")
set(CMAKE_C_FLAGS_INIT "-isystem ${TDP_CROSS_ROOT}/usr/include/aarch64-linux-gnu -isystem ${TDP_CROSS_ROOT}/usr/include")
# The second: where liblzma5 has its library.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${libraries} -Wl,-rpath-link,${libraries}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${CMAKE_EXE_LINKER_FLAGS_INIT}")
set(CMAKE_FIND_ROOT_PATH "${TDP_CROSS_ROOT}" /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${libraries}/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${TDP_CROSS_ROOT}")

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu
	-E "LD_LIBRARY_PATH=${libraries}:${TDP_CROSS_ROOT}/lib/aarch64-linux-gnu")
