"""The pages made from the JSON of the benches.

They are `bench/results/README.md`, its charts, and the tables of docs/performance.md.
"""

import json
import re
from pathlib import Path
from typing import Any

from bench import charts, scale
from bench.report import RESULTS, markdown
from local.stack import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
ORDER = ("peers", "peers-17", "edge", "sql", "picture", "app")
PLACE = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD = """\
# Results

Made by `make bench` and the other benches, never by hand. The JSON beside this page has every round.
[docs/performance.md](../../docs/performance.md) explains the figures.
"""


def render(folder: Path) -> None:
    """Write the page of a folder from its results.

    Only the results of the project itself also go into docs/performance.md.
    """
    results = load(folder)
    for name, svg in charts.of(results).items():
        (folder / name).write_text(svg)
    (folder / "README.md").write_text(page(results, folder))
    if folder.resolve() == RESULTS:
        DOCUMENT.write_text(filled(DOCUMENT.read_text(), results))


def load(folder: Path) -> dict[str, dict[str, Any]]:
    paths = [folder / f"{name}.json" for name in ORDER]
    return {path.stem: json.loads(path.read_text()) for path in paths if path.exists()}


def page(results: dict[str, dict[str, Any]], folder: Path) -> str:
    text = HEAD
    for name, result in results.items():
        text += f"\n## {result['title']}\n\n{result['machine']}\n"
        for block in result["blocks"]:
            chart = f"{name}-{block.get('key')}.svg"
            if (folder / chart).exists():
                text += f"\n![{block['columns'][0]}]({chart})\n"
            text += "\n" + markdown(block)
    return text


def filled(document: str, results: dict[str, dict[str, Any]]) -> str:
    """Return the document with its tables filled in.

    `<!-- table: peers/burst -->` … `<!-- end -->` contains that table. The table `scale` is
    computed from the others.
    """

    def replace(place: "re.Match[str]") -> str:
        table = markdown(scale.table(results)) if place[2] == "scale" else found(results, place[2])
        return place[1] + table + place[3]

    return PLACE.sub(replace, document)


def found(results: dict[str, dict[str, Any]], path: str) -> str:
    name, _, key = path.partition("/")
    blocks = results.get(name, {"blocks": []})["blocks"]
    return next((markdown(block) for block in blocks if block.get("key") == key), "Not measured yet.\n")


if __name__ == "__main__":
    render(RESULTS)
