// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model against SPTEs written out by hand: what the kernel makes of a page in each format is
 * accepted, and the same with any one bit, flush, mark, count, answer or log bit wrong is not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

#define INITIAL	   0x8000000000000000ULL
#define PT_PA(n)   ((0x100000ULL + (n)) << 12)
#define PAGES	   64
#define PFN(gfn)   (0x400000ULL + (gfn))
#define SLOT_PAGES 0x80000ULL
#define ANY	   '?'

enum { READ = 4, WRITE = 2, EXEC = 16, PRESENT = 1, RSVD = 8 };
enum { RETRY = 1, EMULATE = 2, WRITE_PROTECTED = 3, FIXED = 5, SPURIOUS = 6 };
/* Formats: of Linux 6.12, then of 7.2. */
enum kind { EPT_AD, EPT_NO_AD, NPT, EPT_AD_7_2, EPT_NO_AD_7_2, NPT_7_2, KINDS };

/* Links, by format, without the address. */
static const uint64_t link_bits[KINDS] = {
	0x8000000000000907, 0x8010000000000807, 0x0000000000000827,
	0x8000000000000d07, 0x9000000000000c07, 0x0000000000000827,
};

/* The known answers: pfn = 0x400000 + gfn, host-writable, write-back. */
enum answer { RWX_4K, HOST_RO, NX_2M, NX_1G, SPLIT_CHILD, AGED, LOGGED, PROTECTED, MMIO, ANSWERS };
/* clang-format off */
static const uint64_t known[ANSWERS][KINDS] = {
	[RWX_4K] = {	/* gfn 0x10 */
		0x8600000400010b77, 0x8610000400010877, 0x0000000400010e67,
		0x80a0000400010f77, 0x90a0000400010f77, 0x0000000400010e67,
	},
	[HOST_RO] = {	/* gfn 0x12 */
		0x8000000400012975, 0x8010000400012875, 0x0000000400012825,
		0x8000000400012d75, 0x9000000400012d75, 0x0000000400012825,
	},
	[NX_2M] = {	/* gfn 0x400 */
		0x8600000400400bf3, 0x86100004004008f3, 0x8000000400400ee7,
		0x80a0000400400bf3, 0x90a0000400400bf3, 0x8000000400400ee7,
	},
	[NX_1G] = {	/* gfn 0x40000 */
		0x8600000440000bf3, 0x86100004400008f3, 0x8000000440000ee7,
		0x80a0000440000bf3, 0x90a0000440000bf3, 0x8000000440000ee7,
	},
	[SPLIT_CHILD] = {	/* gfn 0x401 */
		0x8600000400401b77, 0x8610000400401877, 0x0000000400401e67,
		0x80a0000400401f77, 0x90a0000400401f77, 0x0000000400401e67,
	},
	[AGED] = {	/* gfn 0x11 */
		0x8600000400011a77, 0x8750000400011870, 0x0000000400011e47,
		0x80a0000400011e77, 0xd0f0000400011a70, 0x0000000400011e47,
	},
	[LOGGED] = {	/* gfn 0x10 */
		0x8600000400010b75, 0x8610000400010875, 0x0000000400010e65,
		0x80a0000400010f75, 0x90a0000400010f75, 0x0000000400010e65,
	},
	[PROTECTED] = {	/* gfn 0x10 */
		0x8200000400010b75, 0x8210000400010875, 0x0000000400010a65,
		0x8020000400010f75, 0x9020000400010f75, 0x0000000400010a65,
	},
	[MMIO] = {	/* gfn 0x100123 */
		0x0000000100123016, 0x0000000100123016, 0x0008000100123017,
		0x0000000100123016, 0x0000000100123016, 0x0008000100123017,
	},
};
/* clang-format on */

static struct model *model;
static uint64_t memory[PAGES][512];
static bool allocated[PAGES];
static int pages_used;
static enum kind kind;
static struct vm_desc vm;
static int mapping_level;
static bool host_writable;
static uint64_t root;
static int reports;
static char rules[64];
static char first_text[240];

