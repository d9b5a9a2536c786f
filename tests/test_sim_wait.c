// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting on simulated threads: locks go to who came first, grace periods wait for the readers that
 * were there, and who waits or spins for ever is found.
 */
#include "sim_fixture.h"

static int shared;
static rwlock_t rwlock;
static spinlock_t spin, other;
static struct srcu_struct srcu;
static struct rcuwait rcuwait;

static int set_up_locks(void **state)
{
	setup(state);
	rwlock_init(&rwlock);
	spin_lock_init(&spin);
	spin_lock_init(&other);
	init_srcu_struct(&srcu);
	rcuwait_init(&rcuwait);
	shared = 0;
	return 0;
}

static void expect_fatal(const char *text)
{
	assert_false(sim_threads_run());
	assert_int_equal(fatal_rule, 'P');
	if (!strstr(fatal_text, text))
		fail_msg("expected '%s' in '%s'", text, fatal_text);
}

/* The current thread lets @i run. */
static void let(int i)
{
	sim_give_way_to(&threads[i]);
}

/* ---- locks ---- */

static void holds_spin(void *arg)
{
	(void)arg;
	spin_lock(&spin);
	say('0');
	let(1);
	say('o');
	spin_unlock(&spin);
	say('.');
}

static void takes_spin(void *arg)
{
	say('?');
	spin_lock(&spin);
	say('0' + number_of(arg));
	spin_unlock(&spin);
}

static void test_spinlock_goes_to_who_came_first(void **state)
{
	(void)state;
	start(0, holds_spin);
	start(1, takes_spin);
	start(2, takes_spin);
	/* t1 and t2 wait; t0 lets go and ends; they have it in the order in which they came. */
	expect_story("0??o.12");
}

static void reads_first(void *arg)
{
	(void)arg;
	read_lock(&rwlock);
	assert_false(rwlock_needbreak(&rwlock));
	let(1);
	/* Both wait: the writer, and the reader behind it. */
	assert_true(rwlock_needbreak(&rwlock));
	say('r');
	read_unlock(&rwlock);
	say('.');
}

static void writes_next(void *arg)
{
	(void)arg;
	write_lock(&rwlock);
	say('w');
	assert_true(rwlock_needbreak(&rwlock));
	write_unlock(&rwlock);
}

static void reads_last(void *arg)
{
	(void)arg;
	read_lock(&rwlock);
	say('l');
	assert_false(rwlock_needbreak(&rwlock));
	read_unlock(&rwlock);
}

static void test_readers_wait_behind_a_writer(void **state)
{
	(void)state;
	start(0, reads_first);
	start(1, writes_next);
	start(2, reads_last);
	expect_story("r.wl");
}

static void reads_with_others(void *arg)
{
	read_lock(&rwlock);
	say('0' + number_of(arg));
	if (number_of(arg) < 2)
		let(number_of(arg) + 1);
	read_unlock(&rwlock);
}

static void test_readers_share(void **state)
{
	(void)state;
	start(0, reads_with_others);
	start(1, reads_with_others);
	start(2, reads_with_others);
	expect_story("012");
}

static void yields(void *arg)
{
	(void)arg;
	write_lock(&rwlock);
	say('y');
	let(1);
	cond_resched_rwlock_write(&rwlock);
	say('Y');
	write_unlock(&rwlock);
}

static void reads_meanwhile(void *arg)
{
	(void)arg;
	read_lock(&rwlock);
	say('l');
	assert_true(rwlock_needbreak(&rwlock));
	read_unlock(&rwlock);
}

static void test_yield_lets_a_waiter_in(void **state)
{
	(void)state;
	start(0, yields);
	start(1, reads_meanwhile);
	expect_story("ylY");
}

/* ---- RCU ---- */

static struct rcu_head head;

static void freed(struct rcu_head *h)
{
	(void)h;
	say('f');
}

static void old_reader(void *arg)
{
	(void)arg;
	rcu_read_lock();
	let(1);
	say('r');
	rcu_read_unlock();
	say('R');
}

