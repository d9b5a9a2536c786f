// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program whose threads take turns within operations becomes threads of a test, which give way at
 * the same points.  What they find on the way depends on that; what is expected is the end: every
 * page that was used is where the host has it by now, and nothing is left.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kunit.h"
#include "program_names.h"

#define MAX_THREADS 3		/* TDP_MAX_THREADS of the fixture */
#define MAX_PROBES  8
#define MAX_REPEAT  8		/* accesses of one operation, which become calls */
#define FRESH_FRAME 0x300000ULL /* frames that the program's host never has */

static const char *const levels[] = { "0", "TDP_4K", "TDP_2M", "TDP_1G", "TDP_512G", "TDP_256T" };

/**
 * struct kunit_turns - a case whose threads take turns
 * @access: of the access that each choice's point came in
 * @before: points of that kind and level in the operation before that access
 * @now: the access that each thread is at, and @passed, at its begin
 * @passed: points so far of each thread's operation
 */
struct kunit_turns {
	struct kunit_case *k;
	const struct program *prog;
	uint64_t access[PROG_MAX_CHOICES];
	uint32_t before[PROG_MAX_CHOICES];
	uint64_t now[MAX_THREADS];
	uint32_t passed[MAX_THREADS][POINT_NR][POINT_LEVELS + 1];
	uint32_t begun[MAX_THREADS][POINT_NR][POINT_LEVELS + 1];
};

static bool is_access(const struct op *op)
{
	return op->kind == OP_READ || op->kind == OP_WRITE || op->kind == OP_EXEC;
}

/* The pages that accesses are to, the first few; how many. */
static uint32_t pages_of(const struct program *prog, uint64_t page[MAX_PROBES])
{
	uint32_t i, j, n, nr = 0;
	uint64_t a;

	for (i = 0; i < prog->nr_threads; i++) {
		for (j = 0; j < prog->threads[i].nr_ops; j++) {
			const struct op *op = &prog->threads[i].ops[j];
			bool prefault = op->kind == OP_PREFAULT;

			for (a = 0; (is_access(op) || prefault) && a < op->n && nr < MAX_PROBES;
			     a++) {
				page[nr] = op->gfn + a * (prefault ? 1 : op->step);
				for (n = 0; page[n] != page[nr]; n++)
					;
				nr += n == nr;
			}
		}
	}
	return nr;
}

static const char *point_name(enum point_kind kind)
{
	static const char *const names[POINT_NR] = {
		[POINT_OP] = "TDP_OP",
		[POINT_READ] = "TDP_READ",
		[POINT_WRITE] = "TDP_WRITE",
		[POINT_XCHG] = "TDP_XCHG",
		[POINT_CMPXCHG] = "TDP_CMPXCHG",
		[POINT_AND] = "TDP_AND",
		[POINT_ATOMIC] = "TDP_ATOMIC",
		[POINT_READ_LOCK] = "TDP_READ_LOCK",
		[POINT_WRITE_LOCK] = "TDP_WRITE_LOCK",
		[POINT_LOCK] = "TDP_LOCK",
		[POINT_UNLOCK] = "TDP_UNLOCK",
		[POINT_FLUSH] = "TDP_FLUSH",
		[POINT_RESCHED] = "TDP_COND_RESCHED",
		[POINT_WALK] = "TDP_WALK",
		[POINT_MEMORY] = "TDP_MEMORY",
		[POINT_FAULTIN] = "TDP_FAULTIN",
		[POINT_END] = "TDP_END",
	};

	return names[kind];
}

/* New frames are known when the operation has run, and that depends on the interleaving. */
static bool op_can(const struct op *op)
{
	return op->kind != OP_REMAP && op->kind != OP_HUGE_FORM && op->kind != OP_DESTROY &&
	       op->kind != OP_SLOT_MOVE && (!is_access(op) || op->n <= MAX_REPEAT);
}

/**
 * kunit_takes_turns() - should the threads of a program become threads of a test
 * @prog: program
 *
 * Return: whether they take turns within operations, and a test can say where.
 */
