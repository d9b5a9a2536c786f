// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDP MMU: page tables that many vCPUs' faults, and zaps, change at once
 * under mmu_lock held for reading.  Mirrors arch/x86/kvm/mmu/tdp_mmu.c.
 *
 * How it fits together: whoever removes a table under the read lock first freezes
 * each of its SPTEs, so that nobody adds to it any more; all others change an SPTE
 * by compare-and-exchange and start over if it fails. Tables are freed by RCU.
 */
#include "tdp_mmu.h"

#include "rculist.h"
#include "tdp_iter.h"

/* As under CONFIG_KVM_PROVE_MMU: a dying root loses whole 1G regions at once. */
#define TDP_MMU_FIRST_ZAP_LEVEL	PG_LEVEL_1G

#define __must_check		__attribute__((warn_unused_result))

/* ---- set-up and roots ---- */

/**
 * kvm_mmu_init_tdp_mmu() - a new VM has no roots
 * @kvm: VM
 *
 * Mirrors kvm_mmu_init_tdp_mmu().
 */
void kvm_mmu_init_tdp_mmu(struct kvm *kvm)
{
	spin_lock_init(&kvm->arch.tdp_mmu_pages_lock);
	CDS_INIT_LIST_HEAD(&kvm->arch.tdp_mmu_roots);
	CDS_INIT_LIST_HEAD(&kvm->arch.possible_nx_huge_pages);
}

static __always_inline void kvm_lockdep_assert_mmu_lock_held(struct kvm *kvm, bool shared)
{
	if (shared)
		lockdep_assert_held_read(&kvm->mmu_lock);
	else
		lockdep_assert_held_write(&kvm->mmu_lock);
}

/**
 * kvm_mmu_uninit_tdp_mmu() - free all roots and page tables
 * @kvm: VM without running vCPUs; each has put its root
 *
 * Mirrors kvm_mmu_uninit_tdp_mmu().
 *
 * Context: no lock held; waits for RCU callbacks.
 */
void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm)
{
	kvm_tdp_mmu_invalidate_all_roots(kvm);
	kvm_tdp_mmu_zap_invalidated_roots(kvm);

	WARN_ON(tdp_stat_read(&kvm->arch.tdp_mmu_pages));
	WARN_ON(!cds_list_empty(&kvm->arch.tdp_mmu_roots));

	rcu_barrier();
}

static void tdp_mmu_free_sp(struct kvm_mmu_page *sp)
{
	tdp_page_free(sp->spt);
	kfree(sp);
}

static void tdp_mmu_free_sp_rcu_callback(struct rcu_head *head)
{
	tdp_mmu_free_sp(container_of(head, struct kvm_mmu_page, rcu_head));
}

/* Free it once no walk can be inside it any more. */
static void tdp_mmu_free_sp_rcu(struct kvm_mmu_page *sp)
{
	call_rcu(&sp->rcu_head, tdp_mmu_free_sp_rcu_callback);
}

/**
 * kvm_tdp_mmu_put_root() - drop a reference
 * @kvm: VM
 * @root: may be freed, after a grace period, if this was the last reference
 *
 * The TDP MMU holds one itself until the root is invalidated and zapped.  Mirrors
 * kvm_tdp_mmu_put_root().
 */
void kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	spinlock_t *lock = &kvm->arch.tdp_mmu_pages_lock;

	if (!refcount_dec_and_test(&root->tdp_mmu_root_count))
		return;

	KVM_BUG_ON(!root->role.invalid || !is_tdp_mmu_page(root), kvm);

	spin_lock(lock);
	list_del_rcu(&root->link);
	spin_unlock(lock);
	tdp_mmu_free_sp_rcu(root);
}

/*
 * The root after @prev, the first one if @prev is NULL; NULL after the last. The
 * reference to @prev is dropped and one to the result taken, so that mmu_lock may
 * be dropped in between. Mirrors tdp_mmu_next_root().
 */
static struct kvm_mmu_page *tdp_mmu_next_root(struct kvm *kvm, struct kvm_mmu_page *prev,
					      bool only_valid)
{
	struct cds_list_head *head = &kvm->arch.tdp_mmu_roots;
	struct cds_list_head *pos = prev ? &prev->link : head;
	struct kvm_mmu_page *root = NULL;

	lockdep_assert_held(&kvm->mmu_lock);

	rcu_read_lock();
	while ((pos = list_next_or_null_rcu(head, pos))) {
		struct kvm_mmu_page *candidate = container_of(pos, struct kvm_mmu_page, link);

		if (only_valid && candidate->role.invalid)
			continue;
		if (kvm_tdp_mmu_get_root(candidate)) {
			root = candidate;
			break;
		}
	}
	rcu_read_unlock();

	if (prev)
		kvm_tdp_mmu_put_root(kvm, prev);
	return root;
}

/*
 * Loops over roots, those of one address space or all. With the first kind
 * the body may drop mmu_lock; who leaves it early puts the root. The second kind
 * needs mmu_lock held for writing throughout.
 */
#define for_each_any_root_yield_safe(kvm, root, only_valid)				\
	for (root = tdp_mmu_next_root(kvm, NULL, only_valid); root;			\
	     root = tdp_mmu_next_root(kvm, root, only_valid))

#define for_each_root_yield_safe(kvm, root, id, only_valid)				\
	for_each_any_root_yield_safe(kvm, root, only_valid)				\
		if (kvm_mmu_page_as_id(root) == (id))

#define for_each_valid_tdp_mmu_root_yield_safe(kvm, root, id)				\
	for_each_root_yield_safe(kvm, root, id, true)

#define for_each_tdp_mmu_root_yield_safe(kvm, root)					\
	for_each_any_root_yield_safe(kvm, root, false)

#define for_each_tdp_mmu_root(kvm, root, id)						\
	cds_list_for_each_entry(root, &(kvm)->arch.tdp_mmu_roots, link)			\
		if (kvm_mmu_page_as_id(root) == (id))

#define for_each_valid_tdp_mmu_root(kvm, root, id)					\
	for_each_tdp_mmu_root(kvm, root, id)						\
		if (!root->role.invalid)

/* The caller sets the table's entries. */
static struct kvm_mmu_page *tdp_mmu_alloc_sp(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_arch *arch = &vcpu->arch;
	struct kvm_mmu_page *sp = kvm_mmu_memory_cache_alloc(&arch->mmu_page_header_cache);

	sp->spt = kvm_mmu_memory_cache_alloc(&arch->mmu_shadow_page_cache);
	return sp;
}

static void tdp_mmu_init_sp(struct kvm_mmu_page *sp, tdp_ptep_t sptep, gfn_t gfn,
			    union kvm_mmu_page_role role)
{
	CDS_INIT_LIST_HEAD(&sp->possible_nx_huge_page_link);
	sp->tdp_mmu_page = true;
	sp->role = role;
	sp->gfn = gfn;
	sp->ptep = sptep;
	set_page_private(sp->spt, sp);
}

/* A table for below the current SPTE: like its parent, one level down. */
static void tdp_mmu_init_child_sp(struct kvm_mmu_page *child, struct tdp_iter *iter)
{
	union kvm_mmu_page_role role = sptep_to_sp(iter->sptep)->role;

	role.level--;
	tdp_mmu_init_sp(child, iter->sptep, iter->gfn, role);
}

/* Adds a root for @role unless there is one. Its references: the vCPU's and the TDP MMU's own. */
static struct kvm_mmu_page *tdp_mmu_find_or_add_root(struct kvm_vcpu *vcpu,
						     union kvm_mmu_page_role role)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *root;

	lockdep_assert_owned(&kvm->arch.tdp_mmu_pages_lock);

	/* A valid root cannot lose its last reference: that needs mmu_lock held for writing. */
	cds_list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (root->role.word != role.word)
			continue;
		if (!WARN_ON_ONCE(!kvm_tdp_mmu_get_root(root)))
			return root;
	}

	root = tdp_mmu_alloc_sp(vcpu);
	tdp_page_set(root->spt, SHADOW_NONPRESENT_VALUE);
	refcount_set(&root->tdp_mmu_root_count, 2);
	tdp_mmu_init_sp(root, NULL, 0, role);
	list_add_rcu(&root->link, &kvm->arch.tdp_mmu_roots);
	return root;
}

