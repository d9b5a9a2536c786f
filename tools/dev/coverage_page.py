# SPDX-License-Identifier: GPL-2.0-only
"""Pages of what each fuzz target covers of libtdp: an index, and below it llvm-cov's, the source with counts."""
import html
import os
import shutil

import coverage_reasons
import llvmcov
import paths
import report
import seeds
import web_page

WORDS = {"targets": "all fuzz targets", "corpus": "the whole corpus, tdp run and all"}


def share(part, whole):
    return f"{100 * part / whole:.1f}%  ({part:,} of {whole:,})" if whole else "-"


def row_of(name, files):
    """What ran, and its functions, lines and branches."""
    tallies = [file.tally() for file in files.values()]
    lines, run_lines, branches, taken = (sum(column) for column in zip(*tallies))
    functions = [count for file in files.values() for count in file.functions.values()]
    cells = [share(sum(map(bool, functions)), len(functions)), share(run_lines, lines), share(taken, branches)]
    return (f'<tr><td><a href="{name}/index.html">{html.escape(WORDS.get(name, name))}</a></td>'
            + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>")


def left_over(files, reasons):
    """Tables of what no target reaches, with why."""
    functions, branches = [], []
    for name, (never, partly) in coverage_reasons.unreached(files).items():
        functions += [web_page.cells([f"{function}()", name, reasons.functions.get(function, "NO REASON IS GIVEN")])
                      for function in never]
        branches += [web_page.cells([f"{function}()", f"{name}:{', '.join(map(str, lines))}",
                                     reasons.branches.get(function, "NO REASON IS GIVEN")])
                     for function, lines in partly.items()]
    return ["<h2>Functions that no target calls</h2>", '<div class="panel"><table>',
            web_page.cells(["function", "file", "why"], (), "th"), *functions, "</table></div>",
            "<h2>Branches that no target takes</h2>",
            '<p class="sub">Of functions that run; each is in a table of docs/coverage.md, below the heading that '
            "is named.</p>", '<div class="panel"><table>',
            web_page.cells(["function", "lines", "why"], (), "th"), *branches, "</table></div>"]


def index(ran, names, reasons):
    return web_page.document("libtdp: what the fuzz targets cover", [
        '<p class="sub">Each target runs what it starts from: the checked-in corpus. Of the whole of libtdp, '
        "its platform included.</p>", '<div class="panel"><table>',
        web_page.cells(["what ran", "functions", "lines", "branches"], (1, 2, 3), "th"),
        *(row_of(name, ran[name]) for name in names), "</table></div>", *left_over(ran["targets"], reasons)])


def write(folder, ran, objects, reasons):
    """Writes them all; returns the path of the index. @folder: of the profiles; @ran: {what ran: files}"""
    top = os.path.join(paths.BUILD, "report", "coverage")
    shutil.rmtree(top, ignore_errors=True)
    names = [*("fuzz_" + target for target in seeds.targets()), *WORDS]
    for name in names:
        llvmcov.show(os.path.join(folder, name + ".profdata"), objects, os.path.join(paths.ROOT, "libtdp"),
                     os.path.join(top, name), f"libtdp: {WORDS.get(name, name)}")
    return report.put(os.path.join(top, "index.html"), index(ran, names, reasons))
