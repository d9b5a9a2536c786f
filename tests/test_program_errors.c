// SPDX-License-Identifier: GPL-2.0-only
/* Bad programs: each is refused with the line and with what was expected. */
#include "program_fixture.h"

struct bad {
	const char *text;
	int line;
	const char *msg;
};

/* clang-format off */
#define VCPU	"tdp 1\nthread vcpu 0\n"
#define VMM	"tdp 1\nthread vmm\n"
#define HOST	"tdp 1\nthread host\n"
#define SCHED	"tdp 1\nthread vcpu 0\n\tread 0 x3\n\troot-load\nthread vmm\n\tzap-fast\nschedule\n"
#define KEYS	"mmu, ad, levels, nx_huge_pages, eager_split, fault_policy, pml, exec_only, me, " \
		"l1tf, maxphyaddr, cachebits, gen, seq, manual_protect, init_set, nx_ratio or " \
		"quirk_zap_all"
#define FLAGS	"flags: expected none, log, ro or log,ro, found "
#define POINT	"expected a point, tT.O@POINT#K or tT.O@POINT(LEVEL)#K, such as " \
		"t0.2@cmpxchg(2M)#1, found "
/* clang-format on */

static const struct bad version[] = {
	{ "", 0, "no program: expected 'tdp 1' first" },
	{ "# nothing\n\n", 0, "no program: expected 'tdp 1' first" },
	{ "vm mmu=ept\n", 1, "expected 'tdp 1' first, found 'vm'" },
	{ "\n\x7f\x80\n", 2,
	  "expected 'tdp 1' first, found '?"
	  "?'" },
	{ "tdp\n", 1, "expected 'tdp 1', found 'tdp' and nothing" },
	{ "tdp one\n", 1, "expected 'tdp 1', found 'tdp' and 'one'" },
	{ "tdp 2\n", 1, "version 2 of the format: expected 'tdp 1'" },
	{ "tdp 1 2\n", 1, "expected the end of the line, found '2'" },
	{ "\ttdp 1\n", 1, "an indented line: expected it below 'thread' or 'schedule' only" },
	{ "tdp 1\ntdp 1\n", 2, "heading: expected vm, slot, thread or schedule, found 'tdp'" },
	{ "tdp 1\n\tread 0\n", 2,
	  "an indented line: expected it below 'thread' or 'schedule' only" },
	{ "tdp 1\nread 0\n", 2, "heading: expected vm, slot, thread or schedule, found 'read'" },
	{ "tdp 1\nthread vmm\nvm\n", 3,
	  "'vm' after 'thread': expected the order vm, slot, thread, schedule" },
	{ "tdp 1\nvm\nvm\n", 3, "a second 'vm': expected one" },
	{ "tdp 1\nschedule\nschedule\n", 3, "a second 'schedule': expected one" },
	{ "tdp 1\nschedule now\n", 2, "expected the end of the line, found 'now'" },
	{ "tdp 1\na-word-that-is-much-too-long-to-be-shown-in-a-message\n", 2,
	  "heading: expected vm, slot, thread or schedule, found "
	  "'a-word-that-is-much-too-long-to-be-sho...'" },
};

