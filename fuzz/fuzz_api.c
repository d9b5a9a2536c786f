// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_api: the public interface with any arguments, the good ones and those that nobody should pass.
 * Every answer is the documented one, a refused call changes nothing, what is mapped is what the
 * slots say, and in the end all memory is free.
 *
 * Input:
 *	byte	NPT, A/D off, 5 levels, NX mitigation, eager split, zap policy, PML, no exec-only
 *	byte	manual protection, initially set, quirk off, no is_mmio_pfn, host's level (2 bits),
 *		L1TF, 52 address bits
 *	byte	how many configurations that no CPU has are tried (modulo 32), then so many bytes: what
 *		is wrong, see spoil()
 *	byte	which allocation of the VM's creation fails; 0: none
 *	calls	until the end: byte, modulo the number of calls, bit 7: a byte follows that says which
 *		allocation fails; then the arguments, each a byte that picks from its table (but a
 *		VM or vCPU: modulo 8, 7: NULL).  The functions below read them in order
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_model.h"
#include "byte_reader.h"
#include "driver.h"
#include "stuck.h"

#define MAX_CALLS    300
#define MAX_VCPUS    512 /* of a VM */
#define BITMAP_WORDS 32
#define UNTOUCHED    0xa5a5a5a5a5a5a5a5ULL

static struct api_model m;
static struct sim_thread thread;
static struct sim_choice refusal;

/* The call that is being made. */
static struct {
	const char *name;
	int number;
	bool may_warn;
	bool refused; /* by its arguments: nothing may have changed */
} call;

static void __attribute__((noreturn, format(printf, 1, 2))) found(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	fprintf(stderr, "fuzz_api: call %d, %s: ", call.number, call.name);
	vfprintf(stderr, what, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	(void)ctx;
	if (!call.may_warn)
		found("WARN at %s:%d: %s", site->file, site->line, cond);
}

static void on_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	(void)ctx;
	found("rule %c: %s (%#" PRIx64 ")", rule, what, (uint64_t)pa);
}

static const struct sim_observer observer = {
	.warn = on_warn,
	.stuck = stuck_in_words,
	.fatal = on_fatal,
};

/* ---- answers ---- */

static void expect_one_of(long r, u32 answers)
{
	if (refusal.fired)
		answers |= API_ANSWER(-ENOMEM);
	if (r > RET_PF_SPURIOUS || !(answers & API_ANSWER(r)))
		found("answered %ld, which is none of %#x", r, answers);
	call.refused = r == -EINVAL || r == -EEXIST;
}

static void expect(long r, long want)
{
	if (r != want && !(refusal.fired && r == -ENOMEM))
		found("answered %ld, expected %ld", r, want);
	call.refused = r == -EINVAL || r == -EEXIST;
}

/* ---- the host ---- */

static int host_fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	const enum api_page page = api_page(hvn);

	(void)host;
	if (page == PAGE_MISSING || (page == PAGE_READONLY && write))
		return -EFAULT;
	if (page == PAGE_BUSY) {
		m.busy = !m.busy;
		if (m.busy)
			return -EAGAIN;
	}
	*writable = page != PAGE_READONLY;
	*pfn = API_PFN + hvn;
	return 0;
}

/*
 * KVM asks whether the page that faulted is being invalidated, not those around it: it relies on a
 * host that splits its huge mapping before it takes part of it away.
 */
static int host_mapping_level(void *host, hvn_t hvn)
{
	const u64 size = 1ULL << 9 * (m.host_level - 1);
	const hvn_t start = hvn & -size;

	(void)host;
	if (hvn >= API_ODD_PAGES)
		return PG_LEVEL_4K;
	for (int i = 0; i < m.nr_invalid; i++) {
		if (m.invalid[i].start < start + size && m.invalid[i].end > start)
			return PG_LEVEL_4K;
	}
	return m.host_level;
}

static void host_note_pfn(void *host, kvm_pfn_t pfn)
{
	(void)host;
	if (pfn < API_PFN || api_page(pfn - API_PFN) == PAGE_MISSING)
		found("the host is told of pfn %#" PRIx64 ", which it never gave", (uint64_t)pfn);
}

