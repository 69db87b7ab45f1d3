"""Prometheus figures: the center's own, and those that the workers' heartbeats bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from control_center.fleet import STREAM_STATES, Fleet
from control_center.live import LiveNews
from detectors.event import FaultKind

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class CenterMetrics:
    """One registry a center, so that several can live in one test process."""

    def __init__(self, fleet: Fleet, live: LiveNews) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter("haechi_events_total", "Events counted once", ["kind"], registry=self.registry)
        self.repeats = Counter("haechi_event_repeats_total", "Events sent again by a worker", registry=self.registry)
        self.incidents = Counter("haechi_incidents_total", "Incidents opened", ["kind"], registry=self.registry)
        self.sign_ins = Counter("haechi_sign_ins_total", "Sign-in tries", ["result"], registry=self.registry)
        self.ingest_seconds = Histogram(
            "haechi_ingest_seconds",
            "From a batch's arrival to its commit and its news",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.registry.register(_FleetCollector(fleet, live))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _FleetCollector(Collector):
    def __init__(self, fleet: Fleet, live: LiveNews) -> None:
        self._fleet = fleet
        self._live = live

    def collect(self) -> Iterator[Metric]:
        cameras = GaugeMetricFamily("haechi_cameras", "Cameras by the state of their worst stream", labels=["state"])
        statuses = self._fleet.camera_statuses()
        states = [status.state for status in statuses]
        for state in STREAM_STATES:
            cameras.add_metric([state], states.count(state))
        yield cameras
        blind = GaugeMetricFamily("haechi_cameras_blind", "Cameras whose rules are blind, by fault", labels=["fault"])
        for kind in get_args(FaultKind):
            blind.add_metric([kind], sum(one.fault is not None and one.fault.kind == kind for one in statuses))
        yield blind
        yield GaugeMetricFamily("haechi_live_listeners", "Browsers that listen for news", value=len(self._live))
        answering = GaugeMetricFamily("haechi_worker_answering", "1 while the worker reports", labels=["worker"])
        families: dict[str, Metric] = {}
        for worker in self._fleet.workers():
            answering.add_metric([worker.worker_id], float(worker.is_answering))
            for name, value in worker.counters.items():
                if _NAME.match(name):
                    _add(families, name, worker.worker_id, value)
        yield answering
        yield from families.values()


def _add(families: dict[str, Metric], name: str, worker_id: str, value: float) -> None:
    full = name if name.startswith("haechi_") else f"haechi_worker_{name}"
    if full not in families:
        make = CounterMetricFamily if full.endswith("_total") else GaugeMetricFamily
        families[full] = make(full, "Told by the workers", labels=["worker"])
    families[full].add_sample(full, {"worker": worker_id}, value)
