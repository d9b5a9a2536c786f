// SPDX-License-Identifier: GPL-2.0-only
/* docs/program-format.md says all there is, and what it shows is true. */
#include "program_fixture.h"

static char *doc;

static int read_doc(void **state)
{
	FILE *file = fopen(TDP_SOURCE_DIR "/docs/program-format.md", "rb");
	size_t size;

	(void)state;
	assert_non_null(file);
	doc = malloc(1 << 20);
	size = fread(doc, 1, (1 << 20) - 1, file);
	doc[size] = '\0';
	fclose(file);
	return 0;
}

static int free_doc(void **state)
{
	(void)state;
	free(doc);
	return 0;
}

/* A row of a table begins with the word, as code. */
static void assert_row(const char *word)
{
	char with_operands[64], alone[64];

	snprintf(with_operands, sizeof(with_operands), "\n| `%s ", word);
	snprintf(alone, sizeof(alone), "\n| `%s` ", word);
	if (!strstr(doc, with_operands) && !strstr(doc, alone))
		fail_msg("docs/program-format.md has no row for '%s'", word);
}

static void assert_named(const char *word)
{
	char code[64];

	snprintf(code, sizeof(code), "`%s`", word);
	if (!strstr(doc, code))
		fail_msg("docs/program-format.md does not name '%s'", word);
}

static void every_word_is_explained(void **state)
{
	static const char *const slot_keys[] = { "base", "pages", "backing", "as", "hvn", "flags" };
	size_t i, j;

	(void)state;
	for (i = 0; i < OP_NR; i++)
		assert_row(op_infos[i].name);
	for (i = 0; i < POINT_NR; i++)
		assert_row(point_infos[i].name);
	for (i = 0; i < CHOICE_NR; i++)
		assert_row(choice_names[i]);
	for (i = 0; i < NR_VM_KEYS; i++) {
		assert_row(vm_keys[i].name);
		for (j = 0; vm_keys[i].words && vm_keys[i].words[j]; j++)
			assert_named(vm_keys[i].words[j]);
	}
	for (i = 0; i < sizeof(slot_keys) / sizeof(*slot_keys); i++)
		assert_row(slot_keys[i]);
	for (i = 0; backing_names[i]; i++)
		assert_named(backing_names[i]);
}

/* Which points have a level, and which thread an operation is for. */
static void rows_are_right(void **state)
{
	char row[128];
	size_t i;

	(void)state;
	for (i = 0; i < POINT_NR; i++) {
		snprintf(row, sizeof(row), "\n| `%s` | %s| ", point_infos[i].name,
			 point_infos[i].has_level ? "yes " : "");
		if (!strstr(doc, row))
			fail_msg("expected a row%s", row);
	}
	for (i = 0; i < OP_NR; i++) {
		const char *start, *thread, *p;

		snprintf(row, sizeof(row), "\n| `%s", op_infos[i].name);
		for (p = doc; (start = strstr(p, row)); p = start + 1) {
			if (start[strlen(row)] == ' ' || start[strlen(row)] == '`')
				break;
		}
		assert_non_null(start);
		thread = strstr(start, "` | ");
		assert_non_null(thread);
		if (strncmp(thread + 4, thread_names[op_infos[i].kind],
			    strlen(thread_names[op_infos[i].kind])))
			fail_msg("'%s' is for a %s thread", op_infos[i].name,
				 thread_names[op_infos[i].kind]);
	}
}

/* The order of tags in the binary form is the one that the encoder has. */
static void tags_are_in_order(void **state)
{
	const char *p = strstr(doc, "Operations have tags 0 to 35 in this order:");
	struct program *prog = program_alloc();
	int tag;

	(void)state;
	assert_non_null(p);
	p = strchr(p, ':') + 1;
	for (tag = 0; tag < OP_NR; tag++) {
		/* A slot-add record of zeros is one too, so this is each operation's own tag. */
		uint8_t data[5] = { 0xd1, tag, 0, 0, 0 };
		const char *name;

		program_decode(prog, data, sizeof(data));
		assert_int_equal(program_nr_ops(prog), 1);
		name = op_infos[prog->threads[0].ops[0].kind].name;
		p += strspn(p, " \n");
		if (strncmp(p, name, strlen(name)) || !strchr(",.", p[strlen(name)]))
			fail_msg("tag %d is %s, not %.20s", tag, name, p);
		p += strlen(name) + 1;
	}
	program_free(prog);
}

/* The next fenced block of a language from *p on, NUL-terminated and to be freed; or NULL. */
static char *next_block(const char **p, const char *language)
{
	char fence[32], *block;
	const char *start, *end;

	snprintf(fence, sizeof(fence), "\n```%s\n", language);
	start = strstr(*p, fence);
	if (!start)
		return NULL;
	start += strlen(fence);
	end = strstr(start, "\n```");
	assert_non_null(end);
	block = strndup(start, end + 1 - start);
	*p = end;
	return block;
}

static void examples_parse(void **state)
{
	struct program *prog = program_alloc();
	const char *p = doc;
	char *block;
	int nr = 0;

	(void)state;
	while ((block = next_block(&p, "tdp"))) {
		assert_parses(prog, block);
		assert_round_trips(prog);
		free(block);
		nr++;
	}
	assert_in_range(nr, 3, 100);
	program_free(prog);
}

static size_t parse_hex(const char *hex, uint8_t *bytes, size_t max)
{
	size_t size = 0;

	while (*hex && size < max) {
		char *end;

		if (*hex == '#') {
			hex += strcspn(hex, "\n");
			continue;
		}
		if (strchr(" \n", *hex)) {
			hex++;
			continue;
		}
		bytes[size++] = strtoul(hex, &end, 16);
		assert_int_equal(end - hex, 2);
		hex = end;
	}
	return size;
}

static void bytes_are_those_of_the_last_example(void **state)
{
	struct program *prog = program_alloc();
	char *block, *last = NULL;
	uint8_t bytes[256], *encoded;
	const char *p = doc;
	size_t size, encoded_size;

	(void)state;
	while ((block = next_block(&p, "tdp"))) {
		free(last);
		last = block;
	}
	assert_parses(prog, last);
	free(last);
	p = doc;
	block = next_block(&p, "hex");
	assert_non_null(block);
	size = parse_hex(block, bytes, sizeof(bytes));
	free(block);
	encoded = bytes_of(prog, &encoded_size);
	assert_int_equal(size, encoded_size);
	assert_memory_equal(bytes, encoded, size);
	free(encoded);
	program_free(prog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_explained),
		cmocka_unit_test(rows_are_right),
		cmocka_unit_test(tags_are_in_order),
		cmocka_unit_test(examples_parse),
		cmocka_unit_test(bytes_are_those_of_the_last_example),
	};

	return cmocka_run_group_tests(tests, read_doc, free_doc);
}