static bool host_is_mmio_pfn(void *host, kvm_pfn_t pfn)
{
	(void)host;
	return api_page(pfn - API_PFN) == PAGE_DEVICE;
}

/* ---- arguments ---- */

static const u64 frames[] = {
	0,
	1,
	5,
	63,
	64,
	0x100,
	0x200,
	0x201,
	0x3ff,
	0x400,
	0x600,
	0x800,
	0x10000,
	0x10001,
	0x10002,
	0x10003,
	0x10004,
	0x10005,
	0x10010,
	0x11000,
	(1ULL << 34) - 1,
	1ULL << 34,
	(1ULL << 36) - 1,
	1ULL << 36,
	(1ULL << 40) - 1,
	1ULL << 40,
	(1ULL << 52) - 1,
	1ULL << 52,
	(1ULL << 52) + 1,
	~0ULL,
};

static const u64 lengths[] = { 0,	   1,	       2,     3,     63,
			       64,	   65,	       0x100, 0x200, API_MAX_PAGES,
			       1ULL << 31, 1ULL << 52, ~0ULL };

/* Eight that can be, and four that cannot. */
static const u32 slot_numbers[] = { 0,	     1,	      2,       32763,	0x10000,    0x10001,
				    0x10002, 0x17ffb, 0x07ffc, 0x20000, 0xffffffff, 0xffff };

#define PICK(r, table) ((table)[read_byte(r) % ARRAY_SIZE(table)])

static struct kvm *pick_vm(struct byte_reader *r)
{
	return read_byte(r) % 8 == 7 ? NULL : m.kvm;
}

static struct api_vcpu *pick_vcpu(struct byte_reader *r)
{
	static struct api_vcpu none;
	const int n = read_byte(r) % 8;
	const int usable = m.nr_vcpus < API_VCPUS ? m.nr_vcpus : API_VCPUS;

	return n == 7 || !usable ? &none : &m.vcpus[n % usable];
}

/* No CPU reports a write and a fetch at once. */
static u64 pick_error_code(struct byte_reader *r)
{
	const u64 code = read_byte(r) & 0x1f;

	return code & PFERR_WRITE_MASK ? code & ~PFERR_FETCH_MASK : code;
}

static void roots_become_obsolete(void)
{
	for (int i = 0; i < API_VCPUS; i++)
		m.vcpus[i].stale = true;
}

static bool has_root(const struct api_vcpu *v)
{
	return kvm_vcpu_root_hpa(v->vcpu) != INVALID_PAGE;
}

/* ---- vCPUs ---- */

static void call_create_vcpus(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	int many = 1 + read_byte(r) % 70;
	struct kvm_vcpu *vcpu;

	if (many == 69)
		many = MAX_VCPUS + 1;
	if (many == 70) {
		expect(kvm_create_vcpu(kvm, NULL), -EINVAL);
		return;
	}
	while (many--) {
		const int ret = kvm_create_vcpu(kvm, &vcpu);

		expect(ret, !kvm ? -EINVAL : m.nr_vcpus == MAX_VCPUS ? -EBUSY : 0);
		if (ret)
			return;
		if (m.nr_vcpus < API_VCPUS)
			m.vcpus[m.nr_vcpus].vcpu = vcpu;
		m.nr_vcpus++;
	}
}

static void call_enter_guest(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const int ret = kvm_vcpu_enter_guest(v->vcpu);

	expect(ret, v->vcpu ? 0 : -EINVAL);
	if (ret)
		return;
	v->stale = false;
	if (!has_root(v))
		found("no root");
}

static void call_load(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const int ret = kvm_mmu_load(v->vcpu);

	expect(ret, v->vcpu ? 0 : -EINVAL);
	if (!ret && !has_root(v))
		found("no root");
}

static void call_unload(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);

	kvm_mmu_unload(v->vcpu);
	if (has_root(v))
		found("a root is left");
}

static void call_set_mode(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const u8 mode = read_byte(r);
	const int ret = kvm_vcpu_set_mode(v->vcpu, mode & 1, mode & 2);

	expect(ret, v->vcpu ? 0 : -EINVAL);
	if (!ret)
		v->smm = mode & 1;
}

