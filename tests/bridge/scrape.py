"""Read `/metrics` as Prometheus does: its samples, and whether an alarm's expression is true."""

import operator
import re
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from bridge.loop import Bridge

COMPARISON = re.compile(r"(?P<name>\w+)(?:\{(?P<matchers>[^}]*)\})? (?P<sign>==|>=|>) (?P<number>[\d.]+)")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


@dataclass(frozen=True)
class MetricSample:
    name: str
    labels: dict[str, str]
    value: float


class Scrape:
    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self.samples = [MetricSample(s.name, s.labels, s.value) for f in families for s in f.samples]

    def value(self, name: str, **labels: str) -> float:
        (found,) = [s.value for s in self.samples if (s.name, s.labels) == (f"pilotlight_{name}", labels)]
        return found

    def fires(self, expression: str) -> bool:
        """Evaluate one comparison of one metric, or its absence, as PromQL does; any other text is
        an error.
        """
        if found := re.fullmatch(r"absent\((\w+)\)", expression):
            return not any(sample.name == found[1] for sample in self.samples)
        comparison = COMPARISON.fullmatch(expression)
        assert comparison, f"not one comparison: {expression}"
        matchers = MATCHER.findall(comparison["matchers"] or "")
        chosen = [
            sample.value
            for sample in self.samples
            if sample.name == comparison["name"] and all(matches(sample, *matcher) for matcher in matchers)
        ]
        assert chosen, f"/metrics has nothing for {expression}, so it can never fire"
        holds = {"==": operator.eq, ">=": operator.ge, ">": operator.gt}[comparison["sign"]]
        return any(holds(value, float(comparison["number"])) for value in chosen)


def matches(sample: MetricSample, label: str, sign: str, wanted: str) -> bool:
    value = sample.labels.get(label, "")
    return re.fullmatch(wanted, value) is not None if sign == "=~" else value == wanted


def scrape(bridge: Bridge) -> Scrape:
    """Scrape as Prometheus does, and again when the loop has read the table."""
    bridge.metrics.exposition()
    bridge.metrics.read_at = 0.0
    bridge.run_once()
    return Scrape(bridge.metrics.exposition().decode())