/**
 * kvm_tdp_mmu_alloc_root() - give a vCPU a root of its role
 * @vcpu: its caches are filled; root.hpa of its MMU is set
 *
 * Roots of equal role are shared by all vCPUs.  Mirrors kvm_tdp_mmu_alloc_root().
 *
 * Context: takes mmu_lock for reading. The root may be invalidated at once after;
 * the vCPU then gets a request to drop it before it enters the guest.
 * Return: 0.
 */
int kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu = vcpu->arch.mmu;
	const union kvm_mmu_page_role role = mmu->root_role;
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *root;

	read_lock(&kvm->mmu_lock);

	/* Most often it is there: look without the spinlock that adding needs. */
	for_each_valid_tdp_mmu_root_yield_safe(kvm, root, kvm_mmu_role_as_id(role)) {
		if (root->role.word == role.word)
			goto found;
	}

	spin_lock(&kvm->arch.tdp_mmu_pages_lock);
	root = tdp_mmu_find_or_add_root(vcpu, role);
	spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
found:
	read_unlock(&kvm->mmu_lock);
	mmu->root.hpa = __pa(root->spt);
	return 0;
}

/* ---- changing SPTEs ---- */

static void handle_changed_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte, int level,
				bool shared);

/* handle_changed_spte() for @n 4K leaves, equal but for their addresses, that were changed alike. */
static void handle_changed_leaves(struct kvm *kvm, u64 old_spte, u64 new_spte, int n)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const bool is_present = is_shadow_present_pte(new_spte);

	if (is_present)
		check_spte_writable_invariants(fmt, new_spte);
	else
		kvm_update_page_stats(kvm, PG_LEVEL_4K, -n);
	kvm_set_pfns(kvm, kvm_spte_to_pfn(kvm, old_spte), n,
		     is_dirty_spte(fmt, old_spte) && !(is_present && is_dirty_spte(fmt, new_spte)),
		     is_accessed_spte(fmt, old_spte) &&
			     !(is_present && is_accessed_spte(fmt, new_spte)));
}

/* Of @n 4K leaves from one that is @spte: those of the same 2M of memory, as kvm_set_pfns() wants. */
static int leaves_of_2m(struct kvm *kvm, u64 spte, int n)
{
	const int room = SPTE_ENT_PER_PAGE - kvm_spte_to_pfn(kvm, spte) % SPTE_ENT_PER_PAGE;

	return n < room ? n : room;
}

/* @sp is linked no more. Mirrors tdp_mmu_unlink_sp(). */
static void tdp_mmu_unlink_sp(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	tdp_stat_add(-1, &kvm->arch.tdp_mmu_pages);

	/*
	 * Set before @sp was linked; cleared here, or by NX recovery under the write lock. A fault that
	 * reads it meanwhile finds either: it fails to change an SPTE of this table.
	 */
	if (sp->nx_huge_page_disallowed) {
		spin_lock(&kvm->arch.tdp_mmu_pages_lock);
		tdp_write_word(&sp->nx_huge_page_disallowed, false);
		untrack_possible_nx_huge_page(kvm, sp);
		spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
	}
}

/*
 * Freeze an SPTE of a removed table, so that a fault that is still inside the
 * table cannot install anything behind us. Who froze it before us is zapping it,
 * and will be done soon: wait, lest it store a value over ours.
 */
static u64 freeze_removed_spte(struct kvm *kvm, tdp_ptep_t sptep, int level)
{
	u64 old_spte;

	while (is_frozen_spte(old_spte = kvm_tdp_mmu_write_spte_atomic(kvm_spte_format(kvm), sptep,
								       FROZEN_SPTE, level)))
		cpu_relax();
	return old_spte;
}

/*
 * Of @n SPTEs of a removed table, deal with those at the start that are empty: they
 * are frozen if @shared, else of no interest. Returns how many those are.
 */
static int pass_empty_sptes(tdp_ptep_t sptep, int n, int level, bool shared)
{
	if (shared)
		return tdp_freeze_sptes(sptep, n, SHADOW_NONPRESENT_VALUE, FROZEN_SPTE, level);
	return tdp_skip_sptes(sptep, n, SHADOW_NONPRESENT_VALUE, level, 1, false);
}

/*
 * Tables that stood in for a huge page end in runs of leaves that differ by their address only, and
 * so does what becomes of them: deal with those from @sptep on, at most @n, in one go. Returns how
 * many; 0 if the SPTE is to be looked at by itself.
 */
static int remove_leaves(struct kvm *kvm, tdp_ptep_t sptep, int n, int level, bool shared)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const u64 spte = tdp_peek_spte(sptep);
	bool atomic;

	if (level != PG_LEVEL_4K || !is_shadow_present_pte(spte))
		return 0;
	n = leaves_of_2m(kvm, spte, n);
	atomic = shared || kvm_tdp_mmu_spte_need_atomic_write(fmt, spte, level);
	/* Points: the SPTE is read (unless it is exchanged blindly), written, and counted. */
	n = tdp_freeze_leaves(sptep, n, spte, PAGE_SIZE, FROZEN_SPTE, atomic, shared ? 2 : 3,
			      level);
	if (n)
		handle_changed_leaves(kvm, spte, FROZEN_SPTE, n);
	return n;
}

/*
 * The table @pt was taken out of the tree: account for all it maps, remove the
 * tables below it, and free it after a grace period. @shared: mmu_lock is held
 * for reading only. Mirrors handle_removed_pt().
 */
static void handle_removed_pt(struct kvm *kvm, tdp_ptep_t pt, bool shared)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	struct kvm_mmu_page *sp = sptep_to_sp(pt);
	const int level = sp->role.level;
	const gfn_t base = sp->gfn;

	tdp_mmu_unlink_sp(kvm, sp);

	for (int i = 0; i < SPTE_ENT_PER_PAGE; i++) {
		tdp_ptep_t sptep;
		u64 old_spte;
		int n;

		i += pass_empty_sptes(&pt[i], SPTE_ENT_PER_PAGE - i, level, shared);
		if (i == SPTE_ENT_PER_PAGE)
			break;
		sptep = &pt[i];

		n = remove_leaves(kvm, sptep, SPTE_ENT_PER_PAGE - i, level, shared);
		if (n) {
			i += n - 1;
			continue;
		}
		if (shared) {
			old_spte = freeze_removed_spte(kvm, sptep, level);
		} else {
			/*
			 * With mmu_lock held for writing nothing becomes present here. But
			 * a vCPU may still use its TLB: D and, by a fast page fault, W can
			 * appear, so volatile SPTEs are exchanged.
			 */
			old_spte = kvm_tdp_mmu_read_spte(sptep, level);
			if (!is_shadow_present_pte(old_spte))
				continue;
			old_spte = kvm_tdp_mmu_write_spte(fmt, sptep, old_spte, FROZEN_SPTE, level);
		}
		handle_changed_spte(kvm, base + i * KVM_PAGES_PER_HPAGE(level), old_spte,
				    FROZEN_SPTE, level, shared);
	}

	tdp_mmu_free_sp_rcu(sp);
}

/*
 * Everything that a change of an SPTE entails, but TLB flushes and the dirty
 * bitmap: statistics, the host's dirty and accessed marks, removal of tables.
 * @gfn: first gfn mapped; @shared: mmu_lock is held for reading only. Mirrors
 * handle_changed_spte().
 */
