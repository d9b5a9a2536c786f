// SPDX-License-Identifier: GPL-2.0-only
/* What of a program a test can say: operations one after the other, and where a walk has to yield. */
#include <string.h>

#include "kunit.h"
#include "program_names.h"
#include <tdp/tdp.h>

/**
 * kunit_resched_point() - a point at which a test can have a walk yield
 * @choice: of a schedule
 * @name: result: as the fixture calls it
 *
 * Return: is it one?
 */
bool kunit_resched_point(const struct prog_choice *choice, const char **name)
{
	static const char *const names[POINT_NR] = {
		[POINT_READ] = "TDP_READ",	 [POINT_WRITE] = "TDP_WRITE",
		[POINT_XCHG] = "TDP_XCHG",	 [POINT_CMPXCHG] = "TDP_CMPXCHG",
		[POINT_AND] = "TDP_AND",	 [POINT_RESCHED] = "TDP_COND_RESCHED",
	};

	*name = names[choice->kind];
	return choice->action == CHOICE_RESCHED && *name;
}

static const char *why_not(const struct program *prog, const struct prog_choice *choice)
{
	const struct prog_thread *t = &prog->threads[choice->thread];
	const char *name;

	switch (choice->action) {
	case CHOICE_SWITCH:
		if (choice->kind == POINT_OP || choice->kind == POINT_END ||
		    choice->kind == POINT_BLOCK)
			return NULL;
		return "threads take turns within an operation";
	case CHOICE_RESCHED:
		if (kunit_resched_point(choice, &name)) {
			if (choice->op < t->nr_ops && t->ops[choice->op].n > 1 &&
			    t->ops[choice->op].step)
				return "a walk yields in one of many accesses";
			return NULL;
		}
		return "a walk has to yield where no SPTE is used";
	case CHOICE_FAIL:
		return "memory has to run out";
	case CHOICE_GP_END:
		return "a grace period has to end there";
	case CHOICE_REUSE:
		return "freed memory has to be handed out again";
	default:
		return "a TLB entry has to go by itself";
	}
}

/**
 * kunit_reduce() - leave out of a program what a test cannot say
 * @prog: program
 * @why: gets a line for each choice that is left out, with the reason
 *
 * Return: whether something was left out.
 */
bool kunit_reduce(struct program *prog, FILE *why)
{
	uint32_t i, kept = 0;
	char text[160];

	if (prog->vm.policy != VM_SPLIT && tdp_backend.split_policy) {
		fputs("fault_policy=zap: this kernel splits\n", why);
		prog->vm.policy = VM_SPLIT;
	}
	for (i = 0; i < prog->nr_choices; i++) {
		const char *reason = why_not(prog, &prog->choices[i]);

		if (!reason) {
			prog->choices[kept++] = prog->choices[i];
			continue;
		}
		choice_print(&prog->choices[i], text, sizeof(text));
		fprintf(why, "%s: %s\n", text + strspn(text, "\t "), reason);
	}
	i = prog->nr_choices;
	prog->nr_choices = kept;
	return i != kept;
}
