"""docs/design/data-path.md names files that are there."""

from __future__ import annotations

import re

from streams.analysis import REMEMBERED_SECONDS
from streams.event_intake import EventIntake
from streams.outbox import OutboxLimits
from streams.picture_process import PictureLimits
from tests.requirements import ROOT

TEXT = (ROOT / "docs/design/data-path.md").read_text(encoding="utf-8")


def test_every_file_it_names_is_in_the_tree() -> None:
    names = set(re.findall(r"`([a-z_/]+(?:\.py|/))`", TEXT))
    assert len(names) > 40
    assert not [name for name in names if not (ROOT / name).exists()]


def test_every_module_of_the_worker_is_named() -> None:
    own = {f"streams/{path.name}" for path in (ROOT / "streams").glob("*.py")}
    own -= {
        f"streams/{name}.py"
        for name in (
            "__init__",
            "errors",
            "disk",
            "probe",
            "process_log",
            "stream_status",
            "utc_clock",
            "worker_metrics",
        )
    }
    assert not [name for name in own if f"`{name}`" not in TEXT]


def test_the_bounds_it_states_are_those_of_the_code() -> None:
    link, outbox = PictureLimits(), OutboxLimits()
    assert f"{link.max_bytes >> 20} MiB, {link.max_seconds:.0f} seconds" in TEXT
    assert f"{outbox.max_pending:,} events, {outbox.max_snapshot_bytes >> 30} GiB" in TEXT
    assert f"{EventIntake.__init__.__defaults__[0]} events" in TEXT  # type: ignore[index]
    assert f"says nothing for {link.silent_seconds:.0f} s" in TEXT
    assert REMEMBERED_SECONDS["dumping"] > REMEMBERED_SECONDS["intrusion"]
