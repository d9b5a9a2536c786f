// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interleaving, one column per thread: each event begins in the column of the thread that runs,
 * and ends with the source line that caused it.  Points are named as a schedule addresses them.
 */
#include <string.h>

#include "mirror.h"
#include "platform.h"
#include "program_names.h"
#include "run.h"
#include "spte_words.h"

#define COLUMN	24	/* characters from one thread's column to the next */

static const char *const call_names[CALL_NR] = {
	[CALL_CREATE_VM] = "create-vm",
	[CALL_CREATE_VCPU] = "create-vcpu",
	[CALL_DESTROY_VM] = "destroy-vm",
	[CALL_SET_REGION] = "set-region",
	[CALL_ENTER_GUEST] = "enter-guest",
	[CALL_MMU_LOAD] = "load-root",
	[CALL_MMU_UNLOAD] = "unload-root",
	[CALL_SET_MODE] = "set-mode",
	[CALL_PAGE_FAULT] = "page-fault",
	[CALL_MAP_PAGE] = "map-page",
	[CALL_INVALIDATE_START] = "invalidate-start",
	[CALL_INVALIDATE_END] = "invalidate-end",
	[CALL_AGE] = "age",
	[CALL_TEST_AGE] = "test-age",
	[CALL_LOG_GET] = "get-dirty-log",
	[CALL_LOG_CLEAR] = "clear-dirty-log",
	[CALL_MARK_DIRTY] = "mark-dirty",
	[CALL_SPLIT] = "split",
	[CALL_WRITE_PROTECT] = "write-protect",
	[CALL_TRACK] = "track",
	[CALL_UNTRACK] = "untrack",
	[CALL_ZAP_RANGE] = "zap-range",
	[CALL_ZAP_FAST] = "zap-fast",
	[CALL_NX_RECOVER] = "nx-recover",
	[CALL_SET_NX] = "set-nx",
};

static int column_of(int thread)
{
	return (thread < 0 ? 0 : thread) * COLUMN;
}

static void begin_line(struct run_trace *t, const struct exec_event *ev)
{
	fprintf(t->out, "%7llu  %*s", (unsigned long long)++t->step, column_of(ev->thread), "");
}

static void end_line(struct run_trace *t, const struct exec_event *ev)
{
	if (ev->site)
		fprintf(t->out, "  [%s:%d]", ev->site->file, ev->site->line);
	fputc('\n', t->out);
}

static void print_point(struct run_trace *t, const struct exec_event *ev)
{
	const struct point_info *info = &point_infos[ev->point];

	fprintf(t->out, "%s", info->name);
	if (info->has_level)
		fprintf(t->out, "(%s)", level_word(ev->level));
	fprintf(t->out, "#%u", ev->k);
}

static void print_gfn_of(struct run_trace *t, uint64_t pa)
{
	const struct mirror_table *table = mirror_table(t->oracle, pa & ~4095ULL);

	if (table && table->level)
		fprintf(t->out, " gfn 0x%llx", (unsigned long long)mirror_entry_gfn(table, pa));
	else
		fprintf(t->out, " at 0x%llx", (unsigned long long)pa);
}

static void print_change(struct run_trace *t, const struct exec_event *ev)
{
	char old[SPTE_WORDS_MAX], val[SPTE_WORDS_MAX];
	const struct vm_desc *vm = &t->prog->vm;
	int level = ev->level;

	if (!level) {
		const struct mirror_table *table = mirror_table(t->oracle, ev->pa & ~4095ULL);

		level = table ? table->level : 0;
	}
	print_gfn_of(t, ev->pa);
	fprintf(t->out, ": %016llx %s \xe2\x86\x92 %016llx %s%s", (unsigned long long)ev->old,
		spte_words(vm, ev->old, level, old, sizeof(old)), (unsigned long long)ev->val,
		spte_words(vm, ev->val, level, val, sizeof(val)),
		ev->ok ? "" : " (lost: the entry had changed)");
}

static void print_op(struct run_trace *t, const struct exec_event *ev)
{
	const struct prog_thread *thread = &t->prog->threads[ev->thread];
	char text[160];

	op_print(&thread->ops[ev->op], text, sizeof(text));
	fprintf(t->out, "t%d.%u %s", ev->thread, ev->op, text);
	if (ev->n)
		fprintf(t->out, " (access %llu)", (unsigned long long)ev->n + 1);
	if (thread->lines[ev->op])
		fprintf(t->out, "  [line %d]", thread->lines[ev->op]);
}

