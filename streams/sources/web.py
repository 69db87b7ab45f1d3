"""Bounded downloads over HTTP, and what went wrong with them in words."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from threading import Event
from urllib.parse import urljoin, urlsplit

import httpx

from streams.errors import BadAnswer, ConnectFailed, NoAnswer, RequestRefused, StreamError, WrongCredentials

_MAX_REDIRECTS = 3
_PIECE_BYTES = 256 * 1024
_MOST_SECONDS = 30.0


class Closed(Exception):
    """The source was closed meanwhile."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` is where it was found after redirects."""

    url: str
    content: bytes


class Web:
    """Fetches for one source. User name and password (Basic) go to the host of `url` alone, and never back to plain
    HTTP from HTTPS. Link-local addresses, where clouds keep their keys, are refused whoever names them.
    """

    def __init__(
        self, url: str, username: str | None, password: str | None, answer_seconds: float, closing: Event
    ) -> None:
        self._origin = _origin(url)
        self._credentials = None if username is None else httpx.BasicAuth(username, password or "")
        self._closing = closing
        self._answer_seconds = answer_seconds
        self._client = httpx.Client(
            timeout=answer_seconds,
            verify=ssl.create_default_context(),
            trust_env=False,
            headers={"User-Agent": "Haechi", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        self._client.close()

    def fetch(self, url: str, max_bytes: int) -> Fetched:
        """The content at `url`, redirects followed. Raises StreamError, Closed."""
        for _ in range(_MAX_REDIRECTS + 1):
            where = _checked(url)
            try:
                with self._client.stream("GET", url, auth=self._authorized(url)) as answer:
                    if not answer.has_redirect_location:
                        return Fetched(url, self._content(answer, where, max_bytes))
                    target = urljoin(url, answer.headers["location"])
            except httpx.TimeoutException:
                raise NoAnswer(
                    f"{where} does not answer within {self._answer_seconds:g} s; check address and network"
                ) from None
            except httpx.TransportError as error:
                raise ConnectFailed(_why_not_connected(error, where)) from error
            except (httpx.InvalidURL, ValueError):
                raise ConnectFailed("this is no web address; it must look like https://host/playlist.m3u8") from None
            if url.startswith("https:") and not target.startswith("https:"):
                raise ConnectFailed(f"{where} leads from HTTPS to an address without it; ask for its HTTPS address")
            url = target
        raise BadAnswer(f"the address redirects more than {_MAX_REDIRECTS} times")

    def _authorized(self, url: str) -> httpx.Auth | None:
        return self._credentials if _origin(url) == self._origin else None

    def _content(self, answer: httpx.Response, where: str, max_bytes: int) -> bytes:
        if answer.status_code != 200:
            raise _refusal(answer.status_code, where, self._credentials is not None)
        content = bytearray()
        until = time.monotonic() + _MOST_SECONDS
        for piece in answer.iter_raw(_PIECE_BYTES):
            content += piece
            if self._closing.is_set():
                raise Closed
            if len(content) > max_bytes:
                raise BadAnswer(f"{where} sends more than {max_bytes >> 20} MiB at once; use its HLS or RTSP address")
            if time.monotonic() > until:
                raise NoAnswer(f"{where} sends too slowly; check the network")
        return bytes(content)


def _origin(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    return scheme.lower(), rest.partition("/")[0].rpartition("@")[2].lower()


def _checked(url: str) -> str:
    """host:port of `url`, to be shown. Raises ConnectFailed for what must not be asked."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port, parts = None, 0, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConnectFailed("it leads to an address that is neither http:// nor https://")
    where = f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConnectFailed(f"the name in {where} is not known; check the host of the URL") from None
    if any(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_link_local for entry in found):
        raise ConnectFailed(f"{where} is a link-local address, which no camera has; check the host of the URL")
    return where


def _refusal(status: int, where: str, has_credentials: bool) -> StreamError:
    said = f"{where} answered {status}"
    if status == 401:
        mend = "wrong user name or password" if has_credentials else "it wants a user name and password"
        return WrongCredentials(f"{said}: {mend}", status)
    mend = {
        403: "it refuses this address; a key in the URL may have run out",
        404: "there is nothing at this path; check the URL, ITS addresses change from time to time",
        410: "the address has run out; fetch a new one",
    }.get(status, "")
    return RequestRefused(f"{said}: {mend}" if mend else said, status)


def _why_not_connected(error: httpx.TransportError, where: str) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.partition("failed: ")[2].partition(" (_ssl")[0] or "it is not trusted"
        return f"the HTTPS certificate of {where} cannot be trusted: {why}; mend it there, or trust its issuer here"
    if "SSL" in text:
        return f"TLS with {where} failed; check whether the address is http:// instead of https://"
    if "refused" in text:
        return f"connection refused at {where}; check the port and that the server runs"
    return f"the connection to {where} failed ({type(error).__name__}); check the network"
