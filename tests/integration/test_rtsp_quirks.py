"""The RTSP client against cameras that do not do as the standard says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.settings import Camera
from streams.access_unit import AccessUnit
from streams.connect_budget import ConnectBudget
from streams.errors import (
    BadAnswer,
    ConnectFailed,
    Disconnected,
    NoAnswer,
    RequestRefused,
    StreamError,
    WrongCredentials,
)
from streams.rtsp.client import RtspSession, SessionOptions
from streams.rtsp.message import Message
from streams.stream import Stream, StreamTimes
from tests.fakes.quirky_camera import QuirkyCamera, Request, with_body

OPTIONS = SessionOptions(username="viewer", password="hunter2-secret", answer_seconds=3)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def play(camera: QuirkyCamera, options: SessionOptions = OPTIONS, url: str = "") -> list[AccessUnit]:
    """Open, wait for some pictures, close."""
    units: list[AccessUnit] = []
    session = RtspSession(url or camera.url, options, units.append)
    await session.open()
    try:
        await until(lambda: len(units) > 4)
    finally:
        await session.close()
    return units


async def refusal(camera: QuirkyCamera, options: SessionOptions = OPTIONS) -> StreamError:
    with pytest.raises(StreamError) as raised:
        await play(camera, options)
    assert "hunter2-secret" not in str(raised.value)
    return raised.value


def digest(nonce: str, stale: bool = False) -> str:
    tail = ", stale=true" if stale else ""
    return f'401 Unauthorized\r\nWWW-Authenticate: Digest realm="camera", nonce="{nonce}"{tail}\r\n\r\n'


@pytest.mark.parametrize("swept", [True, False])
async def test_a_session_plays_and_is_torn_down(swept: bool) -> None:
    async with QuirkyCamera() as camera:
        units = await play(camera, SessionOptions(swept=swept, run=3))
        assert units[0].is_key and {unit.run for unit in units} == {3}
        assert [request.method for request in camera.requests] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
        assert camera.asked("SETUP")[0].uri == camera.url + "/trackID=1"
        assert camera.asked("TEARDOWN")[0].headers["session"] == "42"
        await until(lambda: camera.open_connections == 0)


async def test_a_stale_nonce_is_renewed_for_every_request() -> None:
    count = 0

    def answer(request: Request) -> str:
        nonlocal count
        count += 1
        authorization = request.headers.get("authorization", "")
        if count % 2:
            return digest(f"nonce{count}", stale=bool(authorization))
        assert f'nonce="nonce{count - 1}"' in authorization
        assert f'uri="{request.uri}"' in authorization
        return camera.default(request)

    async with QuirkyCamera() as camera:
        camera.answers = dict.fromkeys(("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"), answer)
        assert await play(camera)
        assert len(camera.asked("DESCRIBE")) == 2
        assert "hunter2-secret" not in str(camera.requests)


async def test_a_password_refused_is_not_tried_again_and_again() -> None:
    async with QuirkyCamera(answers={"DESCRIBE": lambda request: digest(f"n{id(request)}")}) as camera:
        error = await refusal(camera)
        assert isinstance(error, WrongCredentials)
        assert error.reason == "camera answered 401: wrong user name or password"
        assert len(camera.asked("DESCRIBE")) == 2


async def test_a_camera_that_is_always_stale_ends() -> None:
    async with QuirkyCamera(answers={"OPTIONS": lambda request: digest(f"n{id(request)}", stale=True)}) as camera:
        assert isinstance(await refusal(camera), WrongCredentials)
        assert len(camera.asked("OPTIONS")) == 3


async def test_an_unknown_sign_in_is_named() -> None:
    answer = "401 Unauthorized\r\nWWW-Authenticate: Negotiate abc\r\n\r\n"
    async with QuirkyCamera(answers={"DESCRIBE": lambda _: answer}) as camera:
        assert "(Negotiate)" in (await refusal(camera)).reason


@pytest.mark.parametrize(
    ("header", "control"),
    [
        ("", "trackID=1"),
        ("Content-Base: rtsp://0.0.0.0/nonsense/\r\n", "trackID=1"),
        ("Content-Location: /live\r\n", "trackID=1"),
        ("Content-Base: {url}/\r\n", "/live/trackID=1"),
        ("", "{url}/trackID=1"),
    ],
)
async def test_the_control_url_is_found_in_spite_of_its_base(header: str, control: str) -> None:
    async with QuirkyCamera() as camera:
        body = camera.description(control.format(url=camera.url))

        def describe(request: Request) -> str:
            return with_body("200 OK\r\n" + header.format(url=camera.url), body)

        def set_up(request: Request) -> str:
            return camera.default(request) if request.uri == camera.url + "/trackID=1" else "404 Not Found\r\n\r\n"

        camera.answers = {"DESCRIBE": describe, "SETUP": set_up}
        assert await play(camera)


async def test_redirects_are_followed_with_the_password_only_on_the_same_host() -> None:
    async with QuirkyCamera() as camera, QuirkyCamera() as other:
        camera.answers["DESCRIBE"] = lambda request: f"302 Moved\r\nLocation: {other.url}\r\n\r\n"
        other.answers["OPTIONS"] = lambda request: (
            other.default(request) if "authorization" in request.headers else digest("abc")
        )
        assert await play(camera)
        far = other.url.replace("127.0.0.1", "localhost")
        camera.answers["DESCRIBE"] = lambda request: f"302 Moved\r\nLocation: {far}\r\n\r\n"
        other.requests.clear()
        assert isinstance(await refusal(camera), WrongCredentials)
        assert all("authorization" not in request.headers for request in other.requests)


async def test_redirects_in_a_circle_end() -> None:
    async with QuirkyCamera() as camera:
        camera.answers["DESCRIBE"] = lambda request: f"302 Moved\r\nLocation: {camera.url}\r\n\r\n"
        error = await refusal(camera)
        assert isinstance(error, BadAnswer)
        assert "redirected" in error.reason
        await until(lambda: camera.open_connections == 0)


@pytest.mark.parametrize(
    ("method", "status", "words"),
    [
        ("DESCRIBE", "404 Not Found", "there is no stream at /live; check the path"),
        ("DESCRIBE", "403 Forbidden", "this user may not see the stream"),
        ("SETUP", "461 Unsupported transport", "sends RTP neither over TCP nor over UDP"),
        ("PLAY", "453 Not Enough Bandwidth", "no bandwidth left"),
        ("SETUP", "503 Service Unavailable", "no free session"),
        ("DESCRIBE", "551 Nonsense", "camera answered 551 Nonsense to DESCRIBE"),
    ],
)
async def test_a_refusal_says_what_and_how_to_mend(method: str, status: str, words: str) -> None:
    async with QuirkyCamera(answers={method: lambda _: f"{status}\r\n\r\n"}) as camera:
        error = await refusal(camera)
        assert isinstance(error, RequestRefused)
        assert error.status == int(status[:3])
        assert words in error.reason
        assert f"→ 127.0.0.1:{camera.port}" in str(error)
        await until(lambda: camera.open_connections == 0)


async def test_no_answer_and_no_rtsp_are_told_apart() -> None:
    options = SessionOptions(answer_seconds=0.2)
    async with QuirkyCamera(answers={"OPTIONS": lambda _: None}) as camera:
        error = await refusal(camera, options)
        assert isinstance(error, NoAnswer)
        assert error.reason == "no answer to OPTIONS within 0.2 s"
        camera.answers["OPTIONS"] = lambda _: "abc\r\n\r\n"
        assert isinstance(await refusal(camera, options), BadAnswer)


async def test_nobody_listening_is_told() -> None:
    async with QuirkyCamera() as camera:
        port = camera.port
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(ConnectFailed, match=f"connection refused at {host}:{port}"):
            await RtspSession(f"rtsp://{host}:{port}/", OPTIONS, lambda unit: None).open()


async def test_the_channels_are_those_the_camera_chose() -> None:
    answer = "200 OK\r\nTransport: RTP/AVP/TCP;interleaved=0;ssrc=1\r\nSession: 7 ; timeout = 9\r\n\r\n"
    async with QuirkyCamera(answers={"SETUP": lambda _: answer}) as camera:
        assert await play(camera)
        assert camera.asked("PLAY")[0].headers["session"] == "7"


@pytest.mark.parametrize(
    ("public", "refused", "expected"),
    [
        ("OPTIONS, GET_PARAMETER", "", "GET_PARAMETER"),
        ("OPTIONS, DESCRIBE", "", "OPTIONS"),
        ("OPTIONS, GET_PARAMETER, SET_PARAMETER", "GET_PARAMETER", "OPTIONS"),
    ],
)
async def test_the_session_is_kept_by_what_the_camera_takes(public: str, refused: str, expected: str) -> None:
    async with QuirkyCamera(public=public) as camera:
        camera.answers["SETUP"] = lambda request: camera.default(request).replace("timeout=60", "timeout=2")
        if refused:
            camera.answers[refused] = lambda _: "451 Parameter Not Understood\r\n\r\n"
        session = RtspSession(camera.url, SessionOptions(), lambda unit: None)
        await session.open()
        try:
            started = len(camera.requests)
            await until(lambda: any(asked.method == expected for asked in camera.requests[started:]))
            assert camera.requests[-1].headers["session"] == "42"
        finally:
            await session.close()


async def test_a_camera_that_answers_with_another_cseq_is_understood_and_keeps_its_session() -> None:
    """Foscam C1 counts from 0; Tapo C220 refuses SET_PARAMETER with the CSeq of the request before."""
    async with QuirkyCamera(public="OPTIONS, GET_PARAMETER") as camera:
        camera.cseq_offset = -1
        camera.answers["SETUP"] = lambda request: camera.default(request).replace("timeout=60", "timeout=2")
        camera.answers["GET_PARAMETER"] = lambda _: "400 Bad Request\r\n\r\n"
        session = RtspSession(camera.url, SessionOptions(answer_seconds=2), lambda unit: None)
        await session.open()
        try:
            started = len(camera.requests)
            await until(lambda: any(asked.method == "OPTIONS" for asked in camera.requests[started:]))
            assert session.connection is not None and not session.connection.lost.done()
        finally:
            await session.close()


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_ones() -> None:
    async with QuirkyCamera() as camera:
        camera.answers["GET_PARAMETER"] = lambda _: None
        session = RtspSession(camera.url, SessionOptions(answer_seconds=2), lambda unit: None)
        await session.open()
        connection = session.connection
        assert connection is not None
        with pytest.raises(NoAnswer):
            await connection.request("GET_PARAMETER", camera.url, timeout_seconds=0.1)
        late = connection._sequence
        camera.answers["OPTIONS"] = lambda request: "200 OK\r\nX-Mine: 1\r\n\r\n"
        connection._answered(Message("RTSP/1.0 500 Late", 500, (("cseq", str(late)),), b""))
        answer = await connection.request("OPTIONS", camera.url, timeout_seconds=5)
        assert answer.header("x-mine") == "1"
        await session.close()


async def test_a_keep_alive_without_an_answer_is_tried_by_another_method() -> None:
    async with QuirkyCamera(public="OPTIONS, GET_PARAMETER") as camera:
        camera.answers["SETUP"] = lambda request: camera.default(request).replace("timeout=60", "timeout=2")
        camera.answers["GET_PARAMETER"] = lambda _: None
        session = RtspSession(camera.url, SessionOptions(answer_seconds=0.3), lambda unit: None)
        await session.open()
        try:
            started = len(camera.requests)
            await until(lambda: any(asked.method == "OPTIONS" for asked in camera.requests[started:]))
        finally:
            await session.close()


async def test_a_camera_that_moves_a_session_is_followed_once_and_without_the_password_to_another_host() -> None:
    async with QuirkyCamera() as camera, QuirkyCamera() as other:
        far = other.url.replace("127.0.0.1", "localhost")
        camera.after_play = f"REDIRECT {camera.url} RTSP/1.0\r\nCSeq: 9\r\nLocation: {far}\r\n\r\n"
        for asked in (camera, other):
            asked.answers["DESCRIBE"] = lambda request, asked=asked: (
                asked.default(request) if asked is other or "authorization" in request.headers else digest("abc")
            )
        definition = Camera.model_validate(
            {"id": "gate", "name": "Gate", "purpose": "test", "main": camera.url}
            | {"username": "viewer", "password": "hunter2-secret"}
        )
        told: list[str] = []
        stream = Stream(
            definition,
            "main",
            budget=ConnectBudget(1),
            ring_max_bytes=1_000_000,
            on_change=lambda status: told.append(status.reason),
            times=StreamTimes(first_backoff=0.05, last_backoff=0.1),
        )
        running = asyncio.create_task(stream.run())
        try:
            await until(lambda: bool(other.asked("PLAY")))
            await until(lambda: stream.state == "live")
            assert f"camera moved the session to {far}" in told
            assert any("authorization" in request.headers for request in camera.requests)
            assert all("authorization" not in request.headers for request in other.requests)
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_a_forgotten_session_ends_the_connection() -> None:
    async with QuirkyCamera() as camera:
        camera.answers["SETUP"] = lambda request: camera.default(request).replace("timeout=60", "timeout=2")
        camera.answers["GET_PARAMETER"] = lambda _: "454 Session Not Found\r\n\r\n"
        session = RtspSession(camera.url, SessionOptions(), lambda unit: None)
        await session.open()
        async with asyncio.timeout(60):
            error = await asyncio.shield(session.ended)
        assert isinstance(error, Disconnected)
        assert "454" in error.reason
        await session.close()


async def test_a_camera_that_goes_away_is_noticed_at_once() -> None:
    for swept in (True, False):
        async with QuirkyCamera() as camera:
            session = RtspSession(camera.url, SessionOptions(swept=swept), lambda unit: None)
            await session.open()
        async with asyncio.timeout(60):
            assert isinstance(await asyncio.shield(session.ended), Disconnected)
        await session.close()


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a camera with a certificate of its own, and of a client that trusts just that."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    no_password = serialization.NoEncryption()
    pem += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    (folder / "camera.pem").write_bytes(pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "camera.pem")
    return server, ssl.create_default_context(cafile=str(folder / "camera.pem"))


async def test_rtsps_plays_from_a_trusted_camera_and_from_no_other(tmp_path: Path) -> None:
    server, trusting = make_certificate(tmp_path)
    async with QuirkyCamera(tls=server) as camera:
        assert await play(camera, SessionOptions(tls=trusting))
        error = await refusal(camera, SessionOptions())
        assert isinstance(error, ConnectFailed)
        assert "check the camera's certificate" in error.reason
