// SPDX-License-Identifier: GPL-2.0-only
/* The binary form: total, exact, and the same in every release. */
#include "program_fixture.h"

#define DATA TDP_SOURCE_DIR "/tests/data/program/"

static void fill(struct rng *rng, uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = rng_next(rng) >> 56;
}

/* The copy is of the exact size, so that reading beyond it is seen. */
static void decode_exactly(struct program *prog, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	program_decode(prog, copy, size);
	free(copy);
}

static void any_bytes_are_a_program(void **state)
{
	struct program *prog = program_alloc();
	struct rng rng = rng_seed(1);
	uint8_t data[600];
	int i;

	(void)state;
	program_decode(prog, NULL, 0);
	assert_round_trips(prog);
	for (i = 0; i < 3000; i++) {
		size_t size = rng_below(&rng, i % 10 ? 120 : sizeof(data));

		fill(&rng, data, size);
		decode_exactly(prog, data, size);
		assert_in_range(program_nr_ops(prog), 0, size / 4);
		assert_round_trips(prog);
	}
	program_free(prog);
}

/* Each tag with extreme operands, alone and behind the widest wide operands. */
static void extreme_records_are_programs(void **state)
{
	struct program *prog = program_alloc();
	uint8_t data[1 + 4 * 9];
	int tag, fillwith;

	(void)state;
	for (tag = 0; tag < 256; tag++) {
		for (fillwith = 0; fillwith < 4; fillwith++) {
			static const uint8_t fills[] = { 0x00, 0xff, 0x80, 0x01 };
			int i;

			memset(data, fills[fillwith], sizeof(data));
			for (i = 0; i < 6; i++)
				data[1 + 4 * i] = 0xe0 + i / 2;
			data[25] = tag;
			data[29] = tag;
			data[33] = 0xa0;
			decode_exactly(prog, data, sizeof(data));
			assert_round_trips(prog);
			decode_exactly(prog, data + 24, sizeof(data) - 24);
			assert_round_trips(prog);
		}
	}
	program_free(prog);
}

/* Random bytes are of use to a fuzzer only if they make programs that do something. */
static void random_bytes_are_interesting(void **state)
{
	struct program *prog = program_alloc();
	struct rng rng = rng_seed(2);
	unsigned int accesses = 0, in_slot = 0, vmm = 0, host = 0, choices = 0;
	uint32_t i, j, s;
	uint8_t data[101];
	int n;

	(void)state;
	for (n = 0; n < 1000; n++) {
		fill(&rng, data, sizeof(data));
		program_decode(prog, data, sizeof(data));
		choices += prog->nr_choices;
		for (i = 0; i < prog->nr_threads; i++) {
			const struct prog_thread *thread = &prog->threads[i];

			vmm += thread->kind == THREAD_VMM ? thread->nr_ops : 0;
			host += thread->kind == THREAD_HOST ? thread->nr_ops : 0;
			for (j = 0; j < thread->nr_ops; j++) {
				if (!op_has(&thread->ops[j], 'R'))
					continue;
				accesses++;
				for (s = 0; s < prog->nr_slots; s++) {
					if (thread->ops[j].gfn - prog->slots[s].base <
					    prog->slots[s].npages)
						break;
				}
				in_slot += s < prog->nr_slots;
			}
		}
	}
	/* 25 records each: about a third are accesses, most of them where memory is. */
	assert_in_range(accesses, 7000, 12000);
	assert_in_range(in_slot, accesses * 3 / 4, accesses);
	assert_in_range(vmm, 2000, 8000);
	assert_in_range(host, 2000, 8000);
	assert_in_range(choices, 2000, 8000);
	program_free(prog);
}

