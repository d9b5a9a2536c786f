// SPDX-License-Identifier: GPL-2.0-only
/* What kind of VM was recorded: from its SPTEs, from notes beside the log, from options. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "program_names.h"

#define MEMTYPE_MASK	0x38ULL
#define MEMTYPE_WB	0x30ULL		/* EPT's; in NPT these bits are PWT, PCD and A */
#define NPT_A_ONLY	0x20ULL
#define AD_DISABLED	1

/**
 * struct evidence - how often SPTEs spoke for something
 * @ept: leaves with EPT's memory type; @npt: leaves without
 * @no_ad: SPTEs that say that A/D bits are off
 * @huge_nx: huge leaves that are not executable; @huge_x: that are
 * @eager: huge pages split by who was not serving a fault; @lazy: write-protected instead
 * @levels: highest level of page table
 * @last_gfn: highest gfn
 */
struct evidence {
	uint32_t ept, npt, no_ad, huge_nx, huge_x, eager, lazy;
	int levels;
	uint64_t last_gfn;
};

static bool is_leaf(const struct ft_event *ev)
{
	return (ev->c & (1ULL << 11)) && (ev->level == 1 || (ev->c & (1ULL << 7))) &&
	       !spte_is_frozen(ev->c);
}

static void weigh_leaf(struct evidence *e, const struct ft_event *ev)
{
	bool ept = (ev->c & MEMTYPE_MASK) == MEMTYPE_WB;
	bool npt = (ev->c & 0x18) == 0;
	bool exec;

	e->ept += ept;
	e->npt += npt;
	e->no_ad += ept && ((ev->c >> 52) & 3) == AD_DISABLED;
	exec = e->ept > e->npt ? ev->c & 4 : !(ev->c >> 63);
	if (ev->level > 1) {
		e->huge_x += exec;
		e->huge_nx += !exec;
	}
}

/* Eager splitting leaves no huge page to write-protect. */
static bool protects_huge(const struct ft_event *ev)
{
	return ev->level > 1 && (ev->b & 2) && !(ev->c & 2) && (ev->b & (1ULL << 7)) && is_leaf(ev);
}

static void weigh(const struct import *im, struct evidence *e)
{
	const struct import_log *log = im->log;
	bool *faulting = calloc(log->nr_tasks, sizeof(*faulting));
	uint32_t i;

	if (!faulting)
		return;
	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];

		if (ev->vm != im->vm)
			continue;
		if (ev->kind == FT_GET_PAGE && ev->level > e->levels)
			e->levels = ev->level;
		if (ev->kind == FT_PAGE_FAULT)
			faulting[ev->task] = true;
		if (ev->kind == FT_PAGE_FAULT && ev->a >> 12 > e->last_gfn)
			e->last_gfn = ev->a >> 12;
		if (ev->kind == FT_SPLIT && !faulting[ev->task])
			e->eager++;
		if (ev->kind == FT_TRY_SPLIT)
			e->eager++;
		if (ev->kind == FT_SET_SPTE)
			faulting[ev->task] = false;
		if (ev->kind == FT_CHANGED && is_leaf(ev))
			weigh_leaf(e, ev);
		e->lazy += ev->kind == FT_CHANGED && !faulting[ev->task] && protects_huge(ev);
		if (ev->kind == FT_CHANGED && ev->a > e->last_gfn)
			e->last_gfn = ev->a;
	}
	free(faulting);
}

/**
 * import_describe_vm - what the SPTEs say about the VM
 * @im: its @desc is filled; what nothing speaks of keeps KVM's default
 */
