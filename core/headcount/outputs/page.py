"""The pieces of a page: its style, tables, bars and lines. What goes in as a cell is HTML already."""

from collections.abc import Sequence
from html import escape

STYLE = """\
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5a6675; --rule: #d5dbe3; --paper: #ffffff; --card: #f4f6f9;
  --bar: #2f6fb5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --soft: #9aa7b8; --rule: #344050; --paper: #12171e;
  --card: #1b232d; --bar: #6ea8e6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 0; }
small, .when, .card span, footer { color: var(--soft); font-size: .875rem; }
.when { margin: .2rem 0 .8rem; overflow-wrap: anywhere; }
.note { background: var(--card); border-left: 4px solid var(--bar); margin: .5rem 0; padding: .5rem .8rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .8rem; }
.card { background: var(--card); border-radius: .5rem; padding: .7rem .9rem; }
.card strong { display: block; font-size: 1.9rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .2rem .5rem; text-align: left; border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); font-weight: 500; font-size: .875rem; }
tbody th { font-weight: 400; overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.b { width: 30%; min-width: 5rem; }
svg { display: block; width: 100%; fill: var(--bar); }
.card svg { margin-top: .4rem; height: 2.5rem; }
.b svg { height: .7rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--rule); padding-top: .5rem; }
@media print { :root { --ink: #000; --soft: #444; --rule: #bbb; --paper: #fff; --card: #fff; --bar: #444; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; } tr, .card, .note { break-inside: avoid; }
  .card { border: 1px solid var(--rule); } h2 { break-after: avoid; } }
"""


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], bars: int | None = None) -> str:
    """A table whose first column names its rows and whose other columns are numbers, but for one of `bars`."""
    kinds = ["" if index == 0 else ' class="b"' if index == bars else ' class="n"' for index in range(len(head))]
    titles = "".join(f'<th scope="col"{kind}>{escape(title)}</th>' for title, kind in zip(head, kinds, strict=True))
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td{kind}>{text}</td>" for text, kind in zip(others, kinds[1:], strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def bar(share: float) -> str:
    """A bar of `share` (0 to 1) of its cell; a number beside it says the same."""
    width = max(0.5, 100 * min(share, 1)) if share > 0 else 0
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.1f}" height="10"/></svg>'
    )


def columns(series: Sequence[int | None], label: str) -> str:
    """A column a value, from nothing to the greatest; a gap where nothing is known. Empty where too little is."""
    known = [value for value in series if value is not None]
    if len(known) < 2 or not max(known):
        return ""
    top = max(known)
    drawn = "".join(
        f'<rect x="{index}" y="{100 - 100 * value / top:.1f}" width=".85" height="{100 * value / top:.1f}"/>'
        for index, value in enumerate(series)
        if value is not None
    )
    title = escape(f"{label}: from {min(known):,} to {top:,}")
    return (
        f'<svg viewBox="0 0 {len(series)} 100" preserveAspectRatio="none" role="img" aria-label="{title}">'
        f"<title>{title}</title>{drawn}</svg>"
    )
