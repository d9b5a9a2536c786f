// SPDX-License-Identifier: GPL-2.0-only
/*
 * One change by itself: are the bits legal (rules B and G), and may this become that (rules A, L
 * and M)?  What may become what:
 *
 *	from \ to	none	MMIO	leaf		table		frozen
 *	none		-	map	map		map		taken away
 *	MMIO		zap	map	map		map		taken away
 *	leaf		zap	-	same page	split		taken away
 *	table		zap	-	map		-		taken away
 *
 * map: by who was asked for a mapping of that page (kvm_mmu_spte_requested).  A leaf that goes on
 * mapping the same page loses A, D, W or W and MMU-writable by whoever ages, logs or protects, and
 * gains only by a mapping.  A page table is linked by who allocated it.
 */
#include <stddef.h>

#include "klog_internal.h"

/**
 * klog_learn_format() - the first SPTE says whether it is EPT or NPT, and whether A/D bits are on
 * @log: log
 * @ev: change
 */
void klog_learn_format(struct klog *log, const struct klog_event *ev)
{
	uint64_t spte = fmt_mmu_present(ev->c) ? ev->c : ev->b;

	if (log->fmt_known || !fmt_mmu_present(spte))
		return;
	/*
	 * NPT has A in bit 5 of all it links, where EPT has nothing. Leaves of EPT have their memory
	 * type from bit 3 on, NPT's have nothing in bit 4 (PCD), and none of the upper software bits.
	 * Whether the guest's PAT is ignored (bit 6) depends on the VM's devices.
	 */
	if (klog_is_table(spte, ev->level))
		log->setup.vm.mmu = spte & 0x20 ? VM_NPT : VM_EPT;
	else
		log->setup.vm.mmu = spte & (0x7ffULL << 52 | 0x10) ? VM_EPT : VM_NPT;
	log->setup.vm.ad = log->setup.vm.mmu == VM_NPT ||
			   (spte & log->fmt.ad_type) != log->fmt.ad_disabled;
	format_init(&log->fmt, &log->setup.vm);
	log->fmt_known = true;
}

static const char *not_present_problem(const struct klog *log, const struct klog_event *ev)
{
	if (ev->c == FMT_NONPRESENT)
		return NULL;
	if (!fmt_l1tf_safe(&log->fmt, ev->c))
		return "not present, with an address that an L1TF host must not have";
	if (!fmt_is_mmio(&log->fmt, ev->c))
		return "not present, and no MMIO SPTE";
	if (ev->level != 1)
		return "an MMIO SPTE above 4K";
	if (fmt_mmio_gfn(&log->fmt, ev->c) != ev->a)
		return "an MMIO SPTE of another gfn";
	return NULL;
}

static void check_bits(struct klog *log, const struct klog_event *ev)
{
	const char *problem;

	if (!fmt_mmu_present(ev->c)) {
		problem = not_present_problem(log, ev);
		if (problem)
			klog_violation(log, 'G', ev, "%llx is %s", (unsigned long long)ev->c,
				       problem);
		return;
	}
	if (fmt_is_leaf(ev->c, ev->level))
		problem = fmt_leaf_problem(&log->fmt, ev->c, ev->level);
	else
		problem = fmt_table_problem(&log->fmt, ev->c, ev->level);
	if (problem)
		klog_violation(log, 'B', ev, "%llx is illegal: %s", (unsigned long long)ev->c,
			       problem);
}

static bool maps_here(const struct klog *log, const struct klog_task *task,
		      const struct klog_event *ev)
{
	if (klog_absent(log, KLOG_REQUESTED))
		return true;
	return task->mapping && klog_base(task->gfn, ev->level) == ev->a;
}

/* A leaf that goes on mapping the same page. */
static void check_leaf(struct klog *log, struct klog_task *task, const struct klog_event *ev,
		       bool maps)
{
	const struct format *f = &log->fmt;
	uint64_t lost = ev->b & ~ev->c, gained = ev->c & ~ev->b, may;

	if (fmt_pfn(f, ev->b) != fmt_pfn(f, ev->c)) {
		klog_violation(log, 'M', ev, "a leaf is given another page, %llx to %llx",
			       (unsigned long long)ev->b, (unsigned long long)ev->c);
		return;
	}
	if (maps) {
		klog_check_mapped(log, task, ev);
		if (klog_executable(log, ev->b) && !klog_executable(log, ev->c) && f->ad)
			klog_violation(log, 'M', ev, "a mapping takes X away, %llx to %llx",
				       (unsigned long long)ev->b, (unsigned long long)ev->c);
		if (ev->b & ~ev->c & f->dirty)
			klog_known(log, KLOG_REFAULT_D, ev);
		if (lost & FMT_BIT_W && f->ad)
			klog_known(log, KLOG_TAKES_WRITE, ev);
		return;
	}
	may = f->accessed | f->dirty;
	if (lost & FMT_BIT_W)
		may |= FMT_BIT_W;
	/* Who withdraws MMU-writable leaves no W. */
	if (!(ev->c & FMT_BIT_W))
		may |= f->mmu_writable;
	if (fmt_access_tracked(f, ev->c) && !fmt_access_tracked(f, ev->b)) {
		may |= FMT_EPT_RWX;
		gained &= ~((ev->b & 5) << f->saved_shift);
	}
	if (lost & ~may || gained)
		klog_violation(log, 'A', ev,
			       "a leaf changes in a way that nobody has, %llx to %llx",
			       (unsigned long long)ev->b, (unsigned long long)ev->c);
}

