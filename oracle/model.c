// SPDX-License-Identifier: GPL-2.0-only
/* The model's outside: lifecycle, what happens while a call is under way, and its end. */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>

struct model *model_create(void)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	/* Address space, most of which nobody touches. */
	m->page = calloc(SPTE_PT_PAGES, sizeof(*m->page));
	if (!m->page)
		abort();
	return m;
}

void model_destroy(struct model *m)
{
	int as, i;

	if (!m)
		return;
	for (as = 0; as < 2; as++) {
		for (i = 0; i < MODEL_SLOTS; i++) {
			mbits_free(&m->slot[as][i].dirty);
			free(m->slot[as][i].track);
		}
	}
	mtree_free(m);
	free(m->page);
	free(m->c.allocs);
	free(m);
}

static void call_reset(struct mcall *c)
{
	c->seq = 0;
	c->nr_allocs = c->next_alloc = 0;
	c->refused = 0;
	c->nr_flush = c->nr_owed = 0;
	c->kicked = c->kicked_roots = c->owe_drain = c->owe_kick = false;
	c->fault_ins = 0;
	c->expect_fault_in = false;
	c->dirty.sum = c->dirty.nr = 0;
	c->accessed.sum = c->accessed.nr = 0;
	c->want_dirty.sum = c->want_dirty.nr = 0;
	c->want_accessed.sum = c->want_accessed.nr = 0;
}

/**
 * model_reset() - start over for a new VM
 * @m: model
 * @vm: configuration
 * @env: the machine; copied
 */
void model_reset(struct model *m, const struct vm_desc *vm, const struct model_env *env)
{
	m->env = *env;
	m->vm = *vm;
	mfmt_init(&m->fmt, vm);
	m->on = true;
	m->nx = vm->nx_huge_pages;
	m->has_mmio_pfn = false;
	m->fault_marks = vm->kernel == VM_LINUX_7_2;
	m->depth = 0;
	m->vm_epoch++;
	m->epoch++;
	m->invalidating = 0;
	mtree_reset(m);
	mslot_reset(m);
	memset(m->vcpu, 0, sizeof(m->vcpu));
	call_reset(&m->c);
}

/**
 * model_stop() - make no more predictions until the next reset
 * @m: model
 *
 * For programs whose calls overlap, and after a fatal event.
 */
void model_stop(struct model *m)
{
	m->on = false;
}

void model_call_begin(struct model *m, const struct oracle_call *call)
{
	if (!m->on)
		return;
	/* The one call inside another: what the CPU had logged comes in when vCPUs are kicked. */
	if (m->depth++) {
		if (call->kind != CALL_MARK_DIRTY)
			model_stop(m);
		return;
	}
	m->kind = call->kind;
	call_reset(&m->c);
}

static void mark_dirty(struct model *m, const struct oracle_call *call)
{
	const struct mvcpu *v = &m->vcpu[call->vcpu];

	mslot_mark_dirty(m, mslot_by_gfn(m, v->role & ROLE_SMM, call->gfn), call->gfn);
}

static long predict(struct model *m, const struct oracle_call *call)
{
	switch (call->kind) {
	case CALL_CREATE_VM:
	case CALL_CREATE_VCPU:
		return m->c.refused && call->ret == -ENOMEM ? -ENOMEM : 0;
	case CALL_DESTROY_VM:
		mzap_destroy(m);
		return 0;
	case CALL_SET_REGION:
		return mslot_set_region(m, call);
	case CALL_ENTER_GUEST:
		return mvcpu_load(m, call, true);
	case CALL_MMU_LOAD:
		return mvcpu_load(m, call, false);
	case CALL_MMU_UNLOAD:
		return mvcpu_unload(m, call);
	case CALL_SET_MODE:
		return mvcpu_set_mode(m, call);
	case CALL_PAGE_FAULT:
		return mfault(m, call);
	case CALL_PRE_FAULT:
		return mfault_pre_fault(m, call);
	case CALL_INVALIDATE_START:
		return mzap_unmap_start(m, call);
	case CALL_INVALIDATE_END:
		return mzap_unmap_end(m, call);
	case CALL_AGE:
		return mage(m, call, true);
	case CALL_TEST_AGE:
		return mage(m, call, false);
	case CALL_LOG_GET:
		return mdirty_get(m, call);
	case CALL_LOG_CLEAR:
		return mdirty_clear(m, call);
	case CALL_MARK_DIRTY:
		mark_dirty(m, call);
		return 0;
	case CALL_SPLIT:
		return mdirty_split(m, call);
	case CALL_WRITE_PROTECT:
		return mdirty_write_protect(m, call);
	case CALL_TRACK:
		return mslot_track(m, call);
	case CALL_UNTRACK:
		return mslot_untrack(m, call);
	case CALL_ZAP_RANGE:
		return mzap_range(m, call);
	case CALL_ZAP_FAST:
		mzap_fast(m);
		return 0;
	case CALL_NX_RECOVER:
		return mnx_recover(m);
	case CALL_SET_NX:
		return mnx_set(m, call->on);
	case CALL_NR:
		break;
	}
	return 0;
}

