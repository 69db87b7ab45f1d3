"""Loitering: a person stays in the zone (KISA 배회; start is whole body inside + dwell, of the last of a group)."""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import LoiteringRule
from detectors.event import Event
from detectors.rules.people import RESUME_SECONDS, Presence, ZonePeople
from detectors.rules.view import Finding, View, Wish
from detectors.zones import ZoneArea

GROUP_SECONDS = 5.0
EMPTY_SECONDS = 3.0


class LoiteringWatch:
    """One alarm an episode: until the zone has been empty for EMPTY_SECONDS."""

    def __init__(self, area: ZoneArea, rule: LoiteringRule) -> None:
        self._dwell = rule.dwell_seconds
        self._people = ZonePeople(area)
        self._alarmed = False
        self._resumed = False

    def watch(self, view: View) -> list[Finding]:
        """An alarm when the last of those who came together has stayed long enough."""
        if self._resumed:
            self._alarmed, self._resumed = True, False
            self._people.last_occupied = view.seconds + RESUME_SECONDS
        self._people.update(view)
        if self._alarmed:
            self._people.mark_alarmed()
            self._alarmed = view.seconds - self._people.last_occupied <= EMPTY_SECONDS
        if self._alarmed:
            return []
        here = [one for one in self._people.inside() if self._is_here(one, view.seconds) and not one.is_alarmed]
        staying = [presence for presence in here if view.seconds - (presence.since or 0.0) >= self._dwell]
        if not staying:
            return []
        first = staying[0].since or 0.0
        group = [presence for presence in here if (presence.since or 0.0) - first <= GROUP_SECONDS]
        if len(group) > len([presence for presence in staying if presence in group]):
            return []
        self._alarmed = True
        last = group[-1]
        ids = tuple(presence.track.id for presence in group)
        started = (last.since or 0.0) + self._dwell
        return [Finding(started, last.track.box, last.track.score, "person", ids, view.seconds - first)]

    @staticmethod
    def _is_here(presence: Presence, seconds: float) -> bool:
        return presence.sightings >= 3 and seconds - presence.last_inside < 3.0 and presence.outside_since is None

    def wishes(self) -> list[Wish]:
        return []  # people are looked at because they are followed

    def resume(self, recent: Sequence[Event]) -> None:
        self._resumed = bool(recent)