static void handle_changed_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte, int level,
				bool shared)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const bool pfn_changed = spte_to_pfn(old_spte) != spte_to_pfn(new_spte);
	const bool is_present = is_shadow_present_pte(new_spte);
	const bool was_present = is_shadow_present_pte(old_spte);
	const bool is_leaf = is_present && is_last_spte(new_spte, level);
	const bool was_leaf = was_present && is_last_spte(old_spte, level);

	WARN_ON_ONCE(level < PG_LEVEL_4K || level > PT64_ROOT_MAX_LEVEL);
	WARN_ON_ONCE(gfn & (KVM_PAGES_PER_HPAGE(level) - 1));

	/* A leaf must be zapped and flushed before its gfn gets another frame; KVM dies here. */
	KVM_BUG_ON(was_leaf && is_leaf && pfn_changed, kvm);

	if (new_spte == old_spte)
		return;

	if (is_leaf)
		check_spte_writable_invariants(fmt, new_spte);

	/* Without a present SPTE before or after, only MMIO SPTEs come and go, or it is frozen. */
	if (!was_present && !is_present) {
		WARN_ON_ONCE(!is_frozen_spte(new_spte) && !is_mmio_spte(fmt, new_spte) &&
			     !is_mmio_spte(fmt, old_spte));
		return;
	}

	if (was_leaf != is_leaf)
		kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);

	if (was_leaf && is_dirty_spte(fmt, old_spte) &&
	    (pfn_changed || !is_present || !is_dirty_spte(fmt, new_spte)))
		kvm_set_pfn_dirty(kvm, kvm_spte_to_pfn(kvm, old_spte));

	/* A link goes away if a leaf or nothing takes its place; tables do not move. */
	if (was_present && !was_leaf && (!is_present || is_leaf || WARN_ON_ONCE(pfn_changed)))
		handle_removed_pt(kvm, spte_to_child_pt(old_spte, level), shared);

	if (was_leaf && is_accessed_spte(fmt, old_spte) &&
	    (pfn_changed || !is_present || !is_accessed_spte(fmt, new_spte)))
		kvm_set_pfn_accessed(kvm, kvm_spte_to_pfn(kvm, old_spte));
}

/*
 * Compare and exchange, without the consequences. 0, or -EBUSY if the SPTE had
 * changed: iter->old_spte then is what it is now. Mirrors __tdp_mmu_set_spte_atomic().
 */
static inline int __must_check __tdp_mmu_set_spte_atomic(struct tdp_iter *iter, u64 new_spte)
{
	/* A frozen SPTE belongs to who froze it. */
	WARN_ON_ONCE(is_frozen_spte(iter->old_spte) || iter->yielded);

	return tdp_cmpxchg_spte(iter->sptep, &iter->old_spte, new_spte, iter->level) ? 0 : -EBUSY;
}

/* The current SPTE was changed to @new_spte, under mmu_lock held for reading. */
static inline void tdp_mmu_iter_changed(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte)
{
	handle_changed_spte(kvm, iter->gfn, iter->old_spte, new_spte, iter->level, true);
}

/*
 * Change the current SPTE under mmu_lock held for reading. 0, or -EBUSY and
 * iter->old_spte reread: the caller looks again. Mirrors tdp_mmu_set_spte_atomic().
 */
static inline int __must_check tdp_mmu_set_spte_atomic(struct kvm *kvm, struct tdp_iter *iter,
						       u64 new_spte)
{
	lockdep_assert_held_read(&kvm->mmu_lock);

	if (__tdp_mmu_set_spte_atomic(iter, new_spte))
		return -EBUSY;

	tdp_mmu_iter_changed(kvm, iter, new_spte);
	return 0;
}

/*
 * Zap the current SPTE, flush included, under mmu_lock held for reading. It stays
 * frozen until no TLB has it any more: else a fault could map another frame while
 * some vCPU still used the old one. 0 or -EBUSY. Mirrors tdp_mmu_zap_spte_atomic().
 */
static inline int __must_check tdp_mmu_zap_spte_atomic(struct kvm *kvm, struct tdp_iter *iter)
{
	lockdep_assert_held_read(&kvm->mmu_lock);

	if (__tdp_mmu_set_spte_atomic(iter, FROZEN_SPTE))
		return -EBUSY;

	kvm_flush_remote_tlbs_gfn(kvm, iter->gfn, iter->level);

	/* Nobody else writes a frozen SPTE. Unfreeze it first: the rest may take long. */
	__kvm_tdp_mmu_write_spte(kvm_spte_format(kvm), iter->sptep, SHADOW_NONPRESENT_VALUE,
				 iter->level);
	tdp_mmu_iter_changed(kvm, iter, SHADOW_NONPRESENT_VALUE);
	return 0;
}

/*
 * Change an SPTE of level @level under mmu_lock held for writing. Returns what was
 * there, which may differ from @old_spte in volatile bits. Mirrors tdp_mmu_set_spte().
 */
static u64 tdp_mmu_set_spte(struct kvm *kvm, tdp_ptep_t sptep, u64 old_spte, u64 new_spte,
			    gfn_t gfn, int level)
{
	u64 found;

	lockdep_assert_held_write(&kvm->mmu_lock);

	/* Freezing is for those who hold mmu_lock for reading. */
	WARN_ON_ONCE(is_frozen_spte(new_spte) || is_frozen_spte(old_spte));

	found = kvm_tdp_mmu_write_spte(kvm_spte_format(kvm), sptep, old_spte, new_spte, level);
	handle_changed_spte(kvm, gfn, found, new_spte, level, false);
	return found;
}

static inline void tdp_mmu_iter_set_spte(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte)
{
	WARN_ON_ONCE(iter->yielded);
	iter->old_spte = tdp_mmu_set_spte(kvm, iter->sptep, iter->old_spte, new_spte, iter->gfn,
					  iter->level);
}

/* ---- walks ---- */

static inline bool iter_at_leaf(const struct tdp_iter *iter)
{
	return is_shadow_present_pte(iter->old_spte) && is_last_spte(iter->old_spte, iter->level);
}

/* A walk over leaves begins at the first SPTE that links no table. */
static __attribute__((noinline)) struct tdp_iter tdp_iter_first_leaf(struct kvm_mmu_page *root,
								     gfn_t start, gfn_t end)
{
	struct tdp_iter iter;

	tdp_iter_start(&iter, root, PG_LEVEL_4K, start);
	while (tdp_iter_within(&iter, end) && is_shadow_present_pte(iter.old_spte) &&
	       !is_last_spte(iter.old_spte, iter.level))
		tdp_iter_next(&iter);
	return iter;
}

#define tdp_root_for_each_leaf_pte(iter, root, start, end)				\
	for ((iter) = tdp_iter_first_leaf(root, start, end),				\
	     tdp_iter_skip_empty(&(iter), end, false);					\
	     tdp_iter_within(&(iter), end);						\
	     tdp_iter_step(&(iter)), tdp_iter_skip_empty(&(iter), end, false))		\
		if (iter_at_leaf(&(iter)))

/*
 * Change the current 4K leaf to @new_spte, zapped or without some of its bits, and likewise those behind it, before
 * @end, that differ from it by their address only: a huge page's worth of memory is often mapped by such. @shared:
 * mmu_lock is held for reading. Returns how many; the walk is at the last one then, but iter->old_spte is the first
 * one's. What the change entails is the caller's. 0: the current SPTE is to be changed by itself.
 */
static __always_inline int tdp_iter_change_leaves(struct kvm *kvm, struct tdp_iter *iter, gfn_t end,
						  u64 new_spte, bool shared)
{
	const u64 spte = iter->old_spte;
	int n;

	if (iter->level != PG_LEVEL_4K)
		return 0;
	n = leaves_of_2m(kvm, spte, tdp_iter_leaves_left(iter, end));
	n = tdp_change_leaves(iter->sptep, n, spte, PAGE_SIZE, new_spte,
			      is_shadow_present_pte(new_spte) ? PAGE_SIZE : 0,
			      shared || kvm_tdp_mmu_spte_need_atomic_write(kvm_spte_format(kvm),
									   spte, iter->level));
	if (n)
		tdp_iter_pass(iter, n - 1);
	return n;
}

