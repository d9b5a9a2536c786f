// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_spte: SPTEs under construction and change, against the oracle's two statements of what their
 * bits mean: format.h says what is legal, model_spte.h what exactly must come out.
 *
 * Input: 8 bytes of configuration, then steps until the end. Numbers have their least significant
 * byte first.
 *
 *	byte 0	bit 0 NPT, 1 A/D, 2 NX mitigation, 3 PML, 4 execute-only, 5 L1TF, 6 five levels
 *	byte 1	memory encryption: off, SME, TDX (modulo 3)
 *	byte 2	physical address bits - 36 (modulo 17); byte 3 the same of the L1 cache
 *	byte 4-7	zero
 *
 *	step	byte, modulo 11, and operands
 *	0 map	flags: bits 0-1 level, 2 read-only, 3 tracked, 4 device, 5 prefetch, 6 nested,
 *		7 in the place of the current SPTE; 8 bytes: frame
 *	1 MMIO	8 bytes: gfn; 8 bytes: generation
 *	2 split	2 bytes: which part
 *	3 age
 *	4 give an access-tracked SPTE back what it had
 *	5 the CPU sets A
 *	6 the CPU sets D
 *	7 take W away; 8 take MMU-writable away, too
 *	9 link	4 bytes: page table
 *	10 reserved bits	byte: level - 1 (modulo levels); 8 bytes: any value
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_reader.h"
#include "driver.h"
#include "format.h"
#include "model_spte.h"
#include "program_edit.h"
#include "spte.h"
#include "vm_config.h"

/* The VM, made of bare structures, and the current SPTE. */
static struct {
	struct kvm kvm;
	struct kvm_vcpu vcpu;
	struct kvm_memory_slot slot;
	u64 dirty_bitmap;
	struct sim_thread thread;
	struct vm_desc vm;
	struct mfmt model;
	struct format format;
	bool device;
	u64 spte;
	int level;	/* of the SPTE; 0: there is none */
	int step;
} f;

static struct kvm_write_track *track;	/* of the slot, which has one page */

static void __attribute__((noreturn, format(printf, 1, 2))) found(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	fprintf(stderr, "fuzz_spte: step %d: ", f.step);
	vfprintf(stderr, what, args);
	fprintf(stderr,
		"\n\tcurrent SPTE %016" PRIx64
		", level %d; vm mmu=%s ad=%d nx=%d pml=%d exec_only=%d "
		"me=%d l1tf=%d maxphyaddr=%d cachebits=%d\n",
		f.spte, f.level, f.vm.mmu == VM_NPT ? "npt" : "ept", f.vm.ad, f.vm.nx_huge_pages,
		f.vm.pml, f.vm.exec_only, f.vm.me, f.vm.l1tf, f.vm.maxphyaddr, f.vm.cachebits);
	va_end(args);
	abort();
}

static void expect(u64 is, u64 should, const char *what)
{
	if (is != should)
		found("%s: %016" PRIx64 ", expected %016" PRIx64, what, is, should);
}

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	(void)ctx;
	found("WARN at %s:%d: %s", site->file, site->line, cond);
}

static const struct sim_observer observer = { .warn = on_warn };

static bool is_mmio_pfn(void *host, kvm_pfn_t pfn)
{
	(void)host;
	(void)pfn;
	return f.device;
}

static void set_up(struct byte_reader *r)
{
	uint8_t bits = read_byte(r), me = read_byte(r), phys = read_byte(r), cache = read_byte(r);
	struct tdp_vm_config config;

	read_number(r, 4);
	if (!track)
		track = calloc(1, sizeof(*track) + sizeof(track->count[0]));
	if (!track)
		abort();
	memset(&f, 0, sizeof(f));
	f.vm = (struct vm_desc){
		.mmu = bits & 1 ? VM_NPT : VM_EPT,
		.ad = bits & 2,
		.nx_huge_pages = bits & 4,
		.pml = bits & 8,
		.exec_only = bits & 16,
		.l1tf = bits & 32,
		.levels = bits & 64 ? 5 : 4,
		.me = me % 3,
		.maxphyaddr = 36 + phys % 17,
		.cachebits = 36 + cache % 17,
	};
	vm_fix(&f.vm);
	config = vm_config(&f.vm);

	sim_reset();
	sim_set_observer(&observer);
	sim_begin_op(&f.thread, NULL, 0);
	if (!sim_arena)
		tdp_page_free(tdp_page_alloc(0));	/* there are addresses from the first page on */
	f.kvm.config = config;
	f.kvm.ops.is_mmio_pfn = is_mmio_pfn;
	f.kvm.arch.nx_huge_pages = config.nx_huge_pages;
	f.kvm.arch.cpu_dirty_log_size = config.pml ? 512 : 0;
	f.kvm.arch.external_write_tracking_enabled = true;
	tdp_spte_format_init(&f.kvm.arch.spte_format, &config);
	for (int as_id = 0; as_id < KVM_MAX_NR_ADDRESS_SPACES; as_id++)
		f.kvm.memslots[as_id] = &f.kvm.__memslots[as_id][0];
	f.slot.npages = 1;
	f.slot.arch.gfn_write_track = track;
	f.slot.dirty_bitmap = &f.dirty_bitmap;
	f.vcpu.kvm = &f.kvm;
	mfmt_init(&f.model, &f.vm);
	format_init(&f.format, &f.vm);
}

