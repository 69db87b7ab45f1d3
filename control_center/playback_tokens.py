"""Tokens that bind the pieces of a recording to the range that was opened, and so to its row of the ledger."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

TOKEN_SECONDS = 2 * 3600


class TokenRefused(Exception):
    """It is none of ours, not for this camera or sign-in, or too old."""


@dataclass(frozen=True, slots=True)
class OpenedRange:
    """What was opened: µs since 1970 UTC."""

    begin_us: int
    end_us: int


class PlaybackTokens:
    """Signed with a secret of this process: after a restart a range is opened anew. `clock` gives UTC seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._secret = secrets.token_bytes(32)
        self._clock = clock

    def give(self, camera_id: str, sign_in: str, opened: OpenedRange) -> str:
        """Letters, digits, dots and hyphens only. `sign_in` names the sign-in that it is for."""
        expires = int(self._clock()) + TOKEN_SECONDS
        text = f"{opened.begin_us}.{opened.end_us}.{expires}"
        return f"{text}.{self._sign(camera_id, sign_in, text)}"

    def read(self, camera_id: str, sign_in: str, token: str) -> OpenedRange:
        """Raises TokenRefused."""
        text, _, signature = token.rpartition(".")
        expected = self._sign(camera_id, sign_in, text)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise TokenRefused("this is not a token of an opened recording")
        begin_us, end_us, expires = map(int, text.split("."))
        if self._clock() >= expires:
            raise TokenRefused("the recording was opened too long ago; open it again")
        return OpenedRange(begin_us, end_us)

    def _sign(self, camera_id: str, sign_in: str, text: str) -> str:
        message = "\n".join((camera_id, sign_in, text)).encode(errors="replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