/* The same, and what it entails. */
static __always_inline int tdp_mmu_change_leaves(struct kvm *kvm, struct tdp_iter *iter, gfn_t end,
						 u64 new_spte, bool shared)
{
	const int n = tdp_iter_change_leaves(kvm, iter, end, new_spte, shared);

	if (n)
		handle_changed_leaves(kvm, iter->old_spte, new_spte, n);
	return n;
}

#define tdp_mmu_for_each_pte(iter, mmu, start, end)		\
	for_each_tdp_pte(iter, root_to_sp((mmu)->root.hpa), start, end)

/*
 * Drop mmu_lock for a moment if somebody waits for it or for the CPU, after a
 * flush if @flush says that one is owed. True if it was dropped: the caller goes
 * on to the next step, which starts from the root again. At least one step is made
 * between two yields, or the walk might never end. Mirrors tdp_mmu_iter_cond_resched().
 */
static inline bool __must_check tdp_mmu_iter_cond_resched(struct kvm *kvm, struct tdp_iter *iter,
							  bool flush, bool shared)
{
	WARN_ON_ONCE(iter->yielded);

	if (iter->yielded_gfn == iter->next_last_level_gfn)
		return false;
	if (!need_resched() && !rwlock_needbreak(&kvm->mmu_lock))
		return false;

	if (flush)
		kvm_flush_remote_tlbs(kvm);

	iter->yielded = true;
	WARN_ON_ONCE(iter->next_last_level_gfn < iter->gfn);

	rcu_read_unlock();
	if (!shared)
		cond_resched_rwlock_write(&kvm->mmu_lock);
	else
		cond_resched_rwlock_read(&kvm->mmu_lock);
	rcu_read_lock();
	return true;
}

/* KVM maps nothing from here on, slots and MMIO alike. */
static inline gfn_t tdp_mmu_max_gfn_exclusive(struct kvm *kvm)
{
	return kvm_mmu_max_gfn(kvm) + 1;
}

/* ---- zapping ---- */

/* One pass: zap what is left at @zap_level, the entries above it excluded. */
static void __tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared,
			       int zap_level)
{
	const gfn_t end = tdp_mmu_max_gfn_exclusive(kvm);
	struct tdp_iter iter;

	for_each_used_tdp_pte_min_level(iter, root, zap_level, 0, end, true) {
again:
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, shared))
			continue;
		if (iter.level > zap_level || !is_shadow_present_pte(iter.old_spte))
			continue;

		if (!shared)
			tdp_mmu_iter_set_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
		else if (tdp_mmu_set_spte_atomic(kvm, &iter, SHADOW_NONPRESENT_VALUE))
			goto again;
	}
}

/*
 * Zap all of a root, which no vCPU will run again: no flush is owed. It goes in two
 * passes, so that no single zap takes down more than 1G before it can yield. The
 * caller's reference keeps the root in reach of MMU notifiers until it is empty.
 * Mirrors tdp_mmu_zap_root().
 */
static void tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared)
{
	WARN_ON_ONCE(refcount_read(&root->tdp_mmu_root_count) == 0);
	kvm_lockdep_assert_mmu_lock_held(kvm, shared);

	rcu_read_lock();
	__tdp_mmu_zap_root(kvm, root, shared, TDP_MMU_FIRST_ZAP_LEVEL);
	__tdp_mmu_zap_root(kvm, root, shared, root->role.level);
	rcu_read_unlock();
}

/*
 * Walks without a lock read the level in the same word meanwhile, in the kernel as here: that part
 * of it never changes.
 */
static __no_kcsan void tdp_mmu_mark_root_invalid(struct kvm_mmu_page *root)
{
	root->role.invalid = true;
}

/**
 * kvm_tdp_mmu_invalidate_all_roots() - let no vCPU load a present root any more
 * @kvm: VM
 *
 * kvm_tdp_mmu_zap_invalidated_roots() must follow, before slots_lock is dropped.
 * Mirrors kvm_tdp_mmu_invalidate_all_roots().
 *
 * Context: slots_lock and mmu_lock held for writing, unless nobody uses @kvm.
 */
void kvm_tdp_mmu_invalidate_all_roots(struct kvm *kvm)
{
	struct kvm_mmu_page *root;

	if (kvm->created_vcpus && refcount_read(&kvm->users_count))
		lockdep_assert_held_write(&kvm->mmu_lock);

	/* One that was invalid before may live on by somebody's reference: zapped, or about to be. */
	cds_list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (root->role.invalid)
			continue;
		root->tdp_mmu_scheduled_root_to_zap = true;
		tdp_mmu_mark_root_invalid(root);
	}
}

/**
 * kvm_tdp_mmu_zap_invalidated_roots() - finish what kvm_tdp_mmu_invalidate_all_roots() began
 * @kvm: VM
 *
 * Zaps each root and puts the TDP MMU's own reference, in this order: MMU notifiers
 * must find the root as long as it maps anything.  No flush is owed, since a vCPU
 * flushes when it loads a root.  Mirrors kvm_tdp_mmu_zap_invalidated_roots().
 *
 * Context: slots_lock held; takes mmu_lock for reading and may yield.
 */
void kvm_tdp_mmu_zap_invalidated_roots(struct kvm *kvm)
{
	struct kvm_mmu_page *root;

	read_lock(&kvm->mmu_lock);
	for_each_tdp_mmu_root_yield_safe(kvm, root) {
		if (root->tdp_mmu_scheduled_root_to_zap) {
			KVM_BUG_ON(!root->role.invalid, kvm);
			root->tdp_mmu_scheduled_root_to_zap = false;
			tdp_mmu_zap_root(kvm, root, true);
			kvm_tdp_mmu_put_root(kvm, root);
		}
	}
	read_unlock(&kvm->mmu_lock);
}

/**
 * kvm_tdp_mmu_zap_all() - zap everything, in invalid roots too
 * @kvm: VM whose vCPUs will not run again
 *
 * Mirrors kvm_tdp_mmu_zap_all().
 *
 * Context: mmu_lock held for writing; may yield.
 */
void kvm_tdp_mmu_zap_all(struct kvm *kvm)
{
	const bool shared = false;
	struct kvm_mmu_page *root;

	for_each_tdp_mmu_root_yield_safe(kvm, root)
		tdp_mmu_zap_root(kvm, root, shared);
}

/**
 * kvm_tdp_mmu_zap_sp() - zap the SPTE that links a table
 * @kvm: VM
 * @sp: table, not a root
 *
 * Mirrors kvm_tdp_mmu_zap_sp().
 *
 * Context: mmu_lock held for writing, in an RCU read section that lasts until the
 * flush that is owed.
 * Return: true if it was zapped: the caller owes a flush.
 */
bool kvm_tdp_mmu_zap_sp(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	const int level = sp->role.level + 1;
	u64 old_spte;

	if (WARN_ON_ONCE(!sp->ptep))
		return false;

	old_spte = kvm_tdp_mmu_read_spte(sp->ptep, level);
	if (WARN_ON_ONCE(!is_shadow_present_pte(old_spte)))
		return false;

	tdp_mmu_set_spte(kvm, sp->ptep, old_spte, SHADOW_NONPRESENT_VALUE, sp->gfn, level);
	return true;
}

/*
 * Zap the leaves in [start, end) of one root; tables stay. Returns whether a flush
 * is owed: @flush, unless it was done at a yield, or any new one. Entries of an
 * invalid root need none: vCPUs flush when they load another. Mirrors tdp_mmu_zap_leafs().
 */
