// SPDX-License-Identifier: GPL-2.0-only
/* A whole log in memory. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "import_reader.h"

/**
 * import_fail - say why a log is refused
 * @err: filled
 * @line: of the log, 0 for all of it
 * @fmt: what was found and what was expected
 *
 * Return: -EINVAL.
 */
int import_fail(struct import_error *err, uint32_t line, const char *fmt, ...)
{
	va_list args;

	err->line = line;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	return -EINVAL;
}

static void count_unknown(struct import_log *log, const char *name)
{
	uint32_t i;

	for (i = 0; i < log->nr_unknown; i++) {
		if (!strcmp(log->unknown[i].name, name))
			break;
	}
	if (i == IMPORT_MAX_UNKNOWN)
		i--;	/* the last row holds all that have no row of their own */
	if (i == log->nr_unknown) {
		snprintf(log->unknown[i].name, sizeof(log->unknown[i].name), "%s",
			 i == IMPORT_MAX_UNKNOWN - 1 ? "(others)" : name);
		log->nr_unknown++;
	}
	log->unknown[i].count++;
}

static int find_task(struct import_log *log, const struct ft_line_info *info)
{
	struct import_task *task;
	uint32_t i;

	for (i = log->nr_tasks; i-- > 0;) {
		if (log->tasks[i].pid == info->pid)
			return i;
	}
	if (log->nr_tasks == IMPORT_MAX_TASKS)
		return -E2BIG;
	task = &log->tasks[log->nr_tasks];
	task->pid = info->pid;
	task->vcpu = IMPORT_NO_VCPU;
	snprintf(task->comm, sizeof(task->comm), "%.*s", (int)info->comm_len, info->comm);
	return log->nr_tasks++;
}

/* For an import every event is kept, as it looks at them in more than one order. */
static int add_event(void *arg, struct import_log *log, const struct ft_event *ev,
		     struct import_error *err)
{
	static const char *const returns[] = {
#define EVENT(kind, text) text,
		/* clang-format off */
		FT_RETURNS(EVENT)
		/* clang-format on */
#undef EVENT
	};

	(void)arg;
	if (ev->kind >= FT_UNMAP_GFN_RET) {
		count_unknown(log, returns[ev->kind - FT_UNMAP_GFN_RET]);
		return 0;
	}
	if (log->nr_events == log->cap_events) {
		uint32_t cap = log->cap_events ? 2 * log->cap_events : 4096;
		struct ft_event *events = realloc(log->events, cap * sizeof(*events));

		if (!events)
			return import_fail(err, log->lines, "no memory for more events");
		log->events = events;
		log->cap_events = cap;
	}
	log->events[log->nr_events++] = *ev;
	return 0;
}

/* Where events go to. */
struct sink {
	import_taker take;
	void *arg;
};

static int read_event(struct import_log *log, struct ft_event *ev, const struct ft_line_info *info,
		      const struct sink *sink, struct import_error *err)
{
	int task = find_task(log, info);

	if (task < 0)
		return import_fail(err, log->lines,
				   "more than %d tasks: expected a log of one host",
				   IMPORT_MAX_TASKS);
	ev->task = task;
	ev->line = log->lines;
	if (ev->kind == FT_PAGE_FAULT || ev->kind == FT_FAST_FAULT)
		log->tasks[task].vcpu = ev->vcpu;
	log->seen[ev->kind]++;
	return sink->take(sink->arg, log, ev, err);
}

static int read_line(struct import_log *log, char *line, const struct sink *sink,
		     struct import_error *err)
{
	struct ft_line_info info;
	const char *expected;
	struct ft_event ev;

	log->lines++;
	switch (ft_parse(line, &ev, &info, &expected)) {
	case FT_LINE_EVENT:
		return read_event(log, &ev, &info, sink, err);
	case FT_LINE_OTHER:
		count_unknown(log, info.name);
		return 0;
	case FT_LINE_LOST:
		if (!log->lost)
			log->lost_line = log->lines;
		log->lost += info.lost;
		return 0;
	case FT_LINE_BAD:
		if (info.name)
			return import_fail(err, log->lines,
					   "event %s is not understood: "
					   "expected \"%s\"",
					   info.name, expected);
		return import_fail(err, log->lines,
				   "no line of tracefs' file 'trace': "
				   "expected \"%s\"",
				   expected);
	default:
		return 0;
	}
}

static int read_lines(struct import_log *log, struct line_reader *reader, const struct sink *sink,
		      struct import_error *err)
{
	char msg[200];
	char *line;
	int ret;

	while ((ret = reader_line(reader, &line, msg, sizeof(msg))) > 0) {
		ret = read_line(log, line, sink, err);
		if (ret)
			return ret;
	}
	if (ret < 0)
		return import_fail(err, 0, "%s (after line %u)", msg, log->lines);
	if (!log->seen[FT_CHANGED])
		return import_fail(err, 0,
				   "no kvm_tdp_mmu_spte_changed in %u lines: expected a "
				   "log made as docs/recording.md says",
				   log->lines);
	return 0;
}

/**
 * import_stream - read a log, event by event
 * @log: filled, without events; import_log_free() frees what it has, after a failure too
 * @path: of the file, text or xz
 * @take: called for each event; what it returns ends the reading if it is not 0
 * @arg: passed to it
 * @err: filled on failure
 *
 * Return: 0, -EINVAL, or what @take returned.
 */
int import_stream(struct import_log *log, const char *path, import_taker take, void *arg,
		  struct import_error *err)
{
	const struct sink sink = { take, arg };
	struct line_reader *reader;
	int ret;

	memset(log, 0, sizeof(*log));
	log->path = path;
	log->tasks = calloc(IMPORT_MAX_TASKS, sizeof(*log->tasks));
	log->vms = calloc(IMPORT_MAX_VMS, sizeof(*log->vms));
	if (!log->tasks || !log->vms)
		return import_fail(err, 0, "no memory");
	reader = reader_open(path, err->msg, sizeof(err->msg));
	if (!reader) {
		err->line = 0;
		return -EINVAL;
	}
	ret = read_lines(log, reader, &sink, err);
	reader_close(reader);
	return ret;
}

/**
 * import_read - read a log, all of it
 * @log: filled; import_log_free() frees what it has, after a failure too
 * @path: of the file, text or xz
 * @err: filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int import_read(struct import_log *log, const char *path, struct import_error *err)
{
	return import_stream(log, path, add_event, NULL, err);
}

/**
 * import_log_free - free what a log holds
 * @log: log
 */
void import_log_free(struct import_log *log)
{
	free(log->events);
	free(log->tasks);
	free(log->vms);
	memset(log, 0, sizeof(*log));
}
