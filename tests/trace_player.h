/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays a trace of events and calls into the oracle, with page tables in a small fake memory.
 * docs/oracle.md has the format.  Errors in a trace end the test with file and line.
 */
#ifndef TRACE_PLAYER_H
#define TRACE_PLAYER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define TRACE_MAX_TABLES	64
#define TRACE_MAX_WORDS		24
#define TRACE_PT_PA		(0x100000ULL << 12)

struct trace_table {
	char name[16];
	int level;
	bool live;
	uint64_t pa;
	uint64_t *spte;
};

struct trace {
	struct oracle *o;
	struct vm_desc vm;
	struct trace_table tables[TRACE_MAX_TABLES];
	int nr_tables;
	struct oracle_call calls[4];
	uint64_t bitmap[64];
	int depth;
	bool started;
	const char *file;
	int line;
	char *words[TRACE_MAX_WORDS];
	int nr_words;
};

static void trace_fail(const struct trace *t, const char *what, const char *word)
{
	fprintf(stderr, "%s:%d: %s: '%s'\n", t->file, t->line, what, word);
	exit(2);
}

/* ---- the machine ---- */

static struct trace_table *trace_find(struct trace *t, const char *name)
{
	int i;

	for (i = 0; i < t->nr_tables; i++)
		if (!strcmp(t->tables[i].name, name))
			return &t->tables[i];
	trace_fail(t, "no such table", name);
	return NULL;
}

/* The youngest table at that address: a page may have been used before. */
static uint64_t *trace_spte_ptr(struct trace *t, uint64_t pa)
{
	int i;

	for (i = t->nr_tables - 1; i >= 0; i--)
		if (t->tables[i].live && t->tables[i].pa == (pa & ~0xfffULL))
			return &t->tables[i].spte[pa / 8 % 512];
	return NULL;
}

static const uint64_t *trace_sptep(void *ctx, uint64_t pa)
{
	return trace_spte_ptr(ctx, pa);
}

static bool trace_cmpxchg(void *ctx, uint64_t pa, uint64_t old, uint64_t val)
{
	uint64_t *p = trace_spte_ptr(ctx, pa);

	if (!p || *p != old)
		return false;
	*p = val;
	return true;
}

static void trace_pml(void *ctx, int vcpu, uint64_t gfn)
{
	struct trace *t = ctx;
	struct oracle_call call = { .kind = CALL_MARK_DIRTY, .vcpu = vcpu, .gfn = gfn };

	oracle_call_begin(t->o, &call);
	oracle_call_end(t->o, &call);
}

/* ---- words ---- */

static uint64_t trace_number(const struct trace *t, const char *word)
{
	char *end;
	uint64_t val = strtoull(word, &end, 0);

	if (end == word || *end)
		trace_fail(t, "not a number", word);
	return val;
}

static const char *trace_word(const struct trace *t, int i)
{
	if (i >= t->nr_words)
		trace_fail(t, "a word is missing after", t->words[t->nr_words - 1]);
	return t->words[i];
}

static uint64_t trace_arg(const struct trace *t, int i)
{
	return trace_number(t, trace_word(t, i));
}

/* "+1", "-2" */
static int trace_signed(const struct trace *t, int i)
{
	return strtol(trace_word(t, i), NULL, 10);
}

/* The value of KEY=VALUE among the words, NULL if it is not there. */
static const char *trace_key(const struct trace *t, const char *key)
{
	size_t len = strlen(key);
	int i;

	for (i = 1; i < t->nr_words; i++)
		if (!strncmp(t->words[i], key, len) && t->words[i][len] == '=')
			return t->words[i] + len + 1;
	return NULL;
}

static uint64_t trace_key_number(const struct trace *t, const char *key, uint64_t otherwise)
{
	const char *val = trace_key(t, key);

	return val ? trace_number(t, val) : otherwise;
}

static bool trace_key_on(const struct trace *t, const char *key, bool otherwise)
{
	const char *val = trace_key(t, key);

	return val ? !strcmp(val, "on") : otherwise;
}

static int trace_choice(const struct trace *t, const char *word, const char *const *names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (names[i] && !strcmp(word, names[i]))
			return i;
	trace_fail(t, "unknown word", word);
	return 0;
}

#define TRACE_CHOICE(t, word, names) \
	trace_choice(t, word, names, (int)(sizeof(names) / sizeof((names)[0])))

