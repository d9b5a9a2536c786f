// SPDX-License-Identifier: GPL-2.0-only
/* What the public interface has to answer, by its documentation alone. */
#include "api_model.h"

#include <string.h>

#define MAX_SLOT_ID	 32763
#define MAX_SLOT_PAGES	 ((1ULL << 31) - 1)
#define END_OF_ADDRESSES (1ULL << 52)

/**
 * api_error() - a small number for an error
 * @r: negative error
 *
 * Return: 0 for an error that no call documents.
 */
int api_error(long r)
{
	static const int errors[] = { 0, EINVAL, ENOMEM, ENOENT, EFAULT, EBUSY, EEXIST };

	for (size_t i = 1; i < ARRAY_SIZE(errors); i++) {
		if (r == -errors[i])
			return i;
	}
	return 0;
}

/**
 * api_slot_number_valid() - can there be a slot of this number?
 * @number: address space << 16 | id
 */
bool api_slot_number_valid(u32 number)
{
	return number >> 16 < 2 && (number & 0xffff) <= MAX_SLOT_ID;
}

/**
 * api_slot() - the slot of a number
 * @m: model
 * @number: address space << 16 | id
 *
 * Return: NULL if there is none.
 */
struct api_slot *api_slot(struct api_model *m, u32 number)
{
	for (int i = 0; i < API_SLOTS; i++) {
		if (m->slots[i].region.npages && m->slots[i].region.slot == number)
			return &m->slots[i];
	}
	return NULL;
}

/**
 * api_slot_of_gfn() - the slot that holds a gfn
 * @m: model
 * @as_id: address space
 * @gfn: guest page
 */
struct api_slot *api_slot_of_gfn(struct api_model *m, int as_id, gfn_t gfn)
{
	for (int i = 0; i < API_SLOTS; i++) {
		const struct tdp_memory_region *r = &m->slots[i].region;

		if ((int)(r->slot >> 16) == as_id && gfn >= r->base_gfn &&
		    gfn - r->base_gfn < r->npages)
			return &m->slots[i];
	}
	return NULL;
}

/**
 * api_max_gfn() - the last gfn that can be mapped
 * @m: model
 */
gfn_t api_max_gfn(const struct api_model *m)
{
	int bits = m->config.maxphyaddr;

	if (m->config.root_level == 4 && bits > 48)
		bits = 48;
	return (1ULL << (bits - 12)) - 1;
}

/**
 * api_page() - what the host makes of a page
 * @hvn: host page
 */
enum api_page api_page(hvn_t hvn)
{
	if (hvn >= API_HOST_PAGES)
		return PAGE_MISSING;
	if (hvn < API_ODD_PAGES || hvn % 8 > PAGE_BUSY)
		return PAGE_PLAIN;
	return (enum api_page)(hvn % 8);
}

/**
 * api_tracked() - are writes to a gfn tracked?
 * @m: model
 * @as_id: address space whose slot is asked
 * @gfn: guest page
 */
bool api_tracked(struct api_model *m, int as_id, gfn_t gfn)
{
	const struct api_slot *slot = api_slot_of_gfn(m, as_id, gfn);

	return slot && slot->count[gfn - slot->region.base_gfn];
}

static u64 nr_tracked(const struct api_model *m, int as_id)
{
	u64 sum = 0;

	for (int i = 0; i < API_SLOTS; i++) {
		if ((int)(m->slots[i].region.slot >> 16) == as_id)
			sum += m->slots[i].tracked;
	}
	return sum;
}

/**
 * api_fault_answers() - what a fault may be answered, memory permitting and the root being valid
 * @m: model
 * @as_id: the vCPU's address space
 * @gfn: guest page
 * @error_code: PFERR_*
 *
 * Return: a set of API_ANSWER().
 */
u32 api_fault_answers(struct api_model *m, int as_id, gfn_t gfn, u64 error_code)
{
	const struct api_slot *slot = api_slot_of_gfn(m, as_id, gfn);
	const bool write = error_code & PFERR_WRITE_MASK;
	const bool tracked = write && api_tracked(m, as_id, gfn);
	u32 answers = m->nr_invalid ? API_ANSWER(RET_PF_RETRY) : 0;
	enum api_page page;

	if (error_code & PFERR_RSVD_MASK)
		answers |= API_ANSWER(RET_PF_RETRY) | API_ANSWER(RET_PF_EMULATE);
	if (!slot)
		return answers | API_ANSWER(RET_PF_EMULATE);

	page = api_page(slot->region.hvn + (gfn - slot->region.base_gfn));
	/*
	 * What the other address space tracks stays as it is in this one, or is mapped read-only;
	 * and with it a huge page that begins there, wherever in it the write is.
	 */
	if (tracked || (write && nr_tracked(m, !as_id)))
		answers |= API_ANSWER(RET_PF_WRITE_PROTECTED);
	if (write && (slot->region.flags & KVM_MEM_READONLY))
		return answers | API_ANSWER(RET_PF_EMULATE);
	if (page == PAGE_MISSING || (page == PAGE_READONLY && write))
		return answers | API_ANSWER(-EFAULT);
	if (page == PAGE_BUSY)
		answers |= API_ANSWER(RET_PF_RETRY);
	if (!tracked)
		answers |= API_ANSWER(RET_PF_FIXED) | API_ANSWER(RET_PF_SPURIOUS);
	return answers;
}