static void frees(void *arg)
{
	(void)arg;
	call_rcu(&head, freed);
	say('c');
	rcu_barrier();
	say('b');
}

static void new_reader(void *arg)
{
	(void)arg;
	rcu_read_lock();
	say('n');
	let(0);
	say('N');
	rcu_read_unlock();
}

static void test_grace_period_waits_for_old_readers_only(void **state)
{
	(void)state;
	start(0, old_reader);
	start(1, frees);
	start(2, new_reader);
	/* t2's section began after the grace period: nobody waits for it. */
	expect_story("cnrfRbN");
}

static void srcu_reader(void *arg)
{
	int idx = srcu_read_lock(&srcu);

	(void)arg;
	let(1);
	say('r');
	srcu_read_unlock(&srcu, idx);
	say('R');
}

static void srcu_waiter(void *arg)
{
	(void)arg;
	synchronize_srcu(&srcu);
	say('s');
}

static void srcu_new_reader(void *arg)
{
	int idx = srcu_read_lock(&srcu);

	(void)arg;
	say('n');
	let(0);
	say('N');
	srcu_read_unlock(&srcu, idx);
}

static void test_srcu_waits_for_old_readers_only(void **state)
{
	(void)state;
	start(0, srcu_reader);
	start(1, srcu_waiter);
	start(2, srcu_new_reader);
	expect_story("nrRsN");
}

/* ---- deadlocks ---- */

static void spin_then_other(void *arg)
{
	(void)arg;
	spin_lock(&spin);
	let(1);
	spin_lock(&other);
}

static void other_then_spin(void *arg)
{
	(void)arg;
	spin_lock(&other);
	spin_lock(&spin);
}

static void test_cycle_of_locks(void **state)
{
	(void)state;
	threads[0].op = 3;
	start(0, spin_then_other);
	start(1, other_then_spin);
	expect_fatal(
		"deadlock: t0 (operation 3) waits for other, held by t1 (operation 0), which waits "
		"for spin, held by t0 (operation 3)");
}

static void reads_twice(void *arg)
{
	(void)arg;
	read_lock(&rwlock);
	let(1);
	read_lock(&rwlock);
}

/* A reader that reads again, with a writer waiting in between. */
static void test_recursive_read(void **state)
{
	(void)state;
	start(0, reads_twice);
	start(1, writes_next);
	expect_fatal("deadlock: t0 (operation 0) waits for rwlock for read");
}

static void ends_with_lock(void *arg)
{
	(void)arg;
	spin_lock(&spin);
}

static void test_lock_of_a_thread_that_has_ended(void **state)
{
	(void)state;
	start(0, ends_with_lock);
	start(1, takes_spin);
	expect_fatal("held by t0 (operation 0), which has ended");
}

static void synchronizes_inside(void *arg)
{
	(void)arg;
	srcu_read_lock(&srcu);
	synchronize_srcu(&srcu);
}

static void test_waits_for_itself(void **state)
{
	(void)state;
	start(0, synchronizes_inside);
	expect_fatal("waits for the readers of SRCU, and in its way is t0");
}

/* ---- sleeping and waking ---- */

static void sleeps(void *arg)
{
	(void)arg;
	prepare_to_rcuwait(&rcuwait);
	while (!READ_ONCE(shared)) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(shared))
			break;
		schedule();
	}
	finish_rcuwait(&rcuwait);
	say('s');
}

static void wakes(void *arg)
{
	(void)arg;
	WRITE_ONCE(shared, 1);
	rcuwait_wake_up(&rcuwait);
	say('w');
}

static void test_wake_up(void **state)
{
	(void)state;
	start(0, sleeps);
	start(1, wakes);
	expect_story("ws");
}

