// SPDX-License-Identifier: GPL-2.0-only
/* What the reader found in a line, as the checker wants to be told. */
#include <string.h>

#include "check.h"
#include "import.h"
#include "klog.h"

/* clang-format off */
static const uint8_t kinds[FT_NR] = {
	[FT_PAGE_FAULT] = KLOG_FAULT,
	[FT_FAST_FAULT] = KLOG_FAST_FAULT,
	[FT_REQUESTED] = KLOG_REQUESTED,
	[FT_SET_SPTE] = KLOG_SET,
	[FT_CHANGED] = KLOG_CHANGED,
	[FT_GET_PAGE] = KLOG_GET_PAGE,
	[FT_ZAP_PAGE] = KLOG_ZAP_PAGE,
	[FT_SPLIT] = KLOG_SPLIT,
	[FT_ZAP_FAST] = KLOG_ZAP_FAST,
	[FT_UNMAP_HVA] = KLOG_OTHER,
	[FT_AGE_HVA] = KLOG_OTHER,
	[FT_TEST_AGE_HVA] = KLOG_OTHER,
	[FT_MARK_MMIO] = KLOG_MARK_MMIO,
	[FT_HANDLE_MMIO] = KLOG_HANDLE_MMIO,
	[FT_CHECK_MMIO] = KLOG_CHECK_MMIO,
	[FT_INIT] = KLOG_VM_BEGIN,
	[FT_UNINIT] = KLOG_VM_END,
	[FT_REGION] = KLOG_REGION,
	[FT_ZAP_ALL] = KLOG_OTHER,
	[FT_ZAP_SP] = KLOG_OTHER,
	[FT_WRPROT_SLOT] = KLOG_OTHER,
	[FT_WRPROT_GFN] = KLOG_OTHER,
	[FT_CLEAR_MASKED] = KLOG_OTHER,
	[FT_CLEAR_SLOT] = KLOG_OTHER,
	[FT_TRY_SPLIT] = KLOG_OTHER,
	[FT_COLLAPSE] = KLOG_OTHER,
	[FT_UNMAP_GFN] = KLOG_UNMAP,
	[FT_AGE_GFN] = KLOG_OTHER,
	[FT_INVALIDATE] = KLOG_OTHER,
	[FT_ZAP_ROOTS] = KLOG_ZAP_ROOTS,
	[FT_REQUEST] = KLOG_OTHER,
	[FT_PUT_ROOT] = KLOG_OTHER,
	[FT_UNMAP_GFN_RET] = KLOG_UNMAP_END,
	[FT_ZAP_ROOTS_RET] = KLOG_ZAP_ROOTS_END,
};
/* clang-format on */

/**
 * check_event - translate an event
 * @to: filled
 * @from: as it was read
 */
void check_event(struct klog_event *to, const struct ft_event *from)
{
	*to = (struct klog_event){
		.kind = kinds[from->kind],
		.as_id = from->as_id,
		.level = from->level,
		.task = from->task,
		.line = from->line,
		.kvm = from->kvm,
		.a = from->a,
		.b = from->b,
		.c = from->c,
		.d = from->d,
		.e = from->e,
	};
}

/**
 * check_absent - an event that was not recorded
 * @name: as in the log
 * @absent: its bit is set
 *
 * Return: false if there is no such event, or nothing can be checked without it.
 */
bool check_absent(const char *name, uint32_t *absent)
{
	static const struct {
		const char *name;
		enum klog_kind kind;
	} events[] = {
		{ "fast_page_fault", KLOG_FAST_FAULT },
		{ "kvm_mmu_spte_requested", KLOG_REQUESTED },
		{ "kvm_mmu_get_page", KLOG_GET_PAGE },
		{ "kvm_mmu_prepare_zap_page", KLOG_ZAP_PAGE },
		{ "kvm_mmu_split_huge_page", KLOG_SPLIT },
		{ "check_mmio_spte", KLOG_CHECK_MMIO },
	};
	unsigned int i;

	for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
		if (strcmp(events[i].name, name))
			continue;
		*absent |= 1u << events[i].kind;
		return true;
	}
	return false;
}