/* Results that the kernel's function does not have, and the caller fills in at will. */
static bool has_ret(enum oracle_call_kind kind)
{
	switch (kind) {
	case CALL_DESTROY_VM:
	case CALL_MMU_UNLOAD:
	case CALL_MARK_DIRTY:
	case CALL_ZAP_FAST:
		return false;
	default:
		return true;
	}
}

/**
 * model_call_end() - predict what the call did, and compare
 * @m: model
 * @call: the call with its results
 */
void model_call_end(struct model *m, const struct oracle_call *call)
{
	long ret;

	if (!m->on)
		return;
	if (--m->depth) {
		mark_dirty(m, call);
		return;
	}
	ret = predict(m, call);

	if (has_ret(call->kind) && call->ret != ret)
		mreport(m, call->kind == CALL_PAGE_FAULT && ret == PF_EMULATE ? 'G' : 'M',
			call->gfn, 0, "returned %ld, should return %ld", call->ret, ret);
	if (m->c.fault_ins && !m->c.expect_fault_in)
		mreport(m, 'M', call->gfn, 0, "the host was asked for page %#llx without need",
			(unsigned long long)m->c.fault_in.hvn);
	if (call->kind == CALL_DESTROY_VM) {
		mcompare_marks(m);
		model_stop(m);
		return;
	}
	if (m->on)
		mcompare_tree(m);
	mcompare_marks(m);
	mcompare_flushes(m);
	/* What happens between calls counts towards the next. */
	if (call->kind == CALL_CREATE_VM && ret)
		model_stop(m);
}

static void report_stat(struct model *m, const struct oracle_stat *stat)
{
	static const char *const size[3] = { "4k", "2m", "1g" };
	int i;

	for (i = 0; i < 3; i++)
		if (stat->pages[i] != m->stat.pages[i])
			mreport(m, 'L', NO_GFN, 0, "pages_%s is %lld, should be %lld", size[i],
				(long long)stat->pages[i], (long long)m->stat.pages[i]);
	if (stat->tdp_mmu_pages != m->stat.tdp_mmu_pages)
		mreport(m, 'L', NO_GFN, 0, "tdp_mmu_pages is %lld, should be %lld",
			(long long)stat->tdp_mmu_pages, (long long)m->stat.tdp_mmu_pages);
	if (stat->nx_lpage_splits != m->stat.nx_lpage_splits)
		mreport(m, 'X', NO_GFN, 0, "nx_lpage_splits is %lld, should be %lld",
			(long long)stat->nx_lpage_splits, (long long)m->stat.nx_lpage_splits);
}

/**
 * model_check_stat() - compare the statistics
 * @m: model
 * @stat: what the MMU counts
 */
void model_check_stat(struct model *m, const struct oracle_stat *stat)
{
	if (m->on && !m->depth && !oracle_stat_equal(stat, &m->stat))
		report_stat(m, stat);
}

/* What is known of the page that holds @pa; NULL if that is no page table's. */
static inline struct mpage *page_of(struct model *m, uint64_t pa)
{
	uint64_t n = (pa - SPTE_PT_PA) >> 12;

	if (n >= SPTE_PT_PAGES)
		return NULL;
	if (m->page[n].epoch != m->vm_epoch)
		m->page[n] = (struct mpage){ .epoch = m->vm_epoch };
	return &m->page[n];
}