static void call_get_vcpu(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const u64 before = kvm_vcpu_tlb_flushes(v->vcpu);

	if (!v->vcpu && (before || kvm_vcpu_mmio_gfn(NULL) || has_root(v)))
		found("no vCPU has something");
	kvm_mmu_unload(v->vcpu);
	if (!kvm_mmu_load(v->vcpu) && kvm_vcpu_tlb_flushes(v->vcpu) <= before)
		found("a root was loaded and the TLB not emptied");
	if (kvm_vcpu_mmio_gfn(v->vcpu) >= 1ULL << 52)
		found("an MMIO access beyond all addresses");
}

/* ---- faults ---- */

/* A mapping that allows the access has to be there now. */
static void check_mapped(struct api_vcpu *v, gpa_t gpa, bool write)
{
	int level;
	const u64 spte = kvm_vcpu_get_spte(v->vcpu, gpa, &level);

	if (!level || !is_shadow_present_pte(spte) || !is_last_spte(spte, level))
		found("nothing maps gpa %#" PRIx64, (uint64_t)gpa);
	if (write && !is_writable_pte(spte))
		found("gpa %#" PRIx64 " was to be writable", (uint64_t)gpa);
}

static void call_page_fault(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const gpa_t gpa = PICK(r, frames) << PAGE_SHIFT;
	const u64 code = pick_error_code(r);
	const gfn_t gfn = gpa >> PAGE_SHIFT;
	u32 answers;
	int ret;

	if (!v->vcpu)
		answers = API_ANSWER(-EINVAL);
	else if (!has_root(v))
		answers = API_ANSWER(RET_PF_RETRY);
	else if (gfn > api_max_gfn(&m))
		answers = API_ANSWER(RET_PF_EMULATE);
	else
		answers = api_fault_answers(&m, v->smm, gfn, code) |
			  (v->stale ? API_ANSWER(RET_PF_RETRY) : 0);
	call.may_warn = v->vcpu && !has_root(v);
	ret = kvm_mmu_page_fault(v->vcpu, gpa, code);
	expect_one_of(ret, answers);
	if ((ret == RET_PF_FIXED || ret == RET_PF_SPURIOUS) && api_slot_of_gfn(&m, v->smm, gfn))
		check_mapped(v, gpa, code & PFERR_WRITE_MASK);
}

/* Maps what comes first in the range; the answer is good. */
static s64 pre_fault(struct api_vcpu *v, gfn_t gfn, u64 npages)
{
	const s64 ret = kvm_arch_vcpu_pre_fault_memory(v->vcpu, gfn, npages);
	u32 faults, answers = API_ANSWER(-EINVAL);

	if (v->vcpu && npages && gfn <= api_max_gfn(&m)) {
		faults = api_fault_answers(&m, v->smm, gfn, 0);
		answers = faults & API_ANSWER(-EFAULT);
		if (faults & API_ANSWER(RET_PF_EMULATE))
			answers |= API_ANSWER(-ENOENT);
		if (ret > 0 && (u64)ret <= npages && (faults & API_ANSWER(RET_PF_FIXED)))
			return ret;
	}
	if (ret >= 0)
		found("%" PRId64 " pages of %" PRIu64 " at gfn %#" PRIx64, ret, npages, gfn);
	expect_one_of(ret, answers);
	return ret;
}

static void call_pre_fault(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const gfn_t gfn = PICK(r, frames);
	const u64 npages = PICK(r, lengths);
	s64 ret;

	if (m.nr_invalid)
		return; /* it waits for the end of the invalidation */
	ret = pre_fault(v, gfn, npages);
	for (s64 i = 0; i < ret; i++)
		check_mapped(v, (gfn + i) << PAGE_SHIFT, false);
}

