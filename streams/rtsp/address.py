"""RTSP URLs: where to connect, what to ask for, and how control attributes become URLs (RFC 2326, C.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from streams.errors import BadAnswer, ConnectFailed, redact

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True)
class Address:
    """`uri` is the URL without user name and password, as it stands in requests."""

    host: str
    port: int
    uri: str
    is_tls: bool


def parse_address(url: str) -> Address:
    """Raises ConnectFailed for what is no RTSP URL."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme.lower() not in _DEFAULT_PORTS or not host or any(c.isspace() for c in url.strip()):
        raise ConnectFailed("this is no RTSP address; it must look like rtsp://host[:port]/path")
    scheme = parts.scheme.lower()
    shown_host = f"[{host}]" if ":" in host else host
    netloc = shown_host if port is None else f"{shown_host}:{port}"
    uri = urlunsplit((scheme, netloc, parts.path, parts.query, ""))
    return Address(host, port or _DEFAULT_PORTS[scheme], uri, scheme == "rtsps")


def is_rtsp(url: str) -> bool:
    """By its scheme alone."""
    return url.strip().partition("://")[0].lower() in _DEFAULT_PORTS


def credentials_in(url: str) -> tuple[str | None, str | None]:
    """User name and password that stand in `url`, decoded."""
    try:
        parts = urlsplit(url.strip())
        return (
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )
    except ValueError:
        return None, None


def is_same_place(url: str, original: str) -> bool:
    """Whether what may be sent to `original` may be sent to `url` too: the same host, and not less secret."""
    try:
        target, first = parse_address(url), parse_address(original)
    except ConnectFailed:
        return False
    return target.host == first.host and (target.is_tls or not first.is_tls)


def without_credentials(url: str) -> str:
    """`url` as it may be sent and shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return redact(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def control_urls(base: str, request_uri: str, control: str | None) -> list[str]:
    """URLs to try for `control`, the likeliest first.

    `base` is Content-Base, Content-Location or the request's URL. A relative control is appended, which is what
    cameras expect (they are tested with live555 and FFmpeg), even behind a query; then resolved as the standard
    says; then tried on the request's own URL, for cameras whose Content-Base is wrong. Raises BadAnswer.
    """
    try:
        return list(dict.fromkeys(_control_urls(base, request_uri, control)))
    except ValueError as error:
        said = repr(redact(control or "")[:60])
        raise BadAnswer(f"camera's description names the control URL {said}", said=said) from error


def _control_urls(base: str, request_uri: str, control: str | None) -> tuple[str, ...]:
    if not control or control == "*":
        return base, request_uri
    if "://" in control:
        return (without_credentials(control),)
    if control.startswith("/"):
        return urljoin(base, control), _appended(base, control), urljoin(request_uri, control)
    return _appended(base, control), urljoin(base, control), _appended(request_uri, control)


def _appended(base: str, control: str) -> str:
    return base.rstrip("/") + "/" + control.lstrip("/")
