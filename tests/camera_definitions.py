"""Any camera that the settings take, for hypothesis."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from config.settings import Camera, Category, RecordingMode, Severity, Transport, Weekday

_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"])
_IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,30}", fullmatch=True)
_FRACTIONS = st.floats(0, 1)
_SECONDS = st.floats(0, 1e6, exclude_min=True)
# A host and a path as they are typed; what urlsplit makes of others is not this test's matter.
_URLS = st.builds(
    "rtsp{}://{}{}/{}".format,
    st.sampled_from(["", "s"]),
    st.sampled_from(["192.0.2.7", "cam-1.example", "[2001:db8::7]"]),
    st.sampled_from(["", ":8554"]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters=" "), max_size=20),
)


def _labels(most: int) -> st.SearchStrategy[str]:
    return st.text(_CHARACTERS, min_size=1, max_size=most).filter(lambda text: bool(text.strip()))


def _rule(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    severity = st.sampled_from(get_args(Severity))
    return st.fixed_dictionaries({"kind": st.just(kind)}, optional={"severity": severity, **fields})


_RULES = st.one_of(
    _rule("intrusion", confirm_seconds=st.floats(0, 10)),
    _rule("loitering", dwell_seconds=_SECONDS),
    _rule("dumping", owner_gone_seconds=_SECONDS),
    _rule("parking", dwell_seconds=_SECONDS),
    _rule("fire", confirm_seconds=_SECONDS),
)
_ZONES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": _IDS, "rules": st.lists(_RULES, max_size=3)},
    optional={"polygon": st.lists(st.tuples(_FRACTIONS, _FRACTIONS), min_size=3, max_size=6)},
)
_POSITIONS = st.fixed_dictionaries({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)})
_TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)) | st.just("24:00")
_MODES = st.sampled_from(get_args(RecordingMode))
_HOURS = st.fixed_dictionaries(
    {"start": _TIMES, "end": _TIMES, "mode": _MODES},
    optional={"days": st.lists(st.sampled_from(get_args(Weekday)), min_size=1, max_size=3)},
)
_RECORDINGS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "mode": _MODES,
        "hours": st.lists(_HOURS, max_size=2),
        "pre_event_seconds": st.floats(0, 60),
        "post_event_seconds": st.floats(1, 3600),
        "keep_days": st.floats(0, 36_500, exclude_min=True) | st.none(),
        "keep_bytes": st.integers(1_000_000, 1 << 50) | st.none(),
    },
)


def cameras() -> st.SearchStrategy[Camera]:
    """One camera; its password is absent, empty or anything that stands on one line."""
    return st.fixed_dictionaries(
        {"id": _IDS, "name": _labels(120), "purpose": _labels(200), "main": _URLS},
        optional={
            "category": st.sampled_from(get_args(Category)),
            "position": _POSITIONS | st.none(),
            "sub": _URLS | st.none(),
            "username": st.text(_CHARACTERS, max_size=20) | st.none(),
            "password": st.text(_CHARACTERS, max_size=20) | st.none(),
            "transport": st.sampled_from(get_args(Transport)),
            "record": st.booleans(),
            "enabled": st.booleans(),
            "recording": _RECORDINGS,
            "zones": st.lists(_ZONES, max_size=3, unique_by=lambda zone: zone["name"]),
        },
    ).map(Camera.model_validate)


def camera_lists() -> st.SearchStrategy[list[Camera]]:
    """Cameras with ids of their own."""
    return st.lists(cameras(), max_size=4, unique_by=lambda camera: camera.id)
