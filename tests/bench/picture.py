"""Bars on a logarithmic scale as an SVG that reads on light and on dark pages."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 190, 90, 30, 46
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.small { font-size: 12px; fill: #57606a; }
.grid { stroke: #d0d7de; }
.ours { fill: #1f6feb; }
.other { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .small { fill: #9da7b3; } .grid { stroke: #3d444d; }
  .ours { fill: #58a6ff; } .other { fill: #6e7681; }
}
"""

Chart = tuple[str, Mapping[str, float], str]


def bars(charts: Sequence[Chart]) -> str:
    """One group of bars below the other; names that begin with Gradus are ours."""
    parts: list[str] = []
    top = 0
    for title, values, unit in charts:
        parts.append(_chart(title, values, unit, top))
        top += TOP + ROW * len(values) + 34
    said = "; ".join(
        f"{title}: " + ", ".join(f"{name} {value:.3g} {unit}" for name, value in values.items())
        for title, values, unit in charts
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">\n'
        f"<title>{escape(said)}</title>\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _chart(title: str, values: Mapping[str, float], unit: str, top: int) -> str:
    low = 10 ** math.floor(math.log10(min(values.values())) - 0.2)
    high = 10 ** math.ceil(math.log10(2.5 * max(values.values())))  # room for its figure
    scale = (WIDTH - LEFT - RIGHT) / math.log10(high / low)

    def x(value: float) -> float:
        return LEFT + scale * math.log10(value / low)

    bottom = top + TOP + ROW * len(values)
    out = [f'<text class="title" x="8" y="{top + 22}">{escape(title)}</text>']
    tick = low
    while tick <= high * 1.001:
        out.append(
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top + TOP - 8}" y2="{bottom}"/>'
        )
        out.append(
            f'<text class="small" x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>'
        )
        tick *= 10
    for row, (name, value) in enumerate(values.items()):
        y = top + TOP + ROW * row
        kind = "ours" if name.startswith("Gradus") else "other"
        out += [
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{x(value) - LEFT:.1f}" height="22" rx="3"/>',
            f'<text x="{x(value) + 8:.1f}" y="{y + 16}">{value:.3g} {unit}</text>',
        ]
    return "\n".join(out)
