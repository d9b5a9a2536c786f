# SPDX-License-Identifier: GPL-2.0-only
"""How a soak stands: lines and a table for a terminal, and one page of HTML that needs nothing else."""
import html
import time

import svg_chart
import web_page

BUILDS = {"plain": "plain", "asan": "ASan+UBSan", "tsan": "TSan"}
COLOURS = {"plain": "#0b6bcb", "asan": "#c0392b", "tsan": "#8e44ad"}
REFRESH = 30		# seconds after which a browser looks again, while the soak runs


def name_of(finding):
    """A finding in a few words."""
    what = "a WARN fires" if finding["rule"] == "!" else \
        f"rule {finding['rule']} is broken" if finding["rule"] else finding["summary"] or "it ended"
    return f"{finding['target']}, {BUILDS[finding['build']]}: {what}"


def rate(one):
    return round(one["executions"] / one["seconds"]) if one["seconds"] else 0


def told(one, number):
    """A turn in a line."""
    outcome = f"FAILED: {one['failed']}" if one["failed"] else \
        "a finding" if one["findings"] else "nothing found"
    return (f"turn {number}: {one['target']}, {BUILDS[one['build']]}: {one['executions']:,} executions in "
            f"{one['seconds']:.0f} s ({rate(one):,}/s), {one['coverage']:,} edges, {one['corpus']:,} inputs, {outcome}")


def duration(seconds):
    """As 2:05 h, 3 h, 7:30 min, or 12 s."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    whole, rest = divmod(seconds // 60, 60) if seconds >= 3600 else divmod(seconds, 60)
    return f"{whole}" + (f":{rest:02}" if rest else "") + (" h" if seconds >= 3600 else " min")


def hours(value):
    return f"{value:g} h" if value >= 1 else duration(3600 * value)


def rows_of(figures, listed):
    """Of each part: target, build, fuzzed for, executions, per second, edges, inputs, findings."""
    for target, build in listed:
        def value(key, name=f"{target}.{build}"):
            return figures[f"{name}.{key}"]
        yield [target, BUILDS[build], duration(value("seconds")),
               *(f"{value(key):,}" for key in ("executions", "exec_per_s", "coverage", "corpus", "findings"))]


HEADER = ["target", "build", "fuzzed", "executions", "per s", "edges", "inputs", "findings"]


def text_table(figures, listed):
    lines = [HEADER, *rows_of(figures, listed)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    return "".join("  ".join(f"{cell:{'<' if i < 2 else '>'}{widths[i]}}" for i, cell in enumerate(line)) + "\n"
                   for line in lines)


def curves(slices, part):
    """A part's (executions/s, edges) over its own time: [(seconds, value)] each."""
    speed, edges, before, most = [], [], 0.0, 0
    for one in slices:
        if (one["target"], one["build"]) != part:
            continue
        last, count = 0.0, 0
        for at, executions, coverage, _ in one["samples"]:
            if at > last and executions > count:
                speed.append((before + (last + at) / 2, (executions - count) / (at - last)))
            last, count = at, executions
            # A turn begins by running what is there: what was reached before stays reached.
            most = max(most, coverage)
            edges.append((before + at, most))
        before += one["seconds"]
    return speed, edges


def grids(campaign, listed):
    """The curves, a small picture for each target, a line for each build."""
    found = {part: curves(campaign.slices, part) for part in listed}
    out = []
    for which, title, floor in ((0, "Executions per second", 0), (1, "Edges covered", None)):
        out.append(f"<h2>{title}</h2>\n<div class=\"panel\">\n<div class=\"grid\">")
        for target in dict.fromkeys(target for target, _ in listed):
            lines = [svg_chart.Line(BUILDS[build], COLOURS[build], found[target, build][which])
                     for of, build in listed if of == target]
            out.append(f"<div><h3>{html.escape(target)}</h3>\n"
                       + svg_chart.lines(lines, f"{title}, {target}", duration, floor) + "</div>")
        out.append('</div>\n<p class="legend">' + "".join(
            f'<span><i style="background:{COLOURS[build]}"></i>{name}</span>' for build, name in BUILDS.items())
            + "<span>time: what the target was fuzzed for in that build</span></p></div>")
    return out