static bool overlaps(const struct tdp_memory_region *a, const struct tdp_memory_region *b)
{
	return a->npages && b->npages && a->slot >> 16 == b->slot >> 16 && a->slot != b->slot &&
	       a->base_gfn < b->base_gfn + b->npages && b->base_gfn < a->base_gfn + a->npages;
}

/**
 * api_region_answer() - what kvm_set_memory_region() has to say, memory permitting
 * @m: model
 * @r: the region
 *
 * Return: 0 or an error.
 */
int api_region_answer(struct api_model *m, const struct tdp_memory_region *r)
{
	const struct api_slot *old = api_slot(m, r->slot);
	int i;

	if ((r->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)) ||
	    !api_slot_number_valid(r->slot) || r->npages > MAX_SLOT_PAGES ||
	    r->base_gfn > END_OF_ADDRESSES - r->npages || r->hvn > END_OF_ADDRESSES - r->npages)
		return -EINVAL;
	if (!r->npages)
		return old ? 0 : -EINVAL;
	if (old && (r->hvn != old->region.hvn || r->npages != old->region.npages ||
		    ((r->flags ^ old->region.flags) & KVM_MEM_READONLY)))
		return -EINVAL;
	if (old && r->base_gfn == old->region.base_gfn)
		return 0;
	for (i = 0; i < API_SLOTS; i++) {
		if (overlaps(r, &m->slots[i].region))
			return -EEXIST;
	}
	if (old && (nr_tracked(m, 0) || nr_tracked(m, 1)))
		return -EINVAL;
	return r->base_gfn + r->npages - 1 > api_max_gfn(m) ? -EINVAL : 0;
}

/**
 * api_region_commit() - kvm_set_memory_region() has agreed
 * @m: model; has room, since callers use no more than API_SLOTS numbers
 * @r: the region
 */
void api_region_commit(struct api_model *m, const struct tdp_memory_region *r)
{
	struct api_slot *slot = api_slot(m, r->slot);

	for (int i = 0; i < API_SLOTS && !slot; i++) {
		if (!m->slots[i].region.npages)
			slot = &m->slots[i];
	}
	if (!slot->region.npages || !r->npages)
		memset(slot, 0, sizeof(*slot));
	if (!(r->flags & KVM_MEM_LOG_DIRTY_PAGES))
		memset(slot->dirty, 0, sizeof(slot->dirty));
	if (r->npages)
		slot->region = *r;
}

struct check {
	struct api_model *m;
	const char *wrong;
	s64 leaves[3];
	u64 hash;
};

static bool being_invalidated(const struct api_model *m, hvn_t hvn)
{
	for (int i = 0; i < m->nr_invalid; i++) {
		if (hvn >= m->invalid[i].start && hvn < m->invalid[i].end)
			return true;
	}
	return false;
}

static const char *check_leaf(struct api_model *m, const struct tdp_spte_info *info)
{
	const u64 pages = 1ULL << 9 * (info->level - 1);
	const struct api_slot *slot = api_slot_of_gfn(m, info->as_id, info->gfn);
	hvn_t hvn;

	if (!slot || slot != api_slot_of_gfn(m, info->as_id, info->gfn + pages - 1))
		return "a leaf maps what is in no slot";
	hvn = slot->region.hvn + (info->gfn - slot->region.base_gfn);
	if (spte_to_pfn(info->spte) != API_PFN + hvn)
		return "a leaf maps another frame than the host's";
	if (is_writable_pte(info->spte) && (slot->region.flags & KVM_MEM_READONLY))
		return "a leaf of a read-only slot is writable";
	for (u64 i = 0; i < pages; i++) {
		if (being_invalidated(m, hvn + i))
			return "a leaf maps what the host is about to take away";
		if (is_writable_pte(info->spte) && api_tracked(m, info->as_id, info->gfn + i))
			return "a tracked gfn is writable";
	}
	return NULL;
}

static int check_spte(const struct tdp_spte_info *info, void *arg)
{
	struct check *c = arg;

	c->hash = (c->hash ^ info->table ^ info->gfn ^ (u64)info->level << 60) * 0x100000001b3ULL;
	c->hash = (c->hash ^ info->spte) * 0x100000001b3ULL;
	if (!is_shadow_present_pte(info->spte) || !is_last_spte(info->spte, info->level))
		return 0;
	c->leaves[info->level - 1]++;
	if (!info->root_invalid)
		c->wrong = check_leaf(c->m, info);
	return c->wrong != NULL;
}

/**
 * api_check_tree() - is what is mapped allowed, and counted?
 * @m: model
 * @hash: gets a number that stands for all SPTEs
 *
 * Return: what is wrong, or NULL.
 */
const char *api_check_tree(struct api_model *m, u64 *hash)
{
	struct check c = { .m = m, .hash = 0xcbf29ce484222325ULL };
	struct kvm_vm_stat stat;

	if (tdp_for_each_spte(m->kvm, check_spte, &c))
		return c.wrong;
	kvm_vm_get_stat(m->kvm, &stat);
	if (memcmp(stat.pages, c.leaves, sizeof(c.leaves)))
		return "the statistics count other leaves than there are";
	*hash = c.hash;
	return NULL;
}
