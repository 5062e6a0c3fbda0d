"""Bar charts as SVG. Their greys are readable on white and on dark pages, so one file is enough."""

from typing import Any
from xml.sax.saxutils import escape

OURS, OTHERS, TEXT = "#e8702a", "#6e8bb5", "#7d8590"
ROW, LABELS, BARS, FIGURES = 26, 210, 400, 90  # pixels
CHARTED = {"latency": "p50, less is better", "burst": "jobs a second", "cost": "CPU us, less is better",
           "backlog": "jobs a second"}  # fmt: skip


def of(results: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return the charts of the tables that have one, by file name."""
    made = {}
    for name, result in results.items():
        for block in result["blocks"]:
            if block.get("key") in CHARTED:
                made[f"{name}-{block['key']}.svg"] = bars(block, CHARTED[block["key"]])
    return made


def bars(block: dict[str, Any], unit: str) -> str:
    column = block["columns"].index("CPU us") if "CPU us" in block["columns"] else 1
    rows = [(str(row[0]), float(row[column])) for row in block["rows"]]
    longest = max(value for _, value in rows) or 1.0
    height = ROW * (len(rows) + 1) + 8
    title = escape(f"{block['columns'][0]}: {unit}")
    width = LABELS + BARS + FIGURES
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        f'<text x="{LABELS}" y="17" fill="{TEXT}" font-weight="600">{title}</text>',
    ]
    for number, (name, value) in enumerate(rows, 1):
        top = number * ROW
        colour = OURS if name.startswith("Pilotlight") else OTHERS
        length = max(value, 0) / longest * BARS
        figure = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
        lines += [
            f'<text x="{LABELS - 8}" y="{top + 18}" fill="{TEXT}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LABELS}" y="{top + 4}" width="{length:.1f}" height="{ROW - 8}" rx="2" fill="{colour}"/>',
            f'<text x="{LABELS + length + 6:.1f}" y="{top + 18}" fill="{TEXT}">{figure}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
