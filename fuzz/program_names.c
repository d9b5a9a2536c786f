// SPDX-License-Identifier: GPL-2.0-only
/* The words of the text form. */
#include <string.h>

#include "program_names.h"

const struct op_info op_infos[OP_NR] = {
#define OP(name, text, kind, operands) [OP_##name] = { text, THREAD_##kind, operands },
	OP_LIST(OP)
#undef OP
};

const struct point_info point_infos[POINT_NR] = {
#define POINT(name, text, has_level) [POINT_##name] = { text, has_level },
	POINT_LIST(POINT)
#undef POINT
};

const char *const choice_names[CHOICE_NR + 1] = {
	"->", "resched", "fail", "gp-end", "reuse", "evict", NULL,
};
const char *const level_names[POINT_LEVELS + 1] = { "", "4K", "2M", "1G", "512G", "256T", NULL };
const char *const backing_names[] = { "4K", "2M", "1G", "mmio", NULL };
const char *const thread_names[] = { "vcpu", "vmm", "host", NULL };

static const char *const mmu_words[] = { "ept", "npt", NULL };
static const char *const policy_words[] = { "split", "zap", NULL };
static const char *const me_words[] = { "off", "sme", "tdx", NULL };
static const char *const bool_words[] = { "off", "on", NULL };

#define FIELD(field)	      offsetof(struct vm_desc, field), sizeof(((struct vm_desc *)0)->field)
#define WORDS(field, words)   { #field, FIELD(field), words, 0, 0, false, false }
#define NUMBER(field, lo, hi) { #field, FIELD(field), NULL, lo, hi, false, false }
#define HEX(field, lo, hi)    { #field, FIELD(field), NULL, lo, hi, true, false }

/* In the order in which they are printed. */
const struct vm_key vm_keys[NR_VM_KEYS] = {
	{ "mmu", FIELD(mmu), mmu_words, 0, 0, false, true },
	{ "ad", FIELD(ad), bool_words, 0, 0, false, true },
	{ "levels", FIELD(levels), NULL, 4, 5, false, true },
	WORDS(nx_huge_pages, bool_words),
	WORDS(eager_split, bool_words),
	{ "fault_policy", FIELD(policy), policy_words, 0, 0, false, false },
	WORDS(pml, bool_words),
	WORDS(exec_only, bool_words),
	WORDS(me, me_words),
	WORDS(l1tf, bool_words),
	NUMBER(maxphyaddr, 36, 52),
	NUMBER(cachebits, 36, 52),
	HEX(gen, 0, (1ULL << 62) - 1),
	HEX(seq, 0, UINT64_MAX),
	WORDS(manual_protect, bool_words),
	WORDS(init_set, bool_words),
	NUMBER(nx_ratio, 0, UINT32_MAX),
	WORDS(quirk_zap_all, bool_words),
};

/* A recent Intel host, and KVM's own defaults. */
const struct vm_desc vm_default = {
	.mmu = VM_EPT,
	.ad = true,
	.levels = 4,
	.nx_huge_pages = true,
	.policy = VM_SPLIT,
	.exec_only = true,
	.maxphyaddr = 46,
	.cachebits = 46,
	.nx_ratio = 60,
	.quirk_zap_all = true,
};

/* The fields differ in size, so each is copied through an integer of its own size. */
uint64_t vm_key_get(const struct vm_desc *vm, const struct vm_key *key)
{
	const char *field = (const char *)vm + key->offset;
	uint64_t wide;
	uint32_t half;
	uint8_t byte;

	switch (key->size) {
	case sizeof(wide):
		memcpy(&wide, field, sizeof(wide));
		return wide;
	case sizeof(half):
		memcpy(&half, field, sizeof(half));
		return half;
	default:
		memcpy(&byte, field, sizeof(byte));
		return byte;
	}
}

void vm_key_set(struct vm_desc *vm, const struct vm_key *key, uint64_t value)
{
	char *field = (char *)vm + key->offset;
	uint32_t half = value;
	uint8_t byte = value;

	switch (key->size) {
	case sizeof(value):
		memcpy(field, &value, sizeof(value));
		break;
	case sizeof(half):
		memcpy(field, &half, sizeof(half));
		break;
	default:
		memcpy(field, &byte, sizeof(byte));
	}
}

bool op_has(const struct op *op, char operand)
{
	return strchr(op_infos[op->kind].operands, operand);
}
