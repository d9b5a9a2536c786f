// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to expect after an operation: what it has changed, in runs of leaves that are alike.  A
 * reader is to see what matters, so long lists are cut to their first and last.
 */
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "kunit.h"

#define MOST	  6	/* facts of one kind after one operation */

static const char *const levels[] = { "0", "TDP_4K", "TDP_2M", "TDP_1G" };

/* A run of leaves that differ in nothing but their frames, which follow each other. */
struct run {
	uint64_t gfn, n, spte;
	int level;
};

struct runs {
	struct run *run;
	size_t nr, cap;
};

const char *kunit_mode(int mode)
{
	static const char *const names[] = { "TDP_NORMAL", "TDP_SMM", "TDP_GUEST_MODE",
					     "TDP_SMM | TDP_GUEST_MODE" };

	return names[mode];
}

static uint64_t pages_of(int level)
{
	return 1ULL << (9 * (level - 1));
}

static bool is_mapping(uint64_t spte)
{
	return spte & FMT_BIT_MMU_PRESENT;
}

static void add_leaf(void *ctx, uint64_t gfn, int level, uint64_t spte)
{
	struct kunit_leaves *l = ctx;

	if (l->nr == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->leaf = realloc(l->leaf, l->cap * sizeof(*l->leaf));
		if (!l->leaf)
			abort();
	}
	l->leaf[l->nr++] = (struct kunit_leaf){ .gfn = gfn, .spte = spte, .level = level };
}

static void add_run(struct runs *r, const struct kunit_leaf *leaf)
{
	struct run *last = r->nr ? &r->run[r->nr - 1] : NULL;

	if (last && last->level == leaf->level && is_mapping(leaf->spte) &&
	    leaf->gfn == last->gfn + last->n * pages_of(leaf->level) &&
	    leaf->spte == last->spte + (last->n * pages_of(leaf->level) << 12)) {
		last->n++;
		return;
	}
	if (r->nr == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 16;
		r->run = realloc(r->run, r->cap * sizeof(*r->run));
		if (!r->run)
			abort();
	}
	r->run[r->nr++] = (struct run){ leaf->gfn, 1, leaf->spte, leaf->level };
}

/* Of long lists the first ones and the last. */
static bool worth_saying(size_t i, size_t nr)
{
	return nr <= MOST || i < MOST - 1 || i == nr - 1;
}

/* ---- names of bits ---- */

static const char *perms(const struct kunit_case *k, uint64_t spte, char *buf)
{
	struct format f;
	unsigned int perm;

	format_init(&f, &k->prog->vm);
	perm = fmt_perm(&f, spte);
	snprintf(buf, 4, "%s%s%s", perm & FMT_R ? "r" : "", perm & FMT_W ? "w" : "",
		 perm & FMT_X ? "x" : "");
	return buf;
}

/* What a leaf holds besides its frame gets a name: the permissions, A and D, whether writes are logged. */
static const char *bits_name(struct kunit_case *k, uint64_t bits, int level)
{
	static const char *const size[] = { "", "4k", "2m", "1g" };
	struct format f;
	char perm[4], name[30];
	uint32_t i, same = 1;

	for (i = 0; i < k->nr_bits; i++)
		if (k->bits[i].bits == bits)
			return k->bits[i].name;
	if (k->nr_bits == KUNIT_MAX_BITS)
		return NULL;
	format_init(&f, &k->prog->vm);
	perms(k, bits, perm);
	snprintf(name, sizeof(name), "%s_%s%s%s%s", *perm ? perm : "tracked", size[level],
		 bits & f.accessed ? "_a" : "", bits & f.dirty ? "_d" : "",
		 !(bits & f.host_writable) ? "_host_ro" :
		 !(bits & f.mmu_writable)  ? "_mmu_ro" :
					     "");
	for (i = 0; i < k->nr_bits; i++)
		if (!strncmp(k->bits[i].name, name, strlen(name)) &&
		    (!k->bits[i].name[strlen(name)] || k->bits[i].name[strlen(name)] == '_'))
			same++;
	if (same > 1)
		snprintf(k->bits[k->nr_bits].name, sizeof(k->bits->name), "%.30s_%u", name, same);
	else
		snprintf(k->bits[k->nr_bits].name, sizeof(k->bits->name), "%s", name);
	k->bits[k->nr_bits].bits = bits;
	return k->bits[k->nr_bits++].name;
}

/* ---- leaves ---- */

/* The rule that a reader would look the difference up under. */
static char rule_of(const struct kunit_case *k, enum op_kind kind, int mode, const struct run *r)
{
	const struct slot_desc *s = kunit_slot_at(k, mode & EXPECTED_SMM, r->gfn);

	if (!is_mapping(r->spte))
		return 'G';
	switch (kind) {
	case OP_TRACK:
	case OP_UNTRACK:
	case OP_WRPROT:
		return 'W';
	case OP_AGE:
		return 'D';
	case OP_READ:
	case OP_EXEC:
	case OP_PREFAULT:
		return 'M';
	default:
		return s && s->flags & SLOT_LOG ? 'D' : 'M';
	}
}

