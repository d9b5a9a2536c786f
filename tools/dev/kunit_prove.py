# SPDX-License-Identifier: GPL-2.0-only
"""./dev kunit --prove: each known bug's test fails in a kernel that has the bug, and passes in one that has not."""
import os
import shutil

import bug_trees
import kunit_judge
import kunit_tests
import known_bugs
import paths
import report

KINDS = {"S": "sequential", "Y": "sequential", "C": "concurrent"}


def of_bug(tests, name):
    """The test that was made from a bug's program, if there is one."""
    file = name + "_kunit.c"
    names = (file, file.replace("-", "_"))
    return next((t for t in tests if os.path.basename(t.path) in names), None)


def plant(tree, name, folder):
    """A tree with the bug in it, for the shadow files to include: links, but for the files that it changes."""
    patch, why = known_bugs.kernel_patch(known_bugs.load(name))
    if not patch:
        return None, why
    changed = {path: new for path, (_, new) in known_bugs.in_kernel(patch, tree).items()}
    out = os.path.join(folder, name)
    shutil.rmtree(out, ignore_errors=True)
    bug_trees.overlay(tree, out, changed)
    return out, ", ".join(changed)


def with_bug(kernel, test, tree, timeout):
    """(whether the test has failed there, in words, the rules that it named)."""
    kernel.build([test], tree)
    text, late, _ = kernel.run(timeout)
    cases, problems = kunit_judge.judge(text, kunit_tests.wanted([test]), late)
    bad = [c for c in cases if c.bad]
    rules = list(dict.fromkeys(r for c in bad for r in c.rules()))
    states = sorted({c.state for c in bad})
    return bool(bad), ", ".join(states) or "; ".join(problems) or "passes", rules


def row(kernel, tests, name, folder, clean, timeout):
    bug = known_bugs.load(name)
    kind = bug.words.get("kind", "?")
    found = {"bug": name, "kind": kind, "rules": bug.words.get("rules", ""), "proven": False, "applies": True}
    tree, words = plant(kernel.tree, name, folder)
    if not tree:
        return dict(found, applies=False, words="cannot be in this kernel: " + words)
    test = of_bug(tests, name)
    if not test:
        return dict(found, words="no test")
    if any(c.bad for c in clean if c.suite in test.suites):
        return dict(found, words="its test fails without the bug")
    failed, words, rules = with_bug(kernel, test, tree, timeout)
    return dict(found, proven=proves(failed, rules, found["rules"]), words=words, named=rules, file=test.path)


def proves(failed, named, rules):
    """Whether a test has failed for the bug's sake: it names one of the rules that the bug breaks."""
    return failed and bool(set(named) & set(rules))


def run(kernel, tests, names, timeout):
    """The table; returns the exit status."""
    unknown = set(names or ()) - set(known_bugs.names())
    if unknown:
        raise paths.Failure(f"--bug {min(unknown)}: expected one of " + " ".join(known_bugs.names()), status=2)
    folder = os.path.join(kernel.out, "bugs")
    os.makedirs(folder, exist_ok=True)
    kernel.build(tests)
    text, late, _ = kernel.run(timeout)
    clean, problems = kunit_judge.judge(text, kunit_tests.wanted(tests), late)
    rows = []
    for name in names or known_bugs.names():
        rows.append(row(kernel, tests, name, folder, clean, timeout))
        r = rows[-1]
        print(f"{r['bug']:32} {r['kind']} {r['rules']:4} "
              f"{'proven' if r['proven'] else '-':7} {r['words']}"
              + (f" (rules {' '.join(r['named'])})" if r.get("named") else ""), flush=True)
    kernel.install(tests)
    return finish(kernel, rows, clean, problems)


def finish(kernel, rows, clean, problems):
    failed = sum(c.bad for c in clean)
    rows = [r for r in rows if r["applies"]]
    sequential = [r for r in rows if KINDS.get(r["kind"]) == "sequential"]
    concurrent = [r for r in rows if KINDS.get(r["kind"]) == "concurrent"]

    def share(some):
        return round(100 * sum(r["proven"] for r in some) / len(some), 1) if some else 100.0

    figures = {"cases": len(clean), "failed": failed, "rows": len(rows), "proven": sum(r["proven"] for r in rows),
               "proven_s_pct": share(sequential), "proven_c_pct": share(concurrent)}
    before = (report.read(kernel.report) or {}).get("figures", {})
    figures.update({k: before[k] for k in ("first_s", "changed_s") if k in before})
    print(f"\nkunit: {figures['proven']} of {len(rows)} bugs proven ({figures['proven_s_pct']} % of those that need no "
          f"interleaving, {figures['proven_c_pct']} % of those that do); without a bug {len(clean)} tests, {failed} "
          f"failed")
    for problem in problems:
        print("problem: " + problem)
    ok = not failed and not problems and all(r["proven"] for r in sequential)
    print("report: " + report.write(kernel.report, ok, figures, problems=problems, kernel=kernel.tree, proof=rows))
    return 0 if ok else 1