bool kunit_takes_turns(const struct program *prog)
{
	bool within = false;
	uint32_t i, j;

	if (prog->nr_threads > MAX_THREADS || prog->vm.policy != VM_SPLIT)
		return false;
	for (i = 0; i < prog->nr_choices; i++) {
		const struct prog_choice *c = &prog->choices[i];

		if ((c->action != CHOICE_SWITCH && c->action != CHOICE_RESCHED) ||
		    !point_name(c->kind))
			return false;
		within |= c->action == CHOICE_SWITCH && c->kind != POINT_OP && c->kind != POINT_END;
	}
	for (i = 0; i < prog->nr_threads; i++)
		for (j = 0; j < prog->threads[i].nr_ops; j++)
			if (!op_can(&prog->threads[i].ops[j]))
				return false;
	return within;
}

static void put_call(FILE *out, const struct prog_thread *t, const struct op *op, uint64_t access)
{
	const char *operands = op_infos[op->kind].operands;
	struct kunit_call call;
	char head[64], *c;

	snprintf(head, sizeof(head), "tdp_%s(", op_infos[op->kind].name);
	for (c = head; *c; c++)
		if (*c == '-')
			*c = '_';
	kunit_call(&call, head);
	kunit_arg(&call, "vm");
	if (t->kind == THREAD_VCPU)
		kunit_arg(&call, "%d", t->vcpu);
	if (op->kind == OP_SLOT_ADD) {
		kunit_arg(&call, "&slot_%d", op->desc.id);
		operands = "";
	}
	for (; *operands; operands++) {
		switch (*operands) {
		case 'G':
		case 'H':
			kunit_arg(&call, "0x%llx",
				  (unsigned long long)(op->gfn + access * op->step));
			break;
		case 'N':
			kunit_arg(&call, "0x%llx", (unsigned long long)op->n);
			break;
		case 'S':
			kunit_arg(&call, "%d", OP_SLOT_AS(op->slot));
			kunit_arg(&call, "%d", OP_SLOT_ID(op->slot));
			break;
		case 'L':
			kunit_arg(&call, "%s", levels[op->level]);
			break;
		case 'B':
			kunit_arg(&call, "%s", op->on ? "true" : "false");
			break;
		case 'F':
			kunit_arg(&call, "%s%s%s", op->flags & SLOT_LOG ? "TDP_LOG" : "0",
				  op->flags & SLOT_RO ? " | " : "",
				  op->flags & SLOT_RO ? "TDP_READONLY" : "");
			break;
		default:
			break;
		}
	}
	kunit_put(out, 1, &call, ");");
}

/* Each access of a repeated operation is a call. */
static uint64_t calls_of(const struct op *op)
{
	return is_access(op) ? op->n : 1;
}

/* The number of a thread's call: the first one of an operation. */
static uint64_t call_number(const struct prog_thread *t, uint32_t op)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < op && i < t->nr_ops; i++)
		n += calls_of(&t->ops[i]);
	return n;
}

/* Rule N holds at the moment at which these return: nothing that was looked up before maps the page. */
static bool takes_away(const struct op *op, const struct slot_desc *s, uint64_t gfn)
{
	if (op->kind == OP_ZAP_RANGE)
		return gfn - op->gfn < op->n;
	return op->kind == OP_UNMAP && s->hvn + (gfn - s->base) - op->gfn < op->n;
}

static void put_taken_away(FILE *out, const struct program *prog, const struct op *op)
{
	struct kunit_call call;
	uint64_t page[MAX_PROBES];
	uint32_t i, j, nr = pages_of(prog, page);

	for (i = 0; i < nr; i++) {
		for (j = 0; j < prog->nr_slots; j++) {
			const struct slot_desc *s = &prog->slots[j];

			if (s->as_id || page[i] - s->base >= s->npages ||
			    !takes_away(op, s, page[i]))
				continue;
			kunit_call(&call, "tdp_expect_none(");
			kunit_arg(&call, "vm");
			kunit_arg(&call, "TDP_NORMAL");
			kunit_arg(&call, "0x%llx", (unsigned long long)page[i]);
			kunit_arg(&call, "\"N: nothing maps it any more\"");
			kunit_put(out, 1, &call, ");");
		}
	}
}

