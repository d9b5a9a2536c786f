// SPDX-License-Identifier: GPL-2.0-only
/*
 * An SPTE in words.  This reads the bits as the CPU's manuals and the backend's Linux define
 * them and calls nothing of the MMU, so that what it prints is what is there and not what was
 * meant.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <tdp/tdp.h>

#include "spte_words.h"

#define BIT(n)	 (1ULL << (n))
#define PFN_MASK 0x000ffffffffff000ULL

/* Both formats */
#define LEAF	    BIT(7)
#define MMU_PRESENT BIT(11)
#define NONPRESENT  BIT(63)

/* What hardware ignores, and Linux uses as it likes; all but @frozen and @gen_low under EPT only. */
struct software {
	uint64_t frozen;  /* less NONPRESENT */
	int gen_low;
	int ad_type;
	uint64_t saved_r, saved_x;
	uint64_t host_w, mmu_w;
};

#define LINUX_6_12                                                                      \
	{                                                                               \
		.frozen = 0x5a0, .gen_low = 8, .ad_type = 52, .saved_r = BIT(54),       \
		.saved_x = BIT(56), .host_w = BIT(57), .mmu_w = BIT(58),                \
	}

static const struct software softwares[] = {
	[TDP_LINUX_6_12] = LINUX_6_12,
	[TDP_LINUX_6_1] = LINUX_6_12,
	[TDP_LINUX_7_2] = {
		.frozen = 0x1a0,
		.gen_low = 7,
		.ad_type = 60,
		.saved_r = BIT(52),
		.saved_x = BIT(54),
		.host_w = BIT(53),
		.mmu_w = BIT(55),
	},
};

static const struct software *software(void)
{
	return &softwares[tdp_backend.kernel];
}

/* NPT */
#define NPT_HOST_W BIT(9)
#define NPT_MMU_W  BIT(10)

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
	const struct software *sw = software();
	uint64_t leaf_only = LEAF |
			     (vm->mmu == VM_EPT ? sw->host_w | sw->mmu_w | 0x78 : NPT_HOST_W);

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
	const int low = software()->gen_low;
	unsigned int gen = (spte >> 3 & (BIT(low) - 1)) | (spte >> 52 & 0x7ff) << low;

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
	const struct software *sw = software();

	say(w, " %c%c%c", spte & BIT(0) ? 'r' : '-', spte & BIT(1) ? 'w' : '-',
	    spte & BIT(2) ? 'x' : '-');
	say(w, "%s", ad[spte >> sw->ad_type & 3]);
	if (spte & (sw->saved_r | sw->saved_x))
		say(w, " access-tracked(%c%c)", spte & sw->saved_r ? 'r' : '-',
		    spte & sw->saved_x ? 'x' : '-');
	say_if(w, spte & BIT(8), "A");
	say_if(w, spte & BIT(9), "D");
	if (!leaf)
		return;
	say(w, " %s", types[spte >> 3 & 7]);
	say_if(w, !(spte & BIT(6)), "guest-PAT");
	say_if(w, spte & sw->host_w, "host-writable");
	say_if(w, spte & sw->mmu_w, "MMU-writable");
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
 * spte_sort() - what an SPTE is
 * @vm: whose page tables it is in
 * @spte: value
 * @level: of the page table that holds it, 1..5; 0 if that is not known
 *
 * Return: its sort.
 */
enum spte_sort spte_sort(const struct vm_desc *vm, uint64_t spte, int level)
{
	if (spte == NONPRESENT || !spte)
		return SPTE_NONE;
	if ((spte & ~NONPRESENT) == software()->frozen)
		return SPTE_FROZEN;
	if (is_mmio(vm, spte))
		return SPTE_MMIO;
	if (!(spte & MMU_PRESENT))
		return SPTE_OTHER;
	return is_leaf(vm, spte, level) ? SPTE_PAGE : SPTE_TABLE;
}

/**
 * spte_words_pfn() - the frame that an MMU-present SPTE names
 * @vm: whose page tables it is in
 * @spte: value
 *
 * Return: the pfn, without memory-encryption bits.
 */
