"""Digest and Basic, by the examples of the standards."""

from __future__ import annotations

import secrets

import pytest

from streams.rtsp.auth import Authenticator, parse_challenge, strongest

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_come_out(algorithm: str, response: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda size: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    authenticator = Authenticator("Mufasa", "Circle of Life")
    assert authenticator.accept([RFC_7616.format(algorithm=algorithm)])
    header = authenticator.header("GET", "/dir/index.html")
    assert header is not None
    assert f'response="{response}"' in header
    assert "nc=00000001" in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header


def test_digest_without_qop_is_that_of_rfc_2069() -> None:
    """The example of RFC 2069 as corrected by its errata."""
    authenticator = Authenticator("Mufasa", "CircleOfLife")
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"'
    assert authenticator.accept([challenge])
    header = authenticator.header("GET", "/dir/index.html") or ""
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in header
    assert "cnonce" not in header


def test_basic_is_base64() -> None:
    authenticator = Authenticator("Aladdin", "open sesame")
    assert authenticator.accept(['Basic realm="WallyWorld"'])
    assert authenticator.header("DESCRIBE", "rtsp://x/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_nothing_is_sent_before_a_challenge() -> None:
    assert Authenticator("user", "secret").header("DESCRIBE", "rtsp://x/") is None


def test_the_strongest_challenge_wins() -> None:
    offered = ['Basic realm="a"', 'Digest realm="b", nonce="1"', 'Digest realm="c", nonce="2", algorithm="SHA-256"']
    found = strongest(offered)
    assert found is not None
    assert (found.realm, found.algorithm) == ("c", "sha-256")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Negotiate",
        'Digest realm="no nonce"',
        'Digest nonce="1", algorithm=SHA-512',
        'Digest nonce="1", qop="auth-int"',
    ],
)
def test_challenges_that_cannot_be_met_are_left(header: str) -> None:
    assert parse_challenge(header) is None
    assert not Authenticator("user", "secret").accept([header])


def test_careless_challenges_are_understood() -> None:
    found = parse_challenge('digest  realm=camera , nonce = "ab\\"c" ,stale=TRUE,qop=auth')
    assert found is not None
    assert (found.realm, found.nonce, found.stale, found.has_qop) == ("camera", 'ab"c', True, True)


def test_the_password_is_not_in_the_representation() -> None:
    assert "hunter2" not in repr(Authenticator("user", "hunter2"))
