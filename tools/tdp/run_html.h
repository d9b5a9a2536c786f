/* SPDX-License-Identifier: GPL-2.0-only */
/* tdp run --html: its parts. */
#ifndef TDP_RUN_HTML_H
#define TDP_RUN_HTML_H

#include "run.h"

/* run_html.html with the style sheet and the script in it, made at build time; "@DATA@" is for the run. */
extern const unsigned char run_html_page[];
extern const size_t run_html_page_size;

/* ---- run_html_values.c: each value of an SPTE once, by number ---- */

struct html_value {
	uint64_t spte;
	int level;
};

/**
 * struct html_values - the values that the page's steps name by number
 * @list: the values, in order of their first use
 * @nr: how many
 * @room: entries that @list has room for
 * @index: hash table: number + 1 of the value, 0: free
 * @nr_index: its size, a power of two
 */
struct html_values {
	struct html_value *list;
	uint32_t nr;
	uint32_t room;
	uint32_t *index;
	uint32_t nr_index;
};

bool html_value(struct html_values *v, uint64_t spte, int level, uint32_t *number);
void html_values_print(const struct html_values *v, const struct vm_desc *vm, FILE *out);
void html_values_free(struct html_values *v);

/* ---- run_html_state.c: what changed between two events that no event tells ---- */

/**
 * struct html_state - what the page was told last
 * @oracle: has the vCPUs and the roots
 * @nr_vcpus: vCPUs to look at
 * @vcpus: the vCPUs as they were told; NULL: not yet
 * @roots: the roots likewise
 */
struct html_state {
	struct oracle *oracle;
	int nr_vcpus;
	char *vcpus[PROG_MAX_VCPUS];
	char *roots;
};

bool html_state_changes(struct html_state *s, struct html_values *values, FILE *out,
			const char *separator);
void html_state_free(struct html_state *s);

#endif /* TDP_RUN_HTML_H */
