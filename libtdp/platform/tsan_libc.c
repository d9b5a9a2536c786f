// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the C library as they are, in builds with TSan. Its runtime puts its own in their
 * place, which take what any caller does with memory for an access of the program; but nearly all
 * callers are the simulation, the oracle and the executor, whose memory all threads share as they
 * share the hardware. Calls by the mirrored code itself are seen all the same: the compiler
 * makes calls of TSan's own functions of them.
 *
 * TSan's are weak symbols, so that these, linked as an object, take their place.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/tsan_interface.h>

/* The allocator of the GNU C library under the names that nobody puts anything in place of. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void __libc_free(void *ptr);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
	return __libc_realloc(ptr, size);
}

void free(void *ptr)
{
	__libc_free(ptr);
}

void *memalign(size_t alignment, size_t size)
{
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ptr, size_t alignment, size_t size)
{
	if (!alignment || alignment & (alignment - 1) || alignment % sizeof(void *))
		return EINVAL;
	*ptr = __libc_memalign(alignment, size);
	return *ptr ? 0 : ENOMEM;
}

/* TSan's takes memory from TSan's own malloc(). */
char *strndup(const char *s, size_t n)
{
	size_t length = strnlen(s, n);
	char *copy = malloc(length + 1);

	if (copy) {
		memcpy(copy, s, length);
		copy[length] = 0;
	}
	return copy;
}

/*
 * The C library's versions for this CPU. Before they are known, and while they are looked up, bytes
 * are copied one by one; volatile keeps the compiler from making a call of itself of that.
 */
static void *(*libc_memcpy)(void *to, const void *from, size_t n);
static void *(*libc_memmove)(void *to, const void *from, size_t n);
static void *(*libc_memset)(void *to, int c, size_t n);
static int (*libc_memcmp)(const void *a, const void *b, size_t n);

static void __attribute__((constructor(101))) look_up(void)
{
	void *memcpy_found = dlsym(RTLD_NEXT, "memcpy");
	void *memmove_found = dlsym(RTLD_NEXT, "memmove");
	void *memset_found = dlsym(RTLD_NEXT, "memset");
	void *memcmp_found = dlsym(RTLD_NEXT, "memcmp");

	*(void **)&libc_memcpy = memcpy_found;
	*(void **)&libc_memmove = memmove_found;
	*(void **)&libc_memset = memset_found;
	*(void **)&libc_memcmp = memcmp_found;
}

void *memmove(void *to, const void *from, size_t n)
{
	volatile char *t = to;
	const char *f = from;

	if (libc_memmove)
		return libc_memmove(to, from, n);
	if ((char *)to <= f) {
		while (n--)
			*t++ = *f++;
	} else {
		while (n--)
			t[n] = f[n];
	}
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	return libc_memcpy ? libc_memcpy(to, from, n) : memmove(to, from, n);
}

void *memset(void *to, int c, size_t n)
{
	volatile char *t = to;

	if (libc_memset)
		return libc_memset(to, c, n);
	while (n--)
		*t++ = c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;

	if (libc_memcmp)
		return libc_memcmp(a, b, n);
	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

int bcmp(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}

/* Text: reports, traces, names. None of it is the mirrored code's. */
#define LIBC(name)                                                  \
	({                                                          \
		static __typeof__(&(name)) found;                   \
                                                                    \
		if (!found)                                         \
			*(void **)&found = dlsym(RTLD_NEXT, #name); \
		found;                                              \
	})

int vsnprintf(char *text, size_t size, const char *format, va_list args)
{
	return LIBC(vsnprintf)(text, size, format, args);
}

int snprintf(char *text, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length;
}

size_t strlen(const char *s)
{
	return LIBC(strlen)(s);
}

char *strchr(const char *s, int c)
{
	return LIBC(strchr)(s, c);
}

char *strrchr(const char *s, int c)
{
	return LIBC(strrchr)(s, c);
}

char *strstr(const char *s, const char *part)
{
	return LIBC(strstr)(s, part);
}

int strcmp(const char *a, const char *b)
{
	return LIBC(strcmp)(a, b);
}

int strncmp(const char *a, const char *b, size_t n)
{
	return LIBC(strncmp)(a, b, n);
}

/* TSan's settings, if TSAN_OPTIONS says nothing else: a finding ends tdp run with 1, and
 * handlers of test programs may allocate. */
const char *__tsan_default_options(void)
{
	return "report_signal_unsafe=0:exitcode=1";
}