uint64_t spte_words_pfn(const struct vm_desc *vm, uint64_t spte)
{
	return (spte & PFN_MASK & ~me_mask(vm)) >> 12;
}

static void say_attributes(struct words *w, const struct vm_desc *vm, uint64_t spte, bool leaf)
{
	if (vm->mmu == VM_EPT)
		say_ept(w, vm, spte, leaf);
	else
		say_npt(w, spte, leaf);
	say_if(w, spte & me_mask(vm), "encrypted");
}

/**
 * spte_attributes() - describe an MMU-present SPTE but for what it points to
 * @vm: whose page tables it is in
 * @spte: value
 * @level: of the page table that holds it, 1..5; 0 if that is not known
 * @buf: where to
 * @size: bytes there; SPTE_WORDS_MAX is enough
 *
 * Return: the words, in @buf: permissions first.
 */
const char *spte_attributes(const struct vm_desc *vm, uint64_t spte, int level, char *buf,
			    size_t size)
{
	struct words w = { .buf = buf, .size = size };

	buf[0] = buf[1] = 0;
	say_attributes(&w, vm, spte, is_leaf(vm, spte, level));
	return buf + 1; /* after the first space */
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
	enum spte_sort sort = spte_sort(vm, spte, level);

	switch (sort) {
	case SPTE_NONE:
		say(&w, "none");
		break;
	case SPTE_FROZEN:
		say(&w, "frozen");
		break;
	case SPTE_MMIO:
		say_mmio(&w, vm, spte);
		break;
	case SPTE_OTHER:
		say(&w, "0x%llx without MMU-present", (unsigned long long)spte);
		break;
	case SPTE_TABLE:
	case SPTE_PAGE:
		say(&w, "%s pfn 0x%llx", sort == SPTE_PAGE ? "page" : "table",
		    (unsigned long long)spte_words_pfn(vm, spte));
		say_attributes(&w, vm, spte, sort == SPTE_PAGE);
		break;
	}
	return buf;
}

/* The next word of a description; its length is 0 at the end. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, " ");
	return strcspn(*at, " ");
}

static bool has_word(const char *text, const char *word, size_t len)
{
	size_t n;

	for (; (n = next_word(&text)); text += n) {
		if (n == len && !memcmp(text, word, n))
			return true;
	}
	return false;
}

static void say_missing(struct words *w, const char *from, const char *in, char sign)
{
	size_t n;

	for (; (n = next_word(&from)); from += n) {
		if (!has_word(in, from, n))
			say(w, "%s%c%.*s", w->len ? " " : "", sign, (int)n, from);
	}
}

/**
 * spte_change_words() - describe the new value of an SPTE to whom knows the old one
 * @vm: whose page tables it is in
 * @old: old value
 * @val: new value
 * @level: of the page table that holds it, 1..5; 0 if that is not known
 * @buf: where to
 * @size: bytes there; SPTE_WORDS_MAX is enough
 *
 * A value that still points to the same page or table is described by its permissions and what else
 * it lost or gained: "r-x -A"; any other as spte_words() does.
 *
 * Return: @buf.
 */
const char *spte_change_words(const struct vm_desc *vm, uint64_t old, uint64_t val, int level,
			      char *buf, size_t size)
{
	char a[SPTE_WORDS_MAX], b[SPTE_WORDS_MAX];
	struct words w = { .buf = buf, .size = size };
	enum spte_sort sort = spte_sort(vm, val, level);
	const char *was, *is;

	if (sort < SPTE_TABLE || sort > SPTE_PAGE || sort != spte_sort(vm, old, level) ||
	    spte_words_pfn(vm, old) != spte_words_pfn(vm, val))
		return spte_words(vm, val, level, buf, size);
	was = spte_attributes(vm, old, level, a, sizeof(a));
	is = spte_attributes(vm, val, level, b, sizeof(b));
	if (!strcmp(was, is)) {
		say(&w, "the same");
		return buf;
	}
	say(&w, "%.3s", is);
	say_missing(&w, was + 3, is, '-');
	say_missing(&w, is + 3, was, '+');
	return buf;
}
