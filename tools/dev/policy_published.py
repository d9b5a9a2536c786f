# SPDX-License-Identifier: GPL-2.0-only
"""What the message of upstream commit c4b33d28ea51, "KVM: x86/mmu: Split huge pages mapped by the TDP MMU on
fault" (v6.2, David Matlack), measured on real machines. Seconds. Copied from the patch as it was posted to the
KVM list (20221019234050.3919566-3-dmatlack@google.com, and unchanged in version 3, which was applied)."""

# ./execute_perf_test -s anonymous_hugetlb_1gb -v96
EXECUTE_VCPUS = 96
EXECUTE = {
    "before": {"populate": 2.748378795, "execute": 2.899670885},
    "after": {"populate": 2.729544474, "execute": 0.111965688},
}

# Iteration 1 dirty memory time, by percentage of writes and number of vCPUs:
# eager_page_split=N before and after the commit, and eager_page_split=Y
DIRTY = {
    5: {
        2: (0.332305091, 0.019615027, 0.006108211),
        4: (0.353096020, 0.019452131, 0.006214670),
        8: (0.453938562, 0.019748246, 0.006610997),
        16: (0.719095024, 0.019972171, 0.007757889),
        32: (1.698727124, 0.021361615, 0.012274432),
        64: (2.630673582, 0.031122014, 0.016994683),
        96: (3.016535213, 0.062608739, 0.044760838),
    },
    100: {
        2: (0.317710329, 0.296204596, 0.058689782),
        4: (0.337102375, 0.299841017, 0.060343076),
        8: (0.386025681, 0.297274460, 0.060399702),
        16: (0.791462524, 0.298942578, 0.062508699),
        32: (1.719646014, 0.313101996, 0.075984855),
        64: (2.527973150, 0.455779206, 0.079789363),
        96: (2.681123208, 0.673778787, 0.165386739),
    },
}
