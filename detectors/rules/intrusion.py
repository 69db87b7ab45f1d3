"""Intrusion: a person's whole body is inside the zone (KISA 침입; several people: when the last is inside)."""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import IntrusionRule
from detectors.event import Event
from detectors.rules.people import RESUME_SECONDS, Presence, ZonePeople
from detectors.rules.view import Finding, View, Wish
from detectors.zones import ZoneArea

GROUP_SECONDS = 4.0
EMPTY_SECONDS = 3.0


class IntrusionWatch:
    """One alarm an episode: from the first person in until the zone has been empty for EMPTY_SECONDS."""

    def __init__(self, area: ZoneArea, rule: IntrusionRule) -> None:
        self._rule = rule
        self._people = ZonePeople(area)
        self._alarmed = False
        self._resumed = False

    def watch(self, view: View) -> list[Finding]:
        """An alarm when everyone who comes in together is in."""
        if self._resumed:
            self._alarmed, self._resumed = True, False
            self._people.last_occupied = view.seconds + RESUME_SECONDS
        self._people.update(view)
        if self._alarmed:
            self._people.mark_alarmed()
            self._alarmed = view.seconds - self._people.last_occupied <= EMPTY_SECONDS
        whole = [presence for presence in self._people.inside() if not presence.is_alarmed]
        inside = [presence for presence in whole if self._is_sure(presence, view.seconds)]
        if self._alarmed or not inside:
            return []
        first = inside[0].since or view.seconds
        more = self._people.entering(view) or any(_is_fresh(p, view.seconds) for p in whole if p not in inside)
        if view.seconds - first < GROUP_SECONDS and more:
            return []
        self._alarmed = True
        last = inside[-1]
        ids = tuple(presence.track.id for presence in inside)
        return [Finding(last.since or view.seconds, last.track.box, last.track.score, "person", ids)]

    def _is_sure(self, presence: Presence, seconds: float) -> bool:
        since = presence.since
        return since is not None and presence.sightings >= 2 and seconds - since >= self._rule.confirm_seconds

    def wishes(self) -> list[Wish]:
        return []  # people are looked at because they are followed

    def resume(self, recent: Sequence[Event]) -> None:
        self._resumed = bool(recent)


def _is_fresh(presence: Presence, seconds: float) -> bool:
    return seconds - presence.last_inside < 1.5