static void put_run(struct kunit_case *k, enum op_kind kind, int mode, const struct run *r)
{
	uint64_t pfn = oracle_spte_frame(k->oracle, r->spte);
	char rule = rule_of(k, kind, mode, r), perm[4];
	const char *name = NULL;
	struct kunit_call call;

	if (is_mapping(r->spte))
		name = bits_name(k, r->spte & ~(pfn << 12), r->level);
	kunit_call(&call, r->n > 1 ? "tdp_expect_leaves(" : "tdp_expect_leaf(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%s", kunit_mode(mode));
	kunit_arg(&call, "0x%llx", (unsigned long long)r->gfn);
	if (r->n > 1)
		kunit_arg(&call, "%llu", (unsigned long long)r->n);
	kunit_arg(&call, "%s", levels[r->level]);
	if (name)
		kunit_arg(&call, "0x%llxULL << PAGE_SHIFT | %s", (unsigned long long)pfn, name);
	else
		kunit_arg(&call, "0x%016llxULL", (unsigned long long)r->spte);
	perms(k, r->spte, perm);
	if (rule == 'G')
		kunit_arg(&call, "\"G: gfn and generation of what is no memory\"");
	else
		kunit_arg(&call, "\"%c: mapped %s\"", rule,
			  *perm ? perm : "for nothing, to see the next access");
	kunit_put(k->body, 1, &call, ");");
	if (r->level == 1 || !k->nx || !is_mapping(r->spte))
		return;
	kunit_call(&call, "tdp_expect_executable(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%s", kunit_mode(mode));
	kunit_arg(&call, "0x%llx", (unsigned long long)r->gfn);
	kunit_arg(&call, "false");
	kunit_arg(&call, "\"X: no huge page is executable\"");
	kunit_put(k->body, 1, &call, ");");
}

/* Where logging ends, what goes makes room for a huge page. */
static void put_none(struct kunit_case *k, enum op_kind kind, int mode, uint64_t gfn)
{
	bool room = kind == OP_LOG_STOP || kind == OP_SLOT_FLAGS;
	struct kunit_call call;

	kunit_call(&call, "tdp_expect_none(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%s", kunit_mode(mode));
	kunit_arg(&call, "0x%llx", (unsigned long long)gfn);
	kunit_arg(&call, room ? "\"M: small pages make room for a huge one\"" :
				"\"N: nothing maps it any more\"");
	kunit_put(k->body, 1, &call, ");");
}

static void put_table(struct kunit_case *k, int mode, const struct run *r)
{
	struct kunit_call call;

	kunit_call(&call, "tdp_expect_table(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%s", kunit_mode(mode));
	kunit_arg(&call, "0x%llx", (unsigned long long)r->gfn);
	kunit_arg(&call, "%s", levels[r->level]);
	kunit_arg(&call, "\"M: the huge page is split\"");
	kunit_put(k->body, 1, &call, ");");
}

/* What has become of leaves: those that are new or another, those in whose place is nothing, huge ones split. */
struct changes {
	struct runs changed, gone, split, mmio;
};

static void compare(const struct kunit_leaves *old, const struct kunit_leaves *now,
		    struct changes *c)
{
	size_t i = 0, j = 0;

	while (i < old->nr || j < now->nr) {
		const struct kunit_leaf *a = i < old->nr ? &old->leaf[i] : NULL;
		const struct kunit_leaf *b = j < now->nr ? &now->leaf[j] : NULL;

		if (a && b && a->gfn == b->gfn) {
			if (a->spte != b->spte || a->level != b->level)
				add_run(&c->changed, b);
			else if (!is_mapping(b->spte))
				add_run(&c->mmio, b);
			if (a->level > b->level && is_mapping(a->spte))
				add_run(&c->split, a);
			i++;
			j++;
		} else if (b && (!a || b->gfn < a->gfn)) {
			add_run(&c->changed, b);
			j++;
		} else {
			/* A larger leaf may have taken its place. */
			const struct kunit_leaf *p = j ? &now->leaf[j - 1] : NULL;

			if (!p || a->gfn >= p->gfn + pages_of(p->level))
				add_run(&c->gone, a);
			i++;
		}
	}
}

