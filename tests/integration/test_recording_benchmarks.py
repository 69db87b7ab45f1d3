"""The short forms of the recorder's benchmarks: what they check. What they measure needs the long forms."""

from __future__ import annotations

import pytest

from tests.benchmarks import record, recording_kills
from tests.requirements import need_program

pytestmark = pytest.mark.no_rerun


async def test_kill_9_three_times_while_many_cameras_record() -> None:
    measured = await recording_kills.run(kills=3, cameras=8)
    assert measured["recovered"] >= 1
    # What may be lost on any machine is the fragment of a second that was not whole; `max_lost_seconds`, at most 2 s
    # with a free disk, is the long form's to judge.
    assert 0 <= measured["max_lost_of_settled_seconds"] <= 1.2


@pytest.mark.timeout(300)
def test_haechi_and_ffmpeg_record_the_same_pictures() -> None:
    need_program("ffmpeg")
    measured = record.run(cameras=2, seconds=3, runs=1, pacing="paced", segment_seconds=4)
    assert measured["faulty_files"] == 0
    assert measured["lost_seconds"] == 0
    assert all(count > 30 for counts in measured["pictures_checked"].values() for count in counts)
    assert (
        measured["cpu_percent"]["haechi"] > 0
    )  # a ratio of so few seconds says nothing: ffmpeg's are counted in 10 ms