/* All of the range, as KVM_PRE_FAULT_MEMORY does it: up to the first page that has no memory. */
static void call_pre_fault_all(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const gfn_t first = PICK(r, frames), max = api_max_gfn(&m);
	const u64 npages = PICK(r, lengths);
	u64 done = 0, want = 0;
	s64 ret;

	if (m.nr_invalid)
		return;
	while (v->vcpu && want < npages && first + want <= max &&
	       (api_fault_answers(&m, v->smm, first + want, 0) & API_ANSWER(RET_PF_FIXED)))
		want++;
	do {
		ret = pre_fault(v, first + done, npages - done);
		if (ret > 0)
			done += ret;
	} while (ret > 0 && done < npages);
	call.refused &= !done; /* behind the last gfn; what comes first is mapped */
	if (done != want && !(refusal.fired && done < want))
		found("%" PRIu64 " pages at gfn %#" PRIx64 ", expected %" PRIu64, done, first,
		      want);
	for (u64 i = 0; i < done; i++)
		check_mapped(v, (first + i) << PAGE_SHIFT, false);
}

static void call_get_spte(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const gpa_t gpa = PICK(r, frames) << PAGE_SHIFT;
	const bool asked = read_byte(r) % 8 != 7;
	int level = 9;
	const u64 spte = kvm_vcpu_get_spte(v->vcpu, gpa, asked ? &level : NULL);

	if (!has_root(v) && (spte || (asked && level)))
		found("an SPTE without a root");
	if (asked && level > m.config.root_level)
		found("an SPTE at level %d", level);
}

/* ---- slots and their logs ---- */

static void call_set_region(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const struct tdp_memory_region region = {
		.slot = PICK(r, slot_numbers),
		.flags = read_byte(r) & 7,
		.base_gfn = PICK(r, frames),
		.npages = PICK(r, lengths),
		.hvn = PICK(r, frames),
	};
	const bool given = read_byte(r) % 8 != 7;
	const struct api_slot *old = api_slot(&m, region.slot);
	u64 before, after;
	bool changes, moves;
	int ret;

	if (!kvm || !given) {
		expect(kvm_set_memory_region(kvm, given ? &region : NULL), -EINVAL);
		return;
	}
	if (m.nr_invalid)
		return; /* it waits for the end of the invalidation */
	changes = !region.npages || !old || region.base_gfn != old->region.base_gfn ||
		  region.flags != old->region.flags;
	moves = old && region.npages && region.base_gfn != old->region.base_gfn;
	before = kvm_memslots_generation(kvm, region.slot >> 16);
	ret = kvm_set_memory_region(kvm, &region);
	expect(ret, api_region_answer(&m, &region));
	after = kvm_memslots_generation(kvm, region.slot >> 16);
	/* A slot that cannot be moved where it shall go has been zapped and swapped by then. */
	call.refused &= !moves;
	if (!refusal.fired && !(ret && moves) && (after != before) != (!ret && changes))
		found("the generation was %" PRIu64 " and is %" PRIu64, (uint64_t)before,
		      (uint64_t)after);
	roots_become_obsolete();
	if (!ret)
		api_region_commit(&m, &region);
}

static void call_generation(struct byte_reader *r)
{
	static const int as_ids[] = { 0, 1, 2, -1 };
	struct kvm *kvm = pick_vm(r);
	const int as_id = PICK(r, as_ids);
	const u64 gen = kvm_memslots_generation(kvm, as_id);

	if (!kvm || as_id < 0 || as_id > 1 ? gen != 0 : gen >> 63)
		found("generation %#" PRIx64, (uint64_t)gen);
}

/* What a call about a slot's log has to answer, its other arguments being good. */
static int log_answer(const struct api_slot *slot, u32 number)
{
	if (!api_slot_number_valid(number))
		return -EINVAL;
	return slot && (slot->region.flags & KVM_MEM_LOG_DIRTY_PAGES) ? 0 : -ENOENT;
}

