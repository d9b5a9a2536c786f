// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where each thread is, for a person who looks into a hang: its state, the system call that it is in, and the
 * functions that it is in, as `addr2line -fe PROGRAM` takes them.
 */
#include <dirent.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define DEPTH	 48
#define WAIT_MS	 1000
#define SIGSTACK SIGUSR1

static atomic_uint printed;

static void print_stack(int signal)
{
	void *frames[DEPTH];

	(void)signal;
	backtrace_symbols_fd(frames, backtrace(frames, DEPTH), STDERR_FILENO);
	atomic_fetch_add(&printed, 1);
}

/* The first line of a file of the thread's, without its end. */
static void read_line(const char *tid, const char *name, char *line, size_t size)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/%s", tid, name);
	file = fopen(path, "r");
	if (!file || !fgets(line, size, file))
		snprintf(line, size, "?");
	line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void print_thread(const char *tid)
{
	const unsigned int before = atomic_load(&printed);
	const struct timespec ms = { .tv_nsec = 1000000 };
	const long number = strtol(tid, NULL, 10);
	char name[64], stat[256], call[256];
	const char *state;
	int waited;

	read_line(tid, "comm", name, sizeof(name));
	read_line(tid, "stat", stat, sizeof(stat));
	read_line(tid, "syscall", call, sizeof(call));
	state = strrchr(stat, ')');
	call[strcspn(call, " ")] = '\0';
	fprintf(stderr, "\nthread %s (%s): state %c, system call %s\n", tid, name,
		state && state[1] ? state[2] : '?', call);
	fflush(stderr);
	if (number == syscall(SYS_gettid) || syscall(SYS_tgkill, getpid(), number, SIGSTACK))
		return;
	for (waited = 0; waited < WAIT_MS && atomic_load(&printed) == before; waited++)
		nanosleep(&ms, NULL);
	if (waited == WAIT_MS)
		fputs("does not answer: signals wait where a sanitizer is at work\n", stderr);
}

/**
 * stacks_init() - be able to tell where threads are
 *
 * Before there are threads.
 */
void stacks_init(void)
{
	const struct sigaction action = { .sa_handler = print_stack, .sa_flags = SA_RESTART };
	void *frame;

	backtrace(&frame, 1); /* loads what it needs, which is nothing for a signal handler */
	sigaction(SIGSTACK, &action, NULL);
}

/**
 * stacks_print() - tell where all threads of the process are, the caller excepted
 */
void stacks_print(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;

	while (tasks && (task = readdir(tasks)))
		if (task->d_name[0] != '.')
			print_thread(task->d_name);
	if (tasks)
		closedir(tasks);
}
