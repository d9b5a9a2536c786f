/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's dialect of C: attributes, arithmetic, assertions, tracepoints. */
#ifndef UPSTREAM_KERNEL_LANG_H
#define UPSTREAM_KERNEL_LANG_H

#include <linux/kconfig.h>

#define __KERNEL__ 1
#undef errno /* is a parameter's name */

typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef unsigned int uint;
typedef unsigned long ulong;

#define __init
#define __read_mostly
#define __ro_after_init
#define __rcu
#define __user
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __maybe_unused	__attribute__((unused))
#define __must_check	__attribute__((warn_unused_result))
#define noinline	__attribute__((noinline))
#define __aligned(n)	__attribute__((aligned(n)))
#define fallthrough	__attribute__((fallthrough))

#undef static_assert
#define static_assert(cond, ...)   _Static_assert(cond, #cond)
#define BUILD_BUG_ON(cond)	   ((void)sizeof(cond))
#define BUILD_BUG_ON_INVALID(cond) ((void)sizeof(cond))
#define BUG_ON(cond)		   ((void)WARN_ON(cond))
#define BUG()			   BUG_ON(true)
#define VM_BUG_ON(cond)		   ((void)WARN_ON(cond))
#define VM_WARN_ON_ONCE(cond)	   WARN_ON(cond)
#define WARN_ONCE(cond, ...)	   WARN_ON(cond)
#define WARN(cond, ...)		   WARN_ON(cond)
#define KVM_BUG(cond, kvm, ...)	   KVM_BUG_ON(cond, kvm)

/* What is printed goes with a WARN, or to nobody. */
#define pr_err(...)		   ((void)0)
#define pr_warn_once(...)	   ((void)0)
#define pr_warn_ratelimited(...)   ((void)0)
#define kvm_debug_ratelimited(...) ((void)0)

#define EXPORT_SYMBOL(x)		  static_assert(1)
#define EXPORT_SYMBOL_GPL(x)		  static_assert(1)
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(x) static_assert(1)
#define module_param_named(...)		  static_assert(1)

#define BIT(n)			   (1UL << (n))
#define BITS_PER_LONG		   64
#define BITS_TO_LONGS(n)	   (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define DIV_ROUND_UP(n, d)	   (((n) + (d) - 1) / (d))
#define ALIGN(x, a)		   (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define REPEAT_BYTE(x)		   (~0UL / 0xff * (x))
#define __ffs(x)		   ((unsigned long)__builtin_ctzl(x))
#define __fls(x)		   ((unsigned long)(63 - __builtin_clzl(x)))
#define min(a, b)                     \
	({                            \
		__auto_type a_ = (a); \
		__auto_type b_ = (b); \
		a_ < b_ ? a_ : b_;    \
	})
#define max(a, b)                     \
	({                            \
		__auto_type a_ = (a); \
		__auto_type b_ = (b); \
		a_ > b_ ? a_ : b_;    \
	})

/* Nobody listens to tracepoints: what changes is told to the observer by the accesses. */
#define TP_PROTO(...) __VA_ARGS__
#define TP_ARGS(...)
#define TRACE_DEFINE_ENUM(x)
#define DECLARE_EVENT_CLASS(...)
#define TRACE_EVENT(name, proto, ...)          \
	static inline void trace_##name(proto) \
	{                                      \
	}
#define DEFINE_EVENT(class, name, proto, ...)  TRACE_EVENT(name, TP_PROTO(proto))
#define trace_kvm_try_async_get_page(...)      ((void)0)
#define trace_kvm_async_pf_repeated_fault(...) ((void)0)

#endif /* UPSTREAM_KERNEL_LANG_H */
