// SPDX-License-Identifier: GPL-2.0-only
/* What an event says, in one line of words. Points are named as a schedule addresses them. */
#include <stdarg.h>
#include <string.h>

#include "mirror.h"
#include "oracle_internal.h"
#include "platform.h"
#include "program_names.h"
#include "run.h"
#include "spte_words.h"

#define ARROW "\xe2\x86\x92"

/**
 * run_say() - add to a line
 * @text: the line
 * @fmt: as printf()
 */
void run_say(struct run_text *text, const char *fmt, ...)
{
	size_t room = sizeof(text->buf) - text->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->buf + text->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		text->len += (size_t)n < room ? (size_t)n : room - 1;
}

/**
 * run_point_text() - name a point: "cmpxchg(4K)#1"
 * @ev: has the point
 * @text: line that receives it
 */
void run_point_text(const struct exec_event *ev, struct run_text *text)
{
	const struct point_info *info = &point_infos[ev->point];

	run_say(text, "%s", info->name);
	if (info->has_level)
		run_say(text, "(%s)", level_word(ev->level));
	run_say(text, "#%u", ev->k);
}

static const struct mirror_table *table_of(const struct run_words *w, uint64_t pa)
{
	const struct mirror_table *table = mirror_table(w->oracle, pa & ~4095ULL);

	return table && table->level ? table : NULL;
}

/**
 * run_event_level() - level of the SPTE that an event is about
 * @w: knows the page tables
 * @ev: event with a physical address
 *
 * Return: 1..5; 0 while the table is not linked.
 */
int run_event_level(const struct run_words *w, const struct exec_event *ev)
{
	const struct mirror_table *table;

	if (ev->level)
		return ev->level;
	table = table_of(w, ev->pa);
	return table ? table->level : 0;
}

static void say_gfn_of(const struct run_words *w, uint64_t pa, struct run_text *text)
{
	const struct mirror_table *table = table_of(w, pa);

	if (table)
		run_say(text, " gfn 0x%llx", (unsigned long long)mirror_entry_gfn(table, pa));
	else
		run_say(text, " at 0x%llx", (unsigned long long)pa);
}

static void say_hex(const struct run_words *w, uint64_t spte, struct run_text *text)
{
	if (w->hex)
		run_say(text, "%016llx ", (unsigned long long)spte);
}

static void say_change(const struct run_words *w, const struct exec_event *ev,
		       struct run_text *text)
{
	const struct vm_desc *vm = &w->prog->vm;
	int level = run_event_level(w, ev);
	char words[SPTE_WORDS_MAX];

	say_gfn_of(w, ev->pa, text);
	run_say(text, ": ");
	say_hex(w, ev->old, text);
	run_say(text, "%s " ARROW " ", spte_words(vm, ev->old, level, words, sizeof(words)));
	say_hex(w, ev->val, text);
	run_say(text, "%s%s", spte_change_words(vm, ev->old, ev->val, level, words, sizeof(words)),
		ev->ok ? "" : " (lost: the entry had changed)");
}

static void say_op(const struct run_words *w, const struct exec_event *ev, struct run_text *text)
{
	const struct prog_thread *thread = &w->prog->threads[ev->thread];
	char op[160];

	op_print(&thread->ops[ev->op], op, sizeof(op));
	run_say(text, "t%d.%u %s", ev->thread, ev->op, op);
	if (ev->n)
		run_say(text, " (access %llu)", (unsigned long long)ev->n + 1);
	if (thread->lines[ev->op])
		run_say(text, "  [line %d]", thread->lines[ev->op]);
}