static const struct bad vm[] = {
	{ "tdp 1\nvm mmu\n", 2, "'mmu': expected KEY=VALUE with " KEYS },
	{ "tdp 1\nvm foo=1\n", 2, "'foo=1': expected KEY=VALUE with " KEYS },
	{ "tdp 1\nvm =1\n", 2, "'=1': expected KEY=VALUE with " KEYS },
	{ "tdp 1\nvm mmu=\n", 2, "mmu: expected ept or npt, found nothing" },
	{ "tdp 1\nvm mmu=shadow\n", 2, "mmu: expected ept or npt, found 'shadow'" },
	{ "tdp 1\nvm ad=1\n", 2, "ad: expected off or on, found '1'" },
	{ "tdp 1\nvm fault_policy=both\n", 2, "fault_policy: expected split or zap, found 'both'" },
	{ "tdp 1\nvm me=sev\n", 2, "me: expected off, sme or tdx, found 'sev'" },
	{ "tdp 1\nvm levels=3\n", 2, "levels is 3: expected 4..5" },
	{ "tdp 1\nvm levels=260\n", 2, "levels is 260: expected 4..5" },
	{ "tdp 1\nvm levels=four\n", 2,
	  "levels: expected a number such as 512 or 0x200, found 'four'" },
	{ "tdp 1\nvm maxphyaddr=53\n", 2, "maxphyaddr is 53: expected 36..52" },
	{ "tdp 1\nvm cachebits=35\n", 2, "cachebits is 35: expected 36..52" },
	{ "tdp 1\nvm gen=0x4000000000000000\n", 2,
	  "gen is 0x4000000000000000: expected 0x0..0x3fffffffffffffff" },
	{ "tdp 1\nvm seq=0x10000000000000000\n", 2,
	  "seq: expected a number such as 512 or 0x200, found '0x10000000000000000'" },
	{ "tdp 1\nvm seq=18446744073709551616\n", 2,
	  "seq: expected a number such as 512 or 0x200, found '18446744073709551616'" },
	{ "tdp 1\nvm nx_ratio=4294967296\n", 2, "nx_ratio is 4294967296: expected 0..4294967295" },
	{ "tdp 1\nvm nx_ratio=-1\n", 2,
	  "nx_ratio: expected a number such as 512 or 0x200, found '-1'" },
	{ "tdp 1\nvm seq=0x\n", 2, "seq: expected a number such as 512 or 0x200, found '0x'" },
	{ "tdp 1\nvm ad=on ad=on\n", 2, "ad is given twice" },
	{ "tdp 1\nvm mmu=npt ad=off\n", 2,
	  "ad=off: expected mmu=ept with it, NPT always has A/D bits" },
	{ "tdp 1\nvm exec_only=off mmu=npt\n", 2, "exec_only=off: expected mmu=ept with it" },
	{ "tdp 1\nvm pml=on ad=off\n", 2, "pml=on: expected mmu=ept and ad=on with it" },
	{ "tdp 1\nvm pml=on mmu=npt\n", 2, "pml=on: expected mmu=ept and ad=on with it" },
	{ "tdp 1\nvm me=sme\n", 2, "me=sme: expected mmu=npt with it" },
	{ "tdp 1\nvm mmu=npt me=sme l1tf=on\n", 2,
	  "l1tf=on with me=sme: expected one of them, no such CPU is vulnerable" },
	{ "tdp 1\nvm me=tdx mmu=npt\n", 2, "me=tdx: expected mmu=ept with it" },
	{ "tdp 1\nvm l1tf=on cachebits=47\n", 2,
	  "l1tf=on with maxphyaddr=46 cachebits=47: expected maxphyaddr <= cachebits <= 46" },
	{ "tdp 1\nvm l1tf=on cachebits=44\n", 2,
	  "l1tf=on with maxphyaddr=46 cachebits=44: expected maxphyaddr <= cachebits <= 46" },
	{ "tdp 1\nvm init_set=on\n", 2, "init_set=on: expected manual_protect=on with it" },
};

