/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SPTEs and other shared variables on the native platform.
 *
 * An SPTE publishes the page table that it links.  In the kernel who follows it relies on the address
 * dependency; C has none, so a read is a load-acquire, and whatever writes releases.  Read-modify-writes
 * are full barriers, as in the kernel.  With TSan only an SPTE that links a table orders anything, lest an
 * ordering be taken for granted that the kernel lacks.
 */
#ifndef TDP_PLATFORM_NATIVE_ATOMIC_H
#define TDP_PLATFORM_NATIVE_ATOMIC_H

#define NATIVE_PT_PFN	0x100000ULL
#define NATIVE_PT_PAGES (1ULL << 21)
/* Bits above are an SPTE's memory-encryption bit; they name no page. */
#define NATIVE_PT_PA_MASK ((1ULL << 34) - 1)

/* May an SPTE be followed to a page table? Never false if so. */
static inline bool native_names_table(u64 spte)
{
	return ((spte & NATIVE_PT_PA_MASK) >> PAGE_SHIFT) - NATIVE_PT_PFN < NATIVE_PT_PAGES;
}

#ifdef TDP_TSAN
#define NATIVE_SPTE_READ  __ATOMIC_RELAXED
#define NATIVE_SPTE_WRITE __ATOMIC_RELAXED
#define NATIVE_SPTE_RMW	  __ATOMIC_RELAXED

static inline void native_spte_follows(const u64 *sptep, u64 val)
{
	if (native_names_table(val))
		NATIVE_ACQUIRE(sptep);
}

static inline void native_spte_publishes(const u64 *sptep, u64 val)
{
	if (native_names_table(val))
		NATIVE_RELEASE(sptep);
}
#else
#define NATIVE_SPTE_READ		  __ATOMIC_ACQUIRE
#define NATIVE_SPTE_WRITE		  __ATOMIC_RELEASE
#define NATIVE_SPTE_RMW			  __ATOMIC_SEQ_CST
#define native_spte_follows(sptep, val)	  ((void)0)
#define native_spte_publishes(sptep, val) ((void)0)
#endif

static inline u64 native_read_spte(const u64 *sptep)
{
	const u64 val = __atomic_load_n(sptep, NATIVE_SPTE_READ);

	native_spte_follows(sptep, val);
	return val;
}

static inline void native_write_spte(u64 *sptep, u64 val)
{
	native_spte_publishes(sptep, val);
	__atomic_store_n(sptep, val, NATIVE_SPTE_WRITE);
}

static inline u64 native_xchg_spte(u64 *sptep, u64 val)
{
	u64 old;

	native_spte_publishes(sptep, val);
	old = __atomic_exchange_n(sptep, val, NATIVE_SPTE_RMW);
	native_spte_follows(sptep, old);
	return old;
}

static inline bool native_cmpxchg_spte(u64 *sptep, u64 *old, u64 val)
{
	u64 found = *old; /* so that *old need not be in memory */
	bool ok;

	native_spte_publishes(sptep, val);
	ok = __atomic_compare_exchange_n(sptep, &found, val, false, NATIVE_SPTE_RMW,
					 NATIVE_SPTE_READ);
	native_spte_follows(sptep, found);
	*old = found;
	return ok;
}

static inline u64 native_fetch_and_spte(u64 *sptep, u64 mask)
{
	const u64 old = __atomic_fetch_and(sptep, mask, NATIVE_SPTE_RMW);

	native_spte_follows(sptep, old);
	return old;
}

typedef u64 native_spte_pair __attribute__((vector_size(2 * sizeof(u64)), aligned(sizeof(u64))));

/* A table that nobody else can see yet. */
static inline void native_init_sptes(u64 *sptep, int n, u64 first, u64 step)
{
	native_spte_pair pair = { first, first + step };
	int i;

	for (i = 0; i + 1 < n; i += 2, pair += 2 * step)
		*(native_spte_pair *)&sptep[i] = pair;
	if (i < n)
		sptep[i] = first + i * step;
}

/* How many of @n SPTEs of a table, from @sptep on, hold @val? None if a walk that @asks is to yield. */
static inline int native_skip_sptes(const u64 *sptep, int n, u64 val, bool asks)
{
	int i;

	if (native_watched() || (asks && unlikely(native_self.need_resched)))
		return 0;
	for (i = 0; i < n && __atomic_load_n(&sptep[i], __ATOMIC_RELAXED) == val; i++)
		;
	return i;
}

/* Freeze those at the start of @n SPTEs of a removed table that hold @empty; how many were there? */
static inline int native_freeze_sptes(u64 *sptep, int n, u64 empty, u64 frozen)
{
	u64 old;
	int i;

	if (native_watched())
		return 0;
	for (i = 0; i < n; i++) {
		old = empty;
		if (!native_cmpxchg_spte(&sptep[i], &old, frozen))
			break;
	}
	return i;
}

/*
 * Those that hold @first, @first + @step and so on are given the values @val, @val + @val_step and so on. One to
 * which the CPU has just added A or D ends the run: it is accounted for otherwise. Unless @atomic nobody can
 * change them.
 */
static inline int native_change_leaves(u64 *sptep, int n, u64 first, u64 step, u64 val,
				       u64 val_step, bool atomic)
{
	u64 old;
	int i;

	if (native_watched())
		return 0;
	for (i = 0; i < n; i++, first += step, val += val_step) {
		old = first;
		if (atomic) {
			if (!native_cmpxchg_spte(&sptep[i], &old, val))
				break;
		} else {
			if (__atomic_load_n(&sptep[i], __ATOMIC_RELAXED) != first)
				break;
			__atomic_store_n(&sptep[i], val, __ATOMIC_RELAXED);
		}
	}
	return i;
}

