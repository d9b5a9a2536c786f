// SPDX-License-Identifier: GPL-2.0-only
/* Slots: what is refused, what each change does to mappings, and the tree they are in. */
#include "vm_fixture.h"

#include "slot_tree.h"

#define LOG	     KVM_MEM_LOG_DIRTY_PAGES
#define SMM_SLOT(id) (1u << 16 | (id))

static int setup(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	vm_create(&config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_destroy();
	return 0;
}

static void test_refused(void **state)
{
	struct tdp_memory_region region = { .npages = 1 };

	(void)state;
	assert_int_equal(kvm_set_memory_region(NULL, &region), -EINVAL);
	assert_int_equal(kvm_set_memory_region(kvm, NULL), -EINVAL);
	assert_int_equal(set_slot(0, 0, 1, 0, 1u << 2), -EINVAL);
	assert_int_equal(set_slot(2u << 16, 0, 1, 0, 0), -EINVAL);
	assert_int_equal(set_slot(32764, 0, 1, 0, 0), -EINVAL);
	assert_int_equal(set_slot(32763, 0, 1, 0, 0), 0);
	assert_int_equal(set_slot(0, 0, 1ULL << 31, 0, 0), -EINVAL);
	assert_int_equal(set_slot(0, (1ULL << 34) - 1, 2, 0, 0), -EINVAL);
	assert_int_equal(set_slot(0, (1ULL << 34) - 2, 2, 0, 0), 0);
	assert_int_equal(set_slot(1, 0x1000, 2, (1ULL << 52) - 1, 0), -EINVAL);
	assert_int_equal(set_slot(1, ~0ULL, 2, 0, 0), -EINVAL);
	assert_int_equal(set_slot(5, 0, 0, 0, 0), -EINVAL); /* delete what is not there */
}

static void test_overlap(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 100, 100, 0, 0), 0);
	assert_int_equal(set_slot(1, 199, 1, 0, 0), -EEXIST);
	assert_int_equal(set_slot(1, 0, 101, 0, 0), -EEXIST);
	assert_int_equal(set_slot(1, 50, 500, 0, 0), -EEXIST);
	assert_int_equal(set_slot(1, 0, 100, 0, 0), 0);
	assert_int_equal(set_slot(2, 200, 100, 0, 0), 0);
	assert_int_equal(set_slot(SMM_SLOT(2), 150, 100, 0, 0), 0);
	/* A slot may be moved over itself, not over another. */
	assert_int_equal(set_slot(2, 250, 100, 0, 0), 0);
	assert_int_equal(set_slot(2, 150, 100, 0, 0), -EEXIST);
}

static void test_immutable(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 100, 100, 0, 0), 0);
	assert_int_equal(set_slot(0, 100, 50, 0, 0), -EINVAL);
	assert_int_equal(set_slot(0, 100, 100, 1, 0), -EINVAL);
	assert_int_equal(set_slot(0, 100, 100, 0, KVM_MEM_READONLY), -EINVAL);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 2);
	assert_int_equal(set_slot(0, 100, 100, 0, 0), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 2);
}

/* Deletion and moving install the slot twice: INVALID, then gone or elsewhere. */
static void test_generations(void **state)
{
	(void)state;
	assert_int_equal(kvm_memslots_generation(kvm, 1), 1);
	assert_int_equal(set_slot(0, 0, 10, 0, 0), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 2);
	assert_int_equal(set_slot(0, 0, 10, 0, LOG), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 4);
	assert_int_equal(set_slot(0, 20, 10, 0, LOG), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 8);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 12);
	assert_int_equal(kvm_memslots_generation(kvm, 1), 1);
	assert_int_equal(kvm_memslots_generation(kvm, 2), 0);
}

static void test_delete(void **state)
{
	hpa_t root;

	(void)state;
	assert_int_equal(set_slot(0, 0, 512, 0, 0), 0);
	assert_int_equal(set_slot(1, 1000, 16, 1000, 0), 0);
	guest(5, WRITE);
	guest(1001, WRITE);
	root = kvm_vcpu_root_hpa(vcpu);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_int_equal(seen.kicks, 1);
	assert_true(host.dirty[5]);
	assert_int_equal(vm_stat().pages[0], 0);
	assert_int_equal(guest_try(5, READ), RET_PF_EMULATE);
	assert_int_not_equal(kvm_vcpu_root_hpa(vcpu), root);
	assert_int_equal(guest(1001, READ), 1);
}

/* Without the quirk only the slot's own leaves go. */
static void test_delete_leaves(void **state)
{
	struct tdp_vm_config config = vm_config();
	hpa_t root;

	(void)state;
	config.quirk_slot_zap_all = false;
	vm_create(&config);
	assert_int_equal(set_slot(0, 0, 512, 0, 0), 0);
	assert_int_equal(set_slot(1, 1000, 16, 1000, 0), 0);
	guest(5, WRITE);
	guest(1001, WRITE);
	root = kvm_vcpu_root_hpa(vcpu);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_int_equal(seen.kicks, 0);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(kvm_vcpu_root_hpa(vcpu), root);
	assert_int_equal(leaf_level(5), 0);
	assert_int_equal(leaf_level(1001), PG_LEVEL_4K);
	assert_int_equal(guest_try(5, READ), RET_PF_EMULATE);
	vm_destroy();
}

