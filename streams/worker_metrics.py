"""A worker's figures as Prometheus metrics, read from its parts when asked; nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure. `name` without the `haechi_` prefix; counters without `_total`."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    is_counter: bool = False


class WorkerCollector(Collector):
    """Turns samples into metric families."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for sample in self._samples():
            family = families.get(sample.name)
            if family is None:
                kind = CounterMetricFamily if sample.is_counter else GaugeMetricFamily
                family = kind(f"haechi_{sample.name}", sample.help, labels=[key for key, _ in sample.labels])
                families[sample.name] = family
            family.add_metric([value for _, value in sample.labels], sample.value)  # type: ignore[attr-defined]
        return families.values()

    def describe(self) -> Iterable[Metric]:
        return []


def counters(samples: Iterable[Sample]) -> dict[str, float]:
    """Samples summed over their labels, by Prometheus name: what a heartbeat carries."""
    sums: dict[str, float] = {}
    for sample in samples:
        name = f"haechi_{sample.name}" + ("_total" if sample.is_counter else "")
        sums[name] = sums.get(name, 0.0) + sample.value
    return sums