static const struct bad slots[] = {
	{ "tdp 1\nslot\n", 2,
	  "slot number: expected a number such as 512 or 0x200, found nothing" },
	{ "tdp 1\nslot 1.0 base=0 pages=1\n", 2,
	  "slot number: expected a number such as 512 or 0x200, found '1.0'" },
	{ "tdp 1\nslot 8 base=0 pages=1\n", 2, "slot number is 8: expected at most 7" },
	{ "tdp 1\nslot 0 base=0\n", 2, "slot 0: expected base= and pages=" },
	{ "tdp 1\nslot 0 pages=1\n", 2, "slot 0: expected base= and pages=" },
	{ "tdp 1\nslot 0 base pages=1\n", 2,
	  "'base': expected KEY=VALUE with base, pages, backing, as, hvn or flags" },
	{ "tdp 1\nslot 0 size=1\n", 2,
	  "'size=1': expected KEY=VALUE with base, pages, backing, as, hvn or flags" },
	{ "tdp 1\nslot 0 base=1 base=1\n", 2, "base is given twice" },
	{ "tdp 1\nslot 0 base=x pages=1\n", 2,
	  "base: expected a number such as 512 or 0x200, found 'x'" },
	{ "tdp 1\nslot 0 base=0 pages=1 hvn=\n", 2,
	  "hvn: expected a number such as 512 or 0x200, found nothing" },
	{ "tdp 1\nslot 0 base=0 pages=1 backing=8K\n", 2,
	  "backing: expected 4K, 2M, 1G or mmio, found '8K'" },
	{ "tdp 1\nslot 0 base=0 pages=1 as=2\n", 2, "as is 2: expected at most 1" },
	{ "tdp 1\nslot 0 base=0 pages=1 flags=rw\n", 2, FLAGS "'rw'" },
	{ "tdp 1\nslot 0 base=0 pages=1 flags=log,none\n", 2, FLAGS "'none'" },
	{ "tdp 1\nslot 0 base=0 pages=1 flags=,log\n", 2, FLAGS "nothing" },
	{ "tdp 1\nslot 0 base=0 pages=1 flags=log,\n", 2,
	  "flags: expected log or ro after the comma" },
	{ "tdp 1\nslot 0 base=0 pages=0\n", 2, "no pages: expected at least 1" },
	{ "tdp 1\nslot 0 base=0 pages=0x80000000\n", 2,
	  "pages is 0x80000000: expected at most 0x7fffffff" },
	{ "tdp 1\nvm maxphyaddr=36\nslot 0 base=0x1000000 pages=1\n", 3,
	  "base 0x1000000: expected less than 0x1000000" },
	{ "tdp 1\nvm maxphyaddr=36\nslot 0 base=0xffffff pages=2\n", 3,
	  "base 0xffffff and 0x2 pages: expected the end at or below 0x1000000" },
	{ "tdp 1\nvm maxphyaddr=52\nslot 0 base=0x1000000000 pages=2\n", 3,
	  "base 0x1000000000: expected less than 0x1000000000" },
	{ "tdp 1\nvm mmu=npt maxphyaddr=52 levels=5 me=sme\nslot 0 base=0x800000000 pages=2\n", 3,
	  "base 0x800000000: expected less than 0x800000000" },
	{ "tdp 1\nvm mmu=npt maxphyaddr=40 me=sme\nslot 0 base=0x8000000 pages=2\n", 3,
	  "base 0x8000000: expected less than 0x8000000" },
	{ "tdp 1\nslot 0 base=0 pages=1 hvn=0x10000000000\n", 2,
	  "hvn 0x10000000000: expected less than 0x10000000000" },
	{ "tdp 1\nslot 0 base=0 pages=2 hvn=0xffffffffff\n", 2,
	  "hvn 0xffffffffff and 0x2 pages: expected the end at or below 0x10000000000" },
	{ "tdp 1\nslot 0 base=0 pages=1\nslot 0 base=1 pages=1\n", 3,
	  "slot 0 is there already in address space 0" },
	{ "tdp 1\nslot 0 base=0 pages=9\nslot 1 base=8 pages=1\n", 3,
	  "slot 1 overlaps slot 0 of the same address space" },
	{ "tdp 1\nslot 0 base=0 pages=1\nslot 1 base=1 pages=1\nslot 2 base=2 pages=1\n"
	  "slot 3 base=3 pages=1\nslot 4 base=4 pages=1\nslot 5 base=5 pages=1\n"
	  "slot 6 base=6 pages=1\nslot 7 base=7 pages=1\nslot 0 base=0 pages=1 as=1\n",
	  10, "too many slots: expected at most 8" },
};

static const struct bad threads[] = {
	{ "tdp 1\nthread\n", 2, "thread: expected vcpu, vmm or host, found nothing" },
	{ "tdp 1\nthread guest\n", 2, "thread: expected vcpu, vmm or host, found 'guest'" },
	{ "tdp 1\nthread vcpu\n", 2,
	  "vcpu: expected a number such as 512 or 0x200, found nothing" },
	{ "tdp 1\nthread vcpu 4\n", 2, "vcpu is 4: expected at most 3" },
	{ "tdp 1\nthread vcpu 0 1\n", 2, "expected the end of the line, found '1'" },
	{ "tdp 1\nthread vmm 0\n", 2, "expected the end of the line, found '0'" },
	{ "tdp 1\nthread vcpu 1\nthread vcpu 1\n", 3, "vcpu 1 has a thread already" },
	{ "tdp 1\nthread vmm\nthread vmm\nthread vmm\nthread vmm\nthread vmm\nthread vmm\n"
	  "thread vmm\nthread vmm\nthread vmm\n",
	  10, "too many threads: expected at most 8" },
};

