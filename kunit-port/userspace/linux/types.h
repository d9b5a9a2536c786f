/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests use of the kernel's types. */
#ifndef USERSPACE_LINUX_TYPES_H
#define USERSPACE_LINUX_TYPES_H

#include <errno.h>

#include <tdp/types.h>

#endif /* USERSPACE_LINUX_TYPES_H */
