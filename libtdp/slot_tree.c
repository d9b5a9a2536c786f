// SPDX-License-Identifier: GPL-2.0-only
#include "slot_tree.h"

/* Any mixing will do: priorities need only be independent of the order of keys. */
static u32 slot_tree_prio(u32 tie)
{
	u32 x = tie * 0x9e3779b1u;

	x ^= x >> 15;
	x *= 0x85ebca6bu;
	return x ^ x >> 13;
}

static bool slot_node_before(const struct slot_node *a, const struct slot_node *b)
{
	return a->start != b->start ? a->start < b->start : a->tie < b->tie;
}

static void slot_node_update(struct slot_node *node)
{
	node->max_last = node->last;
	if (node->left && node->left->max_last > node->max_last)
		node->max_last = node->left->max_last;
	if (node->right && node->right->max_last > node->max_last)
		node->max_last = node->right->max_last;
}

/* Cut @tree into what comes before @node and what comes after it. */
static void slot_tree_split(struct slot_node *tree, const struct slot_node *node,
			    struct slot_node **before, struct slot_node **after)
{
	if (!tree) {
		*before = NULL;
		*after = NULL;
		return;
	}

	if (slot_node_before(tree, node)) {
		*before = tree;
		slot_tree_split(tree->right, node, &tree->right, after);
	} else {
		*after = tree;
		slot_tree_split(tree->left, node, before, &tree->left);
	}
	slot_node_update(tree);
}

/* Everything in @a comes before everything in @b. */
static struct slot_node *slot_tree_join(struct slot_node *a, struct slot_node *b)
{
	if (!a || !b)
		return a ? a : b;

	if (a->prio > b->prio) {
		a->right = slot_tree_join(a->right, b);
		slot_node_update(a);
		return a;
	}
	b->left = slot_tree_join(a, b->left);
	slot_node_update(b);
	return b;
}

static struct slot_node *slot_tree_insert_below(struct slot_node *tree, struct slot_node *node)
{
	if (!tree || node->prio > tree->prio) {
		slot_tree_split(tree, node, &node->left, &node->right);
		tree = node;
	} else if (slot_node_before(node, tree)) {
		tree->left = slot_tree_insert_below(tree->left, node);
	} else {
		tree->right = slot_tree_insert_below(tree->right, node);
	}
	slot_node_update(tree);
	return tree;
}

/**
 * slot_tree_insert() - add a node
 * @root: the tree; no reader may be using it
 * @node: start, last and tie are set; must not be in the tree
 */
void slot_tree_insert(struct slot_node **root, struct slot_node *node)
{
	node->left = NULL;
	node->right = NULL;
	node->prio = slot_tree_prio(node->tie);
	*root = slot_tree_insert_below(*root, node);
}

/**
 * slot_tree_remove() - take a node out
 * @root: the tree; no reader may be using it
 * @node: must be in the tree
 */
void slot_tree_remove(struct slot_node **root, struct slot_node *node)
{
	struct slot_node *tree = *root;

	if (tree == node) {
		*root = slot_tree_join(node->left, node->right);
		return;
	}
	slot_tree_remove(slot_node_before(node, tree) ? &tree->left : &tree->right, node);
	slot_node_update(tree);
}

/* First node after @after (NULL: of all) that overlaps [@start, @last]. */
static struct slot_node *slot_tree_find(struct slot_node *tree, const struct slot_node *after,
					u64 start, u64 last)
{
	struct slot_node *found;

	while (tree && tree->max_last >= start) {
		if (!after || slot_node_before(after, tree)) {
			found = slot_tree_find(tree->left, after, start, last);
			if (found)
				return found;
			if (tree->start > last)
				return NULL;
			if (tree->last >= start)
				return tree;
		}
		tree = tree->right;
	}
	return NULL;
}

/**
 * slot_tree_first() - the lowest interval that overlaps a range
 * @root: the tree
 * @start: first key of the range
 * @last: last key, inclusive
 *
 * Return: the node, or NULL. Nodes that start alike come in the order of their ties.
 */
struct slot_node *slot_tree_first(struct slot_node *root, u64 start, u64 last)
{
	return slot_tree_find(root, NULL, start, last);
}

/**
 * slot_tree_next() - the next interval that overlaps a range
 * @root: the tree
 * @node: what slot_tree_first() or slot_tree_next() returned last
 * @start: first key of the range
 * @last: last key, inclusive
 *
 * Return: the node, or NULL.
 */
struct slot_node *slot_tree_next(struct slot_node *root, const struct slot_node *node, u64 start,
				 u64 last)
{
	return slot_tree_find(root, node, start, last);
}