static const struct bad ops[] = {
	{ VCPU "\tjump 0\n", 3,
	  "'jump': expected one of read, write, exec, speculate, prefault, root-load, root-unload, "
	  "smm-enter, smm-leave, guest-enter, guest-leave" },
	{ VCPU "\tzap-fast\n", 3, "'zap-fast' in a vcpu thread: expected it in a vmm thread" },
	{ VMM "\twrite 0\n", 3, "'write' in a vmm thread: expected it in a vcpu thread" },
	{ HOST "\tlog-get 0\n", 3, "'log-get' in a host thread: expected it in a vmm thread" },
	{ HOST "\tfree 0\n", 3,
	  "'free': expected one of unmap, remap, clean, age, test-age, huge-form, huge-break, "
	  "protect" },
	{ VCPU "\tread\n", 3, "gfn: expected a number such as 512 or 0x200, found nothing" },
	{ VCPU "\tread 0x1000000000000\n", 3,
	  "gfn 0x1000000000000: expected less than 0x400000000" },
	{ VCPU "\tread 0 1\n", 3,
	  "expected xCOUNT or xCOUNT/STEP, such as x512/0x200, or the end of the line, found '1'" },
	{ VCPU "\tread 0 x\n", 3,
	  "expected xCOUNT or xCOUNT/STEP, such as x512/0x200, or the end of the line, found 'x'" },
	{ VCPU "\tread 0 x2/\n", 3,
	  "expected xCOUNT or xCOUNT/STEP, such as x512/0x200, or the end of the line, "
	  "found 'x2/'" },
	{ VCPU "\tread 0 x2 3\n", 3, "expected the end of the line, found '3'" },
	{ VCPU "\tread 0 x0\n", 3, "repeated 0 times: expected 1..1048576" },
	{ VCPU "\tread 0 x1048577\n", 3, "repeated 1048577 times: expected 1..1048576" },
	{ VCPU "\tread 0 x2/0\n", 3, "step 0x0: expected 1..0x400000000" },
	{ VCPU "\tread 0 x1/2\n", 3, "a step without a repeat" },
	{ VCPU "\tread 0x3ffffffff x2\n", 3,
	  "the last access is beyond: expected all below gfn 0x400000000" },
	{ VCPU "\tprefault 0 0\n", 3, "no pages: expected at least 1" },
	{ VCPU "\tprefault 0\n", 3,
	  "number of pages: expected a number such as 512 or 0x200, found nothing" },
	{ VCPU "\tprefault 0x3ffffffff 2\n", 3,
	  "gfn 0x3ffffffff and 0x2 pages: expected the end at or below 0x400000000" },
	{ VCPU "\tprefault 1 0xffffffffffffffff\n", 3,
	  "gfn 0x1 and 0xffffffffffffffff pages: expected the end at or below 0x400000000" },
	{ VCPU "\troot-load 0\n", 3, "expected the end of the line, found '0'" },
	{ VMM "\tlog-get 8\n", 3, "slot number is 8: expected at most 7" },
	{ VMM "\tlog-get 2.0\n", 3, "address space is 2: expected at most 1" },
	{ VMM "\tlog-get 0.\n", 3,
	  "slot number: expected a number such as 512 or 0x200, found nothing" },
	{ VMM "\tslot-add 0 base=0 pages=0\n", 3, "no pages: expected at least 1" },
	{ VMM "\tslot-add 0\n", 3, "slot 0: expected base= and pages=" },
	{ VMM "\tslot-add 1.0 base=0 pages=1\n", 3,
	  "slot number: expected a number such as 512 or 0x200, found '1.0'" },
	{ VMM "\tslot-move 0 0x400000000\n", 3, "gfn 0x400000000: expected less than 0x400000000" },
	{ VMM "\tslot-flags 0\n", 3, FLAGS "nothing" },
	{ VMM "\tslot-flags 0 rw\n", 3, FLAGS "'rw'" },
	{ VMM "\tsplit 0 4M\n", 3, "level: expected 4K, 2M or 1G, found '4M'" },
	{ VMM "\tsplit 0 512G\n", 3, "level: expected 4K, 2M or 1G, found '512G'" },
	{ VMM "\tnx-toggle yes\n", 3, "nx-toggle: expected off or on, found 'yes'" },
	{ HOST "\thuge-form 0 4K\n", 3, "level 4K: expected 2M or 1G" },
	{ HOST "\tunmap 0x10000000000 1\n", 3,
	  "host page 0x10000000000: expected less than 0x10000000000" },
	{ HOST "\tunmap 1 0x10000000000\n", 3,
	  "host page 0x1 and 0x10000000000 pages: expected the end at or below 0x10000000000" },
};