static void put_thread(FILE *out, const struct program *prog, uint32_t number, const char *name)
{
	const struct prog_thread *t = &prog->threads[number];
	char slot[32];
	uint64_t n;
	uint32_t i;

	fprintf(out, "static void %s_t%u(struct tdp_vm *vm)\n{\n", name, number);
	for (i = 0; i < t->nr_ops; i++) {
		if (t->ops[i].kind != OP_SLOT_ADD)
			continue;
		snprintf(slot, sizeof(slot), "slot_%d", t->ops[i].desc.id);
		kunit_declare_slot(out, &t->ops[i].desc, slot);
		fputc('\n', out);
	}
	for (i = 0; i < t->nr_ops; i++) {
		for (n = 0; n < calls_of(&t->ops[i]); n++)
			put_call(out, t, &t->ops[i], n);
		put_taken_away(out, prog, &t->ops[i]);
	}
	fputs("}\n\n", out);
}

static void put_switch(FILE *out, const struct kunit_turns *turns, uint32_t i)
{
	const struct prog_choice *c = &turns->prog->choices[i];
	const struct prog_thread *t = &turns->prog->threads[c->thread];

	fprintf(out, "\t{ .thread = %d, .op = %llu, .point = %s, ", c->thread,
		(unsigned long long)(call_number(t, c->op) + turns->access[i]),
		point_name(c->kind));
	if (c->level)
		fprintf(out, ".level = %s, ", levels[c->level]);
	fprintf(out, ".nth = %u, ", c->k - turns->before[i]);
	if (c->action == CHOICE_RESCHED)
		fputs(".to = TDP_RESCHED },\n", out);
	else
		fprintf(out, ".to = %d },\n", c->target);
}

static void put_threads(FILE *out, const struct kunit_turns *turns, const char *name)
{
	const struct program *prog = turns->prog;
	uint32_t i;

	for (i = 0; i < prog->nr_threads; i++)
		put_thread(out, prog, i, name);
	fprintf(out, "static void (*const %s_threads[])(struct tdp_vm *vm) = {\n", name);
	for (i = 0; i < prog->nr_threads; i++)
		fprintf(out, "\t%s_t%u,\n", name, i);
	fputs("};\n\n", out);
	fprintf(out, "static const struct tdp_switch %s_switches[] = {\n", name);
	for (i = 0; i < prog->nr_choices; i++)
		put_switch(out, turns, i);
	fputs("};\n\n", out);
}

static void put_interleave(struct kunit_case *k)
{
	struct kunit_call call;

	kunit_call(&call, "tdp_interleave(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%s_threads", k->name);
	kunit_arg(&call, "ARRAY_SIZE(%s_threads)", k->name);
	kunit_arg(&call, "%s_switches", k->name);
	kunit_arg(&call, "ARRAY_SIZE(%s_switches)", k->name);
	fputc('\n', k->body);
	kunit_put(k->body, 1, &call, ");");
}