/* Bits that a letter of a leaf sets, for EPT and NPT; "x" and "u" clear bits as well. */
static const struct {
	char letter;
	uint64_t ept, npt;
} trace_letters[] = {
	{ 'r', 1, 1 },
	{ 'w', 2, 2 },
	{ 'x', 4, 0 },
	{ 'u', 0, 0 },
	{ 'h', 1ULL << 57, 1 << 9 },
	{ 'm', 1ULL << 58, 1 << 10 },
	{ 'a', 1 << 8, 1 << 5 },
	{ 'd', 1 << 9, 1 << 6 },
	{ 'H', 1 << 7, 1 << 7 },
	{ 'n', 1ULL << 52, 0 },
	{ 'p', 2ULL << 52, 0 },
	{ 'R', 1ULL << 54, 0 },
	{ 'X', 1ULL << 56, 0 },
};

/* Leaf as the VM's format has it: PFN:LETTERS */
static uint64_t trace_leaf(const struct trace *t, const char *word)
{
	bool ept = t->vm.mmu == VM_EPT;
	size_t i, n = sizeof(trace_letters) / sizeof(trace_letters[0]);
	char *letters;
	uint64_t val = strtoull(word, &letters, 0) << 12 | 1ULL << 63 | 1ULL << 11;

	if (*letters++ != ':')
		trace_fail(t, "a leaf is PFN:LETTERS", word);
	val |= ept ? 0xeULL << 3 : 4;
	for (; *letters; letters++) {
		for (i = 0; i < n && trace_letters[i].letter != *letters; i++)
			;
		if (i == n)
			trace_fail(t, "unknown letter in a leaf", letters);
		if (*letters == 'u')
			val &= ~(0xfULL << 3);
		if (*letters == 'x' && !ept)
			val &= ~(1ULL << 63);
		val |= ept ? trace_letters[i].ept : trace_letters[i].npt;
	}
	return val;
}

static uint64_t trace_link(const struct trace *t, uint64_t pa)
{
	uint64_t val = pa | 1ULL << 11 | 7;

	if (t->vm.mmu == VM_NPT)
		return val | 1ULL << 5;
	val |= 1ULL << 63;
	if (t->vm.kernel == VM_LINUX_7_2)
		return val | 1ULL << 10 | (t->vm.ad ? 1ULL << 8 : 1ULL << 60);
	return val | (t->vm.ad ? 1ULL << 8 : 1ULL << 52);
}

static uint64_t trace_value(struct trace *t, const char *word)
{
	if (!strcmp(word, "none"))
		return 1ULL << 63;
	if (!strcmp(word, "frozen"))
		return 1ULL << 63 | 0x5a0;
	if (!strncmp(word, "leaf:", 5))
		return trace_leaf(t, word + 5);
	if (!strncmp(word, "table:", 6))
		return trace_link(t, trace_find(t, word + 6)->pa);
	return trace_number(t, word);
}

/* ---- statements ---- */

static void trace_vm(struct trace *t)
{
	const struct oracle_env env = {
		.ctx = t,
		.sptep = trace_sptep,
		.cmpxchg_spte = trace_cmpxchg,
		.pml = trace_pml,
	};
	const char *mmu = trace_key(t, "mmu"), *policy = trace_key(t, "fault_policy");
	const char *me = trace_key(t, "me"), *kernel = trace_key(t, "kernel");

	t->vm = (struct vm_desc){
		.mmu = mmu && !strcmp(mmu, "npt") ? VM_NPT : VM_EPT,
		.kernel = kernel && !strcmp(kernel, "7.2") ? VM_LINUX_7_2 : VM_LINUX_6_12,
		.ad = trace_key_on(t, "ad", true),
		.levels = trace_key_number(t, "levels", 4),
		.nx_huge_pages = trace_key_on(t, "nx_huge_pages", false),
		.policy = policy && !strcmp(policy, "zap") ? VM_ZAP : VM_SPLIT,
		.pml = trace_key_on(t, "pml", false),
		.exec_only = trace_key_on(t, "exec_only", false),
		.me = me && !strcmp(me, "sme") ? VM_ME_SME :
		      me && !strcmp(me, "tdx") ? VM_ME_TDX :
						 VM_ME_OFF,
		.l1tf = trace_key_on(t, "l1tf", false),
		.maxphyaddr = trace_key_number(t, "maxphyaddr", 46),
		.cachebits = trace_key_number(t, "cachebits", 46),
		.gen = trace_key_number(t, "gen", 0),
		.manual_protect = trace_key_on(t, "manual_protect", false),
		.init_set = trace_key_on(t, "init_set", false),
		.nx_ratio = 60,
		.quirk_zap_all = true,
	};
	oracle_reset(t->o, &t->vm, &env);
	oracle_set_prediction(t->o, false);
	oracle_set_thread(t->o, 0, 0);
	t->started = true;
}

