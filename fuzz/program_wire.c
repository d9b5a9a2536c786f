// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of version 1 of the binary form.  They are weighted so that random bytes make programs
 * worth running: few slots, pages near their edges, accesses that meet.
 */
#include "program_wire.h"

/* clang-format off */
/*
 * The operations' numbers in the binary form.  Only ever appended to: enum op_kind may be in any
 * order, these numbers are in files.
 */
static const uint8_t wire_ops[] = {
	OP_READ, OP_WRITE, OP_EXEC, OP_SPECULATE, OP_PREFAULT, OP_ROOT_LOAD, OP_ROOT_UNLOAD,
	OP_SMM_ENTER, OP_SMM_LEAVE, OP_GUEST_ENTER, OP_GUEST_LEAVE,
	OP_SLOT_ADD, OP_SLOT_DELETE, OP_SLOT_MOVE, OP_SLOT_FLAGS, OP_LOG_START, OP_LOG_GET,
	OP_LOG_CLEAR, OP_LOG_STOP, OP_SPLIT, OP_WRPROT, OP_TRACK, OP_UNTRACK, OP_ZAP_RANGE,
	OP_ZAP_FAST, OP_NX_RECOVER, OP_NX_TOGGLE, OP_DESTROY,
	OP_UNMAP, OP_REMAP, OP_CLEAN, OP_AGE, OP_TEST_AGE, OP_HUGE_FORM, OP_HUGE_BREAK,
	OP_PROTECT,
};

#define NR_WIRE_OPS	(sizeof(wire_ops) / sizeof(*wire_ops))

_Static_assert(NR_WIRE_OPS == OP_NR, "append the new operation to wire_ops and wire_tags");

#define T(op)		{ WIRE_OP, OP_##op }
#define ALL(n, op)	[n] = T(op)
#define SPAN(a, b, op)	[a ... b] = T(op)

const struct wire_tag wire_tags[256] = {
	/* One tag each, in the order of wire_ops: what the encoder uses. */
	ALL(0, READ), ALL(1, WRITE), ALL(2, EXEC), ALL(3, SPECULATE), ALL(4, PREFAULT),
	ALL(5, ROOT_LOAD), ALL(6, ROOT_UNLOAD), ALL(7, SMM_ENTER), ALL(8, SMM_LEAVE),
	ALL(9, GUEST_ENTER), ALL(10, GUEST_LEAVE), ALL(11, SLOT_ADD), ALL(12, SLOT_DELETE),
	ALL(13, SLOT_MOVE), ALL(14, SLOT_FLAGS), ALL(15, LOG_START), ALL(16, LOG_GET),
	ALL(17, LOG_CLEAR), ALL(18, LOG_STOP), ALL(19, SPLIT), ALL(20, WRPROT), ALL(21, TRACK),
	ALL(22, UNTRACK), ALL(23, ZAP_RANGE), ALL(24, ZAP_FAST), ALL(25, NX_RECOVER),
	ALL(26, NX_TOGGLE), ALL(27, DESTROY), ALL(28, UNMAP), ALL(29, REMAP), ALL(30, CLEAN),
	ALL(31, AGE), ALL(32, TEST_AGE), ALL(33, HUGE_FORM), ALL(34, HUGE_BREAK),
	ALL(35, PROTECT),
	/* The rest of the space, by weight. */
	SPAN(36, 52, READ), SPAN(53, 82, WRITE), SPAN(83, 100, EXEC), SPAN(101, 104, SPECULATE),
	SPAN(105, 108, PREFAULT), SPAN(109, 111, LOG_START), SPAN(112, 115, LOG_GET),
	SPAN(116, 119, LOG_CLEAR), SPAN(120, 121, LOG_STOP), SPAN(122, 124, SPLIT),
	SPAN(125, 126, WRPROT), SPAN(127, 128, TRACK), SPAN(129, 132, ZAP_RANGE),
	SPAN(133, 134, NX_RECOVER), SPAN(135, 141, UNMAP), SPAN(142, 146, REMAP),
	SPAN(147, 149, CLEAN), SPAN(150, 152, AGE), SPAN(153, 155, HUGE_FORM),
	SPAN(156, 157, HUGE_BREAK), SPAN(158, 159, SLOT_DELETE),
	[0xa0 ... 0xbf] = { WIRE_CHOICE, 0 },
	[0xc0 ... 0xcf] = { WIRE_SLOT, 0 },
	[0xd0 ... 0xd7] = { WIRE_THREAD, 0 },
	[0xd8 ... 0xdb] = { WIRE_VM, 0 },
	[0xdc] = { WIRE_VM_BITS, 0 },
	[0xdd] = { WIRE_VM_GEN, 0 },
	[0xde] = { WIRE_VM_SEQ, 0 },
	[0xdf] = { WIRE_VM_RATIO, 0 },
	[0xe0] = { WIRE_WIDE, 0 },
	[0xe1] = { WIRE_WIDE, 1 },
	[0xe2] = { WIRE_WIDE, 2 },
	SPAN(0xe3, 0xef, WRITE),
	[0xf0 ... 0xff] = { WIRE_CHOICE, 0 },
};