void import_describe_vm(struct import *im)
{
	struct evidence e = { .levels = 4 };

	weigh(im, &e);
	im->desc.mmu = e.ept > e.npt ? VM_EPT : VM_NPT;
	im->desc.ad = im->desc.mmu == VM_NPT || !e.no_ad;
	im->desc.exec_only = true;
	im->desc.levels = e.levels > 4 ? 5 : 4;
	if (e.huge_nx || e.huge_x)
		im->desc.nx_huge_pages = e.huge_nx > 0;
	if (e.eager || e.lazy)
		im->desc.eager_split = e.eager > 0;
	while (im->desc.maxphyaddr < 52 && e.last_gfn >= vm_gfn_limit(&im->desc)) {
		im->desc.maxphyaddr++;
		im->desc.cachebits++;
	}
}

static void note(struct vm_desc *desc, const char *word)
{
	if (!strncmp(word, "eager_page_split=", 17))
		desc->eager_split = word[17] == 'Y' || word[17] == '1';
	else if (!strncmp(word, "nx_huge_pages=", 14))
		desc->nx_huge_pages = word[14] == 'Y' || word[14] == '1' || word[14] == 'a';
	else if (!strncmp(word, "nx_recovery_ratio=", 18))
		desc->nx_ratio = strtoul(word + 18, NULL, 10);
	else if (!strncmp(word, "nx_huge_pages_recovery_ratio=", 29))
		desc->nx_ratio = strtoul(word + 29, NULL, 10);
}

/**
 * import_read_notes - read the module parameters noted beside a log
 * @desc: changed as the notes say
 * @log_path: NAME.trace, NAME.trace.xz or NAME.xz; the notes are in NAME.txt, words NAME=VALUE
 * @notes: filled with the file's first line, empty if there is no such file
 * @size: of @notes, bytes
 *
 * Return: 0, or -ENOENT if there are no notes.
 */
int import_read_notes(struct vm_desc *desc, const char *log_path, char *notes, size_t size)
{
	static const char *const suffixes[] = { ".trace.xz", ".trace", ".xz" };
	char path[4096], copy[4096];
	char *word, *save;
	size_t len = strlen(log_path);
	size_t i;
	FILE *file;

	notes[0] = '\0';
	for (i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !strcmp(log_path + len - n, suffixes[i])) {
			len -= n;
			break;
		}
	}
	snprintf(path, sizeof(path), "%.*s.txt", (int)len, log_path);
	file = fopen(path, "r");
	if (!file)
		return -ENOENT;
	if (!fgets(notes, size, file))
		notes[0] = '\0';
	fclose(file);
	notes[strcspn(notes, "\n")] = '\0';
	snprintf(copy, sizeof(copy), "%s", notes);
	for (word = strtok_r(copy, " |", &save); word; word = strtok_r(NULL, " |", &save))
		note(desc, word);
	return 0;
}

/**
 * import_set_option - set one key of the VM as the user says
 * @desc: changed
 * @option: KEY=VALUE, as on the vm line of a program
 * @msg: filled on failure
 * @size: of @msg, bytes
 *
 * Return: 0 or -EINVAL.
 */
int import_set_option(struct vm_desc *desc, const char *option, char *msg, size_t size)
{
	const char *value = strchr(option, '=');
	size_t len = value ? (size_t)(value - option) : strlen(option);
	int i, word;

	for (i = 0; i < NR_VM_KEYS; i++) {
		const struct vm_key *key = &vm_keys[i];
		char *end;

		if (!value || strlen(key->name) != len || strncmp(key->name, option, len))
			continue;
		value++;
		for (word = 0; key->words && key->words[word]; word++) {
			if (!strcmp(key->words[word], value)) {
				vm_key_set(desc, key, word);
				return 0;
			}
		}
		if (!key->words && *value) {
			vm_key_set(desc, key, strtoull(value, &end, 0));
			if (!*end)
				return 0;
		}
		snprintf(msg, size,
			 "--vm-option %s: expected a value that the vm line of a program "
			 "takes",
			 option);
		return -EINVAL;
	}
	snprintf(msg, size, "--vm-option %s: expected KEY=VALUE with a key of a program's vm line",
		 option);
	return -EINVAL;
}
