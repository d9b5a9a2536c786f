/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernel versions, other than by name (for names see the manifest).
 */
#ifndef UPSTREAM_VERSIONS_H
#define UPSTREAM_VERSIONS_H

#define VERSION_DO_PAGE_FAULT(vcpu, gpa, err, prefetch, level) \
	kvm_mmu_do_page_fault(vcpu, gpa, err, prefetch, NULL, level)

#define VERSION_RET_PF_WRITE_PROTECTED RET_PF_WRITE_PROTECTED

#endif /* UPSTREAM_VERSIONS_H */