/* ---- the machine ---- */

static const uint64_t *sptep(void *ctx, uint64_t pa)
{
	uint64_t n = (pa - PT_PA(0)) >> 12;

	(void)ctx;
	return n < PAGES && allocated[n] ? &memory[n][pa >> 3 & 511] : NULL;
}

static int get_mapping_level(void *ctx, uint64_t hvn)
{
	(void)ctx, (void)hvn;
	return mapping_level;
}

static bool is_mmio_pfn(void *ctx, uint64_t pfn)
{
	(void)ctx, (void)pfn;
	return false;
}

static void report(void *ctx, char rule, uint64_t gfn, uint64_t spte, const char *text)
{
	(void)ctx, (void)gfn, (void)spte;
	if (!reports)
		snprintf(first_text, sizeof(first_text), "%c: %s", rule, text);
	if (reports < (int)sizeof(rules))
		rules[reports] = rule;
	reports++;
}

static const struct model_env env = {
	.sptep = sptep,
	.mapping_level = get_mapping_level,
	.is_mmio_pfn = is_mmio_pfn,
	.report = report,
};

/* ---- a hand-made MMU ---- */

static uint64_t new_page(void)
{
	int i;

	assert_true(pages_used < PAGES);
	for (i = 0; i < 512; i++)
		memory[pages_used][i] = INITIAL;
	allocated[pages_used] = true;
	model_ev_page_alloc(model, PT_PA(pages_used), INITIAL);
	return PT_PA(pages_used++);
}

static uint64_t *entry(uint64_t pa)
{
	return &memory[(pa - PT_PA(0)) >> 12][pa >> 3 & 511];
}

static void put(uint64_t pa, uint64_t val)
{
	*entry(pa) = val;
	model_ev_spte(model, pa);
}

/* Address of the entry for @gfn at @level; tables are made on the way if @make. */
static uint64_t walk(uint64_t gfn, int level, bool make)
{
	uint64_t pa = root, at;
	int l;

	for (l = 4;; l--) {
		at = pa + 8 * (gfn >> 9 * (l - 1) & 511);
		if (l == level)
			return at;
		if (*entry(at) == INITIAL) {
			assert_true(make);
			put(at, link_bits[kind] | new_page());
		}
		pa = *entry(at) & 0x000ffffffffff000ULL;
	}
}

static struct oracle_call call;

static void begin(enum oracle_call_kind k)
{
	call = (struct oracle_call){ .kind = k, .root = ~0ULL };
	model_call_begin(model, &call);
}

static void finish(long ret)
{
	call.ret = ret;
	model_call_end(model, &call);
}

static void enter(void)
{
	begin(CALL_ENTER_GUEST);
	if (root == ~0ULL)
		root = new_page();
	call.root = root;
	finish(0);
}

static void set_region(uint32_t flags)
{
	begin(CALL_SET_REGION);
	call.region = (struct slot_desc){ .npages = SLOT_PAGES, .flags = flags };
}

static void setup(enum kind k, bool nx)
{
	kind = k;
	vm = (struct vm_desc){ .mmu = k % EPT_AD_7_2 == NPT ? VM_NPT : VM_EPT,
			       .kernel = k < EPT_AD_7_2 ? VM_LINUX_6_12 : VM_LINUX_7_2,
			       .ad = k % EPT_AD_7_2 == EPT_AD,
			       .levels = 4,
			       .nx_huge_pages = nx,
			       .maxphyaddr = 46,
			       .cachebits = 46,
			       .nx_ratio = 1,
			       .quirk_zap_all = true };
	mapping_level = 1;
	host_writable = true;
	root = ~0ULL;
	pages_used = 0;
	memset(allocated, 0, sizeof(allocated));
	reports = 0;
	first_text[0] = 0;
	model_reset(model, &vm, &env);
	begin(CALL_CREATE_VM);
	finish(0);
	set_region(0);
	finish(0);
	enter();
	assert_int_equal(reports, 0);
}

