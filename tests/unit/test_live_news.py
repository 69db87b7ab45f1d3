from __future__ import annotations

import pytest

from control_center.live import MAX_QUEUED, MAX_REMEMBERED, LiveNews


async def test_a_slow_listener_is_told_to_reload_and_harms_nobody() -> None:
    live = LiveNews()
    with live.listen() as slow, live.listen() as quick:
        texts = live.stream(slow, None)
        assert b'"resumed":false' in (await anext(texts) or b"")
        for n in range(MAX_QUEUED + 10):
            live.publish("status", str(n))
            assert [news.data for news in await quick.take(1)] == [str(n)]
        assert await anext(texts) == b"event: reload\ndata: {}\n\n"
        rest = await anext(texts) or b""
        assert f"data: {MAX_QUEUED + 9}\n".encode() in rest
        assert b"data: 0\n" not in rest


async def test_what_was_missed_is_given_once_and_in_order() -> None:
    live = LiveNews()
    for n in range(5):
        live.publish("status", str(n))
    with live.listen() as listener:
        live.publish("status", "5")  # between the connection and its first byte
        texts = live.stream(listener, f"{live.run}-3")
        assert b'"resumed":true' in (await anext(texts) or b"")
        assert [await anext(texts) for _ in range(3)] == [
            f"event: status\ndata: {n}\nid: {live.run}-{n + 1}\n\n".encode() for n in (3, 4, 5)
        ]
        live.publish("status", "6")
        assert b"data: 6\n" in (await anext(texts) or b"")


@pytest.mark.parametrize("last", [None, "", "nonsense", "other-1", "RUN-99999", "RUN-x", "RUN-1"])
def test_when_it_cannot_be_told_what_was_missed_everything_is_fetched_anew(last: str | None) -> None:
    live = LiveNews()
    for n in range(MAX_REMEMBERED + 5):
        live.publish("status", str(n))
    assert live.since(last and last.replace("RUN", live.run)) is None


def test_a_listener_that_missed_nothing_gets_nothing() -> None:
    live = LiveNews()
    live.publish("status", "0")
    assert live.since(f"{live.run}-1") == []


async def test_listeners_end_when_the_center_does() -> None:
    live = LiveNews()
    with live.listen() as listener:
        texts = live.stream(listener, None)
        await anext(texts)
        live.close()
        with pytest.raises(StopAsyncIteration):
            await anext(texts)
    with live.listen() as late:
        texts = live.stream(late, None)
        await anext(texts)
        with pytest.raises(StopAsyncIteration):
            await anext(texts)
    assert len(live) == 0