static void cut_anywhere_it_is_a_program(void **state)
{
	struct program *prog = program_alloc();
	uint64_t seed;
	size_t size, i;

	(void)state;
	for (seed = 0; seed < 50; seed++) {
		uint8_t *bytes;

		program_generate(prog, seed, 20);
		bytes = bytes_of(prog, &size);
		for (i = 0; i <= size; i++) {
			decode_exactly(prog, bytes, i);
			assert_valid(prog);
		}
		free(bytes);
	}
	program_free(prog);
}

/* A change of a byte of one operation leaves the others as they are. */
static void a_changed_byte_changes_one_record(void **state)
{
	struct program *prog = program_alloc(), *other = program_alloc();
	size_t size, i;
	uint8_t *bytes;

	(void)state;
	assert_parses(prog, "tdp 1\nslot 0 base=0x0 pages=0x200\nthread vcpu 0\n"
			    "\twrite 0x1\n\twrite 0x2\n\twrite 0x3\n\twrite 0x4\n");
	bytes = bytes_of(prog, &size);
	assert_int_equal(size, 1 + 4 * (1 + 1 + 4));
	for (i = 4 * 4; i < 5 * 4; i++) { /* that of 0x3 */
		bytes[1 + i] ^= 0x10;
		program_decode(other, bytes, size);
		bytes[1 + i] ^= 0x10;
		assert_int_equal(other->threads[0].ops[0].gfn, 1);
		assert_int_equal(other->threads[0].ops[1].gfn, 2);
		assert_int_equal(other->threads[0].ops[other->threads[0].nr_ops - 1].gfn, 4);
	}
	free(bytes);
	program_free(prog);
	program_free(other);
}

static void encoding_says_how_long(void **state)
{
	struct program *prog = program_alloc();
	uint8_t *bytes, *part;
	size_t size, i;

	(void)state;
	program_generate(prog, 3, 20);
	bytes = bytes_of(prog, &size);
	part = malloc(size + 1);
	for (i = 0; i <= size; i++) {
		memset(part, 0x55, size + 1);
		assert_int_equal(program_encode(prog, part, i), size);
		assert_memory_equal(part, bytes, i);
		assert_int_equal(part[i], 0x55);
	}
	free(part);
	free(bytes);
	program_free(prog);
}

static uint8_t *read_file(const char *path, size_t *size)
{
	uint8_t *data = malloc(65536);
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("%s is missing", path);
	*size = fread(data, 1, 65536, file);
	fclose(file);
	return data;
}

static void load_file(struct program *prog, const char *path)
{
	struct prog_error err;

	if (program_load(prog, path, &err))
		fail_msg("%s:%d: %s", path, err.line, err.msg);
}

static void assert_both_forms(const char *text_path, const char *binary_path)
{
	struct program *prog = program_alloc(), *text = program_alloc();
	uint8_t *stored, *bytes;
	size_t size, stored_size;

	load_file(prog, binary_path);
	load_file(text, text_path);
	assert_same(prog, text);
	stored = read_file(binary_path, &stored_size);
	bytes = bytes_of(text, &size);
	assert_int_equal(size, stored_size);
	assert_memory_equal(bytes, stored, size);
	free(stored);
	free(bytes);
	program_free(prog);
	program_free(text);
}

/*
 * Files of version 1, from when it was new: what we wrote, and bytes that a fuzzer may have kept.
 * Both must mean what they meant, for ever.
 */
static void version_1_files_load(void **state)
{
	struct program *prog = program_alloc(), *text = program_alloc();
	uint8_t *stored;
	size_t stored_size;

	(void)state;
	assert_both_forms(DATA "v1.tdp", DATA "v1.bin");
	assert_both_forms(DATA "v1-waits.tdp", DATA "v1-waits.bin");

	stored = read_file(DATA "v1-fuzzer.bin", &stored_size);
	program_decode(prog, stored, stored_size);
	load_file(text, DATA "v1-fuzzer.tdp");
	assert_same(prog, text);
	free(stored);
	program_free(prog);
	program_free(text);
}

