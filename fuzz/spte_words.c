// SPDX-License-Identifier: GPL-2.0-only
/*
 * An SPTE in words.  This reads the bits as the CPU's manuals and Linux 6.12 define them and calls
 * nothing of the MMU, so that what it prints is what is there and not what was meant.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "spte_words.h"

#define BIT(n)		(1ULL << (n))
#define PFN_MASK	0x000ffffffffff000ULL

/* Both formats */
#define LEAF		BIT(7)
#define MMU_PRESENT	BIT(11)
#define NONPRESENT	BIT(63)
#define FROZEN		(NONPRESENT | 0x5a0)

/* EPT */
#define EPT_AD_TYPE(spte)	((spte) >> 52 & 3)
#define EPT_SAVED_R		BIT(54)
#define EPT_SAVED_X		BIT(56)
#define EPT_HOST_W		BIT(57)
#define EPT_MMU_W		BIT(58)
#define EPT_SOFTWARE		(EPT_SAVED_R | EPT_SAVED_X | EPT_HOST_W | EPT_MMU_W)

/* NPT */
#define NPT_HOST_W		BIT(9)
#define NPT_MMU_W		BIT(10)

struct words {
	char *buf;
	size_t size;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *fmt, ...)
{
	va_list args;
	int n;

	if (w->len >= w->size)
		return;
	va_start(args, fmt);
	n = vsnprintf(w->buf + w->len, w->size - w->len, fmt, args);
	va_end(args);
	if (n > 0)
		w->len += n;
}

static void say_if(struct words *w, bool cond, const char *what)
{
	if (cond)
		say(w, " %s", what);
}

/**
 * level_word() - a page-table level as people say it
 * @level: 1..5
 *
 * Return: "4K" to "256T", "?" for anything else.
 */
const char *level_word(int level)
{
	static const char *const names[] = { "?", "4K", "2M", "1G", "512G", "256T" };

	return level >= 1 && level <= 5 ? names[level] : "?";
}

/* Without the level, only a huge leaf says what it is; what leaves alone have gives the others away. */
static bool is_leaf(const struct vm_desc *vm, uint64_t spte, int level)
{
	uint64_t leaf_only = LEAF |
			     (vm->mmu == VM_EPT ? EPT_HOST_W | EPT_MMU_W | 0x78 : NPT_HOST_W);

	return level == 1 || spte & (level ? LEAF : leaf_only);
}

static uint64_t me_mask(const struct vm_desc *vm)
{
	if (vm->me == VM_ME_SME)
		return BIT(vm->maxphyaddr >= 48 ? 47 : vm->maxphyaddr - 1);
	return 0;
}

static void say_mmio(struct words *w, const struct vm_desc *vm, uint64_t spte)
{
	unsigned int gen = (spte >> 3 & 0xff) | (spte >> 52 & 0x7ff) << 8;

	say(w, "MMIO gen %u address field 0x%llx", gen, (unsigned long long)(spte & PFN_MASK));
	say_if(w, vm->l1tf, "(part of the gfn is moved up: L1TF)");
}

static bool is_mmio(const struct vm_desc *vm, uint64_t spte)
{
	if (spte & MMU_PRESENT)
		return false;
	if (vm->mmu == VM_EPT)
		return (spte & 7) == 6;
	return (spte & (BIT(51) | 1)) == (BIT(51) | 1);
}

static void say_ept(struct words *w, const struct vm_desc *vm, uint64_t spte, bool leaf)
{
	static const char *const types[] = { "UC", "WC", "mt2", "mt3", "WT", "WP", "WB", "mt7" };
	static const char *const ad[] = { "", " ad=off", " ad=wrprot-only", " ad=?" };

	say(w, " %c%c%c", spte & BIT(0) ? 'r' : '-', spte & BIT(1) ? 'w' : '-',
	    spte & BIT(2) ? 'x' : '-');
	say(w, "%s", ad[EPT_AD_TYPE(spte)]);
	if (spte & (EPT_SAVED_R | EPT_SAVED_X))
		say(w, " access-tracked(%c%c)", spte & EPT_SAVED_R ? 'r' : '-',
		    spte & EPT_SAVED_X ? 'x' : '-');
	say_if(w, spte & BIT(8), "A");
	say_if(w, spte & BIT(9), "D");
	if (!leaf)
		return;
	say(w, " %s", types[spte >> 3 & 7]);
	say_if(w, !(spte & BIT(6)), "guest-PAT");
	say_if(w, spte & EPT_HOST_W, "host-writable");
	say_if(w, spte & EPT_MMU_W, "MMU-writable");
	say_if(w, !(spte & NONPRESENT) && vm->ad, "#VE");
}

static void say_npt(struct words *w, uint64_t spte, bool leaf)
{
	say(w, " %c%c%c", spte & BIT(0) ? 'r' : '-', spte & BIT(1) ? 'w' : '-',
	    spte & BIT(63) ? '-' : 'x');
	say_if(w, !(spte & BIT(2)), "supervisor");
	say_if(w, spte & BIT(5), "A");
	say_if(w, spte & BIT(6), "D");
	say_if(w, spte & (BIT(3) | BIT(4)), "UC");
	if (!leaf)
		return;
	say_if(w, spte & NPT_HOST_W, "host-writable");
	say_if(w, spte & NPT_MMU_W, "MMU-writable");
}

/**
 * spte_words() - describe an SPTE
 * @vm: whose page tables it is in
 * @spte: value
 * @level: of the page table that holds it, 1..5; 0 if that is not known
 * @buf: where to
 * @size: bytes there; SPTE_WORDS_MAX is enough
 *
 * Return: @buf.
 */
const char *spte_words(const struct vm_desc *vm, uint64_t spte, int level, char *buf, size_t size)
{
	struct words w = { .buf = buf, .size = size };
	bool leaf = is_leaf(vm, spte, level);

	if (spte == NONPRESENT || !spte) {
		say(&w, "none");
	} else if (spte == FROZEN) {
		say(&w, "frozen");
	} else if (is_mmio(vm, spte)) {
		say_mmio(&w, vm, spte);
	} else if (!(spte & MMU_PRESENT)) {
		say(&w, "0x%llx without MMU-present", (unsigned long long)spte);
	} else {
		say(&w, "%s pfn 0x%llx", leaf ? "page" : "table",
		    (unsigned long long)(spte & PFN_MASK & ~me_mask(vm)) >> 12);
		if (vm->mmu == VM_EPT)
			say_ept(&w, vm, spte, leaf);
		else
			say_npt(&w, spte, leaf);
		say_if(&w, spte & me_mask(vm), "encrypted");
	}
	return buf;
}