static const struct bad choices[] = {
	{ SCHED "\tnow\n", 8, POINT "'now'" },
	{ SCHED "\t0.0@op#1 -> t1\n", 8, POINT "'0.0@op#1'" },
	{ SCHED "\tt0@op#1 -> t1\n", 8, POINT "'t0@op#1'" },
	{ SCHED "\tt0.0@op -> t1\n", 8, POINT "'t0.0@op'" },
	{ SCHED "\tt0.0@read(4K#1 -> t1\n", 8, POINT "'t0.0@read(4K#1'" },
	{ SCHED "\tt0.0@read(4K)#1a -> t1\n", 8, POINT "'t0.0@read(4K)#1a'" },
	{ SCHED "\tt0.0@read(4K)#4294967296 -> t1\n", 8, POINT "'t0.0@read(4K)#4294967296'" },
	{ SCHED "\tt0.65536@op#1 -> t1\n", 8, POINT "'t0.65536@op#1'" },
	{ SCHED "\tt0.0@op #1 -> t1\n", 8, POINT "'t0.0@op'" },
	{ SCHED "\tt0.0@here#1 -> t1\n", 8,
	  "there is no point 'here': expected tT.O@POINT#K or tT.O@POINT(LEVEL)#K with a point of "
	  "docs/program-format.md" },
	{ SCHED "\tt0.0@read#1 -> t1\n", 8,
	  "'read' without a level: expected read(4K) or the like" },
	{ SCHED "\tt0.0@read()#1 -> t1\n", 8,
	  "level: expected 4K, 2M, 1G, 512G or 256T, found nothing" },
	{ SCHED "\tt0.0@read(4M)#1 -> t1\n", 8,
	  "level: expected 4K, 2M, 1G, 512G or 256T, found '4M'" },
	{ SCHED "\tt0.0@read(256T)#1 -> t1\n", 8,
	  "level 256T: expected at most 512G, the VM has 4 levels" },
	{ SCHED "\tt0.0@op(4K)#1 -> t1\n", 8, "'op' has no level" },
	{ SCHED "\tt0.0@read(4K)#0 -> t1\n", 8, "#0: expected #1 for the first one" },
	{ SCHED "\tt0.0@op#4 -> t1\n", 8, "op#4: expected at most op#3" },
	{ SCHED "\tt0.1@op#2 -> t1\n", 8, "op#2: expected at most op#1" },
	{ SCHED "\tt2.0@op#1 -> t1\n", 8, "there is no thread t2: the program has 2" },
	{ SCHED "\tt0.2@op#1 -> t1\n", 8, "there is no operation 2: thread t0 has 2" },
	{ SCHED "\tt0.0@op#1\n", 8,
	  "action: expected ->, resched, fail, gp-end, reuse or evict, found nothing" },
	{ SCHED "\tt0.0@op#1 stop\n", 8,
	  "action: expected ->, resched, fail, gp-end, reuse or evict, found 'stop'" },
	{ SCHED "\tt0.0@op#1 ->\n", 8, "expected a thread such as t1 after '->', found nothing" },
	{ SCHED "\tt0.0@op#1 -> vmm\n", 8, "expected a thread such as t1 after '->', found 'vmm'" },
	{ SCHED "\tt0.0@op#1 -> t2\n", 8, "there is no thread t2 to switch to: the program has 2" },
	{ SCHED "\tt0.0@op#1 -> t0\n", 8, "a switch to t0 itself: expected another thread" },
	{ SCHED "\tt0.0@op#1 -> t1 t1\n", 8, "expected the end of the line, found 't1'" },
	{ SCHED "\tt0.0@op#1 resched t1\n", 8, "expected the end of the line, found 't1'" },
	{ SCHED "\tt0.0@free#1 fail\n", 8, "'fail' at 'free': expected it at alloc or faultin" },
	{ SCHED "\tt0.0@read(4K)#1 reuse\n", 8,
	  "'reuse' at 'read': expected it at alloc or faultin" },
	{ SCHED "\tt0.0@alloc#1 evict\n", 8,
	  "'evict' at 'alloc': expected it at tlb, walk or memory" },
	{ SCHED "\tt0.0@alloc#1 fail\n\tt0.1@alloc#1 fail\n\tt0.0@alloc#0x1 fail\n", 10,
	  "line 8 says what happens at this point already" },
};

