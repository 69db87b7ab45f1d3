"""The short form of tests.benchmarks.slow_viewers: what viewers in trouble cost the others, which is nothing."""

from __future__ import annotations

from tests.benchmarks.slow_viewers import run
from tests.requirements import need_program


async def test_a_thin_way_a_stopped_viewer_and_one_over_tcp_cost_the_others_no_packet() -> None:
    need_program("turnserver")
    result = await run(viewers=12, seconds=2, settle_seconds=1, lines=360)
    assert (result["lost"], result["others_drops"], result["others_skipped_units"]) == (0, 0, 0), result
    assert result["thin_path_dropped_datagrams"] > 0, "the thin way was too thin"
    assert result["turn_units"] > 0 and not result["turn_was_ended"], "TURN over TCP carried pictures"
    assert result["least_pictures_during"] > 10