static void call_log_get(struct byte_reader *r)
{
	static const u64 sizes[] = { BITMAP_WORDS, API_WORDS, 8, 1, 0 };
	struct kvm *kvm = pick_vm(r);
	const u32 number = PICK(r, slot_numbers);
	const u64 words = PICK(r, sizes);
	const bool given = read_byte(r) % 8 != 7;
	struct api_slot *slot = api_slot(&m, number);
	const u64 used = slot ? (slot->region.npages + 63) / 64 : 0;
	int want = log_answer(slot, number), ret, i;
	u64 bitmap[BITMAP_WORDS];

	if (!kvm || !given || (!want && words < used))
		want = -EINVAL;
	memset(bitmap, 0xa5, sizeof(bitmap));
	ret = kvm_vm_ioctl_get_dirty_log(kvm, number, given ? bitmap : NULL, words);
	expect(ret, want);
	for (i = ret ? 0 : used; i < BITMAP_WORDS; i++) {
		if (bitmap[i] != UNTOUCHED)
			found("word %d was written", i);
	}
	if (ret)
		return;
	if (slot->region.npages % 64 && bitmap[used - 1] >> slot->region.npages % 64)
		found("pages beyond the slot are dirty");
	for (i = 0; i < (int)used; i++) {
		if (slot->dirty[i] & ~bitmap[i])
			found("word %d lacks %#" PRIx64, i,
			      (uint64_t)(slot->dirty[i] & ~bitmap[i]));
		if (!m.config.manual_protect)
			slot->dirty[i] = 0;
	}
}

static void call_log_clear(struct byte_reader *r)
{
	static const u64 firsts[] = { 0,     64, 128, 1, 0x200, API_MAX_PAGES, API_MAX_PAGES + 64,
				      ~63ULL };
	static const u8 fills[] = { 0xff, 0x55, 0x00, 0x01 };
	struct kvm *kvm = pick_vm(r);
	const u32 number = PICK(r, slot_numbers);
	const u64 first = PICK(r, firsts), n = PICK(r, lengths);
	const u8 fill = PICK(r, fills);
	const bool given = read_byte(r) % 8 != 7;
	struct api_slot *slot = api_slot(&m, number);
	int want = log_answer(slot, number), ret;
	u64 bitmap[BITMAP_WORDS];

	if (!kvm || !given || first % 64 ||
	    (!want && (first > slot->region.npages || n > slot->region.npages - first ||
		       (n < slot->region.npages - first && n % 64))))
		want = -EINVAL;
	memset(bitmap, fill, sizeof(bitmap));
	ret = kvm_vm_ioctl_clear_dirty_log(kvm, number, first, n, given ? bitmap : NULL);
	expect(ret, want);
	for (u64 i = 0; !ret && i < (n + 63) / 64; i++)
		slot->dirty[first / 64 + i] &= ~bitmap[i];
}

static void call_mark_dirty(struct byte_reader *r)
{
	struct api_vcpu *v = pick_vcpu(r);
	const gfn_t gfn = PICK(r, frames);
	struct api_slot *slot = api_slot_of_gfn(&m, v->smm, gfn);

	kvm_vcpu_mark_page_dirty(v->vcpu, gfn);
	if (v->vcpu && slot && (slot->region.flags & KVM_MEM_LOG_DIRTY_PAGES))
		slot->dirty[(gfn - slot->region.base_gfn) / 64] |=
			1ULL << (gfn - slot->region.base_gfn) % 64;
}

static void call_split(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const u32 number = PICK(r, slot_numbers);
	const int level = read_byte(r) % 6 - 1;

	expect(kvm_mmu_slot_try_split_huge_pages(kvm, number, level),
	       kvm && api_slot(&m, number) && (level == 1 || level == 2) ? 0 : -EINVAL);
}

static bool in_slot(u32 number, gfn_t gfn)
{
	const struct api_slot *slot = api_slot(&m, number);

	return slot && slot == api_slot_of_gfn(&m, number >> 16, gfn);
}

static void call_write_protect(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const u32 number = PICK(r, slot_numbers);
	const gfn_t gfn = PICK(r, frames);
	const int level = read_byte(r) % 6 - 1;

	expect_one_of(kvm_mmu_slot_gfn_write_protect(kvm, number, gfn, level),
		      kvm && in_slot(number, gfn) && level >= 1 && level <= 3 ?
			      API_ANSWER(0) | API_ANSWER(1) :
			      API_ANSWER(-EINVAL));
}