static const struct tdp_spte_format *masks(void)
{
	return kvm_spte_format(&f.kvm);
}

/* Everything that can be asked of a leaf. */
static void check_leaf(void)
{
	const u64 spte = f.spte;
	const char *problem = fmt_leaf_problem(&f.format, spte, f.level);

	if (problem)
		found("%s", problem);
	if (!is_shadow_present_pte(spte) || !is_last_spte(spte, f.level))
		found("a leaf is not seen as one");
	if (is_mmio_spte(masks(), spte) || is_frozen_spte(spte))
		found("a leaf looks like an MMIO or a frozen SPTE");
	expect(is_accessed_spte(masks(), spte), mspte_accessed(&f.model, spte), "accessed");
	expect(is_dirty_spte(masks(), spte), mspte_dirty(&f.model, spte), "dirty");
	expect(is_executable_pte(masks(), spte), mspte_exec(&f.model, spte), "executable");
	expect(spte_has_volatile_bits(masks(), spte), fmt_volatile(&f.format, spte), "volatile");
	expect(is_access_track_spte(masks(), spte), fmt_access_tracked(&f.format, spte), "tracked");
	expect(kvm_spte_to_pfn(&f.kvm, spte), fmt_pfn(&f.format, spte), "frame");
	expect(is_rsvd_spte(&masks()->shadow_zero_check, spte, f.level), false, "reserved bits");
	check_spte_writable_invariants(masks(), spte);
}

static u64 frame(u64 raw, int level)
{
	return raw & f.format.pa_mask >> 12 & -KVM_PAGES_PER_HPAGE(level);
}

static void map(struct byte_reader *r)
{
	const u8 flags = read_byte(r);
	const u64 raw = read_number(r, 8);
	struct mleaf want = {
		.level = 1 + (flags & 3) % 3,
		.read_only = flags & 4,
		.tracked = flags & 8,
		.device = flags & 16,
		.nx_huge = f.vm.nx_huge_pages,
		.prefetch = flags & 32,
		.guest_mode = flags & 64,
		.old = SHADOW_NONPRESENT_VALUE,
	};
	struct kvm_mmu_page sp = {
		.role = { .level = want.level,
			  .access = ACC_ALL,
			  .guest_mode = want.guest_mode,
			  .ad_disabled = !kvm_ad_enabled(masks()) },
	};
	bool over_writable, wrprot;
	u64 spte;

	want.pfn = frame(raw, want.level);
	/* In the place of a leaf of the same size, of the same frame; of an MMIO SPTE; or of nothing. */
	if (flags & 128 && f.level == want.level) {
		want.old = f.spte;
		if (is_shadow_present_pte(f.spte))
			want.pfn = fmt_pfn(&f.format, f.spte);
	}
	over_writable = is_shadow_present_pte(want.old) && is_writable_pte(want.old);

	f.device = want.device;
	f.slot.base_gfn = raw & -KVM_PAGES_PER_HPAGE(want.level);
	f.slot.flags = want.level == 1 && raw >> 63 ? KVM_MEM_LOG_DIRTY_PAGES : 0;
	track->count[0] = want.tracked;
	f.dirty_bitmap = 0;
	wrprot = make_spte(&f.vcpu, &sp, &f.slot, ACC_ALL, f.slot.base_gfn, want.pfn, want.old,
			   want.prefetch, true, !want.read_only, &spte);

	f.spte = spte;
	f.level = want.level;
	expect(spte, mspte_leaf(&f.model, &want), "new leaf");
	expect(wrprot, want.tracked && !want.read_only && !over_writable, "write-protected");
	expect(f.dirty_bitmap, f.slot.flags && is_writable_pte(spte), "logged");
	check_leaf();
}

static void map_mmio(struct byte_reader *r)
{
	const gfn_t gfn = read_number(r, 8) & (vm_gfn_limit(&f.vm) - 1);
	const u64 gen = read_number(r, 8);
	u64 spte;

	if (!f.model.mmio)
		return;		/* then none are made */

	f.kvm.__memslots[0][0].generation = gen;
	spte = make_mmio_spte(&f.vcpu, gfn, ACC_ALL);
	f.spte = spte;
	f.level = 1;
	expect(spte, mspte_mmio(&f.model, gfn, gen) | f.format.mmio_access, "MMIO");
	expect(fmt_mmio_gfn(&f.format, spte), gfn, "gfn of an MMIO SPTE");
	expect(get_mmio_spte_generation(spte), gen & f.format.gen_mask, "generation");
	expect(fmt_mmio_gen(&f.format, spte), gen & f.format.gen_mask, "generation");
	if (!is_mmio_spte(masks(), spte) || !fmt_is_mmio(&f.format, spte))
		found("an MMIO SPTE is not seen as one");
	if (is_shadow_present_pte(spte) || is_frozen_spte(spte))
		found("an MMIO SPTE looks present or frozen");
	if (!fmt_l1tf_safe(&f.format, spte))
		found("an MMIO SPTE holds a usable address");
}

