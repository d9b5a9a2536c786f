/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to what real threads share.  Any 64-bit word may be an SPTE, and is given the ordering that
 * native_atomic.h gives one; on x86 the instructions are the kernel's all the same.
 */
#ifndef UPSTREAM_ACCESS_NATIVE_H
#define UPSTREAM_ACCESS_NATIVE_H

extern struct kvm *upstream_vm;

/* Counts huge pages that were split, as libtdp does; the kernel only traces them. */
static inline void upstream_count_split(u64 old, u64 val)
{
	const u64 present = BIT_ULL(11), huge = present | BIT_ULL(7);

	if (unlikely((old & huge) == huge && (val & huge) == present))
		tdp_count(upstream_vm->stat.splits);
}

static inline u64 upstream_xchg64(u64 *ptr, u64 val)
{
	const u64 old = tdp_xchg_spte(ptr, val, 0);

	upstream_count_split(old, val);
	return old;
}

static inline bool upstream_cmpxchg64(u64 *ptr, u64 *old, u64 val)
{
	const bool ok = tdp_cmpxchg_spte(ptr, old, val, 0);

	if (ok)
		upstream_count_split(*old, val);
	return ok;
}

#define READ_ONCE(x)                                                                    \
	__builtin_choose_expr(UPSTREAM_IS_WORD(x), tdp_read_spte((const u64 *)&(x), 0), \
			      native_at(LOAD, 0, &(x),                                   \
					__atomic_load_n(&(x), UPSTREAM_LOAD_ORDER(x))))
#define WRITE_ONCE(x, val)                                                                     \
	__builtin_choose_expr(UPSTREAM_IS_WORD(x), tdp_write_spte((u64 *)&(x), (u64)(val), 0), \
			      __atomic_store_n(&(x), (val), __ATOMIC_RELAXED))
#define xchg(ptr, val)		     upstream_xchg64(ptr, val)
#define try_cmpxchg64(ptr, old, val) upstream_cmpxchg64(ptr, old, val)
#define atomic64_fetch_and(mask, v)  tdp_fetch_and_spte((u64 *)(v), mask, 0)

#define upstream_point(ptr) ((void)native_point(POINT_LOAD, 0, ptr))

#define upstream_is_held(l)                                                                    \
	(!NATIVE_DEBUG ||                                                                      \
	 _Generic((l),                                                                         \
		 rwlock_t *: native_is_held_read((const rwlock_t *)(const void *)(l)) ||       \
				native_is_held_write((const rwlock_t *)(const void *)(l)),     \
		 default: native_is_owned((const struct mutex *)(const void *)(l))))
#define upstream_yield_write(l) (cond_resched_rwlock_write)(l)

#define upstream_zalloc(size)	  native_zalloc(1, size)
#define upstream_free(ptr)	  native_free(ptr)
#define upstream_table_free(page) native_page_free(page)

#endif /* UPSTREAM_ACCESS_NATIVE_H */