static void call_track(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const u32 number = PICK(r, slot_numbers);
	const gfn_t gfn = PICK(r, frames);
	const bool add = read_byte(r) & 1;
	struct api_slot *slot = kvm && in_slot(number, gfn) ? api_slot(&m, number) : NULL;
	u16 *count = slot ? &slot->count[gfn - slot->region.base_gfn] : NULL;
	const int ret = add ? kvm_write_track_add_gfn(kvm, number, gfn) :
			      kvm_write_track_remove_gfn(kvm, number, gfn);

	expect(ret, slot && (add || *count) ? 0 : -EINVAL);
	if (ret)
		return;
	*count += add ? 1 : -1;
	slot->tracked += add ? 1 : -1;
}

/* ---- the host's notifications ---- */

static bool bad_range(struct kvm *kvm, u64 start, u64 end)
{
	return !kvm || start >= end || end > 1ULL << 52;
}

static void call_invalidate_start(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const struct api_range range = { PICK(r, frames), PICK(r, frames) };
	const bool bad = bad_range(kvm, range.start, range.end);

	if (!bad && m.nr_invalid == API_INVALIDATIONS)
		return;
	expect(kvm_mmu_notifier_invalidate_range_start(kvm, range.start, range.end),
	       bad ? -EINVAL : 0);
	if (!bad)
		m.invalid[m.nr_invalid++] = range;
}

/* The last one that has begun; or any range, when KVM has to refuse it. */
static void call_invalidate_end(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const bool any = read_byte(r) & 1;
	struct api_range range = { PICK(r, frames), PICK(r, frames) };
	bool bad;

	if (m.nr_invalid && !any)
		range = m.invalid[m.nr_invalid - 1];
	bad = bad_range(kvm, range.start, range.end) || !m.nr_invalid;
	if (!bad && any)
		return;
	expect(kvm_mmu_notifier_invalidate_range_end(kvm, range.start, range.end),
	       bad ? -EINVAL : 0);
	if (!bad)
		m.nr_invalid--;
}

static void call_age(struct byte_reader *r)
{
	static int (*const kinds[])(struct kvm *kvm, hvn_t start, hvn_t end) = {
		kvm_mmu_notifier_test_young,
		kvm_mmu_notifier_clear_young,
		kvm_mmu_notifier_clear_flush_young,
	};
	struct kvm *kvm = pick_vm(r);
	const u64 start = PICK(r, frames), end = PICK(r, frames);
	const int kind = read_byte(r) % 3;
	const bool bad = bad_range(kvm, start, end);

	expect_one_of(kinds[kind](kvm, start, end),
		      bad ? API_ANSWER(-EINVAL) : API_ANSWER(0) | API_ANSWER(1));
	if (!bad && kind)
		expect(kvm_mmu_notifier_test_young(kvm, start, end), 0);
}

/* ---- zaps, NX, and what there is ---- */

static void call_zap(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const u8 kind = read_byte(r) % 4;
	const u64 start = PICK(r, frames), end = PICK(r, frames);

	roots_become_obsolete();
	switch (kind) {
	case 0:
		expect(kvm_zap_gfn_range(kvm, start, end), kvm && start < end ? 0 : -EINVAL);
		break;
	case 1:
		kvm_mmu_zap_all_fast(kvm);
		break;
	case 2:
		kvm_mmu_zap_all(kvm);
		break;
	default:
		kvm_mmu_invalidate_mmio_sptes(kvm, start & ~(1ULL << 63));
		break;
	}
}

static void call_nx(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const u8 what = read_byte(r);

	if (what & 2) {
		expect(kvm_recover_nx_huge_pages(kvm), kvm ? 0 : -EINVAL);
		return;
	}
	roots_become_obsolete();
	expect(kvm_set_nx_huge_pages(kvm, what & 1), kvm ? 0 : -EINVAL);
}

static int count_down(const struct tdp_spte_info *info, void *arg)
{
	int *left = arg;

	(void)info;
	return --*left ? 0 : 7;
}

static void call_for_each_spte(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const int from = read_byte(r);
	int left = from, ret;

	if (from % 8 == 7) {
		expect(tdp_for_each_spte(kvm, NULL, NULL), -EINVAL);
		return;
	}
	ret = tdp_for_each_spte(kvm, count_down, &left);
	if (ret != (!kvm ? -EINVAL : left || !from ? 0 : 7))
		found("answered %d with %d left of %d", ret, left, from);
}