static bool at_leaf(void)
{
	return f.level && is_shadow_present_pte(f.spte) && is_last_spte(f.spte, f.level);
}

static void split(struct byte_reader *r)
{
	const int index = read_number(r, 2) % SPTE_ENT_PER_PAGE;
	union kvm_mmu_page_role role = { .level = f.level - 1, .access = ACC_ALL };
	u64 want;

	if (!at_leaf() || f.level == 1)
		return;
	want = mspte_split_first(&f.model, f.spte, f.level - 1, f.vm.nx_huge_pages) +
	       (u64)index * (KVM_PAGES_PER_HPAGE(f.level - 1) << PAGE_SHIFT);
	f.spte = make_huge_page_split_spte(&f.kvm, f.spte, role, index);
	f.level--;
	expect(f.spte, want, "part of a huge page");
	check_leaf();
}

static void age(void)
{
	const u64 before = f.spte;

	if (!at_leaf())
		return;
	f.spte = mark_spte_for_access_track(masks(), before);
	expect(f.spte,
	       mspte_ad(&f.model, before) ? before & ~f.model.accessed :
					    mspte_track(&f.model, before),
	       "aged");
	check_leaf();
	if (mspte_accessed(&f.model, f.spte))
		found("an aged SPTE looks accessed");
}

static void restore(void)
{
	const u64 before = f.spte;

	if (!at_leaf() || !mspte_tracked(&f.model, before))
		return;
	f.spte = restore_acc_track_spte(masks(), before);
	expect(f.spte, mspte_untrack(&f.model, before), "restored");
	check_leaf();
}

/* What hardware, fast page faults' opposite and logging do to a leaf: legal by the rules alone. */
static void change(u64 set, u64 clear)
{
	if (!at_leaf())
		return;
	f.spte = (f.spte | set) & ~clear;
	check_leaf();
}

static void link(struct byte_reader *r)
{
	const u64 index = read_number(r, 4) % SIM_PT_PAGES;
	u64 *table = __va((SIM_PT_PFN + index) << PAGE_SHIFT);
	const u64 spte = make_nonleaf_spte(masks(), table, !kvm_ad_enabled(masks()));
	const char *problem;

	f.spte = spte;
	f.level = 0;
	expect(spte, mspte_table(&f.model) | __pa(table), "link");
	for (int level = 2; level <= f.vm.levels; level++) {
		problem = fmt_table_problem(&f.format, spte, level);
		if (problem)
			found("link at level %d: %s", level, problem);
		expect(is_rsvd_spte(&masks()->shadow_zero_check, spte, level), false,
		       "reserved bits");
		if (is_last_spte(spte, level) || !is_shadow_present_pte(spte))
			found("a link is not seen as one");
	}
	expect(fmt_table(&f.format, spte), __pa(table), "address of a table");
}

/* As KVM checks what it builds: it never makes execute-only SPTEs, though the CPU may allow them. */
static void reserved(struct byte_reader *r)
{
	const int level = 1 + read_byte(r) % f.vm.levels;
	const u64 spte = read_number(r, 8);
	const unsigned int xwr = spte & 7, type = spte >> 3 & 7;
	bool bad = spte & f.format.rsvd[fmt_is_leaf(spte, level)][level];

	/* KVM does not know how many address bits a C-bit costs. */
	if (f.vm.me == VM_ME_SME)
		return;
	if (f.format.ept)
		bad |= xwr == 2 || xwr == 4 || xwr == 6 || type == 2 || type == 3 || type == 7;
	else
		bad |= level >= 4 && spte & 1 << 8;
	expect(is_rsvd_spte(&masks()->shadow_zero_check, spte, level), bad, "reserved bits");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_reader r = { data, data + size };

	set_up(&r);
	for (f.step = 1; !reader_empty(&r); f.step++) {
		switch (read_byte(&r) % 11) {
		case 0:
			map(&r);
			break;
		case 1:
			map_mmio(&r);
			break;
		case 2:
			split(&r);
			break;
		case 3:
			age();
			break;
		case 4:
			restore();
			break;
		case 5:
			change(f.format.accessed, 0);
			break;
		case 6:
			change(is_writable_pte(f.spte) ? f.format.dirty : 0, 0);
			break;
		case 7:
			change(0, PT_WRITABLE_MASK);
			break;
		case 8:
			change(0, PT_WRITABLE_MASK | f.format.mmu_writable);
			break;
		case 9:
			link(&r);
			break;
		case 10:
			reserved(&r);
			break;
		}
	}
	sim_end_op();
	return 0;
}