static bool tdp_mmu_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root, gfn_t start, gfn_t end,
			      bool can_yield, bool flush)
{
	const gfn_t max = tdp_mmu_max_gfn_exclusive(kvm);
	struct tdp_iter iter;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (end > max)
		end = max;

	rcu_read_lock();
	for_each_used_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, end, can_yield) {
		if (can_yield && tdp_mmu_iter_cond_resched(kvm, &iter, flush, false)) {
			flush = false;
			continue;
		}
		if (!iter_at_leaf(&iter))
			continue;

		if (!tdp_mmu_change_leaves(kvm, &iter, end, SHADOW_NONPRESENT_VALUE, false))
			tdp_mmu_iter_set_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
		flush |= !root->role.invalid;
	}
	rcu_read_unlock();

	return flush;
}

/**
 * kvm_tdp_mmu_zap_leafs() - zap the leaves of a range, in every valid root
 * @kvm: VM
 * @start: first gfn
 * @end: first gfn after the range
 * @flush: the caller owes a flush already
 *
 * Mirrors kvm_tdp_mmu_zap_leafs().
 *
 * Context: mmu_lock held for writing; may yield.
 * Return: true if a flush is owed before mmu_lock is dropped.
 */
bool kvm_tdp_mmu_zap_leafs(struct kvm *kvm, gfn_t start, gfn_t end, bool flush)
{
	const bool can_yield = true;
	struct kvm_mmu_page *root;

	for_each_any_root_yield_safe(kvm, root, true)
		flush = tdp_mmu_zap_leafs(kvm, root, start, end, can_yield, flush);
	return flush;
}

/* ---- faults ---- */

/*
 * Has a fault taken away what another one relied on? A read that found the host's page read-only
 * may come after a write that made it writable: docs/findings/fault-takes-write-access.md.
 */
static bool tdp_mmu_map_lost_access(struct kvm *kvm, const struct tdp_iter *iter, u64 new_spte)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);

	return is_shadow_present_pte(iter->old_spte) && is_mmu_writable_spte(fmt, iter->old_spte) &&
	       !is_mmu_writable_spte(fmt, new_spte);
}

/* Install the leaf that the fault is about. Mirrors tdp_mmu_map_handle_target_level(). */
static int tdp_mmu_map_handle_target_level(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
					   struct tdp_iter *iter)
{
	const struct kvm_memory_slot *slot = fault->slot;
	struct kvm_mmu_page *sp = sptep_to_sp(iter->sptep);
	struct kvm *kvm = vcpu->kvm;
	bool wrprot = false;
	int ret = RET_PF_FIXED;
	u64 new_spte;

	if (WARN_ON_ONCE(fault->goal_level != sp->role.level))
		return RET_PF_RETRY;

	/*
	 * The fault looked for a slot before there was one, and another vCPU has mapped the page since:
	 * docs/findings/mmio-over-mapping.md.
	 */
	if (unlikely(!slot) && is_shadow_present_pte(iter->old_spte))
		return RET_PF_RETRY;

	if (unlikely(!slot))
		new_spte = make_mmio_spte(vcpu, iter->gfn, ACC_ALL);
	else
		wrprot = make_spte(vcpu, sp, slot, ACC_ALL, iter->gfn, fault->pfn, iter->old_spte,
				   fault->prefetch, true, fault->map_writable, &new_spte);

	if (iter->old_spte == new_spte) {
		ret = RET_PF_SPURIOUS;
	} else {
		if (tdp_mmu_set_spte_atomic(kvm, iter, new_spte))
			return RET_PF_RETRY;
		/* The leaf replaced a table, whose entries may be in TLBs. */
		if (is_shadow_present_pte(iter->old_spte) &&
		    !is_last_spte(iter->old_spte, iter->level))
			/* Two reasons for one flush. NOLINTNEXTLINE(bugprone-branch-clone) */
			kvm_flush_remote_tlbs_gfn(kvm, iter->gfn, iter->level);
		else if (tdp_mmu_map_lost_access(kvm, iter, new_spte))
			kvm_flush_remote_tlbs_gfn(kvm, iter->gfn, iter->level);
	}

	/* To let the guest try again would not help it. */
	if (fault->write && wrprot)
		ret = RET_PF_WRITE_PROTECTED;

	if (unlikely(is_mmio_spte(kvm_spte_format(kvm), new_spte))) {
		tdp_count(vcpu->stat.pf_mmio_spte_created);
		ret = RET_PF_EMULATE;
	}
	return ret;
}

/*
 * Put a link to @sp in the place of the current SPTE. 0, or -EBUSY, which cannot
 * happen unless @shared. Mirrors tdp_mmu_link_sp().
 */
static int __must_check tdp_mmu_link_sp(struct kvm *kvm, struct tdp_iter *iter,
					struct kvm_mmu_page *sp, bool shared)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const u64 spte = make_nonleaf_spte(fmt, sp->spt, !kvm_ad_enabled(fmt));

	if (!shared)
		tdp_mmu_iter_set_spte(kvm, iter, spte);
	else if (tdp_mmu_set_spte_atomic(kvm, iter, spte))
		return -EBUSY;

	tdp_stat_add(1, &kvm->arch.tdp_mmu_pages);
	return 0;
}

/* A table that maps nothing yet, in the place of an SPTE that does not either. 0 or -EBUSY. */
static int __must_check tdp_mmu_link_empty_sp(struct kvm *kvm, struct tdp_iter *iter,
					      struct kvm_mmu_page *sp)
{
	tdp_page_set(sp->spt, SHADOW_NONPRESENT_VALUE);
	return tdp_mmu_link_sp(kvm, iter, sp, true);
}

/*
 * The children of a huge page differ in their addresses alone, at a fixed distance:
 * one call of make_huge_page_split_spte() tells them all.
 */
static void fill_split_table(struct kvm *kvm, u64 huge_spte, struct kvm_mmu_page *sp)
{
	const int level = sp->role.level;
	const u64 step = KVM_PAGES_PER_HPAGE(level) << PAGE_SHIFT;
	const u64 spte = make_huge_page_split_spte(kvm, huge_spte, sp->role, 0);

	KVM_MMU_WARN_ON(spte & (SPTE_ENT_PER_PAGE - 1) * step);
	tdp_init_sptes(sp->spt, SPTE_ENT_PER_PAGE, spte, step, level);
}

/*
 * Replace the huge leaf at the current SPTE by a table that maps the same. No flush
 * is owed: TLBs may hold a mix of both, which translates alike. @sp: initialised by
 * the caller, and still the caller's if this fails, with -EBUSY. Mirrors
 * tdp_mmu_split_huge_page().
 */
static int __must_check tdp_mmu_split_huge_page(struct kvm *kvm, struct tdp_iter *iter,
						struct kvm_mmu_page *sp, bool shared)
{
	fill_split_table(kvm, iter->old_spte, sp);

	if (tdp_mmu_link_sp(kvm, iter, sp, shared))
		return -EBUSY;

	/* Linking took the huge page out of the statistics, but it knows not of the children. */
	kvm_update_page_stats(kvm, iter->level - 1, SPTE_ENT_PER_PAGE);
	tdp_count(kvm->stat.splits);
	return 0;
}

/*
 * What a fault did with a huge leaf before upstream commit c4b33d28ea51: zap it, so
 * that the gfn's neighbours will fault one by one. True if the SPTE is empty now.
 */
static bool tdp_mmu_zap_huge_page(struct kvm *kvm, struct tdp_iter *iter)
{
	if (tdp_mmu_zap_spte_atomic(kvm, iter))
		return false;

	iter->old_spte = kvm_tdp_mmu_read_spte(iter->sptep, iter->level);
	return !is_shadow_present_pte(iter->old_spte) && !is_frozen_spte(iter->old_spte);
}

