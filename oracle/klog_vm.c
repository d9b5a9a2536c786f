// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be gone when something ends: leaves when an unmap does (rule N), all that is in
 * invalidated roots when their zap does (rule N), everything when a VM does (rule L); and what the
 * mitigation of huge pages has to hold for (rule X).
 */
#include "klog_internal.h"
#include "map.h"

/**
 * klog_region() - a memory slot is set, moved or deleted
 * @log: log
 * @ev: event
 */
void klog_region(struct klog *log, const struct klog_event *ev)
{
	struct klog_region region = { ev->kvm, ev->d, ev->a >> 12, ev->b >> 12 };
	uint32_t i;

	for (i = 0; i < log->nr_regions; i++) {
		if (log->regions[i].kvm == region.kvm && log->regions[i].slot == region.slot)
			break;
	}
	if (i == log->nr_regions) {
		if (!region.n)
			return;
		if (log->nr_regions == log->max_regions) {
			log->max_regions = log->max_regions ? 2 * log->max_regions : 16;
			log->regions =
				oracle_grow(log->regions, log->max_regions, sizeof(*log->regions));
		}
		log->nr_regions++;
	}
	log->regions[i] = region.n ? region : log->regions[--log->nr_regions];
}

static void forget_regions(struct klog *log, uint64_t kvm)
{
	uint32_t i = 0;

	while (i < log->nr_regions) {
		if (log->regions[i].kvm == kvm)
			log->regions[i] = log->regions[--log->nr_regions];
		else
			i++;
	}
}

void klog_unmap(struct klog_task *task, const struct klog_event *ev)
{
	task->unmapping = true;
	task->unmap_kvm = ev->kvm;
	task->unmap_start = ev->a;
	task->unmap_end = ev->b;
}

/* Which address spaces have this page, as a set; both if nothing is known of slots. */
static unsigned int spaces_of(const struct klog *log, uint64_t kvm, uint64_t gfn)
{
	unsigned int spaces = 0;
	uint32_t i;

	for (i = 0; i < log->nr_regions; i++) {
		const struct klog_region *r = &log->regions[i];

		if (r->kvm == kvm && gfn >= r->gfn && gfn - r->gfn < r->n)
			spaces |= 1u << (r->slot >> 16 & 1);
	}
	return spaces ? spaces : 3;
}

static uint32_t valid_roots(const struct klog *log)
{
	uint32_t i, n = 0;

	for (i = 0; i < log->nr_roots; i++)
		n += !log->roots[i]->obsolete;
	return n;
}

/* Whether two lines are of the same VM for sure: where there is but one root, all are. */
static bool same_vm(const struct klog *log, uint64_t kvm, uint64_t other)
{
	if (kvm && other)
		return kvm == other;
	return valid_roots(log) == 1;
}

static bool is_of(const struct klog_table *root, uint64_t kvm)
{
	return !root->kvm || root->kvm == kvm;
}

static void remember(struct klog *log, uint64_t kvm, uint64_t start, uint64_t end, uint32_t line)
{
	log->unmaps[log->nr_unmaps++ % KLOG_MAX_UNMAPS] =
		(struct klog_unmap){ kvm, start, end, line };
}

/**
 * klog_unmap_end() - an unmap returns: nothing of the range may be mapped, in any root
 * @log: log
 * @task: who did it
 * @ev: event
 */
