/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The changes that a mutant can make.  rewrite.py puts these macros into copies of libtdp's files;
 * each has the number of its site first, and does what the source said unless a change of that site
 * is chosen.  Operands are evaluated as often, and in the order, as the source would.
 */
#ifndef FUZZ_BUGS_MUTATE_H
#define FUZZ_BUGS_MUTATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct tdp_mutation - which mutant this process is
 * @site: that is changed
 * @change: of those it has, from 1; 0: none
 * @passes: sites that may still be passed before the run counts as endless
 * @reached: NULL, or notes for each site that it was passed
 */
struct tdp_mutation {
	uint32_t site;
	uint32_t change;
	uint64_t passes;
	uint8_t *reached;
};

extern struct tdp_mutation tdp_mutation;

void tdp_mutation_on_endless(void (*act)(void));
__attribute__((noreturn, cold)) void tdp_mutation_endless(void);

/* Return: the change to make at @site, 0 if none. */
static inline uint32_t tdp_mutate(uint32_t site)
{
	if (tdp_mutation.reached)
		tdp_mutation.reached[site] = 1;
	if (!--tdp_mutation.passes)
		tdp_mutation_endless();
	return site == tdp_mutation.site ? tdp_mutation.change : 0;
}

/* Adding 0 promotes as the operators do, and makes a value of a bit-field. */
#define MUTATE_BINARY(site, left, right, same, first, second, third) \
	({                                                           \
		__auto_type l_ = (left) + 0;                         \
		__auto_type r_ = (right) + 0;                        \
		__typeof__(same) v_;                                 \
		switch (tdp_mutate(site)) {                          \
		case 0:                                              \
			v_ = (same);                                 \
			break;                                       \
		case 1:                                              \
			v_ = (first);                                \
			break;                                       \
		case 2:                                              \
			v_ = (second);                               \
			break;                                       \
		default:                                             \
			v_ = (third);                                \
			break;                                       \
		}                                                    \
		v_;                                                  \
	})
#define MUTATE_TWO(site, left, right, same, first, second) \
	MUTATE_BINARY(site, left, right, same, first, second, same)

#define MUTATE_LT(s, a, b)  MUTATE_BINARY(s, a, b, l_ < r_, l_ <= r_, l_ != r_, 0)
#define MUTATE_LE(s, a, b)  MUTATE_BINARY(s, a, b, l_ <= r_, l_ < r_, l_ == r_, 1)
#define MUTATE_GT(s, a, b)  MUTATE_BINARY(s, a, b, l_ > r_, l_ >= r_, l_ != r_, 0)
#define MUTATE_GE(s, a, b)  MUTATE_BINARY(s, a, b, l_ >= r_, l_ > r_, l_ == r_, 1)
#define MUTATE_EQ(s, a, b)  MUTATE_TWO(s, a, b, l_ == r_, 1, 0)
#define MUTATE_NE(s, a, b)  MUTATE_TWO(s, a, b, l_ != r_, 1, 0)
#define MUTATE_AND(s, a, b) MUTATE_BINARY(s, a, b, l_ &r_, l_, r_, 0)
#define MUTATE_OR(s, a, b)  MUTATE_TWO(s, a, b, l_ | r_, l_, r_)
#define MUTATE_XOR(s, a, b) MUTATE_TWO(s, a, b, l_ ^ r_, l_, r_)
#define MUTATE_ADD(s, a, b) MUTATE_TWO(s, a, b, l_ + r_, l_ - r_, l_)
#define MUTATE_SUB(s, a, b) MUTATE_TWO(s, a, b, l_ - r_, l_ + r_, l_)
#define MUTATE_MUL(s, a, b) MUTATE_TWO(s, a, b, l_ *r_, l_ + r_, l_)
#define MUTATE_DIV(s, a, b) MUTATE_TWO(s, a, b, l_ / r_, l_ * r_, l_)
#define MUTATE_MOD(s, a, b) MUTATE_TWO(s, a, b, l_ % r_, 0, l_)
/* A shift by one less than none, or by too much, is one by as much as there is. */
#define MUTATE_SHL(s, a, b) \
	MUTATE_TWO(s, a, b, l_ << r_, l_ << ((r_ + 1) & 63), l_ << ((r_ - 1) & 63))
