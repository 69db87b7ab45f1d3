from __future__ import annotations

import pytest

from control_center.live import MAX_QUEUED, MAX_REMEMBERED, LiveNews
from control_center.reach import Audience


async def test_a_slow_listener_is_told_to_reload_and_harms_nobody() -> None:
    live = LiveNews()
    with live.listen("city") as slow, live.listen("city") as quick:
        texts = live.stream(slow, None)
        assert b'"resumed":false' in (await anext(texts) or b"")
        for n in range(MAX_QUEUED + 10):
            live.publish("status", str(n))
            assert [news.texts["city"] for news in await quick.take(1)] == [str(n)]
        assert await anext(texts) == b"event: reload\ndata: {}\n\n"
        rest = await anext(texts) or b""
        assert f"data: {MAX_QUEUED + 9}\n".encode() in rest
        assert b"data: 0\n" not in rest


async def test_what_was_missed_is_given_once_and_in_order() -> None:
    live = LiveNews()
    for n in range(5):
        live.publish("status", str(n))
    with live.listen("city") as listener:
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
    assert live.since(last and last.replace("RUN", live.run), "city") is None


def test_a_listener_that_missed_nothing_gets_nothing() -> None:
    live = LiveNews()
    live.publish("status", "0")
    assert live.since(f"{live.run}-1", "city") == []


def some_news() -> LiveNews:
    live = LiveNews()
    live.publish("status", "plain")
    live.publish("incident.updated", {"city": "all of it", "police": "their part"})
    live.publish("cameras.changed", {"fire": "{}"})
    return live


HEARD: dict[Audience, list[str]] = {
    "city": ["plain", "all of it"],
    "cameras": ["plain"],
    "police": ["their part"],
    "fire": ["{}"],
}


@pytest.mark.parametrize("audience", HEARD)
async def test_who_comes_back_gets_of_the_missed_news_only_what_is_for_them(audience: Audience) -> None:
    live = some_news()
    missed = live.since(f"{live.run}-0", audience)
    assert missed is not None
    assert [news.texts[audience] for news in missed] == HEARD[audience]
    with live.listen(audience) as listener:
        texts = live.stream(listener, f"{live.run}-0")
        told = [(await anext(texts) or b"").decode() for _ in range(1 + len(HEARD[audience]))]
    data = [line.removeprefix("data: ") for line in "".join(told).splitlines() if line.startswith("data: ")]
    assert data == ['{"resumed":true}', *HEARD[audience]]


@pytest.mark.parametrize("audience", HEARD)
async def test_a_listener_hears_only_what_is_for_them(audience: Audience) -> None:
    live = LiveNews()
    with live.listen(audience) as listener:
        for news in some_news()._remembered:
            live.publish(news.name, news.texts)
        assert [news.texts[audience] for news in await listener.take(1)] == HEARD[audience]


async def test_news_for_others_does_not_crowd_a_listener_out() -> None:
    live = LiveNews()
    with live.listen("police") as listener:
        live.publish("incident.updated", {"police": "theirs"})
        for n in range(MAX_QUEUED + 10):
            live.publish("status", str(n))
        assert [news.texts["police"] for news in await listener.take(1)] == ["theirs"]
        assert not listener.missed


async def test_listeners_end_when_the_center_does() -> None:
    live = LiveNews()
    with live.listen("city") as listener:
        texts = live.stream(listener, None)
        await anext(texts)
        live.close()
        with pytest.raises(StopAsyncIteration):
            await anext(texts)
    with live.listen("city") as late:
        texts = live.stream(late, None)
        await anext(texts)
        with pytest.raises(StopAsyncIteration):
            await anext(texts)
    assert len(live) == 0