def rotation(campaign, listed):
    """Whose turn it was when, with findings as dots, and how many there were by then."""
    bars, at = [], 0.0
    for number, one in enumerate(campaign.slices, 1):
        row = next((i for i, part in enumerate(listed) if part == (one["target"], one["build"])), None)
        if row is not None:
            bars.append((row, at, one["seconds"], COLOURS[one["build"]], told(one, number)))
        at += one["seconds"]
    dots = [(listed.index((one["target"], one["build"])), one["at"], name_of(one)) for one in campaign.findings
            if (one["target"], one["build"]) in listed]
    return svg_chart.rotation([f"{target} {BUILDS[build]}" for target, build in listed], bars, dots, at, duration)


def findings(campaign):
    if not campaign.findings:
        return ['<div class="panel">Nothing was found.</div>']
    out = ['<div class="panel"><table>', web_page.cells(["what", "met", "after", "replay"], (1, 2), "th")]
    for one in campaign.findings:
        replay = one.get("replay")
        out.append(f'<tr><td class="bad">{html.escape(name_of(one))}</td>'
                   f'<td class="n">{one["times"]}×</td><td class="n">{duration(one["at"])}</td><td>'
                   + (f"<code>{html.escape(replay)}</code>" if replay else "no input was left") + "</td></tr>")
    return out + ["</table></div>"]


def table_of_slices(campaign):
    out = ["<h2>Turns</h2>", '<div class="panel"><details' + (" open=\"open\"" if len(campaign.slices) <= 40 else "")
           + f"><summary>{len(campaign.slices)} turns, the newest first</summary><table>",
           web_page.cells(["#", "begun", "target", "build", "took", "executions", "per s", "edges", "inputs", "MB",
                  "outcome", "version"], (0, 4, 5, 6, 7, 8, 9), "th")]
    for number, one in reversed(list(enumerate(campaign.slices, 1))):
        outcome = one["failed"] or ("a finding" if one["findings"] else "")
        out.append(web_page.cells([str(number), when(one["begun"]), one["target"],
                          BUILDS[one["build"]], duration(one["seconds"]), f"{one['executions']:,}",
                          f"{rate(one):,}", f"{one['coverage']:,}", f"{one['corpus']:,}",
                          str(one.get("rss_mb", "")), outcome, one.get("version", "")], (0, 4, 5, 6, 7, 8, 9)))
    return out + ["</table></details></div>"]


def when(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def cards(campaign, listed, figures):
    share = campaign.done(listed)
    failed = figures["failed"]
    return ['<div class="cards">', web_page.card(f"{100 * share:.1f}%", f"of {hours(campaign.hours * len(listed))}"),
            web_page.card(duration(figures["seconds"]), "fuzzed"), web_page.card(f"{figures['executions']:,}", "executions"),
            web_page.card(str(figures["slices"]), "turns"),
            web_page.card(str(figures["findings"]), "findings", "bad" if figures["findings"] else "good"),
            *([web_page.card(str(failed), "turns that failed", "bad")] if failed else []), "</div>",
            f'<div class="bar"><div style="width:{100 * share:.1f}%"></div></div>']


def page(campaign, listed, figures, running):
    """The whole page."""
    state = "runs" if running else "is over" if campaign.next(listed) is None else "was interrupted"
    out = [f'<p class="sub">{len(listed)} parts, {hours(campaign.hours)} each, in turns of at most '
           f"{campaign.slice_seconds} s; as of {when(time.time())}</p>",
           *cards(campaign, listed, figures), "<h2>Findings</h2>", *findings(campaign),
           "<h2>Rotation and findings over time</h2>",
           '<div class="panel">' + rotation(campaign, listed) + "</div>",
           *grids(campaign, listed), "<h2>By target and build</h2>", '<div class="panel"><table>',
           web_page.cells(HEADER, range(2, 8), "th"),
           *(web_page.cells(row, range(2, 8)) for row in rows_of(figures, listed)),
           "</table></div>", *table_of_slices(campaign)]
    return web_page.document(f"libtdp: the soak {state}", out, REFRESH if running else None)