static void print_call_operands(struct run_trace *t, const struct oracle_call *c)
{
	switch (c->kind) {
	case CALL_CREATE_VCPU:
	case CALL_ENTER_GUEST:
	case CALL_MMU_LOAD:
	case CALL_MMU_UNLOAD:
		fprintf(t->out, " vCPU %d", c->vcpu);
		break;
	case CALL_SET_MODE:
		fprintf(t->out, " vCPU %d%s%s", c->vcpu, c->smm ? " SMM" : "",
			c->guest_mode ? " guest mode" : "");
		break;
	case CALL_PAGE_FAULT:
	case CALL_MAP_PAGE:
	case CALL_MARK_DIRTY:
		fprintf(t->out, " vCPU %d gfn 0x%llx", c->vcpu, (unsigned long long)c->gfn);
		if (c->kind == CALL_PAGE_FAULT)
			fprintf(t->out, " error code 0x%llx", (unsigned long long)c->error_code);
		break;
	case CALL_SET_REGION:
		fprintf(t->out, " %d.%d base 0x%llx pages 0x%llx%s%s", c->region.as_id,
			c->region.id, (unsigned long long)c->region.base,
			(unsigned long long)c->region.npages,
			c->region.flags & SLOT_LOG ? " log" : "",
			c->region.flags & SLOT_RO ? " ro" : "");
		break;
	case CALL_INVALIDATE_START:
	case CALL_INVALIDATE_END:
	case CALL_AGE:
	case CALL_TEST_AGE:
	case CALL_ZAP_RANGE:
		fprintf(t->out, " 0x%llx+0x%llx", (unsigned long long)c->gfn,
			(unsigned long long)c->n);
		break;
	case CALL_LOG_GET:
	case CALL_LOG_CLEAR:
	case CALL_SPLIT:
	case CALL_WRITE_PROTECT:
	case CALL_TRACK:
	case CALL_UNTRACK:
		fprintf(t->out, " %d.%d", OP_SLOT_AS(c->slot), OP_SLOT_ID(c->slot));
		if (c->kind == CALL_LOG_CLEAR)
			fprintf(t->out, " pages 0x%llx+0x%llx", (unsigned long long)c->gfn,
				(unsigned long long)c->n);
		else if (c->kind != CALL_LOG_GET && c->kind != CALL_SPLIT)
			fprintf(t->out, " gfn 0x%llx", (unsigned long long)c->gfn);
		if (c->level)
			fprintf(t->out, " to %s", level_word(c->level));
		break;
	case CALL_SET_NX:
		fprintf(t->out, c->on ? " on" : " off");
		break;
	default:
		break;
	}
}

static const char *fault_answer(long ret)
{
	static const char *const names[] = {
		[RET_PF_RETRY] = "retry",
		[RET_PF_EMULATE] = "emulate",
		[RET_PF_WRITE_PROTECTED] = "write-protected",
		[RET_PF_INVALID] = "invalid",
		[RET_PF_FIXED] = "fixed",
		[RET_PF_SPURIOUS] = "spurious",
	};

	if (ret < 0 || ret >= (long)ARRAY_SIZE(names) || !names[ret])
		return NULL;
	return names[ret];
}

static void print_return(struct run_trace *t, const struct oracle_call *c)
{
	fprintf(t->out, "  = ");
	if (c->kind == CALL_PAGE_FAULT && fault_answer(c->ret))
		fprintf(t->out, "%s", fault_answer(c->ret));
	else if (c->ret < 0)
		fprintf(t->out, "%ld (%s)", c->ret, strerror(-c->ret));
	else
		fprintf(t->out, "%ld", c->ret);
	fprintf(t->out, " %s", call_names[c->kind]);
	if (c->kind == CALL_ENTER_GUEST || c->kind == CALL_MMU_LOAD)
		fprintf(t->out, ", root 0x%llx", (unsigned long long)c->root);
}

static void print_access(struct run_trace *t, const struct exec_event *ev)
{
	static const char *const accesses[] = { "read", "write", "fetch" };
	static const char *const results[] = {
		[HW_DONE] = "done",
		[HW_FAULT] = "page fault",
		[HW_MISCONFIG] = "misconfiguration",
		[HW_NO_ROOT] = "no root loaded",
	};

	fprintf(t->out, "* vCPU %d %s 0x%llx: %s", ev->vcpu, accesses[ev->n],
		(unsigned long long)ev->gfn, results[ev->val]);
	if (ev->val == HW_FAULT || ev->val == HW_MISCONFIG)
		fprintf(t->out, ", error code 0x%llx", (unsigned long long)ev->old);
}

static void print_lock(struct run_trace *t, const struct exec_event *ev)
{
	static const char *const what[] = { "write-unlock", "read-unlock", "", "read-lock",
					    "write-lock" };

	fprintf(t->out, "%s %s", what[ev->delta + 2], ev->text);
}

/* Points that come back as an event of their own, with more to say. */
static bool point_says_nothing(enum point_kind point)
{
	switch (point) {
	case POINT_OP:
	case POINT_WRITE:
	case POINT_XCHG:
	case POINT_CMPXCHG:
	case POINT_AND:
	case POINT_FLUSH:
	case POINT_KICK:
		return true;
	default:
		return false;
	}
}

