/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SPTEs went through: for each (address space, gfn, level) the classes that the SPTE had,
 * one after the other.  Both a log and a replay are brought to this form.
 *
 * Several SPTEs may have one key, one after the other or at once: of the roots before and after
 * a slot is deleted, of page tables that are zapped and built again.  So a history is a list of
 * lives.  A life begins when an SPTE becomes something and ends when it becomes none.
 */
#ifndef TDP_IMPORT_HISTORY_H
#define TDP_IMPORT_HISTORY_H

#include "import.h"

#define HISTORY_OPEN	(~0U)

/**
 * struct history_step - a class that an SPTE had
 * @class: it
 * @line: of the log, or number of the replay's event
 * @born: how the life of the SPTE began, where this is its first step
 */
enum history_birth { BORN_NOT, BORN_MAPPED, BORN_UNSEEN };
struct history_step {
	struct spte_class class;
	uint32_t line;
	enum history_birth born;
};

/**
 * struct history_life - an SPTE from its becoming something to its becoming none
 * @nr: of @steps
 * @steps: distinct neighbours, the last is none if the life has ended
 * @spte: value now, 0 if it has ended
 * @next: next life of the same key, HISTORY_OPEN for none
 */
struct history_life {
	uint32_t nr, cap;
	struct history_step *steps;
	uint64_t spte;
	uint32_t next;
};

/**
 * struct history_key - which SPTEs are compared with which
 * @gfn: first page that it maps
 * @as_id: address space
 * @level: 1 to 5
 * @used: there is one
 * @first: first life; @last: last; @alive: first that may not have ended
 */
struct history_key {
	uint64_t gfn;
	uint8_t as_id;
	uint8_t level;
	bool used;
	uint32_t first, last, alive;
};

struct history {
	const struct vm_desc *vm;
	uint32_t nr_keys, cap_keys;	/* a power of two */
	struct history_key *keys;
	uint32_t nr_lives, cap_lives;
	struct history_life *lives;
	bool no_memory;
};

void history_init(struct history *h, const struct vm_desc *vm);
void history_free(struct history *h);
struct history_key *history_find(const struct history *h, int as_id, uint64_t gfn, int level);
uint32_t history_begin(struct history *h, int as_id, uint64_t gfn, int level, uint64_t spte,
		       uint32_t line, enum history_birth born);
void history_change(struct history *h, uint32_t life, int level, uint64_t spte, uint32_t line);
uint32_t history_of_value(const struct history *h, int as_id, uint64_t gfn, int level,
			  uint64_t spte);

/* import_recorded.c, import_replay.c: what fills one */
void history_fast_fault(struct history *h, const struct ft_event *ev);
void history_from_log(struct history *h, const struct import *im);
int history_from_replay(struct history *h, const struct program *prog,
			const struct import_turns *turns, struct import_error *err);

/* import_compare.c */
enum difference {
#define DIFFERENCES(D)								\
	D(CPU_AD,	"cpu-ad",	"the CPU sets A and D without an event")	\
	D(REFAULT_D,	"refault-d",	"a second fault on a writable leaf may clear D")	\
	D(MMIO_LEAF,	"mmio-leaf",	"6.12 takes an MMIO SPTE for a writable leaf (a finding)") \
	D(FAST_WRITE,	"fast-write",	"a fast page fault sets W, and its own event was not recorded") \
	D(SPLIT_CHILD,	"split-child",	"the 512 children of a split have no events")	\
	D(TEARDOWN,	"teardown",	"the destruction of a root has no events")	\
	D(HOST_SPLIT,	"host-split",	"the host unmapped part of a huge page that it had split unseen") \
	D(RACE,		"race",		"two tasks worked at the page at once: the order is not known") \
	D(UNNAMED,	"unnamed",	"no reason is known")
#define D(name, text, why) DIFF_##name,
	DIFFERENCES(D)
#undef D
		DIFF_NR
};
extern const char *const difference_names[DIFF_NR];
extern const char *const difference_reasons[DIFF_NR];

#define MAX_EXAMPLES	8

/**
 * struct comparison - how a replay compares with its log
 * @recorded: classes in the log's histories; @replayed: in the replay's
 * @matched: that are the same in both
 * @differences: that are in one only, or differ, by reason
 * @nr_examples: of @examples
 * @examples: of differences without a name
 */
struct comparison {
	uint64_t recorded, replayed, matched;
	uint64_t differences[DIFF_NR];
	uint32_t nr_examples;
	char examples[MAX_EXAMPLES][160];
};
int history_compare(const struct import *im, const struct history *recorded,
		    const struct history *replayed, struct comparison *result);

#endif /* TDP_IMPORT_HISTORY_H */