void klog_unmap_end(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	struct klog_event left[2] = { 0 };
	unsigned int spaces, having = 0;
	uint32_t i;

	if (!task->unmapping)
		return;
	task->unmapping = false;
	spaces = spaces_of(log, task->unmap_kvm, task->unmap_start);
	for (i = 0; i < log->nr_roots; i++) {
		struct klog_table *root = log->roots[i];

		if (root->as_id == KLOG_NO_AS || !is_of(root, task->unmap_kvm) ||
		    having >> root->as_id & 1)
			continue;
		if (klog_leaf_in(log, root, task->unmap_start, task->unmap_end, &left[root->as_id]))
			having |= 1u << root->as_id;
	}
	/* Where both have the page, the unmap was of one of them, and no event says of which. */
	having &= spaces;
	if (having && having == spaces) {
		struct klog_event *at = &left[having >> 1 & 1];

		at->line = ev->line;
		klog_violation(log, 'N', at, "an unmap of gfns %llx..%llx leaves %llx",
			       (unsigned long long)task->unmap_start,
			       (unsigned long long)task->unmap_end - 1, (unsigned long long)at->b);
	}
	log->totals.unmaps++;
	remember(log, task->unmap_kvm, task->unmap_start, task->unmap_end, ev->line);
}

/*
 * Whether who zapped a leaf held mmu_lock for write, so that nobody was mapping. In invalidated
 * roots it is held for read, while others map the same page in the new root; of a root from before
 * the log it is not known which it is, unless there is no other.
 */
static bool zapped_alone(struct klog *log, const struct klog_event *ev)
{
	struct klog_table *t;

	for (t = klog_at(log, ev->as_id, ev->a, ev->level); t; t = klog_next_at(t)) {
		if (t->state == KLOG_LIVE &&
		    (t->root->obsolete || (t->root->partial && valid_roots(log) > 1)))
			return false;
	}
	return true;
}

/**
 * klog_zapped() - a leaf has been zapped
 * @log: log
 * @task: who did it
 * @ev: change, not chained yet
 */
void klog_zapped(struct klog *log, const struct klog_task *task, const struct klog_event *ev)
{
	if (zapped_alone(log, ev))
		remember(log, task->kvm, ev->a, ev->a + klog_span(ev->level), ev->line);
}

/**
 * klog_check_looked_up() - whether the page that is mapped was looked up before an unmap of it
 * @log: log
 * @task: who maps
 * @ev: change
 *
 * kvm_mmu_spte_requested is written with mmu_lock held, which unmaps need for write.
 */
void klog_check_looked_up(struct klog *log, const struct klog_task *task,
			  const struct klog_event *ev)
{
	uint32_t i, n = log->nr_unmaps < KLOG_MAX_UNMAPS ? log->nr_unmaps : KLOG_MAX_UNMAPS;

	for (i = 0; i < n; i++) {
		const struct klog_unmap *u = &log->unmaps[i];

		if (u->line < task->requested || task->gfn < u->start || task->gfn >= u->end ||
		    !same_vm(log, u->kvm, task->kvm))
			continue;
		klog_violation(log, 'N', ev,
			       "mapped by a look-up of line %u, and unmapped in line %u since",
			       task->requested, u->line);
		return;
	}
}

/**
 * klog_zap_fast() - all roots of a VM are obsolete from here on
 * @log: log
 * @task: who says so
 */
void klog_zap_fast(struct klog *log, const struct klog_task *task)
{
	uint32_t i;

	for (i = 0; i < log->nr_roots; i++) {
		struct klog_table *root = log->roots[i];

		if (!task->kvm || is_of(root, task->kvm))
			root->obsolete = true;
	}
	klog_drop_empty_roots(log);
	if (log->nx_line)
		log->nx_expect = log->nx_expect == 'n' ? 'x' : 'n';
	else
		log->nx_zapped = true;
	log->nx_doubt = log->nx_line;
	log->nx_line = 0;
}

/**
 * klog_zap_roots_end() - invalidated roots have been zapped: nothing may be left in them
 * @log: log
 * @task: who did it
 * @ev: event
 */