/* Linux 7.2 tells the host of a frame that it maps, and never after. */
static bool marks_early(void)
{
	return vm.kernel == VM_LINUX_7_2;
}

static void begin_fault(uint64_t gfn, uint64_t error_code)
{
	begin(CALL_PAGE_FAULT);
	call.gfn = gfn;
	call.error_code = error_code;
	if (gfn >= SLOT_PAGES)
		return;
	model_ev_fault_in(model, gfn, error_code & WRITE, 0, host_writable, PFN(gfn));
	if (!marks_early())
		return;
	model_ev_pfn_accessed(model, PFN(gfn));
	if (host_writable)
		model_ev_pfn_dirty(model, PFN(gfn));
}

static void fault(uint64_t gfn, uint64_t error_code, int level, uint64_t spte, long ret)
{
	begin_fault(gfn, error_code);
	put(walk(gfn, level, true), spte);
	finish(ret);
}

static void host_dirty(uint64_t pfn)
{
	model_ev_pfn_dirty(model, pfn);
}

/* A writable leaf loses what says that it is dirty: without D that is W, and the host is told. */
static void lost_write(uint64_t gfn)
{
	if (kind == EPT_NO_AD)
		host_dirty(PFN(gfn));
}

/* ---- one scenario for each known answer; @spte is what the hand-made MMU writes ---- */

static void make_4k(uint64_t spte)
{
	fault(0x10, WRITE, 1, spte, FIXED);
}

static void make_host_ro(uint64_t spte)
{
	host_writable = false;
	fault(0x12, READ, 1, spte, FIXED);
}

static void make_2m(uint64_t spte)
{
	mapping_level = 2;
	fault(0x400, WRITE, 2, spte, FIXED);
}

static void make_1g(uint64_t spte)
{
	mapping_level = 3;
	fault(0x40000, WRITE, 3, spte, FIXED);
}

/*
 * An instruction fetch of gfn 0x402 splits the 2M page; entry 1 of the new table is @spte. The
 * entry that the fetch wanted is then made once more, and, since a writable one is replaced,
 * without D; but not by Linux 7.2.
 */
static void make_split(uint64_t spte)
{
	static const uint64_t dirty[KINDS] = { 0x200, 0, 0x40 };
	uint64_t first = known[SPLIT_CHILD][kind] - 0x1000, pa;
	int i;

	make_2m(known[NX_2M][kind]);
	begin_fault(0x402, EXEC | PRESENT);
	pa = new_page();
	for (i = 0; i < 512; i++)
		put(pa + 8 * i, i == 1 ? spte : first + (uint64_t)i * 0x1000);
	put(walk(0x400, 2, false), link_bits[kind] | pa);
	if (!marks_early()) {
		host_dirty(PFN(0x400));
		model_ev_pfn_accessed(model, PFN(0x400));
	}
	if (dirty[kind]) {
		put(pa + 16, (first + 0x2000) & ~dirty[kind]);
		host_dirty(PFN(0x402));
	}
	finish(dirty[kind] ? FIXED : SPURIOUS);
}

static void make_aged(uint64_t spte)
{
	fault(0x11, WRITE, 1, known[RWX_4K][kind] + 0x1000, FIXED);
	begin(CALL_AGE);
	call.gfn = 0x11;
	call.n = 1;
	put(walk(0x11, 1, false), spte);
	lost_write(0x11);
	finish(1);
}

static void make_logged(uint64_t spte)
{
	make_4k(known[RWX_4K][kind]);
	set_region(SLOT_LOG);
	put(walk(0x10, 1, false), spte);
	lost_write(0x10);
	model_ev_flush(model, 0, SLOT_PAGES);
	finish(0);
}