static void call_stat(struct byte_reader *r)
{
	struct kvm *kvm = pick_vm(r);
	const bool asked = read_byte(r) % 8 != 7;
	struct kvm_vm_stat stat = { .splits = ~0ULL };
	struct kvm_page_stat pages = { .tdp_mmu_pages = -1 };

	kvm_vm_get_stat(kvm, asked ? &stat : NULL);
	if (asked && (kvm ? stat.splits == ~0ULL : stat.splits != 0))
		found("%" PRIu64 " splits", (uint64_t)stat.splits);
	kvm_vm_get_page_stat(kvm, asked ? &pages : NULL);
	if (asked && pages.tdp_mmu_pages != stat.tdp_mmu_pages)
		found("%" PRId64 " or %" PRId64 " page tables", (int64_t)stat.tdp_mmu_pages,
		      (int64_t)pages.tdp_mmu_pages);
}

static const struct {
	const char *name;
	void (*make)(struct byte_reader *r);
} calls[] = {
	{ "create_vcpus", call_create_vcpus }, /* 0 */
	{ "enter_guest", call_enter_guest },
	{ "load", call_load },
	{ "unload", call_unload },
	{ "set_mode", call_set_mode },
	{ "get_vcpu", call_get_vcpu },  /* 5 */
	{ "page_fault", call_page_fault },
	{ "pre_fault", call_pre_fault },
	{ "pre_fault_all", call_pre_fault_all },
	{ "get_spte", call_get_spte },
	{ "set_region", call_set_region }, /* 10 */
	{ "generation", call_generation },
	{ "log_get", call_log_get },
	{ "log_clear", call_log_clear },
	{ "mark_dirty", call_mark_dirty },
	{ "split", call_split },	 /* 15 */
	{ "write_protect", call_write_protect },
	{ "track", call_track },
	{ "invalidate_start", call_invalidate_start },
	{ "invalidate_end", call_invalidate_end },
	{ "age", call_age },   /* 20 */
	{ "zap", call_zap },
	{ "nx", call_nx },
	{ "for_each_spte", call_for_each_spte },
	{ "stat", call_stat },
};

static void make_call(struct byte_reader *r)
{
	const u8 what = read_byte(r);
	const u8 fails = what & 0x80 ? read_byte(r) : 0;
	u64 before = 0, after = 0;
	const char *wrong;

	call.name = calls[(what & 0x7f) % ARRAY_SIZE(calls)].name;
	call.number++;
	call.may_warn = false;
	call.refused = false;
	refusal = (struct sim_choice){ .kind = POINT_ALLOC, .k = fails, .action = SIM_FAIL };

	api_check_tree(&m, &before);
	sim_begin_op(&thread, &refusal, fails != 0);
	calls[(what & 0x7f) % ARRAY_SIZE(calls)].make(r);
	sim_end_op();
	wrong = api_check_tree(&m, &after);
	if (wrong)
		found("%s", wrong);
	if (call.refused && before != after)
		found("was refused but changed SPTEs");
}

/* ---- the VM ---- */

static struct tdp_vm_config read_config(struct byte_reader *r)
{
	const u8 kind = read_byte(r), more = read_byte(r);
	struct tdp_vm_config config = {
		.mmu = kind & 1 ? TDP_MMU_NPT : TDP_MMU_EPT,
		.ad = !(kind & 2),
		.root_level = kind & 4 ? 5 : 4,
		.nx_huge_pages = kind & 8,
		.eager_page_split = kind & 16,
		.fault_policy = kind & 32 ? TDP_FAULT_ZAP : TDP_FAULT_SPLIT,
		.pml = (kind & 64) && !(kind & 3),
		.exec_only = !(kind & 128) || (kind & 1),
		.l1tf = more & 64,
		.maxphyaddr = (more & 128) && !(more & 64) ? 52 : 46,
		.cachebits = 46,
		.manual_protect = more & 1,
		.init_set = (more & 3) == 3,
		.nx_recovery_ratio = 2,
		.quirk_slot_zap_all = !(more & 4),
	};

	m.host_level = 1 + (more >> 4 & 3) % 3;
	return config;
}

