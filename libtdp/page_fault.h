/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of a page fault that have files of their own. */
#ifndef LIBTDP_PAGE_FAULT_H
#define LIBTDP_PAGE_FAULT_H

#include "mmu_internal.h"

/* fast_page_fault.c */
int fast_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);

/* mmio_fault.c */
int handle_mmio_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa);
int kvm_handle_noslot_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
			    unsigned int access);

#endif /* LIBTDP_PAGE_FAULT_H */