void klog_zap_roots_end(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	uint32_t i, n;

	if (!task->zapping)
		return;
	for (i = 0; i < log->nr_roots; i++) {
		const struct klog_table *root = log->roots[i];
		struct klog_event at = { .line = ev->line,
					 .as_id = root->as_id,
					 .level = root->level };

		if (!root->obsolete || !root->nr_present || root->kvm != task->zapping ||
		    root->line > task->zap_from)
			continue;
		for (n = 0; n < 511 && !fmt_mmu_present(root->spte[n]); n++)
			;
		at.a = n * klog_span(root->level);
		if (!klog_waits(log, root->as_id, at.a, root->level))
			klog_violation(log, 'N', &at, "a zap of invalidated roots leaves %llx",
				       (unsigned long long)root->spte[n]);
	}
	task->zapping = 0;
	log->totals.zaps++;
}

/**
 * klog_vm_end() - a VM is gone: nothing of it may be left
 * @log: log
 * @ev: event
 */
void klog_vm_end(struct klog *log, const struct klog_event *ev)
{
	uint32_t i, n;

	for (i = log->nr_roots; i-- > 0;) {
		struct klog_table *root = log->roots[i];
		struct klog_event at = { .line = ev->line,
					 .as_id = root->as_id,
					 .level = root->level };

		if (root->kvm != ev->kvm)
			continue;
		for (n = 0; n < 511 && !fmt_mmu_present(root->spte[n]); n++)
			;
		at.a = n * klog_span(root->level);
		if (root->nr_present && !klog_waits(log, root->as_id, at.a, root->level)) {
			klog_violation(log, 'L', &at, "a VM ends, and %llx is left in a root of it",
				       (unsigned long long)root->spte[n]);
			continue;
		}
		klog_drop_root(log, i);
	}
	forget_regions(log, ev->kvm);
	log->totals.ends++;
}

static void broken_nx(struct klog *log, const struct klog_event *ev)
{
	if (log->nx_expect == 'n')
		klog_violation(log, 'X', ev,
			       "%llx is huge and executable: others are not, and no zap of all "
			       "roots shows that the mitigation was switched off",
			       (unsigned long long)ev->c);
	else
		klog_violation(log, 'X', ev,
			       "%llx is huge and not executable: others are, and no zap of all "
			       "roots shows that the mitigation was switched on",
			       (unsigned long long)ev->c);
}

/**
 * klog_check_nx() - a huge page was mapped: is it as executable as the others?
 * @log: log
 * @task: who mapped it, NULL if that was long ago
 * @ev: change
 *
 * The mitigation is one for the whole host. Who switches it zaps all roots then; faults in between
 * may have seen it switched already.
 */
void klog_check_nx(struct klog *log, const struct klog_task *task, const struct klog_event *ev)
{
	char now = klog_executable(log, ev->c) ? 'x' : 'n';

	if (log->setup.nx_given) {
		if (now == 'x' && log->nx_expect == 'n')
			klog_violation(log, 'X', ev, "%llx is huge and executable",
				       (unsigned long long)ev->c);
		return;
	}
	/* A fault that began since then would have seen the toggle. */
	if (log->nx_line && now == log->nx_expect && task && task->began > log->nx_line) {
		broken_nx(log, &log->nx_ev);
		log->nx_line = 0;
	}
	if (log->nx_doubt && now != log->nx_expect) {
		log->nx_expect = now;
		broken_nx(log, &log->nx_ev);
	}
	log->nx_doubt = false;
	if (log->nx_expect && now != log->nx_expect && !log->nx_zapped) {
		if (!log->nx_line) {
			log->nx_line = ev->line;
			log->nx_ev = *ev;
		}
		return;
	}
	log->nx_expect = now;
	log->nx_zapped = false;
}

/**
 * klog_expire_nx() - report huge pages that differ from others, if no zap of all roots followed
 * @log: log
 * @all: there will be no more lines
 */
void klog_expire_nx(struct klog *log, bool all)
{
	if (!log->nx_line || (!all && log->nx_line + KLOG_NX_WINDOW >= log->line))
		return;
	broken_nx(log, &log->nx_ev);
	log->nx_line = 0;
}