/* table NAME LEVEL [fill=VALUE] [at=NAME]: at: the page that table NAME had */
static void trace_table(struct trace *t)
{
	struct trace_table *tab = &t->tables[t->nr_tables];
	const char *fill = trace_key(t, "fill"), *at = trace_key(t, "at");
	uint64_t val = fill ? trace_value(t, fill) : 1ULL << 63;
	int i;

	if (t->nr_tables == TRACE_MAX_TABLES)
		trace_fail(t, "too many tables", t->words[0]);
	tab->pa = at ? trace_find(t, at)->pa : TRACE_PT_PA + ((uint64_t)t->nr_tables << 12);
	snprintf(tab->name, sizeof(tab->name), "%s", trace_word(t, 1));
	tab->level = trace_arg(t, 2);
	tab->live = true;
	tab->spte = malloc(4096);
	for (i = 0; i < 512; i++)
		tab->spte[i] = val;
	t->nr_tables++;
	oracle_ev_page_alloc(t->o, tab->pa, val);
}

static void trace_free(struct trace *t)
{
	struct trace_table *tab = trace_find(t, trace_word(t, 1));

	oracle_ev_page_free(t->o, tab->pa);
	tab->live = false;
}

/* HOW TABLE[INDEX] = VALUE */
static void trace_spte(struct trace *t, enum oracle_how how, bool ok)
{
	char name[32], *bracket;
	struct trace_table *tab;
	uint64_t idx, old, val;

	snprintf(name, sizeof(name), "%s", trace_word(t, 1));
	bracket = strchr(name, '[');
	if (!bracket || strcmp(trace_word(t, 2), "="))
		trace_fail(t, "expected TABLE[INDEX] = VALUE", t->words[1]);
	*bracket = 0;
	bracket[strcspn(bracket + 1, "]") + 1] = 0;
	idx = trace_number(t, bracket + 1);
	tab = trace_find(t, name);
	val = trace_value(t, trace_word(t, 3));
	old = tab->spte[idx];
	if (ok)
		tab->spte[idx] = val;
	oracle_ev_spte(t->o, how, tab->pa + idx * 8, trace_key_number(t, "level", tab->level), old,
		       val, ok);
}

/* split TABLE = LEAF: the 512 entries of a split; LEAF is the first, LEVEL that of the table */
static void trace_split(struct trace *t)
{
	struct trace_table *tab = trace_find(t, trace_word(t, 1));
	uint64_t val = trace_value(t, trace_word(t, 3)), old;
	int i, skip = trace_key_number(t, "skip", 512);

	for (i = 0; i < 512; i++) {
		if (i == skip)
			continue;
		old = tab->spte[i];
		tab->spte[i] = val + ((uint64_t)i << (12 + 9 * (tab->level - 1)));
		oracle_ev_spte(t->o, ORACLE_INIT, tab->pa + i * 8, tab->level, old, tab->spte[i],
			       true);
	}
}

static const char *const trace_call_names[] = {
#define CALL(name, text) text,
	CALL_LIST(CALL)
#undef CALL
};

static uint8_t trace_slot(const struct trace *t)
{
	return OP_SLOT(trace_key_number(t, "as", 0), trace_key_number(t, "slot", 0));
}

/* call KIND [key=value...] */
static void trace_call(struct trace *t)
{
	struct oracle_call *call = &t->calls[t->depth++];
	const char *flags = trace_key(t, "flags");

	*call = (struct oracle_call){
		.kind = TRACE_CHOICE(t, trace_word(t, 1), trace_call_names),
		.vcpu = trace_key_number(t, "vcpu", 0),
		.smm = trace_key_on(t, "smm", false),
		.guest_mode = trace_key_on(t, "guest", false),
		.on = trace_key_on(t, "on", false),
		.slot = trace_slot(t),
		.level = trace_key_number(t, "level", 0),
		.gfn = trace_key_number(t, "gfn", 0),
		.n = trace_key_number(t, "n", 0),
		.error_code = trace_key_number(t, "error", 0),
		.root = ~0ULL,
		.region = {
			.as_id = trace_key_number(t, "as", 0),
			.id = trace_key_number(t, "slot", 0),
			.base = trace_key_number(t, "base", 0),
			.npages = trace_key_number(t, "pages", 0),
			.hvn = trace_key_number(t, "hvn", trace_key_number(t, "base", 0)),
		},
	};
	if (flags && strstr(flags, "log"))
		call->region.flags |= SLOT_LOG;
	if (flags && strstr(flags, "ro"))
		call->region.flags |= SLOT_RO;
	oracle_call_begin(t->o, call);
}

