# SPDX-License-Identifier: GPL-2.0-only
"""Tables in the documentation that are made from reports: `./dev COMMAND --docs` writes them."""
import re

import paths
import report

END = "<!-- end -->"


def source(name, command):
    """The report that a table is made of."""
    about = report.read(name)
    if not about:
        raise paths.Failure(f"there is no build/report/{name}.json: run ./dev {command} first", status=2)
    return about


def put(page, command, table):
    """Writes a table between its two lines of a page, which name the command."""
    begin = f"<!-- from ./dev {command} --docs -->"
    with open(page, encoding="utf-8") as f:
        text = f.read()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise paths.Failure(f"{paths.shown(page)}: expected a line {begin} and a line {END}", status=2)
    with open(page, "w", encoding="utf-8") as f:
        f.write(pattern.sub(lambda _: f"{begin}\n{table}{END}", text, count=1))
    print(f"wrote {paths.shown(page)}")
