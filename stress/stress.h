/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests, a VMM and a host on real threads, all at once on one VM, and what must hold whatever they do.
 * docs/stress.md has the picture.
 *
 *	options.c	the command line
 *	stress.c	main: starts the threads, watches them, judges, reports
 *	rest.c		threads stand still where nothing is in hand, for who wants to look
 *	frames.c	the machine's memory: frames with owners and contents
 *	host.c		the host's page tables, and what its memory management does with them
 *	slots.c		which gfns are the guest's memory
 *	vcpu.c		a vCPU: TLB, page walks, A and D bits, PML, exits
 *	tlb.c		its caches
 *	workload.c	what guests do
 *	vmm.c		what the VMM does; migrate.c: live migration
 *	check.c		rules that need a quiet moment
 *	violation.c	what went wrong, for a person to read
 *	stacks.c	where threads are, when one hangs
 *	noise.c		threads of the library that stop for a moment
 *
 * Nothing here asks libtdp what is right: SPTEs are read as oracle/format.h restates them.
 */
#ifndef STRESS_STRESS_H
#define STRESS_STRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tdp/native.h>

#include "format.h"

#define MAX_VCPUS	8
#define MAX_SLOTS	16
#define PAGES_2M	512ULL
#define PAGES_1G	(512ULL * 512)
#define NO_PAGE		(~0ULL)

/*
 * What the machine does with memory orders nothing for TSan, so that it sees the program's own
 * synchronisation only; elsewhere it is ordered as on x86.
 */
#ifdef TDP_TSAN
#define LOAD(p)		atomic_load_explicit(p, memory_order_relaxed)
#define STORE(p, val)	atomic_store_explicit(p, val, memory_order_relaxed)
#else
#define LOAD(p)		atomic_load_explicit(p, memory_order_acquire)
#define STORE(p, val)	atomic_store_explicit(p, val, memory_order_release)
#endif
/* Sums that only their own thread adds to. */
#define COUNT(p)	atomic_store_explicit(p, COUNTED(p) + 1, memory_order_relaxed)
#define COUNTED(p)	atomic_load_explicit(p, memory_order_relaxed)

struct stress;

/* What is done: by guests, by the VMM, by the host. MIX(name, word, what it is) */
#define MIX_LIST(MIX)							\
	MIX(WRITE,	"write",	"guests write page after page")		\
	MIX(READ,	"read",		"guests read anywhere")			\
	MIX(EXEC,	"exec",		"guests execute page after page")	\
	MIX(STEAL,	"steal",	"guests write where others just were")	\
	MIX(NEST,	"nest",		"guests run guests")			\
	MIX(MIGRATE,	"migrate",	"live migration of a slot, compared at its end") \
	MIX(SLOTS,	"slots",	"slots deleted, added, moved")		\
	MIX(SPLIT,	"split",	"huge pages split eagerly")		\
	MIX(NX,		"nx",		"the NX mitigation toggled, NX recovery") \
	MIX(ZAP,	"zap",		"all roots, or a range, zapped")	\
	MIX(TRACK,	"track",	"a page write-tracked for a while")	\
	MIX(UNMAP,	"unmap",	"host: pages swapped out, written back") \
	MIX(MOVE,	"move",		"host: pages moved to other frames")	\
	MIX(AGE,	"age",		"host: pages aged")			\
	MIX(HUGE,	"huge",		"host: huge pages formed and broken")

/* clang-format off */
enum mix_bit {
#define MIX_BIT(name, word, what) MIX_BIT_##name,
	MIX_LIST(MIX_BIT)
#undef MIX_BIT
	NR_MIX,
};

enum mix {
#define MIX_MASK(name, word, what) MIX_##name = 1 << MIX_BIT_##name,
	MIX_LIST(MIX_MASK)
#undef MIX_MASK
	MIX_ALL = (1 << NR_MIX) - 1,
};
/* clang-format on */