/* Get a table under the current SPTE, which is empty or a huge leaf. 0 or -EBUSY. */
static int __must_check tdp_mmu_add_table(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
					  struct tdp_iter *iter)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *sp;
	int r;

	if (kvm->arch.fault_policy == TDP_FAULT_ZAP && is_shadow_present_pte(iter->old_spte) &&
	    !tdp_mmu_zap_huge_page(kvm, iter))
		return -EBUSY;

	sp = tdp_mmu_alloc_sp(vcpu);
	tdp_mmu_init_child_sp(sp, iter);
	sp->nx_huge_page_disallowed = fault->huge_page_disallowed;

	if (is_shadow_present_pte(iter->old_spte))
		r = tdp_mmu_split_huge_page(kvm, iter, sp, true);
	else
		r = tdp_mmu_link_empty_sp(kvm, iter, sp);
	if (r) {
		tdp_mmu_free_sp(sp);
		return r;
	}

	if (fault->huge_page_disallowed && fault->req_level >= iter->level) {
		/* Linked, so it can be zapped: then the flag is clear again. */
		spin_lock(&kvm->arch.tdp_mmu_pages_lock);
		if (sp->nx_huge_page_disallowed)
			track_possible_nx_huge_page(kvm, sp);
		spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
	}
	return 0;
}

/**
 * kvm_tdp_mmu_map() - build what a fault needs
 * @vcpu: that faulted; its caches are filled
 * @fault: with pfn looked up; levels are adjusted here
 *
 * Adds tables from the root down, splits (or, by policy, zaps) a huge leaf that is
 * in the way, and installs the leaf.  Mirrors kvm_tdp_mmu_map().
 *
 * Context: mmu_lock held for reading, and the fault is not stale; kvm->srcu held.
 * Return: RET_PF_FIXED, _SPURIOUS, _EMULATE (MMIO), _WRITE_PROTECTED, or _RETRY if
 * another thread was in the way.
 */
int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct tdp_iter iter;
	int ret = RET_PF_RETRY;

	kvm_mmu_hugepage_adjust(vcpu, fault);

	rcu_read_lock();
	tdp_mmu_for_each_pte(iter, vcpu->arch.mmu, fault->gfn, fault->gfn + 1) {
		if (fault->nx_huge_page_workaround_enabled)
			disallowed_hugepage_adjust(fault, iter.old_spte, iter.level);

		/* Another thread zaps it. Do not even prepare a table. */
		if (is_frozen_spte(iter.old_spte))
			goto out;

		if (fault->goal_level == iter.level) {
			ret = tdp_mmu_map_handle_target_level(vcpu, fault, &iter);
			goto out;
		}

		if (is_shadow_present_pte(iter.old_spte) && !is_large_pte(iter.old_spte))
			continue;

		if (tdp_mmu_add_table(vcpu, fault, &iter))
			goto out;
	}

	/* An SPTE on the way was zapped or frozen between two reads. */
	WARN_ON_ONCE(fault->goal_level == iter.level);
out:
	rcu_read_unlock();
	return ret;
}

/* ---- MMU notifiers ---- */

/**
 * kvm_tdp_mmu_unmap_gfn_range() - zap the leaves of a range, in all roots
 * @kvm: VM
 * @range: whose host pages go away
 * @flush: the caller owes a flush already
 *
 * Invalid roots are visited too: nothing may refer to the frames afterwards.
 * Mirrors kvm_tdp_mmu_unmap_gfn_range().
 *
 * Context: mmu_lock held for writing; may yield if @range->may_block.
 * Return: true if a flush is owed.
 */
bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush)
{
	const int as_id = range->slot->as_id;
	struct kvm_mmu_page *root;

	for_each_root_yield_safe(kvm, root, as_id, false)
		flush = tdp_mmu_zap_leafs(kvm, root, range->start, range->end, range->may_block,
					  flush);
	return flush;
}

/* Call @handler for each leaf in @range; true if any call returned true. Never yields. */
static __always_inline bool
kvm_tdp_mmu_handle_gfn(struct kvm *kvm, struct kvm_gfn_range *range,
		       bool (*handler)(struct kvm *kvm, struct tdp_iter *iter, gfn_t end))
{
	struct kvm_mmu_page *root;
	struct tdp_iter iter;
	bool any = false;

	lockdep_assert_held_write(&kvm->mmu_lock);

	for_each_tdp_mmu_root(kvm, root, range->slot->as_id) {
		rcu_read_lock();
		tdp_root_for_each_leaf_pte(iter, root, range->start, range->end) {
			if (unlikely(handler(kvm, &iter, range->end)))
				any = true;
		}
		rcu_read_unlock();
	}
	return any;
}

/* Is the current leaf accessed? If not, those behind it that are not either are passed. */
static __always_inline bool iter_accessed(struct kvm *kvm, struct tdp_iter *iter, gfn_t end)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);

	if (is_accessed_spte(fmt, iter->old_spte))
		return true;
	tdp_iter_pass_alike(iter, end,
			    SPTE_MMU_PRESENT_MASK | SPTE_TDP_AD_MASK | fmt->shadow_accessed_mask |
				    fmt->shadow_acc_track_mask);
	return false;
}

static bool test_age_gfn(struct kvm *kvm, struct tdp_iter *iter, gfn_t end)
{
	return iter_accessed(kvm, iter, end);
}

static bool age_gfn_range(struct kvm *kvm, struct tdp_iter *iter, gfn_t end)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const u64 spte = iter->old_spte;

	if (!iter_accessed(kvm, iter, end))
		return false;

	if (spte_ad_enabled(spte)) {
		if (tdp_iter_change_leaves(kvm, iter, end, spte & ~fmt->shadow_accessed_mask,
					   false))
			return true;
		iter->old_spte = tdp_mmu_clear_spte_bits(fmt, iter->sptep, spte,
							 fmt->shadow_accessed_mask, iter->level);
		return true;
	}

	/* W, which stands for D, is about to go. */
	if (is_writable_pte(spte))
		kvm_set_pfn_dirty(kvm, kvm_spte_to_pfn(kvm, spte));

	iter->old_spte = kvm_tdp_mmu_write_spte(fmt, iter->sptep, spte,
						mark_spte_for_access_track(fmt, spte), iter->level);
	return true;
}

/**
 * kvm_tdp_mmu_age_gfn_range() - make a range look unaccessed
 * @kvm: VM
 * @range: gfns
 *
 * The host is told by the result, so no accessed marks are made.  Mirrors
 * kvm_tdp_mmu_age_gfn_range().
 *
 * Context: mmu_lock held for writing; does not yield. No flush is owed: TLBs may go
 * on without accesses being noticed.
 * Return: true if any page had been accessed.
 */
bool kvm_tdp_mmu_age_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	return kvm_tdp_mmu_handle_gfn(kvm, range, age_gfn_range);
}

/**
 * kvm_tdp_mmu_test_age_gfn() - has a range been accessed since it was aged?
 * @kvm: VM
 * @range: gfns
 *
 * Mirrors kvm_tdp_mmu_test_age_gfn().
 *
 * Context: mmu_lock held for writing; does not yield.
 * Return: true if any page has been.
 */
bool kvm_tdp_mmu_test_age_gfn(struct kvm *kvm, struct kvm_gfn_range *range)
{
	return kvm_tdp_mmu_handle_gfn(kvm, range, test_age_gfn);
}

/* ---- dirty logging ---- */

static inline gfn_t slot_end(const struct kvm_memory_slot *slot)
{
	return slot->base_gfn + slot->npages;
}

static bool wrprot_gfn_range(struct kvm *kvm, struct kvm_mmu_page *root,
			     const struct kvm_memory_slot *slot, int min_level)
{
	const gfn_t end = slot_end(slot);
	struct tdp_iter iter;
	bool changed = false;

	WARN_ON(min_level > KVM_MAX_HUGEPAGE_LEVEL);

	rcu_read_lock();
	for_each_used_tdp_pte_min_level(iter, root, min_level, slot->base_gfn, end, true) {
again:
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, true))
			continue;
		if (!iter_at_leaf(&iter))
			continue;
		if (!is_writable_pte(iter.old_spte)) {
			tdp_iter_pass_alike(&iter, end, SPTE_MMU_PRESENT_MASK | PT_WRITABLE_MASK);
			continue;
		}
		if (!tdp_mmu_change_leaves(kvm, &iter, end, iter.old_spte & ~PT_WRITABLE_MASK,
					   true) &&
		    tdp_mmu_set_spte_atomic(kvm, &iter, iter.old_spte & ~PT_WRITABLE_MASK))
			goto again;
		changed = true;
	}
	rcu_read_unlock();
	return changed;
}