static void say_operands(const struct oracle_call *c, struct run_text *text)
{
	switch (c->kind) {
	case CALL_CREATE_VCPU:
	case CALL_ENTER_GUEST:
	case CALL_MMU_LOAD:
	case CALL_MMU_UNLOAD:
		run_say(text, " vCPU %d", c->vcpu);
		break;
	case CALL_SET_MODE:
		run_say(text, " vCPU %d%s%s", c->vcpu, c->smm ? " SMM" : "",
			c->guest_mode ? " guest mode" : "");
		break;
	case CALL_PAGE_FAULT:
	case CALL_PRE_FAULT:
	case CALL_MARK_DIRTY:
		run_say(text, " vCPU %d gfn 0x%llx", c->vcpu, (unsigned long long)c->gfn);
		if (c->kind == CALL_PAGE_FAULT)
			run_say(text, " error code 0x%llx", (unsigned long long)c->error_code);
		break;
	case CALL_SET_REGION:
		run_say(text, " %d.%d base 0x%llx pages 0x%llx%s%s", c->region.as_id, c->region.id,
			(unsigned long long)c->region.base, (unsigned long long)c->region.npages,
			c->region.flags & SLOT_LOG ? " log" : "",
			c->region.flags & SLOT_RO ? " ro" : "");
		break;
	case CALL_INVALIDATE_START:
	case CALL_INVALIDATE_END:
	case CALL_AGE:
	case CALL_TEST_AGE:
	case CALL_ZAP_RANGE:
		run_say(text, " 0x%llx+0x%llx", (unsigned long long)c->gfn,
			(unsigned long long)c->n);
		break;
	case CALL_LOG_GET:
	case CALL_LOG_CLEAR:
	case CALL_SPLIT:
	case CALL_WRITE_PROTECT:
	case CALL_TRACK:
	case CALL_UNTRACK:
		run_say(text, " %d.%d", OP_SLOT_AS(c->slot), OP_SLOT_ID(c->slot));
		if (c->kind == CALL_LOG_CLEAR)
			run_say(text, " pages 0x%llx+0x%llx", (unsigned long long)c->gfn,
				(unsigned long long)c->n);
		else if (c->kind != CALL_LOG_GET && c->kind != CALL_SPLIT)
			run_say(text, " gfn 0x%llx", (unsigned long long)c->gfn);
		if (c->level)
			run_say(text, " to %s", level_word(c->level));
		break;
	case CALL_SET_NX:
		run_say(text, c->on ? " on" : " off");
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

static void say_answer(const struct oracle_call *c, struct run_text *text)
{
	run_say(text, "= ");
	if (c->kind == CALL_PAGE_FAULT && fault_answer(c->ret))
		run_say(text, "%s", fault_answer(c->ret));
	else if (c->ret < 0)
		run_say(text, "%ld (%s)", c->ret, strerror(-c->ret));
	else
		run_say(text, "%ld", c->ret);
}

/**
 * run_return_text() - what a call that did nothing else returned, for the line of the call
 * @w: unused so far
 * @c: the call
 * @text: line that receives it
 */
void run_return_text(const struct run_words *w, const struct oracle_call *c, struct run_text *text)
{
	(void)w;
	run_say(text, "  ");
	say_answer(c, text);
	if (c->kind == CALL_ENTER_GUEST || c->kind == CALL_MMU_LOAD)
		run_say(text, ", root 0x%llx", (unsigned long long)c->root);
}

static void say_return(const struct oracle_call *c, struct run_text *text)
{
	say_answer(c, text);
	run_say(text, " %s", oracle_call_name(c->kind));
	if (c->kind == CALL_ENTER_GUEST || c->kind == CALL_MMU_LOAD)
		run_say(text, ", root 0x%llx", (unsigned long long)c->root);
}

static void say_access(const struct exec_event *ev, struct run_text *text)
{
	static const char *const accesses[] = { "read", "write", "fetch" };
	static const char *const results[] = {
		[HW_DONE] = "done",
		[HW_FAULT] = "page fault",
		[HW_MISCONFIG] = "misconfiguration",
		[HW_NO_ROOT] = "no root loaded",
	};

	run_say(text, "* vCPU %d %s 0x%llx: %s", ev->vcpu, accesses[ev->n],
		(unsigned long long)ev->gfn, results[ev->val]);
	if (ev->val == HW_FAULT || ev->val == HW_MISCONFIG)
		run_say(text, ", error code 0x%llx", (unsigned long long)ev->old);
}

/* ---- points of the hardware: what the vCPU is about to do ---- */

static void say_translation(const struct tlb_entry *e, struct run_text *text)
{
	run_say(text, "%s pfn 0x%llx %c%c%c%s", level_word(e->level), (unsigned long long)e->pfn,
		e->perm & FMT_R ? 'r' : '-', e->perm & FMT_W ? 'w' : '-',
		e->perm & FMT_X ? 'x' : '-', e->dirty ? " dirty" : "");
}

static struct vcpu *vcpu_of(const struct run_words *w, const struct exec_event *ev)
{
	const struct prog_thread *thread;

	if (ev->thread < 0)
		return NULL;
	thread = &w->prog->threads[ev->thread];
	return thread->kind == THREAD_VCPU ? &w->oracle->vcpus[thread->vcpu] : NULL;
}

/* @ev->gfn is the access's, see run_step.c. */
static void say_tlb(const struct run_words *w, const struct exec_event *ev, struct run_text *text)
{
	struct vcpu *v = vcpu_of(w, ev);
	const struct tlb_entry *e = v ? tlb_find(v, ev->gfn) : NULL;

	run_say(text, " gfn 0x%llx: vCPU looks it up in its TLB", (unsigned long long)ev->gfn);
	if (!e) {
		run_say(text, ", nothing there");
		return;
	}
	run_say(text, ": ");
	say_translation(e, text);
}

static void say_entry(const struct run_words *w, const struct exec_event *ev, const char *what,
		      struct run_text *text)
{
	uint64_t spte = mirror_read(w->oracle, ev->pa);
	char words[SPTE_WORDS_MAX];

	say_gfn_of(w, ev->pa, text);
	run_say(text, ": %s ", what);
	say_hex(w, spte, text);
	run_say(text, "%s",
		spte_words(&w->prog->vm, spte, run_event_level(w, ev), words, sizeof(words)));
}

static void say_memory(const struct run_words *w, const struct exec_event *ev,
		       struct run_text *text)
{
	struct vcpu *v = vcpu_of(w, ev);
	const struct tlb_entry *e = v ? tlb_find(v, ev->gfn) : NULL;

	run_say(text, " gfn 0x%llx: vCPU accesses the page", (unsigned long long)ev->gfn);
	if (!e)
		return;
	run_say(text, " through ");
	say_translation(e, text);
}

static void say_point(const struct run_words *w, const struct exec_event *ev, struct run_text *text)
{
	run_point_text(ev, text);
	switch (ev->point) {
	case POINT_TLB:
		say_tlb(w, ev, text);
		break;
	case POINT_MEMORY:
		say_memory(w, ev, text);
		break;
	case POINT_WALK:
		say_entry(w, ev, "vCPU reads", text);
		break;
	case POINT_ASSIST:
		say_entry(w, ev, "vCPU sets A or D in", text);
		break;
	default:
		if (ev->pa)
			say_gfn_of(w, ev->pa, text);
		break;
	}
}

static void say_lock(const struct exec_event *ev, struct run_text *text)
{
	static const char *const what[] = { "write-unlock", "read-unlock", "", "read-lock",
					    "write-lock" };

	run_say(text, "%s %s", what[ev->delta + 2], ev->text);
}

/**
 * run_event_text() - put an event into words
 * @w: what that takes
 * @ev: event
 * @text: line that receives them
 */
void run_event_text(const struct run_words *w, const struct exec_event *ev, struct run_text *text)
{
	switch (ev->kind) {
	case EXEC_EV_OP:
		say_op(w, ev, text);
		break;
	case EXEC_EV_CALL:
		run_say(text, "%s", oracle_call_name(ev->call->kind));
		say_operands(ev->call, text);
		break;
	case EXEC_EV_RETURN:
		say_return(ev->call, text);
		break;
	case EXEC_EV_POINT:
		say_point(w, ev, text);
		break;
	case EXEC_EV_SPTE:
		if (ev->point == POINT_OP)
			run_say(text, "init(%s)", level_word(ev->level));
		else
			run_point_text(ev, text);
		say_change(w, ev, text);
		break;
	case EXEC_EV_ALLOC:
		run_say(text, "table 0x%llx allocated", (unsigned long long)ev->pa);
		break;
	case EXEC_EV_FREE:
		run_say(text, "table 0x%llx freed", (unsigned long long)ev->pa);
		break;
	case EXEC_EV_REFUSED:
		run_say(text, "%s refused", ev->ok ? "page-table page" : "memory");
		break;
	case EXEC_EV_FLUSH:
		if (ev->n)
			run_say(text, "flush 0x%llx+0x%llx", (unsigned long long)ev->gfn,
				(unsigned long long)ev->n);
		else
			run_say(text, "flush everything");
		break;
	case EXEC_EV_KICK:
		run_say(text, "kick all vCPUs%s",
			ev->n == TDP_REQ_FREE_OBSOLETE_ROOTS ? ": obsolete roots" : "");
		break;
	case EXEC_EV_LOCK:
		say_lock(ev, text);
		break;
	case EXEC_EV_RCU:
		run_say(text, ev->delta > 0 ? "RCU read section" :
			      ev->delta	    ? "RCU read section ends" :
					      "grace period ends");
		break;
	case EXEC_EV_ACCESS:
		say_access(ev, text);
		break;
	case EXEC_EV_ASSIST:
		run_say(text, "* hardware:");
		say_change(w, ev, text);
		break;
	case EXEC_EV_PML:
		run_say(text, "* PML of vCPU %d: gfn 0x%llx", ev->vcpu,
			(unsigned long long)ev->gfn);
		break;
	case EXEC_EV_WARN:
		run_say(text, "!!! WARN: %s", ev->text);
		break;
	case EXEC_EV_VIOLATION:
		run_say(text, "!!! rule %c broken: %s", ev->violation->rule, ev->violation->text);
		break;
	}
}