/**
 * struct stress_options - the command line
 * @seconds: how long; 0: until interrupted
 * @accesses: of guests, after which it ends; 0: only with the time
 * @pages: of guest memory, a multiple of what a slot must have
 * @mix: of enum mix
 * @noise: threads of the library stop at the wrong places
 * @vm: kind of MMU and the rest, as the oracle describes it (oracle/op.h)
 * @backing: largest pages that the host maps the memory with
 * @json: file for the summary, or NULL
 * @live: print a status line
 */
struct stress_options {
	unsigned int seconds;
	uint64_t accesses;
	unsigned int vcpus;
	unsigned int slots;
	uint64_t pages;
	uint64_t seed;
	bool noise;
	unsigned int mix;
	struct vm_desc vm;
	enum slot_backing backing;
	const char *json;
	bool live;
};

int stress_parse(struct stress_options *opt, int argc, char **argv);

/* stacks.c */
void stacks_init(void);
void stacks_print(void);

/* ---- random numbers, one stream a thread ---- */

struct stress_rng {
	uint64_t state;
};

static inline uint64_t stress_random(struct stress_rng *rng)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static inline uint64_t stress_below(struct stress_rng *rng, uint64_t n)
{
	return stress_random(rng) % n;
}

/* ---- rest.c ---- */

enum group { GROUP_VCPUS, GROUP_OTHERS, NR_GROUPS };

/**
 * struct rest - where threads stand still
 * @wanted: who wants the group to, and has not let it go on
 * @resting: threads of the group that do
 * @threads: threads that the group has
 */
struct rest {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_uint wanted[NR_GROUPS];
	unsigned int resting[NR_GROUPS];
	unsigned int threads[NR_GROUPS];
};

void rest_init(struct rest *rest);
void rest_join(struct rest *rest, enum group group);
void rest_leave(struct rest *rest, enum group group);
void rest_here(struct rest *rest, enum group group);
void rest_stop(struct rest *rest, enum group group);
void rest_resume(struct rest *rest, enum group group);

static inline bool rest_wanted(struct rest *rest, enum group group)
{
	return atomic_load_explicit(&rest->wanted[group], memory_order_relaxed);
}

/* ---- frames.c ---- */

#define FRAME_WORDS	MAX_VCPUS
#define FIRST_PFN	0x400000ULL

/**
 * struct frame - 4 KiB of the machine, of which one word for each vCPU is modelled
 * @owner: host page that it is, plus one; 0: free
 * @dirty: written since it was last clean, as far as KVM has told
 * @accessed: likewise
 */
struct frame {
	_Atomic uint64_t word[FRAME_WORDS];
	_Atomic uint64_t owner;
	atomic_bool dirty;
	atomic_bool accessed;
};

/**
 * struct frames - all of them
 * @frame: frame number FIRST_PFN + i is @frame[i]
 * @nr: how many; of whole chunks of 2 MiB
 * @used: frames of each chunk that are somebody's
 * @cursor: where the next single frame is looked for
 * @cursor_huge: how far from the end the next huge page is looked for
 */
struct frames {
	struct frame *frame;
	uint64_t nr;
	uint16_t *used;
	uint64_t cursor;
	uint64_t cursor_huge;
};

int frames_init(struct frames *f, uint64_t nr);
void frames_destroy(struct frames *f);
uint64_t frames_alloc(struct frames *f, uint64_t n, uint64_t hvn);
void frames_free(struct frames *f, uint64_t pfn, uint64_t n);

/* NULL: no frame of this machine. */
static inline struct frame *frame_at(struct frames *f, uint64_t pfn)
{
	return pfn - FIRST_PFN < f->nr ? &f->frame[pfn - FIRST_PFN] : NULL;
}

/* One that is there. */
static inline struct frame *frame_known(struct frames *f, uint64_t pfn)
{
	return &f->frame[pfn - FIRST_PFN];
}

/* ---- host.c ---- */

