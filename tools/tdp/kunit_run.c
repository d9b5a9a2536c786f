// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test case from a run: what the executor tells of each operation becomes a call, and what the
 * oracle predicts becomes expectations.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kunit.h"
#include "program_names.h"
#include <tdp/tdp.h>

static const char *const levels[] = { "0", "TDP_4K", "TDP_2M", "TDP_1G", "TDP_512G", "TDP_256T" };

static const struct op *op_of(const struct kunit_case *k)
{
	return &k->prog->threads[k->op.thread].ops[k->op.op];
}

static bool is_access(enum op_kind kind)
{
	return kind == OP_READ || kind == OP_WRITE || kind == OP_EXEC;
}

const struct slot_desc *kunit_slot_at(const struct kunit_case *k, int as, uint64_t gfn)
{
	int i;

	for (i = 0; i < PROG_MAX_SLOTS; i++)
		if (k->used[as][i] && gfn - k->slots[as][i].base < k->slots[as][i].npages)
			return &k->slots[as][i];
	return NULL;
}

static void hex(struct kunit_call *call, uint64_t value)
{
	kunit_arg(call, value ? "0x%llx" : "%llx", (unsigned long long)value);
}

/* ---- slots ---- */

void kunit_declare_slot(FILE *out, const struct slot_desc *s, const char *name)
{
	static const char *const flags[] = { "", "TDP_LOG", "TDP_READONLY",
					     "TDP_LOG | TDP_READONLY" };

	fprintf(out, "\tconst struct tdp_slot %s = {\n", name);
	if (s->as_id)
		fprintf(out, "\t\t.as = %d,\n", s->as_id);
	fprintf(out, "\t\t.id = %d,\n", s->id);
	if (s->flags)
		fprintf(out, "\t\t.flags = %s,\n", flags[s->flags & 3]);
	fprintf(out, "\t\t.base = 0x%llx,\n\t\t.pages = 0x%llx,\n\t\t.hpage = 0x%llx,\n\t};\n",
		(unsigned long long)s->base, (unsigned long long)s->npages,
		(unsigned long long)s->hvn);
}

static void put_return(FILE *out, const struct kunit_call *call, long ret, const char *why)
{
	struct kunit_call expect;
	char head[300];
	int i;

	/* The inner call stays in one piece if it is short. */
	snprintf(head, sizeof(head), "%s", call->head);
	for (i = 0; i < call->nr; i++) {
		size_t len = strlen(head);

		snprintf(head + len, sizeof(head) - len, "%s%s", i ? ", " : "", call->arg[i]);
	}
	kunit_call(&expect, "tdp_expect_return(");
	kunit_arg(&expect, "vm");
	kunit_arg(&expect, "%.150s)", head);
	switch (ret) {
	case -2:
		kunit_arg(&expect, "-ENOENT");
		break;
	case -12:
		kunit_arg(&expect, "-ENOMEM");
		break;
	case -14:
		kunit_arg(&expect, "-EFAULT");
		break;
	case -16:
		kunit_arg(&expect, "-EBUSY");
		break;
	case -17:
		kunit_arg(&expect, "-EEXIST");
		break;
	case -22:
		kunit_arg(&expect, "-EINVAL");
		break;
	default:
		kunit_arg(&expect, "%ld", ret);
	}
	kunit_arg(&expect, "\"%s\"", why);
	kunit_put(out, 1, &expect, ");");
}