/**
 * kvm_tdp_mmu_wrprot_slot() - take write access from a slot's leaves
 * @kvm: VM
 * @slot: slot
 * @min_level: smallest leaves to change
 *
 * MMU-writable stays: a fast page fault may give W back.  Mirrors
 * kvm_tdp_mmu_wrprot_slot().
 *
 * Context: mmu_lock held for reading; may yield.
 * Return: true if a flush is owed (it may be done after mmu_lock is dropped).
 */
bool kvm_tdp_mmu_wrprot_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, int min_level)
{
	struct kvm_mmu_page *root;
	bool changed = false;

	lockdep_assert_held_read(&kvm->mmu_lock);

	for_each_valid_tdp_mmu_root_yield_safe(kvm, root, slot->as_id)
		changed |= wrprot_gfn_range(kvm, root, slot, min_level);
	return changed;
}

/* A table for a split out of the fault path, where sleeping is allowed. */
static struct kvm_mmu_page *tdp_mmu_alloc_sp_for_split(void)
{
	struct kvm_mmu_page *sp = kzalloc(sizeof(*sp));

	if (!sp)
		return NULL;

	sp->spt = tdp_page_reserve(0);	/* every entry is about to be set */
	if (!sp->spt) {
		kfree(sp);
		return NULL;
	}
	return sp;
}

/* The same, with mmu_lock and RCU dropped meanwhile; the lock is held again in any case. */
static struct kvm_mmu_page *alloc_sp_unlocked(struct kvm *kvm, bool shared)
{
	rwlock_t *lock = &kvm->mmu_lock;
	struct kvm_mmu_page *sp;

	rcu_read_unlock();
	if (shared) {
		read_unlock(lock);
		sp = tdp_mmu_alloc_sp_for_split();
		read_lock(lock);
	} else {
		write_unlock(lock);
		sp = tdp_mmu_alloc_sp_for_split();
		write_lock(lock);
	}
	if (sp)
		rcu_read_lock();
	return sp;
}

static int tdp_mmu_split_huge_pages_root(struct kvm *kvm, struct kvm_mmu_page *root, gfn_t start,
					 gfn_t end, int target_level, bool shared)
{
	const int min_level = target_level + 1;
	struct kvm_mmu_page *sp = NULL;
	struct tdp_iter iter;

	rcu_read_lock();

	/* Preorder: a 1G page that was just split is followed by its 2M parts. */
	for_each_used_tdp_pte_min_level(iter, root, min_level, start, end, true) {
again:
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, shared))
			continue;
		if (!is_large_pte(iter.old_spte) || !is_shadow_present_pte(iter.old_spte))
			continue;

		if (sp) {
			tdp_mmu_init_child_sp(sp, &iter);
			if (tdp_mmu_split_huge_page(kvm, &iter, sp, shared))
				goto again;
			sp = NULL;
		} else {
			sp = alloc_sp_unlocked(kvm, shared);
			if (!sp)
				return -ENOMEM;
			iter.yielded = true;
		}
	}
	rcu_read_unlock();

	/* The last page may have been split by a fault meanwhile. */
	if (sp)
		tdp_mmu_free_sp(sp);
	return 0;
}

/**
 * kvm_tdp_mmu_try_split_huge_pages() - split the huge pages of a range
 * @kvm: VM
 * @slot: slot that holds the range
 * @start: first gfn
 * @end: first gfn after the range
 * @level: largest size that may remain
 * @shared: mmu_lock is held for reading
 *
 * Stops where memory runs out: a fault will split the rest.  Mirrors
 * kvm_tdp_mmu_try_split_huge_pages().
 *
 * Context: mmu_lock held, for reading or writing; is dropped for each allocation.
 */
void kvm_tdp_mmu_try_split_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot,
				      gfn_t start, gfn_t end, int level, bool shared)
{
	const int as_id = slot->as_id;
	struct kvm_mmu_page *root;

	kvm_lockdep_assert_mmu_lock_held(kvm, shared);

	for_each_valid_tdp_mmu_root_yield_safe(kvm, root, as_id) {
		if (!tdp_mmu_split_huge_pages_root(kvm, root, start, end, level, shared))
			continue;
		kvm_tdp_mmu_put_root(kvm, root);
		break;
	}
}

/* All tables of a tree are of the root's kind, so any of them can tell. */
static bool tdp_mmu_need_write_protect(struct kvm *kvm, const struct kvm_mmu_page *sp)
{
	return !kvm_ad_enabled(kvm_spte_format(kvm)) || kvm_mmu_page_ad_need_write_protect(kvm, sp);
}

/* The bit whose absence makes the next write noticed: W or D. */
static u64 tdp_mmu_dirty_bit(struct kvm *kvm, const struct kvm_mmu_page *root, bool wrprot)
{
	if (wrprot || tdp_mmu_need_write_protect(kvm, root))
		return PT_WRITABLE_MASK;
	return kvm_spte_format(kvm)->shadow_dirty_mask;
}

/* D says nothing of a leaf for which W does. */
static inline void check_dirty_bit(struct kvm *kvm, u64 dbit, u64 spte)
{
	KVM_MMU_WARN_ON(dbit == kvm_spte_format(kvm)->shadow_dirty_mask &&
			spte_ad_need_write_protect(spte));
}

static bool clear_dirty_gfn_range(struct kvm *kvm, struct kvm_mmu_page *root,
				  const struct kvm_memory_slot *slot)
{
	const u64 dbit = tdp_mmu_dirty_bit(kvm, root, false);
	const gfn_t end = slot_end(slot);
	struct tdp_iter iter;
	bool changed = false;

	rcu_read_lock();
	for_each_used_tdp_pte_min_level(iter, root, PG_LEVEL_4K, slot->base_gfn, end, false) {
again:
		if (!iter_at_leaf(&iter))
			continue;
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, true))
			continue;

		check_dirty_bit(kvm, dbit, iter.old_spte);
		if (!(iter.old_spte & dbit)) {
			tdp_iter_pass_alike(&iter, end,
					    SPTE_MMU_PRESENT_MASK | SPTE_TDP_AD_MASK | dbit);
			continue;
		}
		if (!tdp_mmu_change_leaves(kvm, &iter, end, iter.old_spte & ~dbit, true) &&
		    tdp_mmu_set_spte_atomic(kvm, &iter, iter.old_spte & ~dbit))
			goto again;
		changed = true;
	}
	rcu_read_unlock();
	return changed;
}

/**
 * kvm_tdp_mmu_clear_dirty_slot() - make all of a slot look clean
 * @kvm: VM
 * @slot: slot
 *
 * Clears D, or W where writes are noticed by faults.  Mirrors
 * kvm_tdp_mmu_clear_dirty_slot().
 *
 * Context: mmu_lock held for reading; may yield.
 * Return: true if a flush is owed.
 */
bool kvm_tdp_mmu_clear_dirty_slot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	struct kvm_mmu_page *root;
	bool changed = false;

	lockdep_assert_held_read(&kvm->mmu_lock);

	for_each_valid_tdp_mmu_root_yield_safe(kvm, root, slot->as_id)
		changed |= clear_dirty_gfn_range(kvm, root, slot);
	return changed;
}

/* @mask has bit @i, which is the page @gfn + @i: the first page behind it that is not in the mask. */
static gfn_t gfn_behind_run(gfn_t gfn, u64 mask, int i)
{
	const u64 others = ~mask >> i;

	return gfn + i + (others ? __builtin_ctzll(others) : 64 - i);
}

