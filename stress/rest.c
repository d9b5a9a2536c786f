// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads stand still where they have nothing in hand. While nobody wants that, they look at one word
 * and order nothing.
 */
#include "stress.h"

void rest_init(struct rest *rest)
{
	pthread_mutex_init(&rest->lock, NULL);
	pthread_cond_init(&rest->changed, NULL);
}

/* A thread of the group begins; by who starts it, so that nobody is overlooked. */
void rest_join(struct rest *rest, enum group group)
{
	pthread_mutex_lock(&rest->lock);
	rest->threads[group]++;
	pthread_mutex_unlock(&rest->lock);
}

void rest_leave(struct rest *rest, enum group group)
{
	pthread_mutex_lock(&rest->lock);
	rest->threads[group]--;
	pthread_cond_broadcast(&rest->changed);
	pthread_mutex_unlock(&rest->lock);
}

/* Called by each thread of the group over and over. */
void rest_here(struct rest *rest, enum group group)
{
	if (!rest_wanted(rest, group))
		return;
	pthread_mutex_lock(&rest->lock);
	rest->resting[group]++;
	pthread_cond_broadcast(&rest->changed);
	while (rest->wanted[group])
		pthread_cond_wait(&rest->changed, &rest->lock);
	rest->resting[group]--;
	pthread_mutex_unlock(&rest->lock);
}

/* Returns when all threads of the group rest; the caller is of another. Several may want that. */
void rest_stop(struct rest *rest, enum group group)
{
	pthread_mutex_lock(&rest->lock);
	rest->wanted[group]++;
	while (rest->resting[group] < rest->threads[group])
		pthread_cond_wait(&rest->changed, &rest->lock);
	pthread_mutex_unlock(&rest->lock);
}

void rest_resume(struct rest *rest, enum group group)
{
	pthread_mutex_lock(&rest->lock);
	rest->wanted[group]--;
	pthread_cond_broadcast(&rest->changed);
	pthread_mutex_unlock(&rest->lock);
}