static void refuse_all(const struct bad *bad, size_t nr)
{
	struct program *prog = program_alloc(), *empty = program_alloc();
	size_t i;

	for (i = 0; i < nr; i++) {
		struct prog_error err = { 0 };

		if (!program_parse(prog, bad[i].text, strlen(bad[i].text), &err))
			fail_msg("accepted:\n%s", bad[i].text);
		if (err.line != bad[i].line || strcmp(err.msg, bad[i].msg))
			fail_msg("%s\nis line %d: %s\nnot line %d: %s", bad[i].text, err.line,
				 err.msg, bad[i].line, bad[i].msg);
		/* What was read until then is gone. */
		assert_same(prog, empty);
	}
	program_free(prog);
	program_free(empty);
}

#define REFUSE(table)                                                \
	static void bad_##table(void **state)                        \
	{                                                            \
		(void)state;                                         \
		refuse_all(table, sizeof(table) / sizeof(*(table))); \
	}

REFUSE(version)
REFUSE(vm)
REFUSE(slots)
REFUSE(threads)
REFUSE(ops)
REFUSE(choices)

/* Limits that take a long text to reach. */
static void too_much(void **state)
{
	struct program *prog = program_alloc();
	struct prog_error err;
	size_t len = 0, i;
	char *text;

	(void)state;
	text = malloc(2000000);
	len += sprintf(text, VMM);
	for (i = 0; i < PROG_MAX_OPS; i++)
		len += sprintf(text + len, "\tzap-fast\n");
	assert_parses(prog, text);
	assert_int_equal(prog->threads[0].nr_ops, PROG_MAX_OPS);
	sprintf(text + len, "\tzap-fast\n");
	assert_int_equal(program_parse(prog, text, strlen(text), &err), -EINVAL);
	assert_int_equal(err.line, 3 + PROG_MAX_OPS);
	assert_string_equal(err.msg, "too many operations: expected at most 65535 in a thread");

	len = sprintf(text, VMM "\tzap-fast\nschedule\n");
	for (i = 1; i <= PROG_MAX_CHOICES; i++)
		len += sprintf(text + len, "\tt0.0@alloc#%zu fail\n", i);
	assert_parses(prog, text);
	assert_int_equal(prog->nr_choices, PROG_MAX_CHOICES);
	assert_round_trips(prog);
	sprintf(text + len, "\tt0.0@alloc#%zu fail\n", i);
	assert_int_equal(program_parse(prog, text, strlen(text), &err), -EINVAL);
	assert_int_equal(err.line, 5 + PROG_MAX_CHOICES);
	assert_string_equal(err.msg, "too many choices: expected at most 256");
	free(text);
	program_free(prog);
}

/*
 * A text cut anywhere, or with any byte changed, is refused or is another valid program.  The copy
 * is of the exact size, so that reading beyond it is seen.
 */
static void damaged_text_is_safe(void **state)
{
	static const char text[] =
		"tdp 1\nvm mmu=npt levels=5 seq=0x12\nslot 0 base=0x0 pages=0x200 flags=log,ro\n"
		"thread vcpu 0\n\twrite 0x1 x2/3\n\tprefault 1 2\nthread vmm\n\tsplit 0 4K\n"
		"\tslot-add 1 base=1 pages=1 # x\nschedule\n\tt0.0@read(4K)#2 -> t1\n"
		"\tt1.0@alloc#1 fail\n";
	static const char bytes[] = { 0, '\n', ' ', '#', '=', '9', 'x', '@', '.', ',', -1 };
	struct program *prog = program_alloc();
	size_t len = strlen(text), i, j, refused = 0;
	struct prog_error err;

	(void)state;
	for (i = 0; i <= len; i++) {
		char *copy = malloc(i ? i : 1);

		memcpy(copy, text, i);
		if (program_parse(prog, copy, i, &err)) {
			assert_true(strlen(err.msg) > 0);
			refused++;
		}
		assert_valid(prog);
		free(copy);
	}
	assert_in_range(refused, 20, len);
	for (i = 0; i < len; i++) {
		for (j = 0; j < sizeof(bytes); j++) {
			char *copy = malloc(len);

			memcpy(copy, text, len);
			copy[i] = bytes[j];
			program_parse(prog, copy, len, &err);
			assert_valid(prog);
			free(copy);
		}
	}
	program_free(prog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_version), cmocka_unit_test(bad_vm),
		cmocka_unit_test(bad_slots),   cmocka_unit_test(bad_threads),
		cmocka_unit_test(bad_ops),     cmocka_unit_test(bad_choices),
		cmocka_unit_test(too_much),    cmocka_unit_test(damaged_text_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
