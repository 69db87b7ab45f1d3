"""TURN servers for the browsers, with user names that expire (draft-uberti-behave-turn-rest; coturn: use-auth-secret).

The user name is the second of its end and a random word, so that a TURN server's log tells nothing of people; the
password is the HMAC of it under the secret that the TURN server shares.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

from config.load import turn_secret
from config.settings import TurnSettings


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server the browsers are told of."""

    url: str
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    def link(self) -> str:
        """As an HTTP Link (RFC 9725, 4.6)."""
        parts = [f'<{self.url}>; rel="ice-server"']
        if self.username is not None and self.credential is not None:
            parts += [f'username="{self.username}"', f'credential="{self.credential}"', 'credential-type="password"']
        return "; ".join(parts)


class IceServers:
    """Issues credentials. Without URLs in the settings there are none. Raises SettingsError: no secret."""

    def __init__(self, settings: TurnSettings) -> None:
        self._urls = settings.urls
        self._secret = turn_secret(settings) if settings.urls else ""
        self.lasts_seconds = settings.credential_seconds

    def issue(self) -> tuple[IceServer, ...]:
        """Each server with the same new user name, good for `lasts_seconds`."""
        username = f"{int(time.time()) + self.lasts_seconds}:{secrets.token_hex(6)}"
        digest = hmac.new(self._secret.encode(), username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(digest).decode()
        return tuple(IceServer(url, username, credential) for url in self._urls)
