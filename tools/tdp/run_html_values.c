// SPDX-License-Identifier: GPL-2.0-only
/* Values of SPTEs, each with its words once; the page's steps name them by number. */
#include <inttypes.h>
#include <stdlib.h>

#include "run_html.h"
#include "run_json.h"
#include "spte_words.h"

static uint32_t hash(uint64_t spte, int level)
{
	return ((spte ^ (uint64_t)level << 59) * 0x9e3779b97f4a7c15ULL) >> 32;
}

static void enter(struct html_values *v, uint32_t number)
{
	uint32_t i = hash(v->list[number].spte, v->list[number].level);

	while (v->index[i & (v->nr_index - 1)])
		i++;
	v->index[i & (v->nr_index - 1)] = number + 1;
}

/* The hash table stays at most half full. */
static bool make_room(struct html_values *v)
{
	uint32_t i, room = v->room ? 2 * v->room : 256;
	struct html_value *list;
	uint32_t *index;

	if (v->nr < v->room)
		return true;
	list = realloc(v->list, room * sizeof(*list));
	if (!list)
		return false;
	v->list = list;
	index = calloc(2 * (size_t)room, sizeof(*index));
	if (!index)
		return false;
	free(v->index);
	v->index = index;
	v->nr_index = 2 * room;
	v->room = room;
	for (i = 0; i < v->nr; i++)
		enter(v, i);
	return true;
}

/**
 * html_value() - the number of a value
 * @v: values
 * @spte: value
 * @level: of the page table that holds it, 0 if that is not known
 * @number: receives it
 *
 * Return: false without memory.
 */
bool html_value(struct html_values *v, uint64_t spte, int level, uint32_t *number)
{
	uint32_t i, n;

	if (!make_room(v))
		return false;
	for (i = hash(spte, level); (n = v->index[i & (v->nr_index - 1)]); i++) {
		if (v->list[n - 1].spte == spte && v->list[n - 1].level == level) {
			*number = n - 1;
			return true;
		}
	}
	v->list[v->nr] = (struct html_value){ spte, level };
	*number = v->nr;
	enter(v, v->nr++);
	return true;
}

/**
 * html_values_print() - all values as a JSON array of [sort, pfn, words, value]
 * @v: values
 * @vm: whose page tables they are in
 * @out: where to
 */
void html_values_print(const struct html_values *v, const struct vm_desc *vm, FILE *out)
{
	static const char *const sorts[] = {
		[SPTE_NONE] = "none",	[SPTE_FROZEN] = "frozen", [SPTE_MMIO] = "mmio",
		[SPTE_TABLE] = "table", [SPTE_PAGE] = "page",	  [SPTE_OTHER] = "other",
	};
	char words[SPTE_WORDS_MAX];
	uint32_t i;

	fputc('[', out);
	for (i = 0; i < v->nr; i++) {
		uint64_t spte = v->list[i].spte;
		enum spte_sort sort = spte_sort(vm, spte, v->list[i].level);
		bool has_pfn = sort == SPTE_TABLE || sort == SPTE_PAGE;

		fprintf(out, "%s\n[\"%s\",\"", i ? "," : "", sorts[sort]);
		if (has_pfn)
			fprintf(out, "%" PRIx64, spte_words_pfn(vm, spte));
		fputs("\",", out);
		json_string(out,
			    has_pfn ? spte_attributes(vm, spte, v->list[i].level, words,
						      sizeof(words)) :
				      spte_words(vm, spte, v->list[i].level, words, sizeof(words)));
		fprintf(out, ",\"%" PRIx64 "\"]", spte);
	}
	fputc(']', out);
}

void html_values_free(struct html_values *v)
{
	free(v->list);
	free(v->index);
}
