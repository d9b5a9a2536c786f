# SPDX-License-Identifier: GPL-2.0-only
"""Curves over time as SVG that stands in a page of HTML by itself."""
import html
import math
import typing

GREY, GRID, INK = "#5c6b7a", "#e6eaee", "#1c2733"
MOST = 240		# points of a curve; more would not be seen


class Line(typing.NamedTuple):
    name: str
    colour: str
    points: list        # (seconds, value)


def steps(low, high, count):
    """Round numbers from low to high, about so many."""
    if high <= low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= count)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def moments(end, count):
    """Round times from 0 to the end."""
    for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400):
        if end / step <= count:
            break
    else:
        step = math.ceil(end / count / 86400) * 86400
    return [n * step for n in range(math.floor(end / step) + 1)]


def short(value):
    """A number in few characters."""
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"


def thinned(points):
    """No more points than can be seen, with the last one."""
    every = -(-len(points) // MOST)
    return points[::every] + points[-1:] if every > 1 else points


def text(x, y, words, anchor="start", size=10, fill=GREY):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">'
            f"{html.escape(words)}</text>")


def rule(x1, y1, x2, y2, stroke=GRID):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"/>'


def picture(width, height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'font-family="system-ui, sans-serif"><title>{html.escape(title)}</title>\n'
            + "\n".join(parts) + "\n</svg>")


def lines(curves, title, time_words, floor=None, width=230, height=132):
    """Some curves over the same time. @floor: where the scale begins, if not at the lowest value;
    time_words(seconds): a time in words"""
    left, right, top, bottom = 38, width - 10, 8, height - 18
    values = [value for curve in curves for _, value in curve.points]
    if not values:
        return picture(width, height, title, [text(width / 2, height / 2, "not fuzzed yet", "middle", 11)])
    end = max(at for curve in curves for at, _ in curve.points) or 1
    low = min(values) if floor is None else floor
    high = max(values)
    if high == low:
        low, high = max(0, low - 1), high + 1
    high += (high - low) * 0.06
    if floor is None:
        low = max(0, low - (high - low) * 0.06)

    def x(at):
        return left + (right - left) * at / end

    def y(value):
        return bottom - (bottom - top) * (value - low) / (high - low)

    out = []
    for value in steps(low, high, 4):
        out += [rule(left, y(value), right, y(value)), text(left - 5, y(value) + 3.5, short(value), "end")]
    for at in moments(end, 3):
        out.append(text(x(at), height - 4, time_words(at) if at else "0", "middle" if at else "start"))
    for curve in curves:
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in thinned(curve.points))
        if not path:
            continue
        at, value = curve.points[-1]
        out += [f'<polyline points="{path}" fill="none" stroke="{curve.colour}" stroke-width="1.6" '
                'stroke-linejoin="round"/>',
                f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="2.4" fill="{curve.colour}"><title>'
                f"{html.escape(curve.name)}: {value:,.0f} after {time_words(at)}</title></circle>"]
    return picture(width, height, title, out)


def rotation(names, bars, dots, end, time_words, width=1100):
    """Whose turn it was when: a line for each name, bars (line, from, seconds, colour, words), and dots (line,
    at, words); below it how many dots there were by then."""
    left, right, line, below = 130, width - 14, 19, 74
    bottom = line * len(names) + 4
    end = end or 1

    def x(at):
        return left + (right - left) * at / end

    out = []
    for at in moments(end, 9):
        out += [rule(x(at), 0, x(at), bottom + below - 20),
                text(x(at), bottom + below - 6, time_words(at) if at else "0", "middle")]
    for row, name in enumerate(names):
        out += [text(left - 10, line * row + 15, name, "end", 11, INK),
                rule(left, line * (row + 1), right, line * (row + 1))]
    for row, begun, seconds, colour, words in bars:
        out.append(f'<rect x="{x(begun):.1f}" y="{line * row + 5}" height="11" '
                   f'width="{max(1, x(begun + seconds) - x(begun) - 0.6):.1f}" rx="1.5" fill="{colour}" '
                   f'opacity="0.75"><title>{html.escape(words)}</title></rect>')
    for row, at, words in dots:
        out.append(f'<circle cx="{x(at):.1f}" cy="{line * row + 10.5}" r="5" fill="#fff" stroke="#c0392b" '
                   f'stroke-width="2.5"><title>{html.escape(words)}</title></circle>')
    return picture(width, bottom + below, "Turns and findings over time",
                   out + risen(sorted(at for _, at, _ in dots), x, end, bottom + 14, bottom + below - 20))


def risen(moments_of_dots, x, end, top, bottom):
    """A line that rises at each finding."""
    count = len(moments_of_dots)
    y, path = bottom, [f"{x(0):.1f},{bottom:.1f}"]
    for number, at in enumerate(moments_of_dots, 1):
        path.append(f"{x(at):.1f},{y:.1f}")
        y = bottom - (bottom - top) * number / count
        path.append(f"{x(at):.1f},{y:.1f}")
    path.append(f"{x(end):.1f},{y:.1f}")
    return [text(x(0) - 10, bottom, f"findings: {count}", "end", 11, INK),
            rule(x(0), bottom, x(end), bottom, GREY),
            f'<polyline points="{" ".join(path)}" fill="none" stroke="#c0392b" stroke-width="1.8"/>']