static void put_slot_add(struct kunit_case *k, const struct slot_desc *s, const char *name,
			 long ret)
{
	struct kunit_call call;

	kunit_declare_slot(k->decls, s, name);
	kunit_call(&call, "tdp_slot_add(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "&%s", name);
	put_return(k->body, &call, ret, ret ? "P: the slot is refused" : "P: the slot is added");
}

void kunit_slot_set(struct kunit_case *k, const struct slot_desc *s)
{
	k->used[s->as_id & 1][s->id % PROG_MAX_SLOTS] = s->npages;
	k->slots[s->as_id & 1][s->id % PROG_MAX_SLOTS] = *s;
}

void kunit_first_slots(struct kunit_case *k)
{
	uint32_t i;
	char name[32];

	for (i = 0; i < k->prog->nr_slots; i++) {
		const struct slot_desc *s = &k->prog->slots[i];

		snprintf(name, sizeof(name), s->as_id ? "smm_slot_%d" : "slot_%d", s->id);
		put_slot_add(k, s, name, 0);
	}
	k->slots_done = true;
}

/* ---- an operation's call ---- */

static void say_page(struct kunit_case *k, int vcpu, uint64_t gfn)
{
	int as = k->mode[vcpu] & EXPECTED_SMM;
	const struct slot_desc *s = kunit_slot_at(k, as, gfn);

	if (s)
		kunit_host_say(&k->host, k->oracle, s, s->hvn + (gfn - s->base), k->body);
}

static const char *outcome_name(uint64_t outcome)
{
	switch (outcome) {
	case KUNIT_EMULATED:
		return "TDP_EMULATED";
	case KUNIT_NO_ROOT:
		return "TDP_NO_ROOT";
	case KUNIT_STUCK:
		return "TDP_STUCK";
	case KUNIT_FAULT_ERROR:
		return "TDP_FAULT_ERROR";
	default:
		return NULL;
	}
}

/* How many accesses from @from on have outcomes that one loop says. */
static uint64_t alike(const struct kunit_case *k, uint64_t from, uint64_t step)
{
	const uint64_t *out = k->op.outcome;
	bool named = outcome_name(out[from]);
	uint64_t i;

	for (i = from + 1; i < k->op.nr; i++)
		if (out[i] != (named ? out[from] : out[from] + (i - from) * step))
			break;
	return i - from;
}

static void put_access(struct kunit_case *k, int vcpu, uint64_t from, uint64_t n)
{
	const struct op *op = op_of(k);
	uint64_t gfn = op->gfn + (k->op.first + from) * op->step;
	uint64_t outcome = k->op.outcome[from];
	const char *name = outcome_name(outcome);
	struct kunit_call call;
	char times[40] = "";

	if (n > 1) {
		if (op->step > 1)
			snprintf(times, sizeof(times), " + i * 0x%llx",
				 (unsigned long long)op->step);
		else
			snprintf(times, sizeof(times), " + i");
		fprintf(k->body, "\tfor (i = 0; i < %llu; i++)\n", (unsigned long long)n);
		k->loops = true;
	}
	kunit_call(&call, "tdp_expect_frame(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "tdp_%s(vm, %d, 0x%llx%s)", op_infos[op->kind].name, vcpu,
		  (unsigned long long)gfn, times);
	if (name)
		kunit_arg(&call, "%s", name);
	else
		kunit_arg(&call, "0x%llx%s", (unsigned long long)outcome, times);
	if (outcome == KUNIT_EMULATED)
		kunit_arg(&call, "\"G: KVM emulates the access\"");
	else if (name)
		kunit_arg(&call, "\"P: the guest stops\"");
	else
		kunit_arg(&call, "\"T: the frame that the host has there\"");
	kunit_put(k->body, n > 1 ? 2 : 1, &call, ");");
}

static void put_accesses(struct kunit_case *k, int vcpu)
{
	const struct op *op = op_of(k);
	uint64_t i, n;

	for (i = 0; i < k->op.nr; i++)
		say_page(k, vcpu, op->gfn + (k->op.first + i) * op->step);
	for (i = 0; i < k->op.nr; i += n) {
		n = alike(k, i, op->step);
		put_access(k, vcpu, i, n);
	}
}

static void slot_args(struct kunit_call *call, const struct op *op)
{
	kunit_arg(call, "%d", OP_SLOT_AS(op->slot));
	kunit_arg(call, "%d", OP_SLOT_ID(op->slot));
}

static const char *flag_names(uint32_t flags)
{
	switch (flags & (SLOT_LOG | SLOT_RO)) {
	case SLOT_LOG:
		return "TDP_LOG";
	case SLOT_RO:
		return "TDP_READONLY";
	case SLOT_LOG | SLOT_RO:
		return "TDP_LOG | TDP_READONLY";
	default:
		return "0";
	}
}

/* Ioctls return 0 or an error; three of the operations say something by what they return. */
static const char *why_return(enum op_kind kind, long ret)
{
	switch (kind) {
	case OP_WRPROT:
		return ret ? "W: something was writable" : "W: nothing was writable";
	case OP_AGE:
	case OP_TEST_AGE:
		return ret ? "M: it was used" : "M: it was not used";
	case OP_PREFAULT:
		return "P: pages that are mapped";
	default:
		return ret ? "P: it is refused" : "P: it is done";
	}
}

static void c_name(char *to, size_t size, const char *from)
{
	snprintf(to, size, "tdp_%s(", from);
	for (; *to; to++)
		if (*to == '-')
			*to = '_';
}

static void put_slot_op(struct kunit_case *k)
{
	const struct op *op = op_of(k);
	struct kunit_call call;
	char head[64];

	c_name(head, sizeof(head), op_infos[op->kind].name);
	kunit_call(&call, head);
	kunit_arg(&call, "vm");
	slot_args(&call, op);
	switch (op->kind) {
	case OP_SLOT_MOVE:
	case OP_TRACK:
	case OP_UNTRACK:
		hex(&call, op->gfn);
		break;
	case OP_SLOT_FLAGS:
		kunit_arg(&call, "%s", flag_names(op->flags));
		break;
	case OP_LOG_CLEAR:
		hex(&call, op->gfn);
		hex(&call, op->n);
		break;
	case OP_SPLIT:
		kunit_arg(&call, "%s", levels[op->level]);
		break;
	case OP_WRPROT:
		hex(&call, op->gfn);
		kunit_arg(&call, "%s", levels[op->level]);
		break;
	default:
		break;
	}
	put_return(k->body, &call, k->op.ret, why_return(op->kind, k->op.ret));
}

static void put_plain(struct kunit_case *k, const struct kunit_call *call)
{
	kunit_put(k->body, 1, call, ");");
}

static void put_remap(struct kunit_case *k, const struct op *op, struct kunit_call *call)
{
	uint64_t pfn;
	int level;

	kunit_host_split(&k->host, op->gfn, op->n, false);
	kunit_host_drop(&k->host, op->gfn, op->n);
	if (!kunit_host_run(k->oracle, op->gfn, op->n, &pfn, &level)) {
		/* More runs than one: each is mapped when it is looked up. */
		kunit_call(call, "tdp_unmap(");
		kunit_arg(call, "vm");
		hex(call, op->gfn);
		hex(call, op->n);
		put_plain(k, call);
		return;
	}
	hex(call, op->gfn);
	hex(call, op->n);
	hex(call, pfn);
	kunit_arg(call, "%s", levels[level]);
	put_plain(k, call);
	kunit_host_set(&k->host, op->gfn, op->n, pfn, level);
}

static void put_huge_form(struct kunit_case *k, const struct op *op, struct kunit_call *call)
{
	uint64_t n = 1ULL << (9 * (op->level - 1)), first = op->gfn & -n, pfn;
	int level;

	/* What does not come about is an invalidation all the same: the old frames are put again. */
	if (!kunit_host_run(k->oracle, first, n, &pfn, &level) || level != op->level) {
		kunit_call(call, "tdp_clean(");
		kunit_arg(call, "vm");
		hex(call, first);
		hex(call, n);
		put_plain(k, call);
		return;
	}
	hex(call, op->gfn);
	kunit_arg(call, "%s", levels[op->level]);
	hex(call, pfn);
	put_plain(k, call);
	kunit_host_set(&k->host, first, n, pfn, level);
}

/*
 * What becomes read-only must be said to be mapped before.  Which frames it will have if it is not, the
 * host has yet to decide.
 */
static bool say_range(struct kunit_case *k, const struct op *op)
{
	uint64_t i;
	int as, id;

	for (as = 0; as < 2; as++) {
		for (id = 0; id < PROG_MAX_SLOTS; id++) {
			const struct slot_desc *s = &k->slots[as][id];

			for (i = op->gfn; k->used[as][id] && i < op->gfn + op->n; i++) {
				if (i - s->hvn >= s->npages)
					continue;
				if (host_frame(k->oracle, i) == HOST_NO_FRAME)
					return false;
				kunit_host_say(&k->host, k->oracle, s, i, k->body);
			}
		}
	}
	return true;
}

static void put_host_op(struct kunit_case *k)
{
	const struct op *op = op_of(k);
	struct kunit_call call;
	char head[64];

	if (op->kind == OP_PROTECT && !say_range(k, op)) {
		snprintf(k->problem, sizeof(k->problem),
			 "thread %d's operation %u protects pages that the host has not mapped yet",
			 k->op.thread, k->op.op);
		k->lost = true;
		return;
	}
	c_name(head, sizeof(head), op_infos[op->kind].name);
	kunit_call(&call, head);
	kunit_arg(&call, "vm");
	if (op->kind == OP_REMAP) {
		put_remap(k, op, &call);
		return;
	}
	if (op->kind == OP_HUGE_FORM) {
		put_huge_form(k, op, &call);
		return;
	}
	hex(&call, op->gfn);
	hex(&call, op->n);
	if (op->kind == OP_AGE || op->kind == OP_TEST_AGE) {
		put_return(k->body, &call, k->op.ret, why_return(op->kind, k->op.ret));
		return;
	}
	put_plain(k, &call);
	if (op->kind == OP_UNMAP || op->kind == OP_PROTECT || op->kind == OP_HUGE_BREAK)
		kunit_host_split(&k->host, op->gfn, op->n, op->kind == OP_HUGE_BREAK);
	if (op->kind == OP_UNMAP)
		kunit_host_drop(&k->host, op->gfn, op->n);
}

static void put_vcpu_op(struct kunit_case *k, int vcpu)
{
	const struct op *op = op_of(k);
	struct kunit_call call;
	char head[64];
	uint64_t i;

	c_name(head, sizeof(head), op_infos[op->kind].name);
	kunit_call(&call, head);
	kunit_arg(&call, "vm");
	kunit_arg(&call, "%d", vcpu);
	switch (op->kind) {
	case OP_SPECULATE:
		hex(&call, op->gfn);
		break;
	case OP_PREFAULT:
		for (i = 0; i < op->n; i++)
			say_page(k, vcpu, op->gfn + i);
		hex(&call, op->gfn);
		hex(&call, op->n);
		put_return(k->body, &call, k->op.mapped ? (long)k->op.mapped : k->op.ret,
			   why_return(op->kind, 0));
		return;
	case OP_ROOT_LOAD:
		put_return(k->body, &call, k->op.ret, why_return(op->kind, k->op.ret));
		return;
	default:
		break;
	}
	put_plain(k, &call);
}

static void put_vmm_op(struct kunit_case *k)
{
	const struct op *op = op_of(k);
	struct kunit_call call;
	char head[64];

	c_name(head, sizeof(head), op_infos[op->kind].name);
	kunit_call(&call, head);
	kunit_arg(&call, "vm");
	switch (op->kind) {
	case OP_SLOT_ADD:
		snprintf(head, sizeof(head), "slot_t%d_%u", k->op.thread, k->op.op);
		put_slot_add(k, &op->desc, head, k->op.ret);
		return;
	case OP_ZAP_RANGE:
		hex(&call, op->gfn);
		hex(&call, op->n);
		break;
	case OP_NX_TOGGLE:
		kunit_arg(&call, "%s", op->on ? "true" : "false");
		k->nx = op->on;
		break;
	case OP_ZAP_FAST:
	case OP_NX_RECOVER:
		break;
	case OP_DESTROY:
		k->destroyed = true;
		break;
	default:
		put_slot_op(k);
		return;
	}
	put_plain(k, &call);
}

static void put_resched(struct kunit_case *k)
{
	uint32_t i;

	for (i = 0; i < k->prog->nr_choices; i++) {
		const struct prog_choice *c = &k->prog->choices[i];
		struct kunit_call call;
		const char *name;

		if (c->thread != k->op.thread || c->op != k->op.op ||
		    !kunit_resched_point(c, &name))
			continue;
		kunit_call(&call, "tdp_resched(");
		kunit_arg(&call, "vm");
		kunit_arg(&call, "%s", name);
		kunit_arg(&call, "%s", levels[c->level]);
		kunit_arg(&call, "%u", c->k);
		put_plain(k, &call);
	}
}

static void put_title(struct kunit_case *k)
{
	const struct op *op = op_of(k);
	char text[160];

	op_print(op, text, sizeof(text));
	fprintf(k->body, "\n\t/* t%d, %s: %s%s */\n", k->op.thread,
		k->prog->threads[k->op.thread].name, text + strspn(text, "\t "),
		k->op.called || k->op.nr ? "" : ": there is no such slot");
}

/* The operation is over: say it, and what it has left. */
static void op_close(struct kunit_case *k)
{
	const struct prog_thread *t;
	enum op_kind kind;

	if (!k->op.open)
		return;
	k->op.open = false;
	if (k->destroyed)
		return;
	t = &k->prog->threads[k->op.thread];
	kind = op_of(k)->kind;
	put_title(k);
	if (!k->op.called && !k->op.nr && kind != OP_SPECULATE)
		return;
	put_resched(k);
	if (is_access(kind))
		put_accesses(k, t->vcpu);
	else if (t->kind == THREAD_VCPU)
		put_vcpu_op(k, t->vcpu);
	else if (t->kind == THREAD_HOST)
		put_host_op(k);
	else
		put_vmm_op(k);
	if (!k->destroyed)
		kunit_facts(k, kind);
}

static void op_begin(struct kunit_case *k, int thread, uint32_t number, uint64_t access)
{
	struct kunit_open *op = &k->op;

	if (op->open && op->thread == thread && op->op == number && access == op->first + op->nr) {
		op->flush = false;
	} else {
		op_close(k);
		if (!k->slots_done)
			kunit_first_slots(k);
		op->open = true;
		op->thread = thread;
		op->op = number;
		op->first = access;
		op->nr = 0;
		op->called = op->flush = op->harvest = false;
		op->ret = 0;
		op->mapped = 0;
	}
	if (!is_access(op_of(k)->kind))
		return;
	if (op->nr == op->cap) {
		op->cap = op->cap ? 2 * op->cap : 64;
		op->outcome = realloc(op->outcome, op->cap * sizeof(*op->outcome));
		if (!op->outcome)
			abort();
	}
	op->outcome[op->nr++] = KUNIT_NO_ROOT;
}

/* ---- what the executor tells ---- */

static void harvest(struct kunit_case *k, const struct oracle_call *call)
{
	struct kunit_open *op = &k->op;
	uint64_t i;

	op->harvest = !call->ret;
	op->ndirty = 0;
	op->nr_runs = 0;
	for (i = 0; op->harvest && i < call->words * 64; i++) {
		if (!(call->bitmap[i / 64] >> i % 64 & 1))
			continue;
		op->ndirty++;
		if (op->nr_runs &&
		    op->run[op->nr_runs - 1].first + op->run[op->nr_runs - 1].n == i) {
			op->run[op->nr_runs - 1].n++;
			continue;
		}
		if (op->nr_runs == op->cap_runs) {
			op->cap_runs = op->cap_runs ? 2 * op->cap_runs : 64;
			op->run = realloc(op->run, op->cap_runs * sizeof(*op->run));
			if (!op->run)
				abort();
		}
		op->run[op->nr_runs++] = (struct kunit_range){ .first = i, .n = 1 };
	}
}

/* What live migration does last, after all operations. */
static void last_harvest(struct kunit_case *k, const struct oracle_call *call)
{
	struct kunit_call get;

	if (call->ret || k->destroyed)
		return;
	harvest(k, call);
	fputs("\n\t/* When the guest has stopped, a last harvest */\n", k->body);
	kunit_call(&get, "tdp_log_get(");
	kunit_arg(&get, "vm");
	kunit_arg(&get, "%d", OP_SLOT_AS(call->slot));
	kunit_arg(&get, "%d", OP_SLOT_ID(call->slot));
	put_return(k->body, &get, 0, why_return(OP_LOG_GET, 0));
	kunit_facts_log(k);
}

static void page_fault_answer(struct kunit_case *k, long ret)
{
	uint64_t *outcome = &k->op.outcome[k->op.nr - 1];

	if (ret < 0)
		*outcome = KUNIT_FAULT_ERROR;
	else if (ret == RET_PF_EMULATE || ret == RET_PF_WRITE_PROTECTED)
		*outcome = KUNIT_EMULATED;
	else
		*outcome = KUNIT_STUCK;
}

static void call_ended(struct kunit_case *k, const struct exec_event *ev)
{
	const struct oracle_call *call = ev->call;

	if (call->kind == CALL_SET_REGION && !call->ret)
		kunit_slot_set(k, &call->region);
	if (ev->thread < 0) {
		if (call->kind == CALL_LOG_GET)
			last_harvest(k, call);
		return;
	}
	if (!k->op.open || call->kind == CALL_MARK_DIRTY)
		return;
	k->op.flush |= oracle_expected_flush(k->oracle);
	switch (call->kind) {
	case CALL_ENTER_GUEST:
		return;
	case CALL_PAGE_FAULT:
		if (k->op.nr)
			page_fault_answer(k, call->ret);
		return;
	case CALL_PRE_FAULT:
		if (call->ret > 0)
			k->op.mapped += call->ret;
		break;
	case CALL_SET_MODE:
		k->mode[call->vcpu] = (call->smm ? EXPECTED_SMM : 0) |
				      (call->guest_mode ? EXPECTED_GUEST : 0);
		break;
	case CALL_LOG_GET:
		if (op_of(k)->kind == OP_LOG_GET)
			harvest(k, call);
		break;
	default:
		break;
	}
	k->op.called = true;
	k->op.ret = call->ret;
}

static void accessed(struct kunit_case *k, const struct exec_event *ev)
{
	int as = k->mode[ev->vcpu] & EXPECTED_SMM;
	const struct slot_desc *s = kunit_slot_at(k, as, ev->gfn);

	if (ev->val == HW_DONE && k->op.nr && s)
		k->op.outcome[k->op.nr - 1] = host_frame(k->oracle, s->hvn + (ev->gfn - s->base));
}

/* An operation has been told of before other threads, who may come first, have run. */
static bool does_something(const struct exec_event *ev)
{
	if (ev->thread < 0 || ev->kind == EXEC_EV_OP)
		return false;
	return ev->kind != EXEC_EV_POINT ||
	       (ev->point != POINT_OP && ev->point != POINT_BLOCK && ev->point != POINT_END);
}

static void on_event(void *ctx, const struct exec_event *ev)
{
	struct kunit_case *k = ctx;

	if (k->lost)
		return;
	if (ev->kind == EXEC_EV_VIOLATION) {
		snprintf(k->problem, sizeof(k->problem), "rule %c broken: %s", ev->violation->rule,
			 ev->violation->text);
		k->lost = true;
		return;
	}
	if (ev->thread < 0)
		op_close(k);
	else if (!oracle_predicts(k->oracle) && !k->destroyed) {
		snprintf(k->problem, sizeof(k->problem),
			 "thread %d's operation %u begins while another is under way", ev->thread,
			 ev->op);
		k->lost = true;
		return;
	}
	if (does_something(ev) && k->next[ev->thread].begins) {
		k->next[ev->thread].begins = false;
		op_begin(k, ev->thread, k->next[ev->thread].op, k->next[ev->thread].access);
	}
	switch (ev->kind) {
	case EXEC_EV_OP:
		k->next[ev->thread].begins = true;
		k->next[ev->thread].op = ev->op;
		k->next[ev->thread].access = ev->n;
		break;
	case EXEC_EV_CALL:
		if (ev->call->kind == CALL_DESTROY_VM && k->op.open && op_of(k)->kind == OP_DESTROY)
			k->op.called = true;
		break;
	case EXEC_EV_RETURN:
		call_ended(k, ev);
		break;
	case EXEC_EV_ACCESS:
		accessed(k, ev);
		break;
	default:
		break;
	}
}

/* ---- the function ---- */

static void put_params(FILE *out, const struct program *prog)
{
	static const char *const me[] = { "", "TDP_ME_SME", "TDP_ME_TDX" };
	static const char *const made_for[] = {
		[TDP_LINUX_6_1] = "TDP_FOR_6_1",
		[TDP_LINUX_6_12] = "TDP_FOR_6_12",
	};
	const struct vm_desc *vm = &prog->vm;
	uint32_t i, vcpus = 0;

	for (i = 0; i < prog->nr_threads; i++)
		if (prog->threads[i].kind == THREAD_VCPU && prog->threads[i].vcpu >= vcpus)
			vcpus = prog->threads[i].vcpu + 1;
	fputs("\tconst struct tdp_vm_params params = {\n", out);
#define FLAG(when, name)                                      \
	do {                                                  \
		if (when)                                     \
			fputs("\t\t." name " = true,\n", out); \
	} while (0)
	FLAG(vm->mmu == VM_NPT, "npt");
	FLAG(vm->mmu == VM_EPT && !vm->ad, "ad_off");
	if (vm->levels != 4)
		fprintf(out, "\t\t.levels = %d,\n", vm->levels);
	FLAG(!vm->nx_huge_pages, "nx_off");
	FLAG(vm->eager_split, "eager_split");
	FLAG(vm->pml, "pml");
	FLAG(vm->mmu == VM_EPT && !vm->exec_only, "exec_only_off");
	if (vm->me)
		fprintf(out, "\t\t.me = %s,\n", me[vm->me]);
	FLAG(vm->l1tf, "l1tf");
	if (vm->maxphyaddr != vm_default.maxphyaddr)
		fprintf(out, "\t\t.maxphyaddr = %d,\n", vm->maxphyaddr);
	if (vm->cachebits != vm_default.cachebits)
		fprintf(out, "\t\t.cachebits = %d,\n", vm->cachebits);
	if (vm->gen)
		fprintf(out, "\t\t.gen = %llu,\n", (unsigned long long)vm->gen);
	if (vm->seq)
		fprintf(out, "\t\t.seq = 0x%llx,\n", (unsigned long long)vm->seq);
	FLAG(vm->manual_protect, "manual_protect");
	FLAG(vm->init_set, "init_set");
	if (!vm->nx_ratio)
		fputs("\t\t.nx_ratio = TDP_NX_RATIO_NONE,\n", out);
	else if (vm->nx_ratio != vm_default.nx_ratio)
		fprintf(out, "\t\t.nx_ratio = %u,\n", vm->nx_ratio);
	FLAG(!vm->quirk_zap_all, "zap_all_quirk_off");
#undef FLAG
	/* Where threads take turns nothing is expected but what the rules say. */
	if (!kunit_takes_turns(prog))
		fprintf(out, "\t\t.made_for = %s,\n", made_for[tdp_backend.kernel]);
	fprintf(out, "\t\t.vcpus = %u,\n\t};\n", vcpus ? vcpus : 1);
}

static void put_constants(FILE *out, const struct kunit_case *k)
{
	uint32_t i;

	for (i = 0; i < k->nr_bits; i++)
		fprintf(out, "\tconst u64 %s = 0x%016llxULL;\n", k->bits[i].name,
			(unsigned long long)k->bits[i].bits);
}

static void case_free(struct kunit_case *k)
{
	int i;

	for (i = 0; i < EXPECTED_MODES; i++)
		free(k->before[i].leaf);
	free(k->op.outcome);
	free(k->op.run);
	free(k->host.range);
}

/**
 * kunit_make() - run a program, and write a function of what is told of that
 * @k: result
 * @prog: program
 * @name: of the function
 * @tell: is told of the run, and writes into @k->decls and @k->body
 * @ctx: passed to @tell
 * @out: gets the function
 *
 * Return: false if @k->problem says why it could not be done.
 */
bool kunit_make(struct kunit_case *k, const struct program *prog, const char *name,
		void (*tell)(void *ctx, const struct exec_event *ev), void *ctx, FILE *out)
{
	struct exec_options opts = { .event = tell, .ctx = ctx };
	struct executor *x = executor_create();
	char *decls = NULL, *body = NULL;
	size_t decls_len, body_len;
	struct exec_result *res = malloc(sizeof(*res));

	memset(k, 0, sizeof(*k));
	k->prog = prog;
	k->nx = prog->vm.nx_huge_pages;
	snprintf(k->name, sizeof(k->name), "%s", name);
	k->decls = open_memstream(&decls, &decls_len);
	k->body = open_memstream(&body, &body_len);
	if (!x || !res || !k->decls || !k->body)
		abort();
	k->oracle = executor_oracle(x);
	executor_run(x, prog, &opts, res);
	if (!k->slots_done)
		kunit_first_slots(k);
	fclose(k->decls);
	fclose(k->body);

	fprintf(out, "static void %s(struct kunit *test)\n{\n", k->name);
	put_constants(out, k);
	put_params(out, prog);
	fputs(decls, out);
	fputs("\tstruct tdp_vm *vm;\n", out);
	if (k->loops)
		fputs("\tu64 i;\n", out);
	fprintf(out, "\n\tvm = tdp_vm_create(test, &params);\n%s}\n", body);
	free(decls);
	free(body);
	free(res);
	case_free(k);
	executor_destroy(x);
	return !k->lost;
}

/**
 * kunit_case_make() - write a function that does what a program does
 * @k: result: if it could not be done, @k->problem says why
 * @prog: a program whose operations do not overlap
 * @name: of the function
 * @out: gets the function
 *
 * Return: whether it could be done.
 */
bool kunit_case_make(struct kunit_case *k, const struct program *prog, const char *name, FILE *out)
{
	return kunit_make(k, prog, name, on_event, k, out);
}
