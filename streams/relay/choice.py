"""Which stream of a camera a viewer gets: what it wished for, or the other one where a browser cannot have that.

The table of what happens to which stream is in docs/design/relay.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from config.settings import StreamName
from streams.gop_buffer import GopBuffer
from streams.relay.errors import NoInstantRefresh, NoPictureYet, RelayError, UnknownCamera
from streams.relay.feed import Feed
from streams.relay.start import plan_start, refuse_unless_relayable

StreamKey = tuple[str, StreamName]
StreamWish = Literal["main", "sub", "auto"]
"""What a viewer asks for; `auto` is the main stream as long as its way carries it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`feed` is what the viewer gets, beginning with the kept GOP of `starter` where there is one.

    `start` says how its picture begins: `cached-gop`, `next-key-frame`, or with another stream than asked for:
    `sub-stream`, `main-stream`. `why` says what kept it from what it asked for: the kind of a RelayError, or "".
    """

    stream: StreamName
    feed: Feed
    starter: Feed
    start: str
    why: str = ""


class Streams:
    """The streams of a relay and their feeds. Of a camera that has one stream only, that one serves for both.

    `reason_of` tells what is wrong with a stream that sends nothing.
    """

    def __init__(
        self,
        streams: Mapping[StreamKey, GopBuffer],
        max_burst_bytes: int,
        on_refusal: Callable[[Feed], None],
        reason_of: Callable[[StreamKey], str] = lambda key: "",
    ) -> None:
        self._streams = streams
        self._reason_of = reason_of
        self._max_burst_bytes = max_burst_bytes
        self._on_refusal = on_refusal
        self._feeds: dict[StreamKey, Feed] = {}
        self._keyless: set[StreamKey] = set()

    def choose(self, camera_id: str, wish: StreamWish) -> Choice:
        """Raises a RelayError that says why there is no picture."""
        names: tuple[StreamName, ...] = ("sub", "main") if wish == "sub" else ("main", "sub")
        keys = [(camera_id, name) for name in names if self._is_there((camera_id, name))]
        if not keys:
            raise UnknownCamera(f"this worker has no camera {camera_id[:64]!r}")
        refusals = {key: refusal for key in keys if (refusal := self._refusal(key)) is not None}
        fit = [key for key in keys if key not in refusals]
        if not fit:
            raise _most_hopeful(list(refusals.values()))
        wanted = keys[0]
        refusal = refusals.get(wanted)
        if refusal is not None and not isinstance(refusal, NoPictureYet):
            wanted = fit[0]
        starter = next((key for key in fit if self._plan(key)), wanted if wanted in fit else fit[0])
        return Choice(
            wanted[1],
            self._feed(wanted),
            self._feed(starter),
            self._start_word(keys[0], starter),
            refusal.kind if refusal is not None else "",
        )

    def feed_of(self, camera_id: str, name: StreamName) -> Feed | None:
        """The feed of a stream, None without it."""
        return self._feed((camera_id, name)) if self._is_there((camera_id, name)) else None

    def remember_keyless(self, feed: Feed) -> None:
        """A viewer waited for a key frame of it in vain."""
        self._keyless |= {key for key, other in self._feeds.items() if other is feed}

    def sweep(self) -> None:
        """Forget feeds whose stream has gone."""
        for key in [key for key, feed in self._feeds.items() if key not in self._streams and not feed.viewers]:
            del self._feeds[key]

    def _is_there(self, key: StreamKey) -> bool:
        return key in self._streams and not self._streams[key].closed

    def _refusal(self, key: StreamKey) -> RelayError | None:
        name, buffer = f"{key[0]}/{key[1]}", self._streams[key]
        try:
            refuse_unless_relayable(name, buffer)
            if key in self._keyless and buffer.last_key_index is None:
                raise NoInstantRefresh(f"{name} sends no key frames that fit the ring; lower its key frame interval")
        except NoPictureYet as refusal:
            reason = self._reason_of(key)
            return NoPictureYet(f"{refusal.detail}: {reason}") if reason else refusal
        except RelayError as refusal:
            return refusal
        self._keyless.discard(key)
        return None

    def _plan(self, key: StreamKey) -> bool:
        return bool(plan_start(self._streams[key], self._max_burst_bytes))

    def _start_word(self, asked: StreamKey, starter: StreamKey) -> str:
        if starter != asked:
            return f"{starter[1]}-stream"
        return "cached-gop" if self._plan(asked) else "next-key-frame"

    def _feed(self, key: StreamKey) -> Feed:
        feed, buffer = self._feeds.get(key), self._streams[key]
        if feed is None or feed.buffer is not buffer:
            name = f"{key[0]}/{key[1]}"
            feed = self._feeds[key] = Feed(name, buffer, self._max_burst_bytes, self._on_refusal)
        return feed


def _most_hopeful(refusals: list[RelayError]) -> RelayError:
    """What may pass by itself is worth asking again for; it tells of the other stream, too."""
    kind = next((type(one) for one in refusals if isinstance(one, NoPictureYet)), type(refusals[0]))
    return kind("; ".join(one.detail for one in refusals))
