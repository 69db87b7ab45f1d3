"""Digest (RFC 2617, RFC 7616) and Basic passwords, the server's side."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable

from streams.virtual.settings import Mount

_REALM = "Virtual camera"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def challenge(mount: Mount, nonce: str) -> str:
    """The WWW-Authenticate value for `mount`."""
    if mount.authentication == "basic":
        return f'Basic realm="{_REALM}"'
    algorithm = "SHA-256" if mount.authentication == "digest-sha256" else "MD5"
    return f'Digest realm="{_REALM}", nonce="{nonce}", algorithm={algorithm}'


def is_authorized(mount: Mount, authorization: str, method: str, nonce: str) -> bool:
    """Whether the Authorization header holds the mount's user name and password, for this nonce."""
    if mount.username is None:
        return True
    scheme, _, value = authorization.partition(" ")
    if mount.authentication == "basic":
        return scheme.lower() == "basic" and _basic_matches(mount, value)
    return scheme.lower() == "digest" and _digest_matches(mount, value, method, nonce)


def _basic_matches(mount: Mount, value: str) -> bool:
    expected = f"{mount.username}:{mount.password.get_secret_value()}".encode()
    try:
        return hmac.compare_digest(b64decode(value, validate=True), expected)
    except Base64Error:
        return False


def _digest_matches(mount: Mount, value: str, method: str, nonce: str) -> bool:
    fields = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(value)}
    if fields.get("nonce") != nonce or fields.get("username") != mount.username:
        return False
    digest: Callable[[bytes], hashlib._Hash] = (
        hashlib.sha256 if mount.authentication == "digest-sha256" else hashlib.md5
    )

    def hashed(*parts: str) -> str:
        return digest(":".join(parts).encode()).hexdigest()

    secret = hashed(mount.username or "", _REALM, mount.password.get_secret_value())
    request = hashed(method, fields.get("uri", ""))
    middle = (nonce,)
    if fields.get("qop"):
        middle = (nonce, fields.get("nc", ""), fields.get("cnonce", ""), fields["qop"])  # type: ignore[assignment]
    return hmac.compare_digest(hashed(secret, *middle, request), fields.get("response", ""))