const uint32_t wire_counts[WIRE_COUNTS] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 31, 32, 33, 63, 64, 65, 128, 256,
	511, 512, 513, 1024, 1536, 2048, 4096, 0x40000, 0x80000, 0 /* WIRE_WHOLE */,
};

/* Mostly one access: a repeat says little that several operations do not. */
const struct wire_repeat wire_repeats[WIRE_COUNTS] = {
	[0 ... 19] = { 1, 1 },
	{ 2, 1 }, { 3, 1 }, { 4, 1 }, { 8, 1 }, { 16, 1 }, { 64, 1 }, { 512, 1 },
	{ 2, 512 }, { 4, 512 }, { 2, 256 }, { 8, 64 }, { 2, 0x40000 },
};

const uint32_t wire_sizes[32] = {
	512, 1024, 1536, 2048, 1, 2, 8, 16, 64, 100, 256, 511, 513, 600, 767, 768, 1023, 1025,
	1500, 2000, 2047, 512, 1024, 2048, 4096, 0x8000, 0x3fe00, 0x40000, 0x40200, 0x80000,
	0x100000, 0x10000000,
};

const struct slot_desc wire_default_slot = { .npages = 1024, .backing = BACKING_2M };
/* clang-format on */

/* k of a choice: half of all codes mean one of the first eight points, which mostly come. */
uint32_t wire_k(uint8_t code)
{
	return 1 + (code & 0x80 ? code & 0x7f : code & 7);
}

/* The code of a k of at most WIRE_MAX_K. */
uint8_t wire_k_code(uint32_t k)
{
	return k <= 8 ? k - 1 : 0x80 | (k - 1);
}

/* The tag that the encoder uses for an operation. */
uint8_t wire_op_tag(enum op_kind kind)
{
	unsigned int i;

	for (i = 0; i < NR_WIRE_OPS - 1; i++) {
		if (wire_ops[i] == kind)
			break;
	}
	return i;
}

/* A slot that page codes refer to; a program without slots has pages as if it had the default. */
const struct slot_desc *wire_slot(const struct program *prog, unsigned int index)
{
	return prog->nr_slots ? &prog->slots[index % prog->nr_slots] : &wire_default_slot;
}

/* clang-format off */
/* Page codes: bits 0-2 slot, 3-5 which of these, 6-15 a number. */
enum {
	PAGE_FROM_START,	/* that many pages into the slot */
	PAGE_2M,		/* that many times 2M into it */
	PAGE_1G,
	PAGE_FROM_END,
	PAGE_2M_EDGE,		/* bits 9-15 times 2M, and the edge that bits 6-8 say */
	PAGE_1G_EDGE,
	PAGE_OUTSIDE,		/* behind the end, or from 512 on before the start */
	PAGE_HOT,		/* among the first 16, so that accesses meet */
};
/* clang-format on */

#define PAGE_CODE(slot, how, number) ((slot) | (how) << 3 | (number) << 6)

static const uint32_t edges_2m[8] = { 0, 1, 2, 3, 256, 509, 510, 511 };
static const uint32_t edges_1g[8] = { 0, 1, 511, 512, 513, 0x20000, 0x3fe00, 0x3ffff };

/*
 * The page that a code means: a gfn, or with @host a host page, of the slot that its lowest bits
 * have chosen already.  @limit is a power of two.
 */