static void test_move(void **state)
{
	(void)state;
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 512, 0, 0), 0);
	guest(5, WRITE);
	assert_int_equal(leaf_level(5), PG_LEVEL_2M);
	/* Gfns and host pages are not congruent any more. */
	assert_int_equal(set_slot(0, 600, 512, 0, 0), 0);
	assert_int_equal(guest(605, WRITE), 1);
	assert_int_equal(leaf_level(605), PG_LEVEL_4K);
	assert_int_equal(spte_to_pfn(leaf(605)), HOST_PFN + 5);
	assert_int_equal(guest_try(5, READ), RET_PF_EMULATE);
}

/*
 * Both address spaces have slots and roots of their own; a host page behind both is unmapped from
 * both.
 */
static void test_smm(void **state)
{
	hpa_t root;

	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	assert_int_equal(set_slot(SMM_SLOT(0), 4, 8, 4, 0), 0);
	guest(5, WRITE);
	root = kvm_vcpu_root_hpa(vcpu);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, true, false), 0);
	assert_int_equal(kvm_vcpu_root_hpa(vcpu), INVALID_PAGE);
	assert_int_equal(guest(5, WRITE), 1);
	assert_int_not_equal(kvm_vcpu_root_hpa(vcpu), root);
	assert_int_equal(guest_try(2, READ), RET_PF_EMULATE);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 5, 6), 0);
	assert_int_equal(vm_stat().pages[0], 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 5, 6), 0);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, false), 0);
	guest(2, READ);
	assert_int_equal(kvm_vcpu_root_hpa(vcpu), root);
	assert_int_equal(kvm_vcpu_tlb_flushes(vcpu), 3);
}

/*
 * A slot is deleted while an invalidation is between start and end: the swap must wait, here for
 * ever.
 */
static jmp_buf stuck;

static void on_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	(void)ctx;
	(void)what;
	(void)pa;
	assert_int_equal(rule, 'P');
	longjmp(stuck, 1);
}

static void test_swap_waits_for_invalidation(void **state)
{
	static struct sim_observer observer;
	struct tdp_vm_config config = vm_config();

	(void)state;
	NEEDS_SIM();
	vm_create(&config);
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 0, 1), 0);
	observer = vm_observer;
	observer.fatal = on_fatal;
	sim_set_observer(&observer);
	sim_set_budget(10000);
	if (!setjmp(stuck)) {
		set_slot(0, 0, 0, 0, 0);
		fail_msg("the slot was deleted in the middle of an invalidation");
	}
	sim_reset();
	sim_set_observer(NULL);
}

static void test_huge_slot_is_cheap(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 1ULL << 28, 1, 0), 0);
	assert_int_equal(guest((1ULL << 28) - 1, WRITE), 1);
	assert_int_equal(set_slot(0, 0, 1ULL << 28, 1, LOG), 0);
	assert_int_equal(guest(12345678, WRITE), 1);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
}

/* ---- the tree, against a list ---- */

#define NODES 200

struct interval {
	struct slot_node node;
	bool in;
};

static u32 rng;

static u32 random_below(u32 n)
{
	rng = rng * 1664525 + 1013904223;
	return (rng >> 8) % n;
}

static bool before(const struct slot_node *a, const struct slot_node *b)
{
	return a->start != b->start ? a->start < b->start : a->tie < b->tie;
}

static struct slot_node *naive_next(struct interval *all, const struct slot_node *after, u64 start,
				    u64 last)
{
	struct slot_node *best = NULL;
	int i;

	for (i = 0; i < NODES; i++) {
		struct slot_node *n = &all[i].node;

		if (!all[i].in || n->start > last || n->last < start)
			continue;
		if ((!after || before(after, n)) && (!best || before(n, best)))
			best = n;
	}
	return best;
}

static void check_query(struct slot_node *root, struct interval *all)
{
	u64 start = random_below(1000), last = start + random_below(50);
	struct slot_node *want = naive_next(all, NULL, start, last);
	struct slot_node *got = slot_tree_first(root, start, last);

	while (want || got) {
		assert_ptr_equal(got, want);
		want = naive_next(all, want, start, last);
		got = slot_tree_next(root, got, start, last);
	}
}

static void test_tree(void **state)
{
	static struct interval all[NODES];
	struct slot_node *root = NULL;
	int i, round;

	(void)state;
	rng = 1;
	for (round = 0; round < 4000; round++) {
		i = random_below(NODES);
		if (all[i].in) {
			slot_tree_remove(&root, &all[i].node);
		} else {
			all[i].node.start = random_below(1000);
			all[i].node.last = all[i].node.start + random_below(100);
			all[i].node.tie = i;
			slot_tree_insert(&root, &all[i].node);
		}
		all[i].in = !all[i].in;
		check_query(root, all);
	}
}

static void test_many_slots(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(set_slot(i * 7 % 1000, i * 7 % 1000 * 4, 3, i * 3, 0), 0);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(guest(i * 4 + 2, READ), 1);
		assert_int_equal(guest_try(i * 4 + 3, READ), RET_PF_EMULATE);
	}
	for (i = 0; i < 1000; i += 100)
		assert_int_equal(set_slot(i, 0, 0, 0, 0), 0);
	assert_int_equal(guest_try(400, READ), RET_PF_EMULATE);
	assert_int_equal(guest(404, READ), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_immutable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test(test_delete_leaves),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_smm, setup, teardown),
		cmocka_unit_test(test_swap_waits_for_invalidation),
		cmocka_unit_test_setup_teardown(test_huge_slot_is_cheap, setup, teardown),
		cmocka_unit_test(test_tree),
		cmocka_unit_test_setup_teardown(test_many_slots, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
