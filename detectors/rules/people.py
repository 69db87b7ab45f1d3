"""People in a zone: what intrusion and loitering share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.boxes import covered
from detectors.rules.view import View
from detectors.tracker import Kind, Track
from detectors.zones import ZoneArea

MIN_SCORE = 0.4
WHOLE_BODY_SHARE = 0.8
FOOT_ONLY_SECONDS = 2.0
LEFT_SECONDS = 1.5
FORGET_SECONDS = 8.0
RESUME_SECONDS = 8.0
"""After a restart an alarmed episode goes on for so long until the people of it are found again."""
VACATED_SECONDS = 5.0
SAME_COLOURS, OTHER_COLOURS = 18.0, 50.0  # of 255
EXIT_SECONDS = 1.0
_EDGE = 2.0  # pixels


@dataclass(slots=True, eq=False)
class Presence:
    """One person in the zone. `since`: whole body inside; `foot_since`: feet inside; `last_inside`: last seen in;
    `is_alarmed`: belongs to an episode that was alarmed.
    """

    track: Track
    foot_since: float
    last_inside: float
    since: float | None = None
    sightings: int = 1
    outside_since: float | None = None
    is_alarmed: bool = False


class ZonePeople:
    """Who is in the zone, and since when. A person whose track broke is recognised where it was lost."""

    def __init__(self, area: ZoneArea) -> None:
        self.area = area
        self.present: dict[int, Presence] = {}
        self.last_occupied = -1e9

    def update(self, view: View) -> None:
        """Take in this look's tracks."""
        seen = [track for track in view.tracks if track.last_seen == view.seconds and counts_as_person(track, view)]
        for track in seen:
            inside = self.area.contains(*track.foot, tolerance=0.02 * track.height)
            presence = self.present.get(track.id)
            if inside:
                self._enter(track, presence, view)
            elif presence is not None:
                self._leave(presence, view.seconds)
        alive = {track.id for track in view.tracks}
        for track_id, presence in list(self.present.items()):
            if track_id in alive:
                continue
            patience = VACATED_SECONDS if presence.track.is_vacated else FORGET_SECONDS
            if _at_exit(presence.track, view):
                patience = EXIT_SECONDS
            if view.seconds - presence.last_inside > patience:
                del self.present[track_id]
        for presence in self.present.values():
            if presence.since is not None:
                has_left = presence.track.is_vacated or _at_exit(presence.track, view)
                self.last_occupied = max(self.last_occupied, presence.last_inside if has_left else view.seconds)

    def _enter(self, track: Track, presence: Presence | None, view: View) -> None:
        if presence is None:
            presence = self._inherit(track, view) or Presence(track, view.seconds, view.seconds)
            self.present[track.id] = presence
        else:
            presence.sightings += 1
        presence.track = track
        presence.last_inside = view.seconds
        presence.outside_since = None
        if presence.since is None:
            if self._is_whole(track, view):
                presence.since = view.seconds
            elif view.seconds - presence.foot_since >= FOOT_ONLY_SECONDS:
                presence.since = presence.foot_since + 0.5

    def _leave(self, presence: Presence, seconds: float) -> None:
        if presence.outside_since is None:
            presence.outside_since = seconds
        elif seconds - presence.outside_since >= LEFT_SECONDS:
            self.present.pop(presence.track.id, None)

    def _inherit(self, track: Track, view: View) -> Presence | None:
        """The person lost near here a short time ago, whose track this one goes on with."""
        first = track.trail[0]
        foot = (float(first.box[0] + first.box[2]) / 2, float(first.box[3]))
        for track_id, presence in self.present.items():
            lost = presence.track
            unseen = first.seconds - lost.last_seen
            if _at_exit(lost, view) or not 0 < unseen <= FORGET_SECONDS:
                continue
            alike = float(np.abs(track.colours - lost.colours).mean())
            reach = min(0.5 + 0.9 * unseen, 2.5) if alike < SAME_COLOURS else min(0.5 + 0.3 * unseen, 1.5)
            similar = 0.6 < track.height / max(lost.height, 1.0) < 1.6 and alike < OTHER_COLOURS
            if similar and float(np.hypot(foot[0] - lost.foot[0], foot[1] - lost.foot[1])) < reach * track.height:
                presence.sightings += 1
                return self.present.pop(track_id)
        return None

    def _is_whole(self, track: Track, view: View) -> bool:
        box = track.box
        inset = 0.2 * (box[2] - box[0])
        feet = all(self.area.contains(float(x), float(box[3]), 1.0) for x in (box[0] + inset, box[2] - inset))
        cut = box[0] < _EDGE or box[1] < _EDGE or box[2] > view.width - _EDGE or box[3] > view.height - _EDGE
        return feet and not cut and self.area.share_of(box) >= WHOLE_BODY_SHARE

    def mark_alarmed(self) -> None:
        """All who are inside now belong to the alarmed episode."""
        for presence in self.present.values():
            presence.is_alarmed = True

    def inside(self) -> list[Presence]:
        """Those whose whole body is inside, first to last."""
        whole = [presence for presence in self.present.values() if presence.since is not None]
        return sorted(whole, key=lambda presence: presence.since or 0.0)

    def entering(self, view: View) -> list[Track]:
        """People not yet wholly inside who are about to be: partly in, or near and coming nearer."""
        coming = []
        whole = {presence.track.id for presence in self.inside()}
        for track in view.tracks:
            recent = view.seconds - track.last_seen < 1.5
            if track.kind is Kind.PERSON and recent and track.id not in whole and track.score >= MIN_SCORE:
                x, y = track.foot
                now = self.area.distance(x, y)
                soon = self.area.distance(x + float(track.velocity[0]), y + float(track.velocity[1]))
                if now > 0 or (now > -0.8 * track.height and soon > now + 0.1 * track.height):
                    coming.append(track)
        return coming


def _at_exit(track: Track, view: View) -> bool:
    """It was last seen at an edge of the picture and went that way."""
    x1, y1, x2, y2 = track.predicted(track.last_seen + 1.0)
    near = 0.1 * track.height
    return bool(x1 < near or y1 < near or x2 > view.width - near or y2 > view.height - near) and (
        track.box[0] < near
        or track.box[1] < near
        or track.box[2] > view.width - near
        or track.box[3] > view.height - near
    )


def counts_as_person(track: Track, view: View) -> bool:
    """A confirmed person on foot: not a poster (never stirred), not a rider, not somebody in a car."""
    if track.kind is not Kind.PERSON or not track.is_confirmed or not track.stirred or track.score < MIN_SCORE:
        return False
    return not any(_carries(other, track) for other in view.tracks if other.kind in (Kind.VEHICLE, Kind.CYCLE))


def _carries(vehicle: Track, person: Track) -> bool:
    if abs(vehicle.last_seen - person.last_seen) > 1.0 or not vehicle.is_confirmed:
        return False
    if vehicle.kind is Kind.VEHICLE:
        low = float(vehicle.box[3] - 0.15 * vehicle.height)
        return covered(person.box, vehicle.box) > 0.8 and person.box[3] < low and person.height < 0.8 * vehicle.height
    moving = float(abs(vehicle.velocity).max()) > 0.3 * vehicle.size
    return moving and covered(vehicle.box, person.box) > 0.4


def unseen_people(presences: Sequence[Presence], seconds: float) -> list[Presence]:
    """Those the detector has not confirmed for a second."""
    return [presence for presence in presences if seconds - presence.track.last_seen > 1.0]
