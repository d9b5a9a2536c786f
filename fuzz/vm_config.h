/* SPDX-License-Identifier: GPL-2.0-only */
/* From a program's virtual machine to libtdp's. */
#ifndef FUZZ_VM_CONFIG_H
#define FUZZ_VM_CONFIG_H

#include <tdp/tdp.h>

#include "op.h"

struct tdp_vm_config vm_config(const struct vm_desc *vm);

#endif /* FUZZ_VM_CONFIG_H */