/* return [ret=N] [root=TABLE] [mmio=GFN] [bits=WORD,...]: bits: of the bitmap, from its first word on */
static void trace_return(struct trace *t)
{
	struct oracle_call *call;
	const char *root = trace_key(t, "root"), *bits = trace_key(t, "bits");
	const char *ret = trace_key(t, "ret");

	if (!t->depth)
		trace_fail(t, "no call to return from", t->words[0]);
	call = &t->calls[--t->depth];
	call->mmio_gfn = trace_key_number(t, "mmio", call->gfn);
	call->mmio = call->mmio_gfn != call->gfn;
	if (ret)
		call->ret = strtol(ret, NULL, 0);
	if (root)
		call->root = trace_find(t, root)->pa;
	memset(t->bitmap, 0, sizeof(t->bitmap));
	call->bitmap = t->bitmap;
	call->words = 64;
	for (; bits; bits = strchr(bits, ',') ? strchr(bits, ',') + 1 : NULL) {
		uint64_t bit = strtoull(bits, NULL, 0);

		t->bitmap[bit / 64 % 64] |= 1ULL << bit % 64;
	}
	oracle_call_end(t->o, call);
}

/* read|write|exec VCPU GFN [-> done|fault|misconfig|no-root] */
static void trace_access(struct trace *t, enum hw_access access)
{
	static const char *const results[] = { "done", "fault", "misconfig", "no-root" };
	struct hw_exit exit;
	enum hw_result res =
		oracle_hw_access(t->o, trace_arg(t, 1), trace_arg(t, 2), access, &exit);

	if (t->nr_words > 4 && TRACE_CHOICE(t, trace_word(t, 4), results) != (int)res)
		trace_fail(t, "the access ended otherwise than expected", results[res]);
	if (t->nr_words > 5 && trace_arg(t, 5) != exit.error_code) {
		fprintf(stderr, "error code 0x%llx\n", (unsigned long long)exit.error_code);
		trace_fail(t, "another error code than expected", t->words[5]);
	}
}

static void trace_back(struct trace *t)
{
	static const char *const names[] = { "4K", "2M", "1G", "mmio" };

	oracle_host_set_backing(t->o, trace_arg(t, 1), trace_arg(t, 2),
				(enum slot_backing)TRACE_CHOICE(t, trace_word(t, 3), names));
}

/* fault-in HVN [-> PFN] */
static void trace_fault_in(struct trace *t)
{
	bool writable;
	uint64_t pfn;

	oracle_host_fault_in(t->o, trace_arg(t, 1), true, &writable, &pfn);
	if (t->nr_words > 3 && trace_arg(t, 3) != pfn) {
		fprintf(stderr, "frame 0x%llx\n", (unsigned long long)pfn);
		trace_fail(t, "another frame than expected", t->words[3]);
	}
}

static void trace_stat(struct trace *t)
{
	struct oracle_stat stat = {
		.pages = { trace_key_number(t, "4k", 0), trace_key_number(t, "2m", 0),
			   trace_key_number(t, "1g", 0) },
		.nx_lpage_splits = trace_key_number(t, "nx", 0),
		.tdp_mmu_pages = trace_key_number(t, "tables", 0),
	};

	oracle_check_stat(t->o, &stat);
}

static void trace_host(struct trace *t)
{
	const char *what = trace_word(t, 1);
	uint64_t hvn = trace_arg(t, 2), n = trace_arg(t, 3);

	if (!strcmp(what, "unmap"))
		oracle_host_unmap(t->o, hvn, n);
	else if (!strcmp(what, "populate"))
		oracle_host_populate(t->o, hvn, n);
	else if (!strcmp(what, "clean"))
		oracle_host_clean(t->o, hvn, n);
	else if (!strcmp(what, "protect"))
		oracle_host_protect(t->o, hvn, n);
	else if (!strcmp(what, "form"))
		oracle_host_huge_form(t->o, hvn, n);
	else if (!strcmp(what, "break"))
		oracle_host_huge_break(t->o, hvn, n);
	else
		trace_fail(t, "unknown host operation", what);
}

static void trace_include(struct trace *t, const char *name);