/**
 * struct host - the VMM's memory and the host's page tables for it
 * @lock: held by whoever changes any of it
 * @pte: by host page: its frame's number, or 0
 * @level: by 2 MiB: how large a page maps it: PG_LEVEL_4K to PG_LEVEL_1G
 * @swap: by host page: what it holds while it has no frame; else what it held when it was last clean
 */
struct host {
	pthread_mutex_t lock;
	uint64_t pages;
	_Atomic uint64_t *pte;
	_Atomic uint8_t *level;
	uint64_t (*swap)[FRAME_WORDS];
	struct frames frames;
	struct stress *stress;
};

extern const struct tdp_host_ops stress_host_ops;
int host_init(struct host *h, struct stress *s);
void host_destroy(struct host *h);
uint64_t host_pfn(struct host *h, uint64_t hvn);
int host_level(struct host *h, uint64_t hvn);
void host_read(struct host *h, uint64_t hvn, uint64_t words[FRAME_WORDS]);
bool host_write(struct host *h, uint64_t hvn, unsigned int word, uint64_t val);
void host_all_written(struct host *h);
void *host_thread(void *arg);

/* ---- slots.c ---- */

/*
 * Slot i has host pages [i, i + 1) * size, and its gfns are one of two ranges: [2i, 2i + 1) * size, or
 * the one after that, where it is when it has been moved once.
 */
/**
 * struct slots - all of them
 * @size: pages of each
 * @state: SLOT_*
 * @emulation: held for reading while KVM stores into what it has looked up: as SRCU would, which
 *	kvm_set_memory_region() waits for
 */
struct slots {
	uint64_t size;
	_Atomic uint64_t state[MAX_SLOTS];
	pthread_rwlock_t emulation;
};

#define SLOT_THERE	(1ULL << 0)
#define SLOT_MOVED	(1ULL << 1)	/* is in the second of its two ranges */
#define SLOT_CHANGES	(1ULL << 2)	/* what a guest finds is not said */
#define SLOT_STEP	(1ULL << 3)	/* counts changes */

int slots_init(struct stress *s);
int slots_set(struct stress *s, unsigned int i, bool there, bool moved, bool logged);
uint64_t slots_gfn(struct stress *s, unsigned int i, uint64_t state);
uint64_t slots_max_gfn(struct stress *s);
uint64_t slots_look(struct stress *s, uint64_t gfn, uint64_t *hvn);

/* ---- tlb.c ---- */

#define TLB_ENTRIES	128
#define PSC_ENTRIES	16

/**
 * struct tlb_entry - a translation of one gfn, made from a page of @level
 * @perm: FMT_R | FMT_W | FMT_X; W only once D is known to be set
 */
struct tlb_entry {
	uint64_t gfn;
	uint64_t pfn;
	uint8_t level;
	uint8_t perm;
};

/* @table: that has the SPTEs for the 4K pages of @gfn's 2 MiB */
struct psc_entry {
	uint64_t gfn;
	uint64_t table;
};

struct tlb {
	struct tlb_entry entry[TLB_ENTRIES];
	struct psc_entry psc[PSC_ENTRIES];
};

void tlb_flush(struct tlb *tlb, uint64_t gfn, uint64_t nr);

static inline struct tlb_entry *tlb_slot(struct tlb *tlb, uint64_t gfn)
{
	return &tlb->entry[gfn % TLB_ENTRIES];
}

static inline struct psc_entry *psc_slot(struct tlb *tlb, uint64_t gfn)
{
	return &tlb->psc[gfn / PAGES_2M % PSC_ENTRIES];
}

/* ---- vcpu.c ---- */

/*
 * Something that the VMM switches on and off, for a gfn or for all (0): as with slots, each state has a
 * number.
 */
#define KNOWN_ON	(1ULL << 0)
#define KNOWN_CHANGES	(1ULL << 1)
#define KNOWN_STEP	(1ULL << 2)
#define KNOWN_GFN_SHIFT	24

