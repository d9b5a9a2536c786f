// SPDX-License-Identifier: GPL-2.0-only
/* What an SPTE's bits say, on EPT and NPT: the manuals' bits, and those of Linux 6.12. */
#include <stdio.h>

#include "import.h"

#define BIT(n)			(1ULL << (n))
#define FROZEN			(BIT(63) | 0x5a0)
#define NON_PRESENT		BIT(63)
#define MMU_PRESENT		BIT(11)
#define LARGE			BIT(7)
#define WRITABLE		BIT(1)

#define NPT_ACCESSED		BIT(5)
#define NPT_DIRTY		BIT(6)
#define NPT_HOST_WRITABLE	BIT(9)
#define NPT_MMU_WRITABLE	BIT(10)
#define NPT_NX			BIT(63)

#define EPT_EXEC		BIT(2)
#define EPT_ACCESSED		BIT(8)
#define EPT_DIRTY		BIT(9)
#define EPT_AD_TYPE		(BIT(52) | BIT(53))
#define EPT_AD_DISABLED		BIT(52)
#define EPT_HOST_WRITABLE	BIT(57)
#define EPT_MMU_WRITABLE	BIT(58)

/**
 * spte_is_frozen - whether the SPTE is one that its owner is about to replace
 * @spte: value
 *
 * Return: true if so.
 */
bool spte_is_frozen(uint64_t spte)
{
	return spte == FROZEN;
}

/**
 * spte_classify - what an SPTE says, apart from addresses and the kernel's own bits
 * @vm: whose SPTE it is
 * @level: 1 (4K) to 5
 * @spte: value
 *
 * Without A/D bits (EPT with access tracking) an entry that hardware may use counts as accessed,
 * and a writable one as dirty, as in the kernel.
 *
 * Return: the class.
 */
struct spte_class spte_classify(const struct vm_desc *vm, int level, uint64_t spte)
{
	struct spte_class class = { SPTE_NONE, false, false, false, false };

	if (!spte || spte == NON_PRESENT || spte == FROZEN)
		return class;
	if (!(spte & MMU_PRESENT)) {
		class.kind = SPTE_MMIO;
		return class;
	}
	if (level > 1 && !(spte & LARGE)) {
		class.kind = SPTE_TABLE;
		return class;
	}
	class.kind = SPTE_LEAF;
	class.w = spte & WRITABLE;
	if (vm->mmu == VM_NPT) {
		class.x = !(spte & NPT_NX);
		class.a = spte & NPT_ACCESSED;
		class.d = spte & NPT_DIRTY;
	} else {
		bool ad = (spte & EPT_AD_TYPE) != EPT_AD_DISABLED;

		class.x = spte & EPT_EXEC;
		class.a = ad ? spte & EPT_ACCESSED : (spte & 7) != 0;
		class.d = ad ? spte & EPT_DIRTY : class.w;
	}
	return class;
}

/**
 * spte_mmu_writable - whether the MMU may make the leaf writable without asking further
 * @vm: whose SPTE it is
 * @spte: of a leaf
 *
 * Return: true if so.
 */
bool spte_mmu_writable(const struct vm_desc *vm, uint64_t spte)
{
	return spte & (vm->mmu == VM_NPT ? NPT_MMU_WRITABLE : EPT_MMU_WRITABLE);
}

/**
 * spte_host_writable - whether the host's own mapping was writable
 * @vm: whose SPTE it is
 * @spte: of a leaf
 *
 * Return: true if so.
 */
bool spte_host_writable(const struct vm_desc *vm, uint64_t spte)
{
	return spte & (vm->mmu == VM_NPT ? NPT_HOST_WRITABLE : EPT_HOST_WRITABLE);
}

/**
 * spte_write_protected - whether a leaf lost W and nothing else
 * @old: class before
 * @new: class afterwards
 *
 * Return: true if so; false for aging without A/D bits, which takes all access away.
 */
bool spte_write_protected(const struct spte_class *old, const struct spte_class *new)
{
	return old->kind == SPTE_LEAF && new->kind == SPTE_LEAF && old->w && !new->w &&
	       old->a == new->a;
}

/**
 * spte_same_class - compare two classes
 * @a: one
 * @b: other
 *
 * Return: true if they are the same.
 */
bool spte_same_class(const struct spte_class *a, const struct spte_class *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind != SPTE_LEAF ||
	       (a->w == b->w && a->x == b->x && a->a == b->a && a->d == b->d);
}

/**
 * spte_class_name - a class in a few letters: "none", "table", "mmio", or of a leaf "rwxad"
 * @class: class
 * @buf: filled
 * @size: of @buf, bytes
 */
void spte_class_name(const struct spte_class *class, char *buf, size_t size)
{
	static const char *const kinds[] = { "none", "table", "", "mmio" };

	if (class->kind == SPTE_LEAF)
		snprintf(buf, size, "r%c%c%c%c", class->w ? 'w' : '-', class->x ? 'x' : '-',
			 class->a ? 'a' : '-', class->d ? 'd' : '-');
	else
		snprintf(buf, size, "%s", kinds[class->kind]);
}
