"""The short form of tests.benchmarks.relay: our relay and Janus under the same receivers, and nothing is lost."""

from __future__ import annotations

from tests.benchmarks.relay import options, run
from tests.requirements import need_program


async def test_our_relay_and_janus_are_measured_with_every_sequence_number_accounted_for() -> None:
    need_program("janus")
    small = ["--viewers", "3", "--runs", "1", "--seconds", "1", "--lines", "360", "--kilobits", "500"]
    chosen = options([*small, "--peers", "haechi", "janus"])
    result = await run(chosen)
    assert result["lost"] == 0, result
    assert result["haechi_least_pictures"] > 0.5, "every viewer got the pictures of the time"
    assert result["janus_least_pictures"] > 0, "Janus was fed and watched"
    assert result["janus_version"] != "not installed" and result["ratio_janus"] == result["ratio_janus_3"]