void model_ev_spte(struct model *m, uint64_t pa)
{
	struct mpage *page;

	if (!m->on)
		return;
	page = page_of(m, pa);
	if (!page)
		return;
	m->c.seq++;
	m->c.last_pa = pa;
	if (page->table)
		mtouch(m, mtable(m, page->table), pa >> 3 & 511);
	else if (page->nr_writes < MPAGE_WRITES)
		page->write[page->nr_writes++] = pa >> 3 & 511;
	else
		page->nr_writes = MPAGE_WRITES + 1;
}

void model_ev_sptes(struct model *m, uint64_t pa, int n)
{
	struct mpage *page;
	int i;

	if (!m->on)
		return;
	page = page_of(m, pa);
	if (page && (page->table || n > MPAGE_WRITES)) {
		m->c.seq += n;
		m->c.last_pa = pa + (n - 1) * 8;
		if (page->table)
			mtouch_run(m, mtable(m, page->table), pa >> 3 & 511, n);
		else
			page->nr_writes = MPAGE_WRITES + 1;
		return;
	}
	for (i = 0; i < n; i++)
		model_ev_spte(m, pa + i * 8);
}

static void log_alloc(struct model *m, bool refused)
{
	struct mcall *c = &m->c;

	if (c->nr_allocs == c->cap_allocs) {
		c->cap_allocs = c->cap_allocs ? 2 * c->cap_allocs : 64;
		c->allocs = realloc(c->allocs, c->cap_allocs * sizeof(*c->allocs));
		if (!c->allocs)
			abort();
	}
	c->allocs[c->nr_allocs++] = refused;
}

void model_ev_page_alloc(struct model *m, uint64_t pa, uint64_t fill)
{
	struct mpage *page;

	if (!m->on)
		return;
	log_alloc(m, false);
	page = page_of(m, pa);
	if (page)
		*page = (struct mpage){ .epoch = m->vm_epoch, .fill = fill, .live = true };
}

void model_ev_page_free(struct model *m, uint64_t pa)
{
	struct mpage *page;

	if (!m->on)
		return;
	page = page_of(m, pa);
	if (page)
		*page = (struct mpage){ .epoch = m->vm_epoch };
}

void model_ev_refused(struct model *m, bool page)
{
	(void)page;
	if (!m->on)
		return;
	m->c.refused++;
	log_alloc(m, true);
}

void model_ev_flush(struct model *m, uint64_t gfn, uint64_t nr)
{
	struct mcall *c = &m->c;

	if (m->on && c->nr_flush < FLUSHES_KEPT)
		c->flush[c->nr_flush++] = (struct mflush){ .gfn = gfn, .nr = nr, .seq = c->seq };
}

void model_ev_kick(struct model *m, bool drop_roots)
{
	m->c.kicked = true;
	m->c.kicked_roots |= drop_roots;
}

void model_ev_fault_in(struct model *m, uint64_t hvn, bool write, int ret, bool writable,
		       uint64_t pfn)
{
	struct mcall *c = &m->c;

	c->fault_ins++;
	c->fault_in.hvn = hvn;
	c->fault_in.write = write;
	c->fault_in.ret = ret;
	c->fault_in.writable = writable;
	c->fault_in.pfn = pfn;
}

void model_ev_pfn_dirty(struct model *m, uint64_t pfn)
{
	mmark(&m->c.dirty, pfn);
}

void model_ev_pfn_accessed(struct model *m, uint64_t pfn)
{
	mmark(&m->c.accessed, pfn);
}

void model_ev_pfns(struct model *m, uint64_t pfn, uint64_t n, bool dirty, bool accessed)
{
	if (dirty)
		mmark_run(&m->c.dirty, pfn, n);
	if (accessed)
		mmark_run(&m->c.accessed, pfn, n);
}

void model_ev_assist(struct model *m, uint64_t pa, uint64_t old, uint64_t val)
{
	unsigned int index = pa >> 3 & 511;
	struct mpage *page;
	struct mtable *t;

	if (!m->on)
		return;
	page = page_of(m, pa);
	if (!page || !page->table)
		return;
	t = mtable(m, page->table);
	/* Of a link the model knows another address; hardware adds at most A, which it has. */
	if (!mspte_is_table(mget(t, index), t->level) && mget(t, index) == old)
		t->val[index] = val;
}