static void make_protected(uint64_t spte)
{
	make_4k(known[RWX_4K][kind]);
	begin(CALL_WRITE_PROTECT);
	call.gfn = 0x10;
	call.level = 1;
	put(walk(0x10, 1, false), spte);
	lost_write(0x10);
	model_ev_flush(model, 0, 0);
	finish(1);
}

static void make_mmio(uint64_t spte)
{
	fault(0x100123, READ, 1, spte, EMULATE);
}

static const struct {
	void (*make)(uint64_t spte);
	bool nx;
} scenario[ANSWERS] = {
	[RWX_4K] = { make_4k, false },	      [HOST_RO] = { make_host_ro, false },
	[NX_2M] = { make_2m, true },	      [NX_1G] = { make_1g, true },
	[SPLIT_CHILD] = { make_split, true }, [AGED] = { make_aged, false },
	[LOGGED] = { make_logged, false },    [PROTECTED] = { make_protected, false },
	[MMIO] = { make_mmio, false },
};

static void test_known_answers(void **state)
{
	int a, k;

	(void)state;
	for (a = 0; a < ANSWERS; a++) {
		for (k = 0; k < KINDS; k++) {
			setup(k, scenario[a].nx);
			scenario[a].make(known[a][k]);
			if (reports)
				fail_msg("answer %d, format %d: %s", a, k, first_text);
		}
	}
}

static void test_every_bit_counts(void **state)
{
	int a, k, bit;

	(void)state;
	for (a = 0; a < ANSWERS; a++) {
		for (k = 0; k < KINDS; k++) {
			for (bit = 0; bit < 64; bit++) {
				setup(k, scenario[a].nx);
				scenario[a].make(known[a][k] ^ 1ULL << bit);
				if (!reports)
					fail_msg("answer %d, format %d: bit %d may be wrong", a, k,
						 bit);
			}
		}
	}
}

/* ---- what else can be wrong ---- */

