/* SPDX-License-Identifier: GPL-2.0-only */
/* A header of the tree is over; see before.h. */
#pragma pop_macro("WRITE_ONCE")
#pragma pop_macro("READ_ONCE")