static void check_linked(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	if (!klog_absent(log, KLOG_GET_PAGE) &&
	    (task->got_level != ev->level - 1 || task->got_gfn != ev->a))
		klog_violation(log, 'L', ev,
			       "a page table is linked that this task did not allocate for it");
	task->got_level = 0;
}

static void check_from_leaf(struct klog *log, struct klog_task *task, const struct klog_event *ev,
			    bool maps)
{
	if (klog_is_leaf(ev->c, ev->level)) {
		check_leaf(log, task, ev, maps);
	} else if (ev->c == FMT_NONPRESENT) {
		if (!maps)
			klog_zapped(log, task, ev);
	} else if (fmt_mmu_present(ev->c)) {
		check_linked(log, task, ev);
		task->split_gfn = ev->a;
		task->split_level = ev->level;
		task->due = ev->line;
	} else {
		klog_violation(log, 'A', ev, "a leaf becomes an MMIO SPTE without a zap");
	}
}

static void check_from_table(struct klog *log, struct klog_task *task, const struct klog_event *ev,
			     bool maps)
{
	if (klog_is_table(ev->c, ev->level)) {
		klog_violation(log, 'A', ev, "a page table is replaced by another one or changed");
		return;
	}
	task->zap_gfn = ev->a;
	task->zap_level = ev->level - 1;
	task->due = ev->line;
	if (!fmt_mmu_present(ev->c)) {
		if (ev->c != FMT_NONPRESENT)
			klog_violation(log, 'A', ev, "a page table becomes an MMIO SPTE");
	} else if (maps) {
		klog_check_mapped(log, task, ev);
	} else {
		klog_violation(log, 'M', ev, "a leaf replaces a page table, and nobody asked");
	}
}

static void check_from_nothing(struct klog *log, struct klog_task *task,
			       const struct klog_event *ev, bool maps)
{
	if (ev->c == FMT_NONPRESENT)
		return;
	if (!maps) {
		klog_violation(log, 'M', ev, "%llx is made, and this task was not asked to map it",
			       (unsigned long long)ev->c);
		task->got_level = 0;
		return;
	}
	if (klog_is_table(ev->c, ev->level)) {
		check_linked(log, task, ev);
		return;
	}
	klog_check_mapped(log, task, ev);
	if (fmt_is_mmio(&log->fmt, ev->b) && klog_is_leaf(ev->c, ev->level) && ev->c & FMT_BIT_W &&
	    log->fmt.ad && !(ev->c & log->fmt.dirty))
		klog_known(log, KLOG_MMIO_LEAF, ev);
}

/**
 * klog_check_change() - check one change by itself
 * @log: log
 * @task: who made it
 * @ev: change
 */
void klog_check_change(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	bool maps = maps_here(log, task, ev);

	if (ev->a != klog_base(ev->a, ev->level))
		klog_violation(log, 'M', ev, "gfn %llx is none of this level's",
			       (unsigned long long)ev->a);
	if (ev->b == ev->c)
		klog_violation(log, 'A', ev, "a change that changes nothing");
	if (ev->b == FMT_FROZEN)
		klog_violation(log, 'A', ev, "a frozen SPTE is changed, to %llx",
			       (unsigned long long)ev->c);
	if (ev->b == FMT_FROZEN || ev->b == ev->c)
		return;
	if (ev->c == FMT_FROZEN) {
		if (klog_is_table(ev->b, ev->level)) {
			task->zap_gfn = ev->a;
			task->zap_level = ev->level - 1;
			task->due = ev->line;
		}
		return;
	}
	check_bits(log, ev);
	if (klog_is_leaf(ev->b, ev->level))
		check_from_leaf(log, task, ev, maps);
	else if (fmt_mmu_present(ev->b))
		check_from_table(log, task, ev, maps);
	else
		check_from_nothing(log, task, ev, maps);
}