#define MUTATE_SHR(s, a, b) \
	MUTATE_TWO(s, a, b, l_ >> r_, l_ >> ((r_ + 1) & 63), l_ >> ((r_ - 1) & 63))

#define MUTATE_PART_EQ(s, a, b) MUTATE_TWO(s, a, b, l_ == r_, l_ != r_, 0)
#define MUTATE_PART_NE(s, a, b) MUTATE_TWO(s, a, b, l_ != r_, l_ == r_, 0)

/* && and ||: the right side is evaluated where its value matters. */
#define MUTATE_LAND(site, left, right)                \
	({                                            \
		const uint32_t c_ = tdp_mutate(site); \
		bool v_ = (left);                     \
		if (c_ == 2 || (c_ != 1 && v_))       \
			v_ = (right);                 \
		v_ &&c_ != 3;                         \
	})
#define MUTATE_LOR(site, left, right)                 \
	({                                            \
		const uint32_t c_ = tdp_mutate(site); \
		bool v_ = (left);                     \
		if (c_ == 2 || (c_ != 1 && !v_))      \
			v_ = (right);                 \
		v_ || c_ == 3;                        \
	})
#define MUTATE_PART_LAND(site, left, right) MUTATE_LAND(site, left, right)
#define MUTATE_PART_LOR(site, left, right)  MUTATE_LOR(site, left, right)

#define MUTATE_CONDITION(site, ...)                   \
	({                                            \
		const uint32_t c_ = tdp_mutate(site); \
		const bool v_ = (__VA_ARGS__);        \
		c_ ? c_ == 1 : v_;                    \
	})
/* Of a call: made, or not. */
#define MUTATE_CALL(site, ...)                                   \
	({                                                       \
		const uint32_t c_ = tdp_mutate(site);            \
		const bool v_ = c_ == 3 ? false : (__VA_ARGS__); \
		c_ ? c_ == 1 : v_;                               \
	})
#define MUTATE_PART_CALL(site, ...) (tdp_mutate(site) ? false : (__VA_ARGS__))
#define MUTATE_VALUE(site, ...)                       \
	({                                            \
		const uint32_t c_ = tdp_mutate(site); \
		__auto_type v_ = (__VA_ARGS__) + 0;   \
		c_ ? (__typeof__(v_))!v_ : v_;        \
	})
#define MUTATE_NEGATED(site, ...) ((__VA_ARGS__) != !!tdp_mutate(site))
#define MUTATE_MINUS(site, ...)                       \
	({                                            \
		const uint32_t c_ = tdp_mutate(site); \
		__auto_type v_ = (__VA_ARGS__) + 0;   \
		c_ ? v_ : -v_;                        \
	})

/* What nobody uses the value of. */
#define MUTATE_STATEMENT(site, ...)      \
	({                               \
		if (!tdp_mutate(site)) { \
			__VA_ARGS__;     \
		}                        \
		(void)0;                 \
	})
#define MUTATE_UPDATE(site, same, other)    \
	({                                  \
		switch (tdp_mutate(site)) { \
		case 0:                     \
			same;               \
			break;              \
		case 2:                     \
			other;              \
			break;              \
		default:                    \
			break;              \
		}                           \
		(void)0;                    \
	})
#define MUTATE_SET_OR(s, a, b)	MUTATE_UPDATE(s, a |= b, a = b)
#define MUTATE_SET_AND(s, a, b) MUTATE_UPDATE(s, a &= b, a = b)
#define MUTATE_SET_ADD(s, a, b) MUTATE_UPDATE(s, a += b, a -= b)
#define MUTATE_SET_SUB(s, a, b) MUTATE_UPDATE(s, a -= b, a += b)
#define MUTATE_SET_SHL(s, a, b) MUTATE_UPDATE(s, a <<= b, )
#define MUTATE_SET_SHR(s, a, b) MUTATE_UPDATE(s, a >>= b, )
#define MUTATE_INC(s, a)	MUTATE_UPDATE(s, a++, a--)
#define MUTATE_DEC(s, a)	MUTATE_UPDATE(s, a--, a++)

#endif /* FUZZ_BUGS_MUTATE_H */
