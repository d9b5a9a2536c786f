/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only the native library has (link with tdp, not with tdp-sim): guests that run on
 * real threads, each with a TLB of its own, and where complaints go.
 *
 * A thread that plays a vCPU goes round in a loop:
 *
 *	while (!kvm_vcpu_guest_enter(vcpu)) {
 *		do {
 *			access memory through the TLB, or by a walk from kvm_vcpu_root_hpa()
 *		} while (no fault && !kvm_vcpu_must_exit(vcpu));
 *		kvm_vcpu_guest_exit(vcpu);
 *		hand over what was logged (kvm_vcpu_mark_page_dirty()), then
 *		kvm_mmu_page_fault(), if there was a fault
 *	}
 *
 * A VM whose vCPUs never enter guest mode needs none of this: nobody waits for them.
 */
#ifndef TDP_NATIVE_H
#define TDP_NATIVE_H

#include <tdp/tdp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/**
 * struct tdp_guest_ops - a vCPU as the hardware that it stands for
 * @flush: forget the translations of guest frames @gfn to @gfn + @nr - 1, of whatever size, and what a walk has
 *	cached on the way to them; all there are if @nr is 0. On the vCPU's thread, before it enters the guest
 * @log_dirty: log which pages get their D bit set from now on, or do so no more (PML). Likewise. May be NULL
 * @kick: on the thread that asks: the vCPU is in guest mode and should see kvm_vcpu_must_exit() soon. For one that
 *	sleeps in guest mode; NULL for one that looks at each instruction
 */
struct tdp_guest_ops {
	void (*flush)(void *guest, gfn_t gfn, u64 nr);
	void (*log_dirty)(void *guest, bool on);
	void (*kick)(void *guest);
};

/* native_guest.c */
int kvm_vcpu_set_guest(struct kvm_vcpu *vcpu, const struct tdp_guest_ops *ops, void *guest);
int kvm_vcpu_guest_enter(struct kvm_vcpu *vcpu);
bool kvm_vcpu_must_exit(const struct kvm_vcpu *vcpu);
void kvm_vcpu_guest_exit(struct kvm_vcpu *vcpu);

/* native_report.c */
void tdp_set_warn(void (*warn)(void *ctx, const char *cond, const char *file, int line), void *ctx);

/* native_memory.c */
u64 *tdp_spte_at(hpa_t pa);
u64 tdp_pages_in_use(void);
u64 tdp_allocs_in_use(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* TDP_NATIVE_H */