static void trace_statement(struct trace *t)
{
	const char *w = t->words[0];

	if (!strcmp(w, "include")) {
		trace_include(t, trace_word(t, 1));
		return;
	}
	if (!strcmp(w, "vm")) {
		trace_vm(t);
		return;
	}
	if (!t->started)
		trace_fail(t, "a trace starts with vm or include", w);
	if (!strcmp(w, "table"))
		trace_table(t);
	else if (!strcmp(w, "free"))
		trace_free(t);
	else if (!strcmp(w, "init"))
		trace_spte(t, ORACLE_INIT, true);
	else if (!strcmp(w, "write"))
		trace_spte(t, ORACLE_WRITE, true);
	else if (!strcmp(w, "xchg"))
		trace_spte(t, ORACLE_XCHG, true);
	else if (!strcmp(w, "cmpxchg"))
		trace_spte(t, ORACLE_CMPXCHG, true);
	else if (!strcmp(w, "cmpxchg-fails"))
		trace_spte(t, ORACLE_CMPXCHG, false);
	else if (!strcmp(w, "and"))
		trace_spte(t, ORACLE_AND, true);
	else if (!strcmp(w, "split"))
		trace_split(t);
	else if (!strcmp(w, "call"))
		trace_call(t);
	else if (!strcmp(w, "return"))
		trace_return(t);
	else if (!strcmp(w, "thread"))
		oracle_set_thread(t->o, trace_arg(t, 1), trace_arg(t, 2));
	else if (!strcmp(w, "flush"))
		oracle_ev_flush(t->o, t->nr_words > 1 ? trace_arg(t, 1) : 0,
				t->nr_words > 1 ? trace_arg(t, 2) : 0);
	else if (!strcmp(w, "kick"))
		oracle_ev_kick(t->o, t->nr_words > 1 && !strcmp(t->words[1], "roots"));
	else if (!strcmp(w, "lock"))
		oracle_ev_lock(t->o, trace_word(t, 1), trace_signed(t, 2));
	else if (!strcmp(w, "rcu"))
		oracle_ev_rcu(t->o, trace_signed(t, 1));
	else if (!strcmp(w, "warn"))
		oracle_ev_warn(t->o, trace_word(t, 1), "file.c", 1);
	else if (!strcmp(w, "read"))
		trace_access(t, HW_READ);
	else if (!strcmp(w, "store"))
		trace_access(t, HW_WRITE);
	else if (!strcmp(w, "exec"))
		trace_access(t, HW_EXEC);
	else if (!strcmp(w, "speculate"))
		oracle_hw_speculate(t->o, trace_arg(t, 1), trace_arg(t, 2));
	else if (!strcmp(w, "emulated"))
		oracle_hw_emulated_write(t->o, trace_arg(t, 1), trace_arg(t, 2));
	else if (!strcmp(w, "back"))
		trace_back(t);
	else if (!strcmp(w, "host"))
		trace_host(t);
	else if (!strcmp(w, "reuse"))
		oracle_host_reuse(t->o);
	else if (!strcmp(w, "fault-in"))
		trace_fault_in(t);
	else if (!strcmp(w, "dirty"))
		oracle_host_set_dirty(t->o, trace_arg(t, 1));
	else if (!strcmp(w, "accessed"))
		oracle_host_set_accessed(t->o, trace_arg(t, 1));
	else if (!strcmp(w, "stat"))
		trace_stat(t);
	else if (!strcmp(w, "quiesce"))
		oracle_quiesce(t->o);
	else if (!strcmp(w, "final"))
		oracle_final(t->o, trace_arg(t, 1), trace_arg(t, 2));
	else
		trace_fail(t, "unknown statement", w);
}

static void trace_line(struct trace *t, char *line)
{
	char *save, *word;

	line[strcspn(line, "#\n")] = 0;
	t->nr_words = 0;
	for (word = strtok_r(line, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (t->nr_words == TRACE_MAX_WORDS)
			trace_fail(t, "too many words", word);
		t->words[t->nr_words++] = word;
	}
	if (t->nr_words)
		trace_statement(t);
}

static void trace_file(struct trace *t, const char *path)
{
	char line[512];
	FILE *f = fopen(path, "r");

	t->file = path;
	t->line = 0;
	if (!f)
		trace_fail(t, "cannot open", path);
	while (fgets(line, sizeof(line), f)) {
		t->line++;
		trace_line(t, line);
	}
	fclose(f);
}

/* include NAME: of the same directory */
static void trace_include(struct trace *t, const char *name)
{
	const char *file = t->file, *slash = strrchr(file, '/');
	int line = t->line;
	char path[512];

	snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - file), file, name);
	trace_file(t, path);
	t->file = file;
	t->line = line;
}

/**
 * trace_play() - play a file
 * @o: oracle; it holds what was found
 * @path: the trace
 */
static inline void trace_play(struct oracle *o, const char *path)
{
	struct trace *t = calloc(1, sizeof(*t));
	int i;

	t->o = o;
	trace_file(t, path);
	for (i = 0; i < t->nr_tables; i++)
		free(t->tables[i].spte);
	free(t);
}

#endif /* TRACE_PLAYER_H */