static void expect(char rule, const char *text)
{
	if (!reports)
		fail_msg("not noticed: %s", text ? text : "a difference");
	if (rule != ANY && rules[0] != rule)
		fail_msg("rule %c, not %c: %s", rules[0], rule, first_text);
	if (text && !strstr(first_text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, first_text);
}

static void test_links(void **state)
{
	uint64_t pa;
	int bit, k;

	(void)state;
	/* A bit of the link of a new table. */
	for (k = 0; k < KINDS; k++) {
		for (bit = 0; bit < 64; bit++) {
			setup(k, false);
			begin_fault(0x10, WRITE);
			put(walk(0x10, 1, true), known[RWX_4K][k]);
			put(walk(0x10, 2, false), *entry(walk(0x10, 2, false)) ^ 1ULL << bit);
			finish(FIXED);
			expect(ANY, NULL);
		}
	}
	/* An entry in a new table that nobody asked for. */
	setup(EPT_AD, false);
	begin_fault(0x10, WRITE);
	pa = walk(0x10, 1, true);
	put(pa, known[RWX_4K][EPT_AD]);
	put(pa + 8, known[RWX_4K][EPT_AD] + 0x1000);
	finish(FIXED);
	expect('M', "should be 8000000000000000 (nothing)");
	/* A table that starts with other than initial entries. */
	setup(EPT_AD, false);
	begin_fault(0x10, WRITE);
	pa = walk(0x10, 1, true);
	put(pa, known[RWX_4K][EPT_AD]);
	*entry(pa + 80) = 0;
	model_ev_page_alloc(model, pa & ~4095ULL, 0);
	model_ev_spte(model, pa);
	finish(FIXED);
	expect('M', "should be 8000000000000000 (nothing)");
	/* A table shared by two links. */
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin_fault(0x10 + 512, WRITE);
	put(walk(0x10 + 512, 2, false), *entry(walk(0x10, 2, false)));
	finish(FIXED);
	expect('M', "in use elsewhere");
}

static void test_results(void **state)
{
	(void)state;
	setup(EPT_AD, false);
	fault(0x10, WRITE, 1, known[RWX_4K][EPT_AD], SPURIOUS);
	expect('M', "returned 6, should return 5");

	/* MMIO that is mapped but not emulated. */
	setup(EPT_AD, false);
	fault(0x100123, READ, 1, known[MMIO][EPT_AD], FIXED);
	expect('G', "should return 2");

	/* No memory, though nothing was refused. */
	setup(EPT_AD, false);
	begin_fault(0x10, WRITE);
	finish(-ENOMEM);
	expect(ANY, NULL);

	/* No memory, and something was: nothing may have changed. */
	setup(EPT_AD, false);
	begin(CALL_PAGE_FAULT);
	call.gfn = 0x10;
	call.error_code = WRITE;
	model_ev_refused(model, true);
	finish(-ENOMEM);
	assert_int_equal(reports, 0);
	make_4k(known[RWX_4K][EPT_AD]);
	assert_int_equal(reports, 0);

	/* The wrong page, or the wrong access, was asked of the host. */
	setup(EPT_AD, false);
	begin(CALL_PAGE_FAULT);
	call.gfn = 0x10;
	call.error_code = WRITE;
	model_ev_fault_in(model, 0x11, true, 0, true, PFN(0x10));
	put(walk(0x10, 1, true), known[RWX_4K][EPT_AD]);
	finish(FIXED);
	expect('M', "asked for page 0x11");

	/* The host was asked for what a fast fault does without it. */
	setup(EPT_AD, false);
	make_logged(known[LOGGED][EPT_AD]);
	begin_fault(0x10, WRITE | PRESENT);
	put(walk(0x10, 1, false), known[RWX_4K][EPT_AD]);
	finish(FIXED);
	expect('M', "without need");
}

static void fast_fault(uint64_t error_code, uint64_t spte, long ret)
{
	begin(CALL_PAGE_FAULT);
	call.gfn = 0x10;
	call.error_code = error_code;
	if (spte)
		put(walk(0x10, 1, false), spte);
	finish(ret);
}

static void test_dirty_log(void **state)
{
	uint64_t bitmap[SLOT_PAGES / 64] = { 0 };
	int k;

	(void)state;
	for (k = 0; k < KINDS; k++) {
		setup(k, false);
		make_logged(known[LOGGED][k]);
		fast_fault(WRITE | PRESENT, known[RWX_4K][k], FIXED);
		fast_fault(WRITE | PRESENT, 0, SPURIOUS);
		/* The harvest names gfn 0x10 and protects it again. */
		begin(CALL_LOG_GET);
		bitmap[0] = 1ULL << 0x10;
		call.bitmap = bitmap;
		call.words = SLOT_PAGES / 64;
		put(walk(0x10, 1, false), known[LOGGED][k]);
		if (!marks_early())
			host_dirty(PFN(0x10));
		model_ev_flush(model, 0, SLOT_PAGES);
		finish(0);
		if (reports)
			fail_msg("format %d: %s", k, first_text);
		/* The next finds nothing. */
		begin(CALL_LOG_GET);
		bitmap[0] = 0;
		bitmap[100] = 1;
		call.bitmap = bitmap;
		call.words = SLOT_PAGES / 64;
		finish(0);
		expect('D', "gfn 0x1900 on is 0000000000000001, should be 0000000000000000");
		bitmap[100] = 0;
	}

	/* A mark that comes while the log is being fetched counts: the CPU's is drained then. */
	setup(EPT_AD, false);
	make_logged(known[LOGGED][EPT_AD]);
	begin(CALL_LOG_GET);
	{
		struct oracle_call get = call, mark = { .kind = CALL_MARK_DIRTY, .gfn = 0x7f };

		model_call_begin(model, &mark);
		model_call_end(model, &mark);
		call = get;
	}
	bitmap[1] = 1ULL << 63;
	call.bitmap = bitmap;
	call.words = SLOT_PAGES / 64;
	model_ev_flush(model, 0, SLOT_PAGES);
	finish(0);
	assert_int_equal(reports, 0);
}

static void test_flushes_and_marks(void **state)
{
	(void)state;
	/* Without a flush... */
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin(CALL_INVALIDATE_START);
	call.gfn = 0x10;
	call.n = 1;
	put(walk(0x10, 1, false), INITIAL);
	host_dirty(PFN(0x10));
	model_ev_pfn_accessed(model, PFN(0x10));
	finish(0);
	expect('T', "no flush of everything");
	/* ...before the change... */
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin(CALL_INVALIDATE_START);
	call.gfn = 0x10;
	call.n = 1;
	model_ev_flush(model, 0, 0);
	put(walk(0x10, 1, false), INITIAL);
	host_dirty(PFN(0x10));
	model_ev_pfn_accessed(model, PFN(0x10));
	finish(0);
	expect('T', "no flush of everything");
	/* ...of too little. */
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin(CALL_ZAP_RANGE);
	call.gfn = 0x10;
	call.n = 0x10;
	put(walk(0x10, 1, false), INITIAL);
	host_dirty(PFN(0x10));
	model_ev_pfn_accessed(model, PFN(0x10));
	model_ev_flush(model, 0x11, 0xf);
	finish(0);
	expect('T', "no flush of 16 pages from gfn 0x10 on");
	/* The host is not told that the page is dirty; or of another one. */
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin(CALL_INVALIDATE_START);
	call.gfn = 0x10;
	call.n = 1;
	put(walk(0x10, 1, false), INITIAL);
	model_ev_pfn_accessed(model, PFN(0x10));
	model_ev_flush(model, 0, 0);
	finish(0);
	expect('D', "pfn 0x400010 was not marked dirty");
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin(CALL_INVALIDATE_START);
	call.gfn = 0x10;
	call.n = 1;
	put(walk(0x10, 1, false), INITIAL);
	host_dirty(PFN(0x11));
	model_ev_pfn_accessed(model, PFN(0x10));
	model_ev_flush(model, 0, 0);
	finish(0);
	expect('D', "pfn 0x400010 was not marked dirty");
	/* A leaf stays behind. */
	setup(EPT_AD, false);
	make_4k(known[RWX_4K][EPT_AD]);
	begin(CALL_INVALIDATE_START);
	call.gfn = 0x10;
	call.n = 1;
	host_dirty(PFN(0x10));
	model_ev_pfn_accessed(model, PFN(0x10));
	model_ev_flush(model, 0, 0);
	finish(0);
	expect('N', "should be 8000000000000000 (nothing)");
	/* A table does, where a huge page could be since logging has ended. */
	setup(EPT_AD, false);
	make_logged(known[LOGGED][EPT_AD]);
	mapping_level = 2;
	set_region(0);
	finish(0);
	expect('M', "should be 8000000000000000 (nothing)");
	/* Roots are invalidated, and vCPUs not told. */
	setup(EPT_AD, false);
	begin(CALL_ZAP_FAST);
	finish(0);
	expect('T', "not told to drop their roots");
}

static void check_stat(int64_t p4k, int64_t p2m, int64_t p1g, int64_t nx, int64_t tables)
{
	struct oracle_stat stat = { { p4k, p2m, p1g }, nx, tables };

	model_check_stat(model, &stat);
}

static void test_statistics(void **state)
{
	static const int64_t wrong[5][5] = {
		{ 1 }, { 0, 1 }, { 0, 0, 1 }, { 0, 0, 0, 1 }, { 0, 0, 0, 0, 1 }
	};
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		setup(EPT_AD, true);
		make_split(known[SPLIT_CHILD][EPT_AD]);
		check_stat(512, 0, 0, 1, 3);
		assert_int_equal(reports, 0);
		check_stat(512 + wrong[i][0], wrong[i][1], wrong[i][2], 1 + wrong[i][3],
			   3 + wrong[i][4]);
		expect(i == 3 ? 'X' : 'L', "should be");
	}

	/* Recovery takes the table back, with all that was in it. */
	setup(EPT_AD, true);
	make_split(known[SPLIT_CHILD][EPT_AD]);
	begin(CALL_NX_RECOVER);
	put(walk(0x400, 2, false), INITIAL);
	for (i = 0; i < 512; i++) {
		if (i != 2)
			host_dirty(PFN(0x400 + i)); /* of gfn 0x402 it was told before */
		model_ev_pfn_accessed(model, PFN(0x400 + i));
	}
	model_ev_flush(model, 0, 0);
	finish(0);
	check_stat(0, 0, 0, 0, 2);
	assert_int_equal(reports, 0);
}

