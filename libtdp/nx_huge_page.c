// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iTLB-multihit mitigation: huge pages are not executable, tables made for the
 * sake of execution are remembered, and from time to time some are given up so that
 * huge pages may come back.  Mirrors the nx_huge_pages part of arch/x86/kvm/mmu/mmu.c.
 */
#include "memslot.h"
#include "mmu_calls.h"
#include "mmu_internal.h"
#include "tdp_mmu.h"

/**
 * track_possible_nx_huge_page() - a table could be a huge page, were it not executed from
 * @kvm: the VM
 * @sp: the table
 *
 * Mirrors track_possible_nx_huge_page().
 *
 * Context: tdp_mmu_pages_lock held, or mmu_lock for writing.
 */
void track_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	if (!cds_list_empty(&sp->possible_nx_huge_page_link))
		return;
	kvm->stat.nx_lpage_splits++;
	cds_list_add_tail(&sp->possible_nx_huge_page_link, &kvm->arch.possible_nx_huge_pages);
}

/**
 * untrack_possible_nx_huge_page() - the table is going away, or must stay
 * @kvm: the VM
 * @sp: the table; need not be tracked
 *
 * Mirrors untrack_possible_nx_huge_page().
 *
 * Context: tdp_mmu_pages_lock held, or mmu_lock for writing.
 */
void untrack_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	if (cds_list_empty(&sp->possible_nx_huge_page_link))
		return;
	kvm->stat.nx_lpage_splits--;
	cds_list_del_init(&sp->possible_nx_huge_page_link);
}

static void unaccount_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	sp->nx_huge_page_disallowed = false;
	untrack_possible_nx_huge_page(kvm, sp);
}

/**
 * __kvm_set_nx_huge_pages() - turn the mitigation on or off
 * @kvm: the VM; the kernel's switch is global and does this to every VM
 * @on: huge pages are not executable
 *
 * All mappings are built anew under the new rule. Mirrors set_nx_huge_pages().
 *
 * Context: takes slots_lock and mmu_lock.
 */
void __kvm_set_nx_huge_pages(struct kvm *kvm, bool on)
{
	const bool old = READ_ONCE(kvm->arch.nx_huge_pages);

	WRITE_ONCE(kvm->arch.nx_huge_pages, on);
	if (on == old)
		return;
	mutex_lock(&kvm->slots_lock);
	__kvm_mmu_zap_all_fast(kvm);
	mutex_unlock(&kvm->slots_lock);
}

/*
 * A table in a slot that is logged stays: faults would only bring it back.  When
 * logging ends it goes with all others that can be huge.  Without a slot, as after a
 * deletion that zapped only leaves, nothing is logged (the kernel warns of that).
 */
static bool kvm_nx_page_is_logged(struct kvm *kvm, const struct kvm_mmu_page *sp)
{
	struct kvm_memory_slot *slot;

	if (!atomic64_read(&kvm->nr_memslots_dirty_logging))
		return false;
	slot = __gfn_to_memslot(__kvm_memslots(kvm, kvm_mmu_page_as_id(sp)), sp->gfn);
	return slot && kvm_slot_dirty_track_enabled(slot);
}

static bool kvm_recover_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	bool flush = false;

	WARN_ON_ONCE(!sp->nx_huge_page_disallowed);

	if (kvm_nx_page_is_logged(kvm, sp)) {
		unaccount_nx_huge_page(kvm, sp);
	} else {
		flush = kvm_tdp_mmu_zap_sp(kvm, sp);
		kvm->stat.nx_recoveries++;
	}
	WARN_ON_ONCE(sp->nx_huge_page_disallowed);
	return flush;
}

/**
 * __kvm_recover_nx_huge_pages() - give up the oldest tables that the mitigation has made
 * @kvm: the VM
 *
 * One in nx_huge_pages_recovery_ratio, rounded up; none if that is 0 or the mitigation is off, as
 * then the kernel's worker does not run. Mirrors kvm_recover_nx_huge_pages().
 *
 * Context: takes mmu_lock for writing, inside an SRCU read section; yields.
 */
void __kvm_recover_nx_huge_pages(struct kvm *kvm)
{
	struct kvm_mmu_page *sp;
	const u64 ratio = kvm->config.nx_recovery_ratio;
	bool flush = false;
	u64 to_zap;
	int idx;

	if (!is_nx_huge_page_enabled(kvm) || !ratio)
		return;

	idx = srcu_read_lock(&kvm->srcu);
	write_lock(&kvm->mmu_lock);
	/* The tables are freed by RCU: they live until the flush is done. */
	rcu_read_lock();

	for (to_zap = (kvm->stat.nx_lpage_splits + ratio - 1) / ratio; to_zap; to_zap--) {
		if (cds_list_empty(&kvm->arch.possible_nx_huge_pages))
			break;
		sp = cds_list_first_entry(&kvm->arch.possible_nx_huge_pages, struct kvm_mmu_page,
					  possible_nx_huge_page_link);
		flush |= kvm_recover_nx_huge_page(kvm, sp);

		if (need_resched() || rwlock_needbreak(&kvm->mmu_lock)) {
			if (flush)
				kvm_flush_remote_tlbs(kvm);
			flush = false;
			rcu_read_unlock();
			cond_resched_rwlock_write(&kvm->mmu_lock);
			rcu_read_lock();
		}
	}
	if (flush)
		kvm_flush_remote_tlbs(kvm);

	rcu_read_unlock();
	write_unlock(&kvm->mmu_lock);
	srcu_read_unlock(&kvm->srcu, idx);
}
