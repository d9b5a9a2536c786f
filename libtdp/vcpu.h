/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU's requests and roots, for the rest of the MMU. */
#ifndef LIBTDP_VCPU_H
#define LIBTDP_VCPU_H

#include "kvm_host.h"

void kvm_make_all_cpus_request(struct kvm *kvm, u64 req);
int kvm_mmu_reload(struct kvm_vcpu *vcpu);

#endif /* LIBTDP_VCPU_H */