/* Where a huge page may not be: everything else is right, only its level is not. */
static void test_levels(void **state)
{
	uint64_t spte = 0x8600000400400bf7; /* 2M at gfn 0x400, executable */

	(void)state;
	setup(EPT_AD, false);
	mapping_level = 2;
	fault(0x400, WRITE, 2, spte, FIXED);
	assert_int_equal(reports, 0);

	setup(EPT_AD, false); /* the host has it small */
	fault(0x400, WRITE, 2, spte, FIXED);
	expect('M', "should be 8000000000000907 (a table)");

	setup(EPT_AD, true); /* the mitigation */
	mapping_level = 2;
	fault(0x400, WRITE, 2, spte, FIXED);
	expect('X', "level 2");

	setup(EPT_AD, false); /* a tracked page in it */
	mapping_level = 2;
	begin(CALL_TRACK);
	call.gfn = 0x5ff;
	finish(0);
	fault(0x400, WRITE, 2, spte, FIXED);
	expect('M', "should be 8000000000000907 (a table)");

	setup(EPT_AD, false); /* a logged slot */
	mapping_level = 2;
	set_region(SLOT_LOG);
	model_ev_flush(model, 0, 0);
	finish(0);
	fault(0x400, WRITE, 2, spte, FIXED);
	expect('M', "should be 8000000000000907 (a table)");
}

