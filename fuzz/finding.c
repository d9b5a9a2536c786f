// SPDX-License-Identifier: GPL-2.0-only
/* A violation, told to people: the rule, where in the program, which page, which SPTE. */
#include "finding.h"

#include "spte_words.h"

/**
 * rule_meaning() - what a rule demands
 * @rule: its letter
 *
 * Return: half a sentence.
 */
const char *rule_meaning(char rule)
{
	switch (rule) {
	case 'T':
		return "no access through a translation that was taken away";
	case 'D':
		return "dirty tracking loses no write";
	case 'U':
		return "nothing is used after it was freed";
	case 'N':
		return "nothing stays mapped that was unmapped";
	case 'M':
		return "what is mapped is right";
	case 'L':
		return "pages, counts and references balance";
	case 'P':
		return "everything makes progress";
	case 'W':
		return "a tracked page is not writable";
	case 'X':
		return "the NX huge page mitigation holds";
	case 'G':
		return "non-present and MMIO SPTEs give nothing away";
	case 'B':
		return "no reserved or illegal bits";
	case 'A':
		return "SPTE changes follow the protocol";
	case '!':
		return "no WARN fires";
	default:
		return "unknown rule";
	}
}

static void print_operation(FILE *out, const struct program *prog, const struct oracle_violation *v)
{
	const struct prog_thread *t;
	char text[160];

	if (v->thread < 0 || v->thread >= (int)prog->nr_threads) {
		fprintf(out, "\tbefore the first or after the last operation\n");
		return;
	}
	t = &prog->threads[v->thread];
	if (v->op >= t->nr_ops) {
		fprintf(out, "\tt%d (%s), after its last operation\n", v->thread, t->name);
		return;
	}
	op_print(&t->ops[v->op], text, sizeof(text));
	fprintf(out, "\tt%d.%u (%s): %s\n", v->thread, v->op, t->name, text);
}

static int source_line(const struct program *prog, const struct oracle_violation *v)
{
	if (v->thread < 0 || v->thread >= (int)prog->nr_threads ||
	    v->op >= prog->threads[v->thread].nr_ops)
		return 0;
	return prog->threads[v->thread].lines[v->op];
}

/**
 * finding_print() - print a violation
 * @out: where to
 * @path: the program's file
 * @prog: the program
 * @v: the violation
 *
 * The first line is "PATH:LINE: rule R broken (meaning): text"; indented lines follow.
 */
void finding_print(FILE *out, const char *path, const struct program *prog,
		   const struct oracle_violation *v)
{
	int line = source_line(prog, v);
	char words[SPTE_WORDS_MAX];

	fprintf(out, "%s:", path);
	if (line)
		fprintf(out, "%d:", line);
	fprintf(out, " rule %c broken (%s): %s\n", v->rule, rule_meaning(v->rule), v->text);
	print_operation(out, prog, v);
	if (v->gfn != ~0ULL || v->spte) {
		fprintf(out, "\t");
		if (v->gfn != ~0ULL)
			fprintf(out, "gfn 0x%llx%s", (unsigned long long)v->gfn,
				v->spte ? ", " : "");
		if (v->spte)
			fprintf(out, "SPTE %016llx: %s", (unsigned long long)v->spte,
				spte_words(&prog->vm, v->spte, 0, words, sizeof(words)));
		fprintf(out, "\n");
	}
	fprintf(out, "\tstep %llu\n", (unsigned long long)v->step);
}