static void clear_dirty_pt_masked(struct kvm *kvm, struct kvm_mmu_page *root, gfn_t gfn, u64 mask,
				  bool wrprot)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const u64 dbit = tdp_mmu_dirty_bit(kvm, root, wrprot);
	const gfn_t first = gfn + __builtin_ctzll(mask);
	struct tdp_iter iter;

	lockdep_assert_held_write(&kvm->mmu_lock);

	rcu_read_lock();
	tdp_root_for_each_leaf_pte(iter, root, first, gfn + 64) {
		gfn_t behind;
		int i, n;

		if (!mask)
			break;

		check_dirty_bit(kvm, dbit, iter.old_spte);
		if (iter.level > PG_LEVEL_4K)
			continue;

		i = iter.gfn - gfn;
		if (!(mask & BIT_ULL(i)))
			continue;
		behind = gfn_behind_run(gfn, mask, i);
		mask &= ~BIT_ULL(i);
		if (!(iter.old_spte & dbit))
			continue;

		n = tdp_iter_change_leaves(kvm, &iter, behind, iter.old_spte & ~dbit, false);
		if (n) {
			mask &= ~(~0ULL >> (64 - n) << i);
			kvm_set_pfns(kvm, kvm_spte_to_pfn(kvm, iter.old_spte), n, true, false);
			continue;
		}
		iter.old_spte =
			tdp_mmu_clear_spte_bits(fmt, iter.sptep, iter.old_spte, dbit, iter.level);
		kvm_set_pfn_dirty(kvm, kvm_spte_to_pfn(kvm, iter.old_spte));
	}
	rcu_read_unlock();
}

/**
 * kvm_tdp_mmu_clear_dirty_pt_masked() - make up to 64 4K pages look clean
 * @kvm: VM
 * @slot: that holds them
 * @gfn: page of bit 0
 * @mask: which
 * @wrprot: clear W rather than D
 *
 * Huge pages are left alone.  Mirrors kvm_tdp_mmu_clear_dirty_pt_masked().
 *
 * Context: mmu_lock held for writing; does not yield. The caller owes a flush.
 */
void kvm_tdp_mmu_clear_dirty_pt_masked(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				       u64 mask, bool wrprot)
{
	const int as_id = slot->as_id;
	struct kvm_mmu_page *root;

	if (!mask)
		return;

	for_each_valid_tdp_mmu_root(kvm, root, as_id)
		clear_dirty_pt_masked(kvm, root, gfn, mask, wrprot);
}

static void zap_collapsible_spte_range(struct kvm *kvm, struct kvm_mmu_page *root,
				       const struct kvm_memory_slot *slot)
{
	const gfn_t start = slot->base_gfn;
	const gfn_t end = slot_end(slot);
	struct tdp_iter iter;

	rcu_read_lock();
	for_each_used_tdp_pte_min_level(iter, root, PG_LEVEL_2M, start, end, true) {
again:
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, true))
			continue;

		/* Links only, of tables that a huge page could replace... */
		if (iter.level > KVM_MAX_HUGEPAGE_LEVEL || !is_shadow_present_pte(iter.old_spte) ||
		    is_last_spte(iter.old_spte, iter.level))
			continue;
		/* ... which begins within the slot: lpage_info covers no more. */
		if (iter.gfn < start || iter.gfn >= end)
			continue;
		if (kvm_mmu_max_mapping_level(kvm, slot, iter.gfn, KVM_MAX_HUGEPAGE_LEVEL) <
		    iter.level)
			continue;

		if (tdp_mmu_zap_spte_atomic(kvm, &iter))
			goto again;
	}
	rcu_read_unlock();
}

/**
 * kvm_tdp_mmu_zap_collapsible_sptes() - drop the tables that huge pages could replace
 * @kvm: VM
 * @slot: slot whose logging has ended
 *
 * The next fault maps the huge page.  Mirrors kvm_tdp_mmu_zap_collapsible_sptes().
 *
 * Context: mmu_lock held for reading; may yield. Flushes itself.
 */
void kvm_tdp_mmu_zap_collapsible_sptes(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	const int as_id = slot->as_id;
	struct kvm_mmu_page *root;

	lockdep_assert_held_read(&kvm->mmu_lock);

	for_each_valid_tdp_mmu_root_yield_safe(kvm, root, as_id)
		zap_collapsible_spte_range(kvm, root, slot);
}

static bool write_protect_gfn(struct kvm *kvm, struct kvm_mmu_page *root, gfn_t gfn, int min_level)
{
	const u64 writable = PT_WRITABLE_MASK | kvm_spte_format(kvm)->shadow_mmu_writable_mask;
	struct tdp_iter iter;
	bool changed = false;

	WARN_ON(min_level > KVM_MAX_HUGEPAGE_LEVEL);

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, min_level, gfn, gfn + 1) {
		if (!iter_at_leaf(&iter))
			continue;
		/* W alone may be clear, for logging: a fast page fault could set it again. */
		if (!(iter.old_spte & writable))
			break;
		tdp_mmu_iter_set_spte(kvm, &iter, iter.old_spte & ~writable);
		changed = true;
	}
	rcu_read_unlock();
	return changed;
}

/**
 * kvm_tdp_mmu_write_protect_gfn() - intercept all writes to a page from now on
 * @kvm: VM
 * @slot: of @gfn
 * @gfn: page
 * @min_level: smallest leaf to change
 *
 * Clears MMU-writable too, so that no fast page fault undoes it.  Mirrors
 * kvm_tdp_mmu_write_protect_gfn().
 *
 * Context: mmu_lock held for writing; does not yield.
 * Return: true if a flush is owed before mmu_lock is dropped.
 */
bool kvm_tdp_mmu_write_protect_gfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				   int min_level)
{
	struct kvm_mmu_page *root;
	bool changed = false;

	lockdep_assert_held_write(&kvm->mmu_lock);

	for_each_valid_tdp_mmu_root(kvm, root, slot->as_id)
		changed |= write_protect_gfn(kvm, root, gfn, min_level);
	return changed;
}

/* ---- lockless walks ---- */

/**
 * kvm_tdp_mmu_get_walk() - the SPTEs that translate an address
 * @vcpu: whose root
 * @addr: gpa
 * @sptes: result, indexed by level; PT64_ROOT_MAX_LEVEL + 1 entries
 * @root_level: result
 *
 * Mirrors kvm_tdp_mmu_get_walk().
 *
 * Context: between kvm_tdp_mmu_walk_lockless_begin() and _end().
 * Return: lowest level in @sptes, whose entry need not be present; -1 without a root.
 */
int kvm_tdp_mmu_get_walk(struct kvm_vcpu *vcpu, gpa_t addr, u64 *sptes, int *root_level)
{
	struct kvm_mmu *mmu = vcpu->arch.mmu;
	const gfn_t gfn = addr >> PAGE_SHIFT;
	struct tdp_iter iter;
	int leaf = -1;

	*root_level = mmu->root_role.level;

	tdp_mmu_for_each_pte(iter, mmu, gfn, gfn + 1) {
		sptes[iter.level] = iter.old_spte;
		leaf = iter.level;
	}
	return leaf;
}

/**
 * kvm_tdp_mmu_fast_pf_get_last_sptep() - the last SPTE on the way to a gfn
 * @vcpu: whose root
 * @gfn: page
 * @spte: result: the SPTE's value
 *
 * Mirrors kvm_tdp_mmu_fast_pf_get_last_sptep().
 *
 * Context: between kvm_tdp_mmu_walk_lockless_begin() and _end(), after which the
 * pointer is not to be used.
 * Return: where it is; NULL without a root.
 */
u64 *kvm_tdp_mmu_fast_pf_get_last_sptep(struct kvm_vcpu *vcpu, gfn_t gfn, u64 *spte)
{
	struct tdp_iter iter;
	u64 *sptep = NULL;

	tdp_mmu_for_each_pte(iter, vcpu->arch.mmu, gfn, gfn + 1) {
		sptep = iter.sptep;
		*spte = iter.old_spte;
	}
	return sptep;
}
