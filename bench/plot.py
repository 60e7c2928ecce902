"""Bars as SVG, readable on a light and on a dark page."""

from __future__ import annotations

from html import escape
from typing import Any

WIDTH, ROW, BAR, LEFT, PANEL, TOP = 920, 38, 20, 170, 300, 64
GAP = 400
"""From one panel to the next."""
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 } .small { font-size: 11px; fill: #57606a } .name { text-anchor: end }
  .bar { fill: #a8b1ba } .ours { fill: #1a7f6b } .span { stroke: #57606a; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9aa4af } .bar { fill: #59636e } .ours { fill: #3fb99d }
    .span { stroke: #9aa4af }
  }"""


def compared(found: dict[str, Any]) -> str:
    """Draw what bench/compare.py found: wall time and memory."""
    rows: list[dict[str, Any]] = sorted(found["contenders"], key=lambda one: one["wall"])
    height = TOP + ROW * len(rows) + 34
    walls = [(one["name"], one["wall"], min(one["walls"]), max(one["walls"])) for one in rows]
    peaks = [(one["name"], one["peak"], one["peak"], one["peak"]) for one in rows]
    title = f"{found['rows']:,} enrollments read over HTTP"
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}\n</style>",
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
        *_panel("seconds from start to exit; the line is the least and the most", walls, LEFT, "{:.2f}"),
        *_panel("peak memory, MiB", peaks, LEFT + GAP, "{:.0f}"),
        *(_text(one["name"], LEFT - 10, _middle(place) - 4, "name") for place, one in enumerate(rows)),
        *(_text(one["does"], LEFT - 10, _middle(place) + 10, "name small") for place, one in enumerate(rows)),
        _text(f"medians of {found['rounds']} rounds in turn; {found['machine']}", LEFT, height - 10, "small"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(head: str, rows: list[tuple[str, float, float, float]], left: int, form: str) -> list[str]:
    most = max(high for *_, high in rows)
    found = [_text(head, left, 48, "small")]
    for place, (name, value, low, high) in enumerate(rows):
        y, width = TOP + ROW * place, PANEL * value / most
        kind = "bar ours" if name == "rollbook" else "bar"
        found.append(f'<rect class="{kind}" x="{left}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3"/>')
        if high > low:
            ends = (left + PANEL * low / most, left + PANEL * high / most)
            middle = y + BAR / 2
            found.append(f'<path class="span" d="M{ends[0]:.1f} {middle}H{ends[1]:.1f}"/>')
        found.append(_text(form.format(value), left + PANEL * high / most + 8, _middle(place), "value"))
    return found


def _middle(place: int) -> float:
    return TOP + ROW * place + BAR / 2 + 4.5


def _text(text: str, x: float, y: float, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:g}">{escape(text)}</text>'
