# SPDX-License-Identifier: GPL-2.0-only
# A toolchain file for Debian's cross compilers, with what they make run by qemu. TDP_CROSS_CPU is the CPU, as GNU and
# qemu call it; TDP_CROSS_ROOT a folder in which the libraries' packages lie opened (tools/dev/cross.py).

set(triple ${TDP_CROSS_CPU}-linux-gnu)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${TDP_CROSS_CPU})
set(CMAKE_C_COMPILER ${triple}-gcc)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TDP_CROSS_CPU TDP_CROSS_ROOT)

set(libraries "${TDP_CROSS_ROOT}/usr/lib/${triple}")
set(CMAKE_C_FLAGS_INIT "-isystem ${TDP_CROSS_ROOT}/usr/include/${triple} -isystem ${TDP_CROSS_ROOT}/usr/include")
# The second: where liblzma5 has its library.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${libraries} -Wl,-rpath-link,${libraries}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${CMAKE_EXE_LINKER_FLAGS_INIT}")
set(CMAKE_FIND_ROOT_PATH "${TDP_CROSS_ROOT}" /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${libraries}/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${TDP_CROSS_ROOT}")

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${TDP_CROSS_CPU}-static -L /usr/${triple}
	-E "LD_LIBRARY_PATH=${libraries}:${TDP_CROSS_ROOT}/lib/${triple}")