/* Looks first and announces to sleep afterwards: what happens in between is missed. */
static void sleeps_carelessly(void *arg)
{
	(void)arg;
	prepare_to_rcuwait(&rcuwait);
	if (!READ_ONCE(shared)) {
		let(1);
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}

static void test_lost_wake_up(void **state)
{
	(void)state;
	start(0, sleeps_carelessly);
	start(1, wakes);
	expect_fatal("lost wake-up: t0 (operation 0) waits for somebody to wake it");
}

/* ---- spinning ---- */

static void spins(void *arg)
{
	(void)arg;
	while (!READ_ONCE(shared))
		cpu_relax();
	say('s');
}

static void sets(void *arg)
{
	(void)arg;
	WRITE_ONCE(shared, 1);
	say('w');
}

static void test_spinning_lets_others_run(void **state)
{
	(void)state;
	start(0, spins);
	start(1, spins);
	start(2, sets);
	expect_story("wss");
}

static void test_spinning_for_ever(void **state)
{
	(void)state;
	start(0, spins);
	start(1, spins);
	expect_fatal("livelock: t");
	assert_non_null(strstr(fatal_text, "spins, and nothing changes"));
	assert_non_null(strstr(fatal_text, "spins or retries, too"));
}

static void spins_with_lock(void *arg)
{
	spin_lock(&spin);
	spins(arg);
}

/* Who could end it waits for the one that spins. */
static void test_spinning_with_what_another_needs(void **state)
{
	(void)state;
	start(0, spins_with_lock);
	start(1, takes_spin);
	expect_fatal(
		"t0 (operation 0) spins, and nothing changes; t1 (operation 0) waits for spin");
}

static int to_spinner(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	(void)ctx;
	(void)thread;
	(void)why;
	(void)k;
	return __builtin_ctz(runnable);
}

/* However unfair the scheduler: t2 has its turn. */
static void test_spinners_starve_nobody(void **state)
{
	const struct sim_scheduler scheduler = { .pick = to_spinner };

	(void)state;
	start(0, spins);
	start(1, spins);
	start(2, sets);
	sim_set_scheduler(&scheduler);
	expect_story("wss");
}

/* ---- yielding ---- */

static u64 *table;

/* A walk that goes back to where it was whenever it is asked to yield. */
static void walks_in_circles(void *arg)
{
	int i;

	(void)arg;
	write_lock(&rwlock);
	for (i = 0; i < 8; i++) {
		tdp_read_spte(&table[i], PG_LEVEL_4K);
		if (i == 4 && rwlock_needbreak(&rwlock)) {
			cond_resched_rwlock_write(&rwlock);
			i = -1;
		}
	}
	write_unlock(&rwlock);
}

static void walks_on(void *arg)
{
	int i;

	(void)arg;
	write_lock(&rwlock);
	for (i = 0; i < 64; i++) {
		tdp_read_spte(&table[i], PG_LEVEL_4K);
		cond_resched_rwlock_write(&rwlock);
	}
	write_unlock(&rwlock);
	say('w');
}

static void let_then_walk(void *arg)
{
	(void)arg;
	write_lock(&rwlock);
	let(1);
	write_unlock(&rwlock);
	walks_in_circles(arg);
}

static void test_yielding_for_ever(void **state)
{
	(void)state;
	table = tdp_page_alloc(0);
	start(0, let_then_walk);
	start(1, walks_in_circles);
	expect_fatal("yields at one place for ever");
}

static void test_yielding_and_getting_on(void **state)
{
	(void)state;
	table = tdp_page_alloc(0);
	start(0, walks_on);
	start(1, walks_on);
	expect_story("ww");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_locks, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_spinlock_goes_to_who_came_first),
		TEST(test_readers_wait_behind_a_writer),
		TEST(test_readers_share),
		TEST(test_yield_lets_a_waiter_in),
		TEST(test_grace_period_waits_for_old_readers_only),
		TEST(test_srcu_waits_for_old_readers_only),
		TEST(test_cycle_of_locks),
		TEST(test_recursive_read),
		TEST(test_lock_of_a_thread_that_has_ended),
		TEST(test_waits_for_itself),
		TEST(test_wake_up),
		TEST(test_lost_wake_up),
		TEST(test_spinning_lets_others_run),
		TEST(test_spinning_for_ever),
		TEST(test_spinning_with_what_another_needs),
		TEST(test_spinners_starve_nobody),
		TEST(test_yielding_for_ever),
		TEST(test_yielding_and_getting_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