static inline uint64_t known_next(uint64_t state, uint64_t gfn, uint64_t flags)
{
	const uint64_t step = (state + KNOWN_STEP) & ((1ULL << KNOWN_GFN_SHIFT) - 1) & ~3ULL;

	return gfn << KNOWN_GFN_SHIFT | step | flags;
}

/* What @state is if it has been on for @gfn since it became what it is. */
static inline uint64_t known_on(uint64_t state, uint64_t gfn)
{
	const uint64_t step = state & ((1ULL << KNOWN_GFN_SHIFT) - 1) & ~3ULL;

	return gfn << KNOWN_GFN_SHIFT | step | KNOWN_ON;
}

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

#define PML_ENTRIES	64

/**
 * struct stress_vcpu - a vCPU and its thread
 * @written: by host page: what it last wrote to its word of it
 * @seen: by host page: the newest value that it saw in the word of its right neighbour
 * @root: that its caches are of; @in_guest: it may use them
 * @guest_mode: its guest runs a guest
 * @logs: writes go to the PML buffer
 * @accesses: done so far; @faults: taken, @retries: of those, that KVM answered by "try again"
 * @at: gfn that it accessed last
 * @in: what it is doing, for who finds it hanging
 */
struct stress_vcpu {
	struct stress *stress;
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	unsigned int id;
	struct stress_rng rng;
	struct tlb tlb;
	hpa_t root;
	bool in_guest;
	bool guest_mode;
	bool logs;
	unsigned int logged;
	uint64_t pml[PML_ENTRIES];
	uint64_t *written;
	uint64_t *seen;
	_Atomic uint64_t accesses;
	_Atomic uint64_t faults;
	_Atomic uint64_t retries;
	_Atomic uint64_t at;
	_Atomic(const char *) in;
};

int vcpu_init(struct stress *s, unsigned int id);
void vcpu_destroy(struct stress_vcpu *v);
void *vcpu_thread(void *arg);
bool vcpu_access(struct stress_vcpu *v, uint64_t gfn, enum access access);
void vcpu_switch_mode(struct stress_vcpu *v);

/* ---- workload.c ---- */

void workload_run(struct stress_vcpu *v);

/* ---- vmm.c, migrate.c ---- */

/* Operations of the VMM and the host. */
struct actor {
	struct stress *stress;
	pthread_t thread;
	struct stress_rng rng;
	_Atomic uint64_t operations;
	_Atomic(const char *) in;
};

/* For who finds the thread hanging: what it is doing. */
static inline void actor_begins(struct actor *a, const char *what)
{
	STORE(&a->in, what);
}

static inline void actor_ends(struct actor *a)
{
	STORE(&a->in, NULL);
	COUNT(&a->operations);
}

void *vmm_thread(void *arg);
void migrate(struct actor *vmm, unsigned int slot);

/* ---- check.c ---- */

void check_quiet(struct stress *s);
void check_end(struct stress *s);

/* ---- violation.c ---- */

void violation(struct stress *s, char rule, uint64_t gfn, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void violation_warn(void *ctx, const char *cond, const char *file, int line);

/* ---- stress.c ---- */

/**
 * struct stress - everything
 * @tracked: write-tracking, @nx: the NX mitigation: KNOWN_*
 * @done: threads are to end
 * @violations: seen so far
 * @migrations: completed and compared; @checks: rendezvous
 */
struct stress {
	struct stress_options opt;
	struct format fmt;
	struct kvm *kvm;
	struct host host;
	struct slots slots;
	struct rest rest;
	struct stress_vcpu vcpus[MAX_VCPUS];
	struct actor vmm;
	struct actor host_actor;
	_Atomic uint64_t tracked;
	_Atomic uint64_t nx;
	atomic_bool done;
	atomic_uint violations;
	_Atomic uint64_t migrations;
	_Atomic uint64_t rounds;
	uint64_t checks;
	uint64_t sptes_checked;
};

static inline bool stress_done(struct stress *s)
{
	return atomic_load_explicit(&s->done, memory_order_relaxed);
}

#endif /* STRESS_STRESS_H */