static void test_assists(void **state)
{
	uint64_t clean = known[RWX_4K][EPT_AD] & ~0x200ULL, pa;

	(void)state;
	setup(EPT_AD, false);
	make_aged(known[AGED][EPT_AD]);
	pa = walk(0x11, 1, false);
	/* Hardware sets A; aging again finds the page young. */
	model_ev_assist(model, pa, *entry(pa), *entry(pa) | 0x100);
	*entry(pa) |= 0x100;
	begin(CALL_TEST_AGE);
	call.gfn = 0x11;
	call.n = 1;
	finish(1);
	assert_int_equal(reports, 0);
	begin(CALL_TEST_AGE);
	call.gfn = 0x12;
	call.n = 1;
	finish(1);
	expect('M', "returned 1, should return 0");

	/* A harvest under PML takes D away, and only that. */
	setup(EPT_AD, false);
	vm.pml = true;
	model_reset(model, &vm, &env);
	root = ~0ULL;
	set_region(0);
	finish(0);
	enter();
	make_4k(known[RWX_4K][EPT_AD]);
	set_region(SLOT_LOG);
	put(walk(0x10, 1, false), clean);
	host_dirty(PFN(0x10));
	model_ev_flush(model, 0, 0);
	finish(0);
	assert_int_equal(reports, 0);
}

/* ---- what Linux 7.2 does otherwise ---- */