static void probe(struct kunit_case *k, int vcpu, uint64_t gfn)
{
	const struct slot_desc *s = kunit_slot_at(k, k->mode[vcpu] & EXPECTED_SMM, gfn);
	uint64_t hvn = s ? s->hvn + (gfn - s->base) : 0;
	uint64_t pfn = s ? host_frame(k->oracle, hvn) : HOST_NO_FRAME;
	struct kunit_call call;

	if (s && pfn == HOST_NO_FRAME) {
		pfn = FRESH_FRAME + hvn;
		kunit_host_set(&k->host, hvn, 1, pfn, 1);
		fprintf(k->body, "\ttdp_host_map(vm, 0x%llx, 1, 0x%llx, TDP_4K);\n",
			(unsigned long long)hvn, (unsigned long long)pfn);
	} else if (s) {
		kunit_host_say(&k->host, k->oracle, s, hvn, k->body);
	}
	kunit_call(&call, "tdp_expect_frame(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "tdp_read(vm, %d, 0x%llx)", vcpu, (unsigned long long)gfn);
	if (s)
		kunit_arg(&call, "0x%llx", (unsigned long long)pfn);
	else
		kunit_arg(&call, "TDP_EMULATED");
	kunit_arg(&call, s ? "\"N: the frame that the host has by now\"" :
			     "\"N: there is no memory any more\"");
	kunit_put(k->body, 1, &call, ");");
}

/* The slot may come later; what the host has there, it has from the start. */
static void say_page(struct kunit_case *k, uint64_t gfn)
{
	const struct slot_desc *s = kunit_slot_at(k, 0, gfn);

	if (s && host_frame(k->oracle, s->hvn + (gfn - s->base)) != HOST_NO_FRAME)
		kunit_host_say(&k->host, k->oracle, s, s->hvn + (gfn - s->base), k->body);
}

/* Each page that an access was to. */
static void say_pages(struct kunit_case *k)
{
	uint64_t page[MAX_PROBES];
	uint32_t i, nr = pages_of(k->prog, page);

	for (i = 0; i < nr; i++)
		say_page(k, page[i]);
}

static void put_line(struct kunit_case *k, const char *text)
{
	fprintf(k->body, "\t%s\n", text);
}

/* What is there, is counted: when everything has been zapped, nothing is counted. */
static void nothing_left(struct kunit_case *k)
{
	uint32_t i;

	fputc('\n', k->body);
	for (i = 0; i < k->prog->nr_threads; i++)
		if (k->prog->threads[i].kind == THREAD_VCPU)
			fprintf(k->body, "\ttdp_root_unload(vm, %d);\n", k->prog->threads[i].vcpu);
	put_line(k, "tdp_zap_fast(vm);");
	put_line(k, "tdp_expect_stat(vm, 0, 0, 0, \"L: pages mapped, when all is zapped\");");
	put_line(k, "tdp_expect_tables(vm, 0, \"L: page tables, when all is zapped\");");
	put_line(k, "tdp_expect_nx_splits(vm, 0, \"X: none of them could be a huge page\");");
}

/* A page that no slot has had and no access has been to is mapped by nothing. */
static bool is_untouched(const struct program *prog, uint64_t gfn)
{
	uint64_t page[MAX_PROBES];
	uint32_t i, j, nr = pages_of(prog, page);

	for (i = 0; i < nr; i++)
		if (page[i] == gfn)
			return false;
	for (i = 0; i < prog->nr_slots; i++)
		if (gfn - prog->slots[i].base < prog->slots[i].npages)
			return false;
	for (i = 0; i < prog->nr_threads; i++)
		for (j = 0; j < prog->threads[i].nr_ops; j++)
			if (prog->threads[i].ops[j].kind == OP_SLOT_ADD)
				return false;
	return nr < MAX_PROBES && gfn < vm_gfn_limit(&prog->vm);
}

static void beside_slots(struct kunit_case *k)
{
	const struct program *prog = k->prog;
	uint32_t i;

	for (i = 0; i < prog->nr_slots; i++) {
		uint64_t gfn = prog->slots[i].base + prog->slots[i].npages;
		struct kunit_call call;

		if (prog->slots[i].as_id || !is_untouched(prog, gfn))
			continue;
		kunit_call(&call, "tdp_expect_none(");
		kunit_arg(&call, "vm");
		kunit_arg(&call, "TDP_NORMAL");
		kunit_arg(&call, "0x%llx", (unsigned long long)gfn);
		kunit_arg(&call, "\"M: nothing is mapped beside the slot\"");
		kunit_put(k->body, 1, &call, ");");
	}
}

static void probe_pages(struct kunit_case *k)
{
	uint64_t page[MAX_PROBES];
	uint32_t i, nr = pages_of(k->prog, page);
	int vcpu = -1;

	for (i = 0; i < k->prog->nr_threads && vcpu < 0; i++)
		if (k->prog->threads[i].kind == THREAD_VCPU)
			vcpu = k->prog->threads[i].vcpu;
	beside_slots(k);
	for (i = 0; i < nr; i++)
		probe(k, vcpu, page[i]);
	nothing_left(k);
}

/* The host's operations, as they have come about: what the test has mapped is to be what they left. */
static void host_did(struct kunit_case *k)
{
	uint32_t i, j;

	for (i = 0; i < k->prog->nr_threads; i++) {
		const struct prog_thread *t = &k->prog->threads[i];

		for (j = 0; j < t->nr_ops; j++) {
			const struct op *op = &t->ops[j];

			if (op->kind == OP_UNMAP || op->kind == OP_PROTECT ||
			    op->kind == OP_HUGE_BREAK)
				kunit_host_split(&k->host, op->gfn, op->n,
						 op->kind == OP_HUGE_BREAK);
			if (op->kind == OP_UNMAP)
				kunit_host_drop(&k->host, op->gfn, op->n);
		}
	}
}

/* Of repeated accesses each is a call of its own in the test, with points that count from 1. */
static void count(struct kunit_turns *turns, const struct exec_event *ev)
{
	const struct program *prog = turns->prog;
	const int t = ev->thread;
	uint32_t i;

	if (ev->kind == EXEC_EV_OP) {
		if (!ev->n)
			memset(turns->passed[t], 0, sizeof(turns->passed[t]));
		turns->now[t] = ev->n;
		memcpy(turns->begun[t], turns->passed[t], sizeof(turns->begun[t]));
		return;
	}
	turns->passed[t][ev->point][ev->level] = ev->k;
	for (i = 0; i < prog->nr_choices; i++) {
		const struct prog_choice *c = &prog->choices[i];

		if (c->thread != t || c->op != ev->op || c->kind != ev->point ||
		    c->level != ev->level || c->k != ev->k)
			continue;
		turns->access[i] = turns->now[t];
		turns->before[i] = turns->begun[t][ev->point][ev->level];
	}
}

static void on_event(void *ctx, const struct exec_event *ev)
{
	struct kunit_turns *turns = ctx;
	struct kunit_case *k = turns->k;
	const struct oracle_call *call = ev->call;

	if (ev->thread >= 0 && (ev->kind == EXEC_EV_OP || ev->kind == EXEC_EV_POINT))
		count(turns, ev);

	if (ev->kind == EXEC_EV_VIOLATION && !k->lost) {
		snprintf(k->problem, sizeof(k->problem), "rule %c broken: %s", ev->violation->rule,
			 ev->violation->text);
		k->lost = true;
	}
	if (ev->kind == EXEC_EV_OP && !k->slots_done) {
		kunit_first_slots(k);
		say_pages(k);
		put_interleave(k);
		k->op.open = true;
	}
	if (ev->thread < 0 && k->op.open) {
		k->op.open = false;
		host_did(k);
		fputc('\n', k->body);
		probe_pages(k);
	}
	if (ev->kind != EXEC_EV_RETURN || call->ret)
		return;
	if (call->kind == CALL_SET_REGION)
		kunit_slot_set(k, &call->region);
	if (call->kind == CALL_SET_MODE)
		k->mode[call->vcpu] = (call->smm ? EXPECTED_SMM : 0) |
				      (call->guest_mode ? EXPECTED_GUEST : 0);
}

/**
 * kunit_threads_make() - write a function whose threads take the turns that a program's take
 * @k: result: if it could not be done, @k->problem says why
 * @prog: a program of which kunit_takes_turns() says so
 * @name: of the function
 * @out: gets the function
 *
 * Return: whether it could be done.
 */
bool kunit_threads_make(struct kunit_case *k, const struct program *prog, const char *name,
			FILE *out)
{
	struct kunit_turns *turns = calloc(1, sizeof(*turns));
	char *text = NULL;
	size_t len;
	FILE *body = open_memstream(&text, &len);
	bool made;

	if (!turns || !body)
		abort();
	turns->k = k;
	turns->prog = prog;
	made = kunit_make(k, prog, name, on_event, turns, body);
	fclose(body);
	put_threads(out, turns, name);
	fputs(text, out);
	free(text);
	free(turns);
	return made;
}
