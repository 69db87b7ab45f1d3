"""The files of the KISA test: zones in `NAME.map`, truth or alarms in `NAME.xml`.

Points are pixels of the 1280 x 720 picture; times are whole seconds from the start of the clip, HH:MM:SS. Only what
Haechi detects has a kind; other tags are kept by name.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.event import EventKind

WIDTH, HEIGHT = 1280, 720
MAX_BYTES = 1_000_000
TAG: dict[EventKind, str] = {
    "loitering": "Loitering",
    "intrusion": "Intrusion",
    "fire": "FireDetection",
    "dumping": "Abandonment",
}
KIND: dict[str, EventKind] = {tag: kind for kind, tag in TAG.items()}
OTHER_TAGS = frozenset({"Falldown", "Violence"})

Polygon = tuple[tuple[float, float], ...]


class KisaError(ValueError):
    """A file that is not of the KISA test's form; says what is wrong."""


@dataclass(frozen=True, slots=True)
class KisaZone:
    """`tag` as in the file, e.g. Loitering; `polygon` in fractions of the picture. None of it for detection areas."""

    tag: str
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class KisaAlarm:
    tag: str
    start_seconds: int
    duration_seconds: int = 10

    @property
    def kind(self) -> EventKind | None:
        return KIND.get(self.tag)


@dataclass(frozen=True, slots=True)
class KisaAnswer:
    """The alarms of one clip."""

    filename: str
    alarms: tuple[KisaAlarm, ...]


def read_zones(text: str) -> tuple[KisaZone, ...]:
    """The zones of a `.map` file that have points. Raises KisaError."""
    root = _parsed(text, "DA")
    zones = []
    for element in root:
        points = [_point(point.text, element.tag) for point in element.findall("Point")]
        if not points:
            continue
        if len(points) < 3:
            raise KisaError(f"zone {element.tag} has {len(points)} points and needs three")
        zones.append(KisaZone(element.tag, tuple(points)))
    return tuple(zones)


def write_zones(zones: Sequence[KisaZone]) -> str:
    root = ElementTree.Element("DA")
    ElementTree.SubElement(root, "DetectionAreas")
    for zone in zones:
        element = ElementTree.SubElement(root, zone.tag)
        for x, y in zone.polygon:
            ElementTree.SubElement(element, "Point").text = f"{round(x * WIDTH)},{round(y * HEIGHT)}"
    return _text(root)


def read_answer(text: str) -> KisaAnswer:
    """One clip's answer. Raises KisaError."""
    clip = _parsed(text, "KisaLibraryIndex").find("Library/Clip")
    if clip is None:
        raise KisaError("there is no Library/Clip")
    count, filename = clip.findtext("Header/AlarmEvents"), clip.findtext("Header/Filename")
    if not filename:
        raise KisaError("Header/Filename is missing")
    alarms = tuple(_alarm(element) for element in clip.findall("Alarms/Alarm"))
    if count is None or not count.strip().isdigit() or int(count) != len(alarms):
        raise KisaError(f"{filename}: AlarmEvents says {count}, and there are {len(alarms)} alarms")
    return KisaAnswer(filename, alarms)


def write_answer(answer: KisaAnswer) -> str:
    root = ElementTree.Element("KisaLibraryIndex")
    clip = ElementTree.SubElement(ElementTree.SubElement(root, "Library"), "Clip")
    header = ElementTree.SubElement(clip, "Header")
    ElementTree.SubElement(header, "AlarmEvents").text = str(len(answer.alarms))
    ElementTree.SubElement(header, "Filename").text = answer.filename
    alarms = ElementTree.SubElement(clip, "Alarms")
    for alarm in answer.alarms:
        element = ElementTree.SubElement(alarms, "Alarm")
        ElementTree.SubElement(element, "StartTime").text = _clock(alarm.start_seconds)
        ElementTree.SubElement(element, "AlarmDescription").text = alarm.tag
        ElementTree.SubElement(element, "AlarmDuration").text = _clock(alarm.duration_seconds)
    return _text(root)


def _parsed(text: str, name: str) -> ElementTree.Element:
    if len(text) > MAX_BYTES or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise KisaError("too large, or with a document type, which these files never have")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise KisaError(f"not XML: {error}") from error
    if root.tag != name:
        raise KisaError(f"the file starts with {root.tag}, not {name}")
    return root


def _point(text: str | None, tag: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in (text or "").split(","))
    except ValueError as error:
        raise KisaError(f"zone {tag}: {text!r} is not a point x,y") from error
    if not (math.isfinite(x) and math.isfinite(y)):
        raise KisaError(f"zone {tag}: {text!r} is not a point x,y")
    return min(max(x / WIDTH, 0.0), 1.0), min(max(y / HEIGHT, 0.0), 1.0)


def _alarm(element: ElementTree.Element) -> KisaAlarm:
    tag = (element.findtext("AlarmDescription") or "").strip()
    if tag not in KIND and tag not in OTHER_TAGS:
        raise KisaError(f"unknown AlarmDescription {tag!r}")
    return KisaAlarm(tag, _seconds(element.findtext("StartTime")), _seconds(element.findtext("AlarmDuration")))


def _seconds(text: str | None) -> int:
    parts = (text or "").strip().split(":")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 3 for part in parts):
        raise KisaError(f"{text!r} is not a time HH:MM:SS")
    hours, minutes, seconds = (int(part) for part in parts)
    if minutes > 59 or seconds > 59:
        raise KisaError(f"{text!r} is not a time HH:MM:SS")
    return hours * 3600 + minutes * 60 + seconds


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _text(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