/* The sample is worth something only if all there is occurs in it. */
static void version_1_sample_is_complete(void **state)
{
	struct program *prog = program_alloc();
	bool ops[OP_NR] = { false }, points[POINT_NR] = { false }, actions[CHOICE_NR] = { false };
	uint32_t i, j;

	(void)state;
	load_file(prog, DATA "v1-waits.tdp");
	for (i = 0; i < prog->nr_choices; i++)
		points[prog->choices[i].kind] = true;
	load_file(prog, DATA "v1.tdp");
	for (i = 0; i < prog->nr_threads; i++) {
		for (j = 0; j < prog->threads[i].nr_ops; j++)
			ops[prog->threads[i].ops[j].kind] = true;
	}
	for (i = 0; i < prog->nr_choices; i++) {
		points[prog->choices[i].kind] = true;
		actions[prog->choices[i].action] = true;
	}
	for (i = 0; i < OP_NR; i++) {
		if (!ops[i])
			fail_msg("v1.tdp has no '%s'", op_infos[i].name);
	}
	for (i = 0; i < POINT_NR; i++) {
		if (!points[i])
			fail_msg("neither sample has a choice at '%s'", point_infos[i].name);
	}
	for (i = 0; i < CHOICE_NR; i++)
		assert_true(actions[i]);
	program_free(prog);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void refuse_file(const char *path, int ret, int line, const char *msg)
{
	struct program *prog = program_alloc();
	struct prog_error err;

	assert_int_equal(program_load(prog, path, &err), ret);
	assert_int_equal(err.line, line);
	assert_string_equal(err.msg, msg);
	program_free(prog);
}

static void files_of_no_known_form_are_refused(void **state)
{
	static const uint8_t version_2[] = { 0xd2, 0x01, 0x00, 0x00, 0x00 };
	static const uint8_t neither[] = { 0x01, 0x01, 0x00, 0x00, 0x00 };
	char path[] = "/tmp/test_program_XXXXXX";
	struct program *a = program_alloc(), *b = program_alloc();
	struct prog_error err;
	uint8_t v1[sizeof(version_2)];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	refuse_file("/nonexistent/program", -ENOENT, 0, "No such file or directory");
	refuse_file("/", -EISDIR, 0, "Is a directory");
	refuse_file(path, -EINVAL, 0, "empty: expected a program");
	write_file(path, version_2, sizeof(version_2));
	refuse_file(path, -EINVAL, 0, "version 2 of the binary form: expected version 1");
	write_file(path, neither, sizeof(neither));
	refuse_file(path, -EINVAL, 1,
		    "expected 'tdp 1' first, found '?"
		    "?"
		    "?"
		    "?"
		    "?'");
	write_file(path, "tdp 1\nvm mmu=x\n", 15);
	refuse_file(path, -EINVAL, 2, "mmu: expected ept or npt, found 'x'");

	/* A fuzzer's input is a program whatever its first byte is. */
	write_file(path, version_2, sizeof(version_2));
	assert_int_equal(program_load_raw(a, path, &err), 0);
	memcpy(v1, version_2, sizeof(v1));
	v1[0] = PROG_BINARY_MAGIC | 1;
	program_decode(b, v1, sizeof(v1));
	assert_same(a, b);
	assert_int_equal(program_nr_ops(a), 1);
	assert_int_equal(program_load_raw(a, "/nonexistent/program", &err), -ENOENT);
	unlink(path);
	program_free(a);
	program_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_are_a_program),
		cmocka_unit_test(extreme_records_are_programs),
		cmocka_unit_test(random_bytes_are_interesting),
		cmocka_unit_test(cut_anywhere_it_is_a_program),
		cmocka_unit_test(a_changed_byte_changes_one_record),
		cmocka_unit_test(encoding_says_how_long),
		cmocka_unit_test(version_1_files_load),
		cmocka_unit_test(version_1_sample_is_complete),
		cmocka_unit_test(files_of_no_known_form_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
