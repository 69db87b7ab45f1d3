"""The cameras of the Korean National Transport Information Center (its.go.kr, open API `cctvInfo`) as register entries.

Read from the answer as it was saved, JSON or XML (`getType`). Its fields: https://its.go.kr/opendata, service CCTV.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from pydantic import ValidationError

from config.load import SettingsError
from config.settings import Camera, Category

MAX_BYTES = 64 * 1024 * 1024
_LIVE_TYPES = {"1": "HLS", "4": "HLS over HTTPS"}
_OTHER_TYPES = {"2": "a video file", "3": "a still picture", "5": "a video file"}
_MARKUP = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ItsList:
    """`left_out` says which entries are no cameras for Haechi and why, one a line."""

    cameras: tuple[Camera, ...]
    left_out: tuple[str, ...]


def read_its(content: bytes, source: str, *, purpose: str, category: Category = "traffic", record: bool) -> ItsList:
    """Entries of live HLS feeds; an entry that cannot be used harms no other. `source` names the text in faults.

    An id is made of name and place, as the feed's address changes. Raises SettingsError.
    """
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{source}: is larger than {MAX_BYTES >> 20} MiB; ask for a smaller area")
    entries = _json_entries(content, source) if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else None
    found: dict[str, Camera] = {}
    left_out: list[str] = []
    for number, entry in enumerate(_xml_entries(content, source) if entries is None else entries, 1):
        name = _text(entry, "cctvname").strip(" ;")
        told = f"entry {number} ({name[:60] or 'without a name'})"
        if (why := _why_not(entry)) is not None:
            left_out.append(f"{told}: {why}")
            continue
        try:
            camera = _camera(entry, name, purpose, category, record)
        except (ValidationError, ValueError) as error:
            left_out.append(f"{told}: {_fault(error)}")
            continue
        if camera.id in found:
            left_out.append(f"{told}: the same name at the same place stands there already")
        else:
            found[camera.id] = camera
    if not found and not left_out:
        raise SettingsError(f"{source}: names no camera; check key, area and type of the request")
    return ItsList(tuple(found.values()), tuple(left_out))


def merged(camera: Camera, registered: Camera | None) -> Camera:
    """As it is to stand in the register: one that is there keeps all but its name, place and address."""
    if registered is None:
        return camera
    return registered.model_copy(update={"name": camera.name, "position": camera.position, "main": camera.main})


def _json_entries(content: bytes, source: str) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{source}: is not JSON ({type(error).__name__}); save the answer as it came") from error
    answer = document.get("response", document) if isinstance(document, dict) else None
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(data, dict):
        data = [data]  # one camera comes without a list
    if not isinstance(data, list):
        raise SettingsError(
            f"{source}: has no `response.data`{_said(document)}; save the answer of cctvInfo as it came"
        )
    return [entry if isinstance(entry, dict) else {} for entry in data]


def _xml_entries(content: bytes, source: str) -> list[Mapping[str, Any]]:
    if _MARKUP.search(content):
        raise SettingsError(f"{source}: holds a DOCTYPE or ENTITY, which the answer of cctvInfo does not")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SettingsError(f"{source}: is neither JSON nor XML; save the answer of cctvInfo as it came") from error
    entries = list(root.iter("data"))
    if not entries:
        code = root.findtext(".//resultMsg") or root.findtext(".//returnAuthMsg") or ""
        said = f" (it says {code[:80]!r})" if code else ""
        raise SettingsError(f"{source}: has no `data`{said}; save the answer of cctvInfo as it came")
    return [{child.tag: child.text or "" for child in entry} for entry in entries]


def _said(document: object) -> str:
    """What the center said instead, such as that a key is wrong."""
    header = document.get("header", document) if isinstance(document, dict) else None
    message = header.get("resultMsg") if isinstance(header, dict) else None
    return f" (it says {str(message)[:80]!r})" if message else ""


def _why_not(entry: Mapping[str, Any]) -> str | None:
    kind, form = _text(entry, "cctvtype"), _text(entry, "cctvformat").upper()
    if kind in _OTHER_TYPES:
        return f"is {_OTHER_TYPES[kind]}, not live; ask for cctvType 1 or 4"
    if kind and kind not in _LIVE_TYPES:
        return f"is of the type {kind[:20]}, which is not known"
    return None if form in {"", "HLS"} else f"comes as {form[:20]}, not as HLS"


def _camera(entry: Mapping[str, Any], name: str, purpose: str, category: Category, record: bool) -> Camera:
    """Raises ValidationError, ValueError."""
    place = {"longitude": _degrees(entry, "coordx"), "latitude": _degrees(entry, "coordy")}
    stands = f"{name}|{place['longitude']:.5f}|{place['latitude']:.5f}"
    return Camera.model_validate(
        {
            "id": f"its-{hashlib.sha256(stands.encode(errors='replace')).hexdigest()[:12]}",
            "name": name[:120],
            "purpose": purpose,
            "category": category,
            "position": place,
            "main": _text(entry, "cctvurl"),
            "record": record,
        }
    )


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _degrees(entry: Mapping[str, Any], name: str) -> float:
    try:
        return float(_text(entry, name).strip(" ;"))
    except ValueError as error:
        raise ValueError(f"{name}: must be a number of degrees") from error


def _fault(error: ValidationError | ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False, include_input=False)[0]
    field = {"main": "cctvurl", "name": "cctvname"}.get(str(fault["loc"][0]), str(fault["loc"][-1]))
    return f"{field}: {fault['msg'].removeprefix('Value error, ')}"
