"""`haechi account` as a person types it, beside a center that runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from control_center.rights import Role
from tests.haechi import RunningHaechi, haechi, running_haechi, write_settings

GIVEN = "given-by-the-operator"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHaechi, Path]]:
    """A center with its administrator, and its settings file."""
    file = write_settings(tmp_path_factory.mktemp("accounts"))
    with running_haechi("run", "--config", file, HAECHI_ADMIN_PASSWORD=GIVEN) as process:
        process.wait_for("open ")
        yield process, file


@contextmanager
def sign_in(url: str, name: str, password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        client.post("/api/v1/session", json={"name": name, "password": password})
        yield client


def account(file: Path, *arguments: str) -> tuple[int, str]:
    """Status, and what was said."""
    answer = haechi("account", *arguments, "--config", file)
    assert "Traceback" not in answer.stderr
    return answer.returncode, answer.stdout + answer.stderr


def test_an_account_is_made_changed_and_disabled_while_the_center_runs(running: tuple[RunningHaechi, Path]) -> None:
    url, file = running[0].url, running[1]
    code, said = account(file, "add", "김민수", "--role", "operator")
    assert code == 0
    first = said.split()[-1]
    with sign_in(url, "김민수", first) as client:
        assert client.get("/api/v1/session").json()["role"] == "operator"
        assert account(file, "role", "김민수", "mayor")[0] == 0
        assert client.get("/api/v1/session").status_code == 401
    second = account(file, "password", "김민수")[1].split()[-1]
    assert second != first
    with sign_in(url, "김민수", second) as client:
        assert client.get("/api/v1/session").json()["role"] == "mayor"
        assert account(file, "disable", "김민수")[0] == 0
        assert client.get("/api/v1/session").status_code == 401
    row = next(line for line in account(file, "list")[1].splitlines() if "김민수" in line)
    assert "mayor" in row and "disabled" in row
    assert account(file, "enable", "김민수")[0] == 0
    with sign_in(url, "김민수", second) as client:
        assert client.get("/api/v1/session").status_code == 200
    with closing(sqlite3.connect(file.parent / "data" / "center.sqlite")) as database:
        rows = database.execute(
            "SELECT action, account_name FROM ledger WHERE subject = '김민수' ORDER BY sequence"
        ).fetchall()
    actions = ["created", "role_changed", "password_changed", "disabled", "enabled"]
    assert rows == [(f"account.{action}", "command line") for action in actions]
    for path in file.parent.rglob("*"):
        if path.is_file():
            assert first.encode() not in path.read_bytes() and second.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Admin", "--role", "operator"), "an account 'admin' exists already"),
        (("add", " ", "--role", "operator"), "a name needs 1 to 64 letters"),
        (("add", "a", "--role", "first"), "Invalid value for '--role'"),
        (("role", "nobody", "operator"), "there is no account 'nobody'"),
        (("role", "admin", "operator"), "the last administrator"),
        (("disable", "admin"), "the last administrator"),
    ],
)
def test_what_cannot_be_done_is_said(
    running: tuple[RunningHaechi, Path], arguments: tuple[str, ...], said: str
) -> None:
    code, text = account(running[1], *arguments)
    assert code == 2
    assert said in text


def test_no_database_is_made_where_the_data_folder_is_not_there(tmp_path: Path) -> None:
    code, said = account(write_settings(tmp_path), "add", "kim", "--role", "operator")
    assert code == 2
    assert "there is no data folder" in said
    assert not (tmp_path / "data").exists()


def test_an_account_made_before_the_first_start_does_not_take_the_administrator_s_place(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    (tmp_path / "data").mkdir()
    assert account(file, "add", "kim", "--role", "operator")[0] == 0
    with running_haechi("run", "--config", file) as process, sign_in(process.url, "admin", process.password) as client:
        assert client.get("/api/v1/session").json()["role"] == Role.ADMINISTRATOR
        assert "haechi account add NAME --role ROLE" in process.text