uint64_t wire_page(const struct slot_desc *slot, bool host, unsigned int code, uint64_t limit)
{
	uint64_t start = host ? slot->hvn : slot->base;
	uint64_t np = slot->npages, number = code >> 6 & 0x3ff, offset;

	switch (code >> 3 & 7) {
	case PAGE_FROM_START:
		offset = number % np;
		break;
	case PAGE_2M:
		offset = (number << 9) % np;
		break;
	case PAGE_1G:
		offset = (number << 18) % np;
		break;
	case PAGE_FROM_END:
		offset = np - 1 - number % np;
		break;
	case PAGE_2M_EDGE:
		offset = ((number >> 3 << 9) + edges_2m[number & 7]) % np;
		break;
	case PAGE_1G_EDGE:
		offset = ((number >> 3 << 18) + edges_1g[number & 7]) % np;
		break;
	case PAGE_OUTSIDE:
		offset = number < 512 ? np + number : 511 - number;
		break;
	default:
		offset = (number & 15) % np;
	}
	return (start + offset) & (limit - 1);
}

static int find_edge(const uint32_t *edges, uint64_t offset)
{
	int i;

	for (i = 0; i < 8; i++) {
		if (edges[i] == offset)
			return i;
	}
	return 0;
}

/* The code that names a page by slot number @i, or -1. */
static int find_page_in(const struct program *prog, unsigned int i, bool host, uint64_t page,
			uint64_t limit)
{
	const struct slot_desc *slot = wire_slot(prog, i);
	uint64_t offset = page - (host ? slot->hvn : slot->base);
	uint64_t behind = offset - slot->npages, before = -offset + 511;
	uint64_t back = slot->npages - 1 - offset;
	uint64_t edge_2m = (offset >> 9) << 3 | find_edge(edges_2m, offset & 511);
	uint64_t edge_1g = (offset >> 18) << 3 | find_edge(edges_1g, offset & 0x3ffff);
	const struct {
		unsigned int how;
		uint64_t number;
	} guesses[] = {
		{ PAGE_FROM_START, offset }, { PAGE_2M, offset >> 9 },	{ PAGE_1G, offset >> 18 },
		{ PAGE_FROM_END, back },     { PAGE_2M_EDGE, edge_2m }, { PAGE_1G_EDGE, edge_1g },
		{ PAGE_OUTSIDE, behind },    { PAGE_OUTSIDE, before },
	};
	unsigned int g;

	for (g = 0; g < sizeof(guesses) / sizeof(*guesses); g++) {
		unsigned int code;

		if (guesses[g].number > 0x3ff)
			continue;
		code = PAGE_CODE(i, guesses[g].how, (unsigned int)guesses[g].number);
		if (wire_page(slot, host, code, limit) == page)
			return code;
	}
	return -1;
}

/* A code for a page: by slot number @slot if that is not negative, else by any; -1 if none. */
int wire_find_page(const struct program *prog, int slot, bool host, uint64_t page, uint64_t limit)
{
	uint32_t i;
	int code;

	if (slot >= 0)
		return find_page_in(prog, slot, host, page, limit);
	for (i = 0; i < prog->nr_slots || !i; i++) {
		code = find_page_in(prog, i, host, page, limit);
		if (code >= 0)
			return code;
	}
	return -1;
}

/* The first page of a slot, by a code; codes 0xc0..0xdf are about the slots that there are. */
uint64_t wire_base(const struct program *prog, uint8_t code, uint64_t limit)
{
	const struct slot_desc *slot;
	uint64_t v = code & 31, base;

	switch (code >> 5) {
	case 0:
		base = v << 9;
		break;
	case 1:
		base = v << 18;
		break;
	case 2:
		base = (v << 9) + 1;
		break;
	case 3:
		base = v << 15;
		break;
	case 4:
		base = v;
		break;
	case 5:
		base = 0x100000 + (v << 9);
		break;
	case 6:
		slot = wire_slot(prog, v & 7);
		base = slot->base;
		if (v >> 3 == 1)
			base += slot->npages;
		else if (v >> 3 == 2)
			base += 512;
		else if (v >> 3 == 3)
			base += slot->npages / 2;
		break;
	default:
		base = limit - ((v + 1) << 9);
	}
	return base & (limit - 1);
}