static void leaf_facts(struct kunit_case *k, enum op_kind kind, int mode)
{
	bool access = kind == OP_READ || kind == OP_WRITE || kind == OP_EXEC;
	struct kunit_leaves now = { 0 };
	struct changes c = { 0 };
	size_t i;

	oracle_expected_leaves(k->oracle, mode, add_leaf, &now);
	compare(&k->before[mode], &now, &c);
	for (i = 0; i < c.split.nr; i++)
		if (worth_saying(i, c.split.nr))
			put_table(k, mode, &c.split.run[i]);
	for (i = 0; i < c.changed.nr; i++)
		if (worth_saying(i, c.changed.nr))
			put_run(k, kind, mode, &c.changed.run[i]);
	/* Entries that map no memory are nothing that walks have to look at. */
	for (i = 0; i < c.mmio.nr && !access; i++)
		if (worth_saying(i, c.mmio.nr))
			put_run(k, kind, mode, &c.mmio.run[i]);
	for (i = 0; i < c.gone.nr; i++) {
		const struct run *r = &c.gone.run[i];

		if (!worth_saying(i, c.gone.nr))
			continue;
		put_none(k, kind, mode, r->gfn);
		if (r->n > 1)
			put_none(k, kind, mode, r->gfn + (r->n - 1) * pages_of(r->level));
	}
	free(c.changed.run);
	free(c.gone.run);
	free(c.split.run);
	free(c.mmio.run);
	free(k->before[mode].leaf);
	k->before[mode] = now;
}

/* ---- the rest ---- */

static void put_flush(struct kunit_case *k)
{
	struct kunit_call call;

	kunit_call(&call, "tdp_expect_flushed(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "true");
	kunit_arg(&call, "\"T: no CPU keeps what it has cached\"");
	kunit_put(k->body, 1, &call, ");");
}

/**
 * kunit_facts_log() - expect what the log named
 * @k: case; @k->op has the harvest
 */
void kunit_facts_log(struct kunit_case *k)
{
	struct kunit_call call;
	uint32_t i;

	kunit_call(&call, "tdp_expect_ndirty(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%llu", (unsigned long long)k->op.ndirty);
	kunit_arg(&call, "\"D: pages that the log names\"");
	kunit_put(k->body, 1, &call, ");");
	for (i = 0; i < k->op.nr_runs; i++) {
		if (!worth_saying(i, k->op.nr_runs))
			continue;
		kunit_call(&call, "tdp_expect_dirty(");
		kunit_arg(&call, "vm");
		kunit_arg(&call, k->op.run[i].first ? "0x%llx" : "%llx",
			  (unsigned long long)k->op.run[i].first);
		kunit_arg(&call, "%llu", (unsigned long long)k->op.run[i].n);
		kunit_arg(&call, "\"D: the log names what was written\"");
		kunit_put(k->body, 1, &call, ");");
	}
}

static void stat_facts(struct kunit_case *k)
{
	uint32_t roots = oracle_expected_roots(k->oracle);
	struct oracle_stat stat;
	struct kunit_call call;
	int i;

	oracle_expected_stat(k->oracle, &stat);
	if (memcmp(stat.pages, k->stat.pages, sizeof(stat.pages))) {
		kunit_call(&call, "tdp_expect_stat(");
		kunit_arg(&call, "vm");
		for (i = 0; i < 3; i++)
			kunit_arg(&call, "%lld", (long long)stat.pages[i]);
		kunit_arg(&call, "\"L: pages mapped, by size\"");
		kunit_put(k->body, 1, &call, ");");
	}
	if (stat.tdp_mmu_pages != k->stat.tdp_mmu_pages) {
		kunit_call(&call, "tdp_expect_tables(");
		kunit_arg(&call, "vm");
		kunit_arg(&call, "%lld", (long long)stat.tdp_mmu_pages);
		kunit_arg(&call, "\"L: page tables in use\"");
		kunit_put(k->body, 1, &call, ");");
	}
	if (roots != k->roots) {
		kunit_call(&call, "tdp_expect_roots(");
		kunit_arg(&call, "vm");
		kunit_arg(&call, "%u", roots);
		kunit_arg(&call, "\"L: roots in use\"");
		kunit_put(k->body, 1, &call, ");");
	}
	if (stat.nx_lpage_splits != k->stat.nx_lpage_splits) {
		kunit_call(&call, "tdp_expect_nx_splits(");
		kunit_arg(&call, "vm");
		kunit_arg(&call, "%lld", (long long)stat.nx_lpage_splits);
		kunit_arg(&call, "\"X: tables that could be a huge page again\"");
		kunit_put(k->body, 1, &call, ");");
	}
	k->stat = stat;
	k->roots = roots;
}

/**
 * kunit_facts() - expect what an operation has left
 * @k: case; @k->op is the operation
 * @kind: what it was
 */
void kunit_facts(struct kunit_case *k, enum op_kind kind)
{
	int mode;

	if (k->op.flush)
		put_flush(k);
	if (k->op.harvest)
		kunit_facts_log(k);
	for (mode = 0; mode < EXPECTED_MODES; mode++)
		leaf_facts(k, kind, mode);
	stat_facts(k);
}
