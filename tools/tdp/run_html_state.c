// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the oracle's hardware holds: roots, and each vCPU's root, TLB and paging-structure cache. No
 * event tells of these, so they are looked at after each one, and told when they changed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_internal.h"
#include "run_html.h"

struct tlb_printer {
	FILE *out;
	struct html_values *values;
	bool first;
	bool failed;
};

static void print_tlb_entry(struct oracle *o, struct vcpu *v, struct tlb_entry *e, void *arg)
{
	struct tlb_printer *p = arg;
	uint32_t value = 0;

	(void)o;
	(void)v;
	if (!html_value(p->values, e->spte, e->level, &value))
		p->failed = true;
	fprintf(p->out, "%s[%" PRIu64 ",%u,\"%" PRIx64 "\",\"%c%c%c\",%d,%" PRIu64 ",%u]",
		p->first ? "" : ",", e->gfn, e->level, e->pfn, e->perm & FMT_R ? 'r' : '-',
		e->perm & FMT_W ? 'w' : '-', e->perm & FMT_X ? 'x' : '-', e->dirty, e->leaf, value);
	p->first = false;
}

static void print_psc(const struct vcpu *v, FILE *out)
{
	const char *comma = "";
	unsigned int bits;
	int level;

	for (level = 5; level >= 2; level--)
		for (bits = v->psc_valid[level]; bits; bits &= bits - 1) {
			const struct psc_entry *e = &v->psc[level][__builtin_ctz(bits)];

			fprintf(out, "%s[%" PRIu64 ",%d,%" PRIu64 "]", comma, e->gfn, level,
				e->table);
			comma = ",";
		}
}

static bool print_vcpu(struct html_state *s, struct html_values *values, int vcpu, FILE *out)
{
	struct vcpu *v = &s->oracle->vcpus[vcpu];
	struct tlb_printer p = { .out = out, .values = values, .first = true };

	fprintf(out, "[\"v\",%d,{\"root\":", vcpu);
	if (v->root == MIRROR_NONE)
		fputs("null", out);
	else
		fprintf(out, "%" PRIu64, v->root);
	fprintf(out, ",\"in\":%d,\"mid\":%d,\"tlb\":[", v->entered, v->executing);
	tlb_for_each(s->oracle, v, print_tlb_entry, &p);
	fputs("],\"psc\":[", out);
	print_psc(v, out);
	fputs("]}]", out);
	return !p.failed;
}

static void print_roots(struct html_state *s, FILE *out)
{
	struct mirror_table **roots;
	uint32_t i, nr;

	roots = mirror_roots(s->oracle, &nr);
	fputs("[\"R\",[", out);
	for (i = 0; i < nr; i++)
		fprintf(out, "%s[%" PRIu64 ",%d,%d,%d]", i ? "," : "", roots[i]->pa,
			roots[i]->valid, roots[i]->smm, roots[i]->guest_mode);
	fputs("]]", out);
}

/* Tells @text if it is not what was told last. */
static const char *tell(char **last, char *text, FILE *out, const char *separator)
{
	if (*last && !strcmp(*last, text)) {
		free(text);
		return separator;
	}
	free(*last);
	*last = text;
	fprintf(out, "%s%s", separator, text);
	return ",";
}

/**
 * html_state_changes() - tell what changed since the last call
 * @s: what was told
 * @values: receives the values of SPTEs that are named
 * @out: gets changes for a step's list, none if nothing changed
 * @separator: before the first of them
 *
 * Return: false without memory.
 */
bool html_state_changes(struct html_state *s, struct html_values *values, FILE *out,
			const char *separator)
{
	bool ok = true;
	int i;

	for (i = -1; i < s->nr_vcpus; i++) {
		char *text = NULL;
		size_t len;
		FILE *mem = open_memstream(&text, &len);

		if (!mem)
			return false;
		if (i < 0)
			print_roots(s, mem);
		else
			ok = print_vcpu(s, values, i, mem) && ok;
		if (fclose(mem) || !text) {
			free(text);
			return false;
		}
		separator = tell(i < 0 ? &s->roots : &s->vcpus[i], text, out, separator);
	}
	return ok;
}

void html_state_free(struct html_state *s)
{
	int i;

	for (i = 0; i < PROG_MAX_VCPUS; i++)
		free(s->vcpus[i]);
	free(s->roots);
}