static bool is_quiet(const struct run_trace *t, const struct exec_event *ev)
{
	if (ev->kind == EXEC_EV_POINT)
		return !t->all || point_says_nothing(ev->point);
	return !t->all && (ev->kind == EXEC_EV_LOCK || (ev->kind == EXEC_EV_RCU && ev->delta));
}

static void print_event(struct run_trace *t, const struct exec_event *ev)
{
	switch (ev->kind) {
	case EXEC_EV_OP:
		print_op(t, ev);
		break;
	case EXEC_EV_CALL:
		fprintf(t->out, "  %s", call_names[ev->call->kind]);
		print_call_operands(t, ev->call);
		break;
	case EXEC_EV_RETURN:
		print_return(t, ev->call);
		break;
	case EXEC_EV_POINT:
		fprintf(t->out, "    ");
		print_point(t, ev);
		if (ev->pa)
			print_gfn_of(t, ev->pa);
		break;
	case EXEC_EV_SPTE:
		fprintf(t->out, "    ");
		if (ev->point == POINT_OP)
			fprintf(t->out, "init(%s)", level_word(ev->level));
		else
			print_point(t, ev);
		print_change(t, ev);
		break;
	case EXEC_EV_ALLOC:
		fprintf(t->out, "    table 0x%llx allocated", (unsigned long long)ev->pa);
		break;
	case EXEC_EV_FREE:
		fprintf(t->out, "    table 0x%llx freed", (unsigned long long)ev->pa);
		break;
	case EXEC_EV_REFUSED:
		fprintf(t->out, "    %s refused", ev->ok ? "page-table page" : "memory");
		break;
	case EXEC_EV_FLUSH:
		if (ev->n)
			fprintf(t->out, "    flush 0x%llx+0x%llx", (unsigned long long)ev->gfn,
				(unsigned long long)ev->n);
		else
			fprintf(t->out, "    flush everything");
		break;
	case EXEC_EV_KICK:
		fprintf(t->out, "    kick all vCPUs%s",
			ev->n == TDP_REQ_FREE_OBSOLETE_ROOTS ? ": obsolete roots" : "");
		break;
	case EXEC_EV_LOCK:
		fprintf(t->out, "    ");
		print_lock(t, ev);
		break;
	case EXEC_EV_RCU:
		fprintf(t->out, ev->delta > 0 ? "    RCU read section" :
				ev->delta     ? "    RCU read section ends" :
						"    grace period ends");
		break;
	case EXEC_EV_ACCESS:
		print_access(t, ev);
		break;
	case EXEC_EV_ASSIST:
		fprintf(t->out, "* hardware:");
		print_change(t, ev);
		break;
	case EXEC_EV_PML:
		fprintf(t->out, "* PML of vCPU %d: gfn 0x%llx", ev->vcpu,
			(unsigned long long)ev->gfn);
		break;
	case EXEC_EV_WARN:
		fprintf(t->out, "!!! WARN: %s", ev->text);
		break;
	case EXEC_EV_VIOLATION:
		fprintf(t->out, "!!! rule %c broken: %s", ev->violation->rule, ev->violation->text);
		break;
	}
}

/**
 * run_trace_begin() - print the heads of the columns
 * @t: trace
 */
void run_trace_begin(struct run_trace *t)
{
	uint32_t i;

	t->step = 0;
	t->init_table = 0;
	t->init_more = 0;
	fprintf(t->out, "   step  ");
	for (i = 0; i < t->prog->nr_threads; i++) {
		char head[COLUMN];

		snprintf(head, sizeof(head), "t%u %s", i, t->prog->threads[i].name);
		fprintf(t->out, i + 1 < t->prog->nr_threads ? "%-*s" : "%.*s", COLUMN, head);
	}
	fputc('\n', t->out);
}

/*
 * A split writes 512 entries of the new table that look alike: the first is printed, the rest counted.
 * Return: whether the event is one of those.
 */
static bool is_one_more(struct run_trace *t, const struct exec_event *ev)
{
	bool init = ev->kind == EXEC_EV_SPTE && ev->point == POINT_OP;

	if (init && t->init_table == ev->pa >> PAGE_SHIFT) {
		t->init_more++;
		return !t->all;
	}
	if (t->init_more && !t->all)
		fprintf(t->out, "%9s%*s... and %u more entries of that table\n", "",
			column_of(t->init_thread) + 4, "", t->init_more);
	t->init_table = init ? ev->pa >> PAGE_SHIFT : 0;
	t->init_thread = ev->thread;
	t->init_more = 0;
	return false;
}

/**
 * run_trace_event() - print an event
 * @t: trace
 * @ev: event
 */
void run_trace_event(struct run_trace *t, const struct exec_event *ev)
{
	if (is_quiet(t, ev) || is_one_more(t, ev))
		return;
	begin_line(t, ev);
	print_event(t, ev);
	end_line(t, ev);
}
