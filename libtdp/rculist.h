/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists that RCU readers follow while a lock's holder changes them: urcu's lists
 * with the racing pointers read and written through the platform.  Mirrors what
 * the TDP MMU uses of include/linux/rculist.h.
 */
#ifndef TDP_RCULIST_H
#define TDP_RCULIST_H

#include <platform.h>
#include <urcu/list.h>

/* Add @item at the head; it is complete before a reader can see it. */
static inline void list_add_rcu(struct cds_list_head *item, struct cds_list_head *head)
{
	struct cds_list_head *next = head->next;

	item->prev = head;
	item->next = next;
	next->prev = item;
	rcu_assign_pointer(head->next, item);
}

/* Take @item out; a reader that is at it still finds its way on. */
static inline void list_del_rcu(struct cds_list_head *item)
{
	struct cds_list_head *next = item->next;
	struct cds_list_head *prev = item->prev;

	next->prev = prev;
	WRITE_ONCE(prev->next, next);
	item->prev = NULL;
}

/* The item after @pos, NULL at the end. @pos may be @head itself. */
static inline struct cds_list_head *list_next_or_null_rcu(struct cds_list_head *head,
							  struct cds_list_head *pos)
{
	struct cds_list_head *next = rcu_dereference(pos->next);

	return next == head ? NULL : next;
}

#endif /* TDP_RCULIST_H */