/* Makes the configuration, or the host's functions, such that they must be refused. */
static void spoil(u8 how, struct tdp_vm_config *config, struct tdp_host_ops *ops)
{
	switch (how % 20) {
	case 0:
		config->me_mask = 1ULL << 11;
		break;
	case 1:
		config->mmu = (enum tdp_mmu_kind)2;
		break;
	case 2:
		config->fault_policy = (enum tdp_fault_policy)2;
		break;
	case 3:
		config->root_level = 3;
		break;
	case 4:
		config->root_level = 6;
		break;
	case 5:
		config->maxphyaddr = 35;
		break;
	case 6:
		config->cachebits = 53;
		break;
	case 7:
		config->mmu = TDP_MMU_NPT;
		config->pml = true;
		break;
	case 8:
		config->ad = false;
		config->pml = true;
		break;
	case 9:
		config->me_value = 1ULL << 45;
		break;
	case 10:
		config->me_mask = 1ULL << 52;
		break;
	case 11:
		config->l1tf = true;
		config->cachebits = config->maxphyaddr - 1;
		break;
	case 12:
		config->l1tf = true;
		config->cachebits = 47;
		break;
	case 13:
		config->l1tf = true;
		config->me_value = config->me_mask = 1ULL << 45;
		break;
	case 14:
		config->manual_protect = false;
		config->init_set = true;
		break;
	case 15:
		config->memslots_generation = 1ULL << 62;
		break;
	case 16:
		ops->fault_in = NULL;
		break;
	case 17:
		ops->mapping_level = NULL;
		break;
	case 18:
		ops->set_pfn_dirty = NULL;
		break;
	case 19:
		ops->set_pfn_accessed = NULL;
		break;
	}
}

/* Arguments that must be refused: @how says what is wrong with them. */
static void try_refused(u8 how, const struct tdp_host_ops *good_ops)
{
	struct tdp_vm_config config = m.config;
	struct tdp_host_ops ops = *good_ops;

	switch (how % 32) {
	case 29:
		expect(kvm_create_vm(NULL, &ops, NULL, &m.kvm), -EINVAL);
		return;
	case 30:
		expect(kvm_create_vm(&config, NULL, NULL, &m.kvm), -EINVAL);
		return;
	case 31:
		expect(kvm_create_vm(&config, &ops, NULL, NULL), -EINVAL);
		return;
	}
	spoil(how % 32 % 20, &config, &ops);
	expect(kvm_create_vm(&config, &ops, NULL, &m.kvm), -EINVAL);
}

static bool create_vm(struct byte_reader *r)
{
	static struct tdp_host_ops ops;
	const bool no_mmio = r->end - r->data > 1 && r->data[1] & 8;
	u8 fails, refused;

	m.config = read_config(r);
	ops = (struct tdp_host_ops){
		.fault_in = host_fault_in,
		.mapping_level = host_mapping_level,
		.set_pfn_dirty = host_note_pfn,
		.set_pfn_accessed = host_note_pfn,
		.is_mmio_pfn = no_mmio ? NULL : host_is_mmio_pfn,
	};
	call.name = "create_vm";
	for (refused = read_byte(r) % 32; refused; refused--)
		try_refused(read_byte(r), &ops);
	fails = read_byte(r);
	refusal = (struct sim_choice){ .kind = POINT_ALLOC, .k = fails, .action = SIM_FAIL };
	sim_begin_op(&thread, &refusal, fails != 0);
	expect(kvm_create_vm(&m.config, &ops, NULL, &m.kvm), 0);
	sim_end_op();
	kvm_destroy_vm(NULL);
	return m.kvm;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_reader r = { data, data + size };

	memset(&m, 0, sizeof(m));
	memset(&thread, 0, sizeof(thread));
	memset(&call, 0, sizeof(call));
	sim_reset();
	sim_set_observer(&observer);

	if (create_vm(&r)) {
		while (!reader_empty(&r) && call.number < MAX_CALLS)
			make_call(&r);
		call.name = "destroy_vm";
		call.may_warn = false;
		sim_begin_op(&thread, NULL, 0);
		kvm_destroy_vm(m.kvm);
		sim_end_op();
	}
	if (sim_pages_in_use() || sim_allocs_in_use())
		found("memory is left");
	return 0;
}