/* How many of @n SPTEs of a table, from @sptep on, hold what @val does in the bits of @mask? */
static inline int native_alike_sptes(const u64 *sptep, int n, u64 val, u64 mask)
{
	int i;

	if (native_watched() || unlikely(native_self.need_resched))
		return 0;
	for (i = 0; i < n; i++)
		if ((__atomic_load_n(&sptep[i], __ATOMIC_RELAXED) ^ val) & mask)
			break;
	return i;
}

#define native_at(kind, level, ptr, access)                   \
	({                                                    \
		(void)native_point(POINT_##kind, level, ptr); \
		access;                                       \
	})
#define tdp_read_spte(sptep, level) native_at(READ, level, sptep, native_read_spte(sptep))
#define tdp_write_spte(sptep, val, level) \
	native_at(WRITE, level, sptep, native_write_spte(sptep, val))
#define tdp_xchg_spte(sptep, val, level) native_at(XCHG, level, sptep, native_xchg_spte(sptep, val))
#define tdp_cmpxchg_spte(sptep, old, val, level) \
	native_at(CMPXCHG, level, sptep, native_cmpxchg_spte(sptep, old, val))
#define tdp_fetch_and_spte(sptep, mask, level) \
	native_at(AND, level, sptep, native_fetch_and_spte(sptep, mask))
#define tdp_init_sptes(sptep, n, first, step, level) \
	((void)(level), native_init_sptes(sptep, n, first, step))
#define tdp_skip_sptes(sptep, n, val, level, reads, asks) \
	((void)(level), (void)(reads), native_skip_sptes(sptep, n, val, asks))
#define tdp_peek_spte(sptep) native_read_spte(sptep)
#define tdp_freeze_sptes(sptep, n, empty, frozen, level) \
	((void)(level), native_freeze_sptes(sptep, n, empty, frozen))
#define tdp_freeze_leaves(sptep, n, first, step, frozen, atomic, points, level) \
	((void)(level), native_change_leaves(sptep, n, first, step, frozen, 0, atomic))
#define tdp_change_leaves(sptep, n, first, step, val, val_step, atomic) \
	native_change_leaves(sptep, n, first, step, val, val_step, atomic)
#define tdp_alike_sptes(sptep, n, val, mask) native_alike_sptes(sptep, n, val, mask)

/* Shared variables that are not SPTEs. */
#define READ_ONCE(x)		native_at(LOAD, 0, &(x), __atomic_load_n(&(x), __ATOMIC_RELAXED))
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#define smp_load_acquire(p)	native_at(LOAD, 0, p, __atomic_load_n(p, __ATOMIC_ACQUIRE))
#define smp_store_release(p, v) __atomic_store_n(p, (v), __ATOMIC_RELEASE)

/* What came before a read-modify-write is seen before what comes after this is done. */
static inline void native_mb_after_atomic(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

typedef struct {
	s64 counter;
} atomic64_t;
typedef struct {
	u32 refs;
} refcount_t;

#define atomic64_read(v)   READ_ONCE((v)->counter)
#define atomic64_set(v, i) WRITE_ONCE((v)->counter, i)
#define atomic64_add(i, v) ((void)__atomic_fetch_add(&(v)->counter, i, __ATOMIC_RELAXED))
#define atomic64_inc(v)	   atomic64_add(1, v)
#define atomic64_dec(v)	   atomic64_add(-1, v)

/* Words whose bits several threads set and clear: requests, dirty bitmaps. */
#define tdp_xchg_word(p, val)	  __atomic_exchange_n(p, val, __ATOMIC_SEQ_CST)
#define tdp_read_word(p)	  __atomic_load_n(p, __ATOMIC_RELAXED)
#define tdp_write_word(p, val)	  __atomic_store_n(p, val, __ATOMIC_RELAXED)
#define tdp_fetch_or(p, mask)	  __atomic_fetch_or(p, mask, __ATOMIC_SEQ_CST)
#define tdp_fetch_andnot(p, mask) __atomic_fetch_and(p, ~(mask), __ATOMIC_SEQ_CST)

#define refcount_set(r, n) WRITE_ONCE((r)->refs, n)
#define refcount_read(r)   READ_ONCE((r)->refs)

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	u32 refs = __atomic_load_n(&r->refs, __ATOMIC_RELAXED);

	do {
		if (!refs)
			return false;
	} while (!__atomic_compare_exchange_n(&r->refs, &refs, refs + 1, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return true;
}

/* Who drops the last one comes after all who dropped one before. */
static inline bool refcount_dec_and_test(refcount_t *r)
{
	const u32 refs = __atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL);

	WARN_ON(!refs);
	return refs == 1;
}

/* A sum that many threads add to, each in a cache line that it shares with few. */
#define NATIVE_STAT_SHARDS 16

typedef struct {
	struct {
		s64 n;
		char pad[NATIVE_LINE - sizeof(s64)];
	} shard[NATIVE_STAT_SHARDS];
} tdp_stat_t;

static inline void tdp_stat_add(s64 i, tdp_stat_t *stat)
{
	s64 *n = &stat->shard[native_shard() % NATIVE_STAT_SHARDS].n;

	__atomic_fetch_add(n, i, __ATOMIC_RELAXED);
}

/* Exact only while nobody adds. */
static inline s64 tdp_stat_read(const tdp_stat_t *stat)
{
	s64 sum = 0;
	int i;

	for (i = 0; i < NATIVE_STAT_SHARDS; i++)
		sum += __atomic_load_n(&stat->shard[i].n, __ATOMIC_RELAXED);
	return sum;
}

#endif /* TDP_PLATFORM_NATIVE_ATOMIC_H */
