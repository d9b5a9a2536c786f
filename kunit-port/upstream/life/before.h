/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A header of the tree follows.  Its lists are changed under locks, so that what it
 * reads and writes once is no point; readers that hold no lock look at them through
 * macros, which are expanded where they are used.  May be included many times.
 */
#pragma push_macro("READ_ONCE")
#pragma push_macro("WRITE_ONCE")
#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x)	   __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val) __atomic_store_n(&(x), val, __ATOMIC_RELAXED)
