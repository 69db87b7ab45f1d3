"""How often a password may be tried."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable


def address_key(address: str) -> str:
    """Who counts as one: an IPv4 address, or an IPv6 network of 64 bits, which a single machine has all of."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


class SignInLimit:
    """Counts failed tries per key (an address, an account name) in a leaky bucket.

    `burst` tries are free, then one each `seconds_each`. Keys are bounded: the one unused longest is forgotten.
    """

    def __init__(
        self,
        burst: int,
        seconds_each: float,
        max_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._seconds_each = seconds_each
        self._max_keys = max_keys
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, key: str) -> int:
        """0 when a try is allowed now, else the seconds until one is."""
        over = self._level(key) - (self._burst - 1)
        return 0 if over <= 0 else math.ceil(over * self._seconds_each)

    def count(self, key: str) -> None:
        """A try that is about to be checked; `forget` it when it succeeds."""
        self._levels[key] = (self._level(key) + 1.0, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > self._max_keys:
            self._levels.popitem(last=False)

    def forget(self, key: str) -> None:
        self._levels.pop(key, None)

    def _level(self, key: str) -> float:
        level, at = self._levels.get(key, (0.0, self._clock()))
        return max(0.0, level - (self._clock() - at) / self._seconds_each)