/* Generation 0x4a5: its low bits are from bit 3 on, 8 of them or 7, the others from bit 52 on. */
static void test_mmio_generation(void **state)
{
	static const uint64_t spte[KINDS] = {
		[EPT_AD] = 0x004000010012352e,
		[EPT_AD_7_2] = 0x009000010012312e,
	};
	int k;

	(void)state;
	for (k = EPT_AD; k <= EPT_AD_7_2; k += EPT_AD_7_2) {
		setup(k, false);
		vm.gen = 0x4a5 - 2; /* a slot comes */
		model_reset(model, &vm, &env);
		root = ~0ULL;
		set_region(0);
		finish(0);
		enter();
		make_mmio(spte[k]);
		if (reports)
			fail_msg("format %d: %s", k, first_text);
	}
}

/* What permits the access already stays as it is, though a new mapping would be writable. */
static void test_spurious(void **state)
{
	(void)state;
	setup(EPT_AD_7_2, false);
	make_logged(known[LOGGED][EPT_AD_7_2]);
	begin_fault(0x10, READ);
	finish(SPURIOUS);
	assert_int_equal(reports, 0);
	fault(0x10, READ, 1, known[RWX_4K][EPT_AD_7_2], FIXED);
	expect('M', "returned 5, should return 6");
}

/* A mapping goes: the host has been told of its frame when it was made. */
static void test_zap_marks_nothing(void **state)
{
	int tell;

	(void)state;
	for (tell = 0; tell < 2; tell++) {
		setup(EPT_AD_7_2, false);
		make_4k(known[RWX_4K][EPT_AD_7_2]);
		begin(CALL_INVALIDATE_START);
		call.gfn = 0x10;
		call.n = 1;
		put(walk(0x10, 1, false), INITIAL);
		if (tell)
			host_dirty(PFN(0x10));
		model_ev_flush(model, 0, 0);
		finish(0);
		if (tell)
			expect('D', "1 pfns were marked dirty");
		else
			assert_int_equal(reports, 0);
	}
}

/* Logging ends: a huge page takes the place of the table, with the bits of its first leaf. */
static void test_collapse(void **state)
{
	static const struct {
		uint64_t spte;
		const char *wrong;
	} huge[] = {
		{ 0x80a0000400400bf3, NULL },
		{ 0x80a0000400400ff7, "should be 80a0000400400bf3" }, /* executable */
		{ 0x8020000400400bf1, "should be 80a0000400400bf3" }, /* the second leaf's */
		{ INITIAL, "should be 80a0000400400bf3" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		setup(EPT_AD_7_2, true);
		fault(0x410, WRITE, 1, 0x80a0000400410f77, FIXED);
		host_writable = false;
		fault(0x412, READ, 1, 0x8000000400412d75, FIXED);
		set_region(SLOT_LOG);
		put(walk(0x410, 1, false), 0x80a0000400410f75);
		model_ev_flush(model, 0, SLOT_PAGES);
		finish(0);
		begin(CALL_PAGE_FAULT);
		call.gfn = 0x410;
		call.error_code = WRITE | PRESENT;
		put(walk(0x410, 1, false), 0x80a0000400410f77);
		finish(FIXED);
		assert_int_equal(reports, 0);
		mapping_level = 2;
		set_region(0);
		put(walk(0x400, 2, false), huge[i].spte);
		model_ev_flush(model, 0, SLOT_PAGES);
		finish(0);
		if (huge[i].wrong)
			expect(ANY, huge[i].wrong);
		else
			assert_int_equal(reports, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers), cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_links),	      cmocka_unit_test(test_results),
		cmocka_unit_test(test_dirty_log),     cmocka_unit_test(test_flushes_and_marks),
		cmocka_unit_test(test_statistics),    cmocka_unit_test(test_levels),
		cmocka_unit_test(test_assists),	      cmocka_unit_test(test_mmio_generation),
		cmocka_unit_test(test_spurious),      cmocka_unit_test(test_zap_marks_nothing),
		cmocka_unit_test(test_collapse),
	};
	int ret;

	model = model_create();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	model_destroy(model);
	return ret;
}
