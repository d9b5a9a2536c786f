/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules, one file each. A rule looks at what concerns it: SPTE changes (_spte), calls that
 * returned (_call_end), uses of memory by hardware (_use), page-table pages freed (_free). Where
 * the argument for a refinement matters it stands beside the code.
 */
#ifndef ORACLE_RULES_H
#define ORACLE_RULES_H

#include "oracle_internal.h"

/* A: SPTE changes follow the protocol */
void rule_a_spte(struct oracle *o, const struct spte_event *ev);

/* B: bits of MMU-present SPTEs */
void rule_b_spte(struct oracle *o, const struct spte_event *ev);

/* D: the host's dirty marks (what migration loses is in migrate.c) */
void rule_d_call_end(struct oracle *o, const struct oracle_call *call);
void rule_d_host(struct oracle *o, uint64_t hvn, uint64_t n);

/* G: SPTEs that are not MMU-present */
void rule_g_spte(struct oracle *o, const struct spte_event *ev);
void rule_g_call_end(struct oracle *o, const struct oracle_call *call);

/* L: nothing leaks, statistics are right */
void rule_l_free(struct oracle *o, struct mirror_table *t);
void rule_l_call_end(struct oracle *o, const struct oracle_call *call);
void rule_l_stat(struct oracle *o, const struct oracle_stat *stat);
void rule_l_final(struct oracle *o, uint64_t pages_left, uint64_t allocs_left);

/* M: what is mapped is right */
void rule_m_spte(struct oracle *o, const struct spte_event *ev);
void rule_m_lockless(struct oracle *o, uint64_t pa, uint64_t old);
bool rule_m_use(struct oracle *o, const struct hw_use *use, uint64_t *hvn);

/* N: nothing is left behind */
void rule_n_call_end(struct oracle *o, const struct oracle_call *call);
void rule_n_slot(struct oracle *o, const struct slot_desc *gone);
bool rule_n_looked_up(struct oracle *o, uint64_t hvn, uint64_t pfn);
void rule_n_leaf(struct oracle *o, const struct spte_event *ev, uint64_t hvn);
void rule_n_split(struct oracle *o, const struct spte_event *ev);

/* P: progress */
void rule_p_fault(struct oracle *o, int vcpu, uint64_t gfn, uint64_t error_code);
void rule_p_call_end(struct oracle *o, const struct oracle_call *call);

/* T: no access through a translation that was taken away */
void rule_t_spte(struct oracle *o, const struct spte_event *ev);
bool rule_t_use(struct oracle *o, const struct hw_use *use);
bool rule_t_walk(struct oracle *o, int vcpu, uint64_t gfn, int level, struct psc_entry *e);

/* U: nothing is used after it was freed */
void rule_u_free(struct oracle *o, struct mirror_table *t);
void rule_u_table(struct oracle *o, uint64_t gfn, uint64_t pa, const char *who);

/* W: write tracking */
void rule_w_spte(struct oracle *o, const struct spte_event *ev);
void rule_w_call_begin(struct oracle *o, const struct oracle_call *call);
void rule_w_call_end(struct oracle *o, const struct oracle_call *call);
void rule_w_slot(struct oracle *o, uint8_t number);
void rule_w_use(struct oracle *o, const struct hw_use *use);

/* X: no executable huge pages under the mitigation */
void rule_x_spte(struct oracle *o, const struct spte_event *ev);
void rule_x_call_begin(struct oracle *o, const struct oracle_call *call);
void rule_x_call_end(struct oracle *o, const struct oracle_call *call);

#endif /* ORACLE_RULES_H */
