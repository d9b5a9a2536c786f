/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interval trees for memory slots: by gfn, by host page and by id.  Where the
 * kernel has a red-black tree, an interval tree and a hash table, libtdp has one
 * structure, a treap that knows the largest end below each node.  It allocates
 * nothing, and its shape depends on the ids alone.
 */
#ifndef LIBTDP_SLOT_TREE_H
#define LIBTDP_SLOT_TREE_H

#include <tdp/types.h>

/**
 * struct slot_node - membership of one slot in one tree
 * @start: first key of the interval
 * @last: last key, inclusive
 * @tie: orders nodes with equal @start and is unique within a tree
 * @left, @right, @prio, @max_last: the tree's own
 */
struct slot_node {
	struct slot_node *left, *right;
	u64 start, last;
	u64 max_last;
	u32 tie;
	u32 prio;
};

void slot_tree_insert(struct slot_node **root, struct slot_node *node);
void slot_tree_remove(struct slot_node **root, struct slot_node *node);
struct slot_node *slot_tree_first(struct slot_node *root, u64 start, u64 last);
struct slot_node *slot_tree_next(struct slot_node *root, const struct slot_node *node, u64 start,
				 u64 last);

#endif /* LIBTDP_SLOT_TREE_H */
