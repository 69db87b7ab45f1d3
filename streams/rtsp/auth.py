"""Basic and Digest authentication of RTSP requests (RFC 2617, RFC 7616: MD5, SHA-256, their -sess forms)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

_PARAMETER = re.compile(r'(?<![a-zA-Z0-9_-])([a-zA-Z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
_SCHEME = re.compile(r"^\s*([A-Za-z]+)\s*")
_MAX_HEADER = 4096
_HASHES: dict[str, Callable[[bytes], str]] = {
    "sha-256": lambda data: hashlib.sha256(data).hexdigest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate header. `algorithm` is lower case without -sess; empty for Basic."""

    is_digest: bool
    realm: str
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = ""
    is_session: bool = False
    algorithm_as_sent: str | None = None
    has_qop: bool = False
    stale: bool = False


def parse_challenge(header: str) -> Challenge | None:
    """The challenge in `header`, None when nobody here can meet it."""
    scheme = _SCHEME.match(header)
    if scheme is None or len(header) > _MAX_HEADER:
        return None
    found = {
        match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        for match in _PARAMETER.finditer(header, scheme.end())
    }
    realm = found.get("realm", "")
    if scheme[1].lower() == "basic":
        return Challenge(False, realm)
    sent = found.get("algorithm")
    algorithm = (sent or "MD5").lower()
    is_session = algorithm.endswith("-sess")
    algorithm = algorithm.removesuffix("-sess")
    if scheme[1].lower() != "digest" or algorithm not in _HASHES or not found.get("nonce"):
        return None
    qop = [word.strip().lower() for word in found.get("qop", "").split(",") if word.strip()]
    if qop and "auth" not in qop:
        return None
    stale = found.get("stale", "").lower() == "true"
    return Challenge(True, realm, found["nonce"], found.get("opaque"), algorithm, is_session, sent, bool(qop), stale)


def strongest(headers: list[str]) -> Challenge | None:
    """The best challenge that can be met: SHA-256, then MD5, then Basic."""
    order = ("sha-256", "md5", "")
    challenges = [challenge for header in headers if (challenge := parse_challenge(header))]
    return min(challenges, key=lambda challenge: order.index(challenge.algorithm), default=None)


def secrets_of(username: str | None, password: str | None) -> tuple[str, ...]:
    """What must stand in no log: the password, as it is and as requests carry it. The longest first."""
    if not password:
        return ()
    pair = base64.b64encode(f"{username or ''}:{password}".encode()).decode("ascii")
    forms = {password, _quoted(password), repr(password)[1:-1], quote(password, safe=""), pair}
    return tuple(sorted(forms, key=len, reverse=True))


@dataclass(slots=True)
class Authenticator:
    """Answers challenges with one user name and password. `challenge` is the one in force."""

    username: str
    password: str = field(repr=False)
    challenge: Challenge | None = None
    _count: int = 0

    def accept(self, headers: list[str]) -> bool:
        """Take the WWW-Authenticate `headers` of a 401 answer: whether another try makes sense.

        A second 401 to the same nonce means that the credentials are wrong; a new nonce that is called stale, or
        that follows a success, does not.
        """
        challenge = strongest(headers)
        if challenge is None:
            return False
        self.challenge = challenge
        self._count = 0
        return True

    def header(self, method: str, uri: str) -> str | None:
        """Value of the Authorization header for a request, None while nobody asked for one."""
        challenge = self.challenge
        if challenge is None:
            return None
        if not challenge.is_digest:
            pair = f"{self.username}:{self.password}".encode()
            return "Basic " + base64.b64encode(pair).decode("ascii")
        return self._digest(challenge, method, uri)

    def _digest(self, challenge: Challenge, method: str, uri: str) -> str:
        hashed = _HASHES[challenge.algorithm]
        self._count += 1
        client_nonce, count = secrets.token_hex(8), f"{self._count:08x}"
        first = hashed(f"{self.username}:{challenge.realm}:{self.password}".encode())
        if challenge.is_session:
            first = hashed(f"{first}:{challenge.nonce}:{client_nonce}".encode())
        second = hashed(f"{method}:{uri}".encode())
        middle = f"{challenge.nonce}:{count}:{client_nonce}:auth" if challenge.has_qop else challenge.nonce
        response = hashed(f"{first}:{middle}:{second}".encode())
        parts = [
            f'username="{_quoted(self.username)}"',
            f'realm="{_quoted(challenge.realm)}"',
            f'nonce="{_quoted(challenge.nonce)}"',
            f'uri="{uri}"',
            f'response="{response}"',
        ]
        if challenge.algorithm_as_sent is not None:
            parts.append(f"algorithm={challenge.algorithm_as_sent}")
        if challenge.opaque is not None:
            parts.append(f'opaque="{_quoted(challenge.opaque)}"')
        if challenge.has_qop:
            parts += ["qop=auth", f"nc={count}", f'cnonce="{client_nonce}"']
        elif challenge.is_session:
            parts.append(f'cnonce="{client_nonce}"')
        return "Digest " + ", ".join(parts)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
