# SPDX-License-Identifier: GPL-2.0-only
"""Pages of HTML for reports: how they look, and that they need nothing else."""
import html

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2733; background: #f4f6f8; margin: 0; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 25px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 34px 0 10px; }
p.sub, td.dim, p.dim { color: #5c6b7a; margin-top: 0; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 6px; }
.card { background: #fff; border: 1px solid #dfe5ea; border-radius: 8px; padding: 12px 18px; min-width: 118px; }
.card b { display: block; font-size: 23px; font-weight: 600; }
.card span { color: #5c6b7a; font-size: 13px; }
.good b { color: #1e8449; }
.bad b, td.bad { color: #c0392b; }
.bar { height: 8px; border-radius: 4px; background: #dfe5ea; overflow: hidden; margin-top: 14px; }
.bar div { height: 100%; background: #0b6bcb; }
.panel { background: #fff; border: 1px solid #dfe5ea; border-radius: 8px; padding: 12px 14px; overflow-x: auto; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(205px, 1fr)); gap: 14px; }
.grid h3 { font-size: 13px; margin: 0 0 2px; font-family: ui-monospace, monospace; }
.legend { margin: 8px 0 0; color: #5c6b7a; }
.legend span { margin-right: 18px; font-size: 13px; }
.legend i { display: inline-block; width: 18px; height: 3px; vertical-align: middle; margin-right: 6px; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: #5c6b7a; font-weight: 500; border-bottom: 1px solid #dfe5ea; padding: 5px 12px 5px 0; }
td { border-bottom: 1px solid #eef1f4; padding: 5px 12px 5px 0; vertical-align: top; }
th.n, td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: 12.5px ui-monospace, monospace; background: #eef1f4; padding: 1px 5px; border-radius: 4px;
  overflow-wrap: anywhere; }
summary { cursor: pointer; color: #0b6bcb; }
"""


def cells(words, numbers=(), tag="td"):
    """A row; @numbers: the columns that are numbers."""
    return "<tr>" + "".join(f'<{tag}{" class=" + chr(34) + "n" + chr(34) if i in numbers else ""}>'
                            f"{html.escape(word)}</{tag}>" for i, word in enumerate(words)) + "</tr>"


def card(number, words, kind=""):
    return f'<div class="card {kind}"><b>{html.escape(number)}</b><span>{html.escape(words)}</span></div>'


def document(title, body, refresh=None):
    """A whole page. @body: lines of HTML; @refresh: seconds after which a browser looks again"""
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        *([f'<meta http-equiv="refresh" content="{refresh}"/>'] if refresh else []),
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>",
        f"<body><main><h1>{html.escape(title)}</h1>", *body, "</main></body></html>"]) + "\n"
