"""Accounts, passwords and signed-in browsers."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select

from control_center.database import Account, Database, SignIn
from control_center.identifiers import new_id
from control_center.rights import Desk, Right, Role, Scope, desk_of, rights_of

# A shift of eight hours and its handovers.
SIGN_IN_LASTS = timedelta(hours=12)
MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 256
# Letters that are read out over a phone without a mistake.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class AccountError(Exception):
    """An account cannot be made or changed; the text says why."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a request."""

    account_id: str
    name: str
    role: str
    expires_at: datetime

    @property
    def rights(self) -> dict[Right, Scope]:
        return rights_of(self.role)

    @property
    def desk(self) -> Desk | None:
        """The liaison desk they sit at; such a person sees only what was dispatched to it."""
        return desk_of(self.role)


def random_password() -> str:
    """Four groups of five letters: 99 bits."""
    letters = [secrets.choice(_ALPHABET) for _ in range(20)]
    return "-".join("".join(letters[start : start + 5]) for start in range(0, 20, 5))


class Accounts:
    """Two passwords at most are checked at a time: each check costs 64 MiB and a core for some 50 ms."""

    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._hasher = hasher or PasswordHasher()
        self._verifying = asyncio.Semaphore(2)
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    async def exists_any(self) -> bool:
        async with self._database.read() as session:
            return bool(await session.scalar(select(func.count()).select_from(Account)))

    async def create(self, name: str, password: str, role: Role) -> str:
        """Make an account and give back its id. Raises AccountError."""
        hashed = await self._hash(password)
        async with self._database.write() as session:
            if await session.scalar(select(Account.id).where(Account.name == name)):
                raise AccountError(f"an account {name!r} exists already")
            account = Account(
                id=new_id(), name=name, role=role.value, password_hash=hashed, created_at=datetime.now(UTC)
            )
            session.add(account)
        return account.id

    async def set_password(self, name: str, password: str) -> None:
        """Change a password and end every sign-in made with the old one. Raises AccountError."""
        hashed = await self._hash(password)
        async with self._database.write() as session:
            account = await session.scalar(select(Account).where(Account.name == name))
            if account is None:
                raise AccountError(f"there is no account {name!r}")
            account.password_hash = hashed
            await session.execute(delete(SignIn).where(SignIn.account_id == account.id))

    async def sign_in(self, name: str, password: str, address: str) -> tuple[str, SignedIn] | None:
        """A new token and who it stands for, or None. An unknown name costs the same time as a wrong password."""
        async with self._database.read() as session:
            account = await session.scalar(select(Account).where(Account.name == name))
        async with self._verifying:
            matches = await asyncio.to_thread(
                self._matches, account.password_hash if account else self._nobody, password
            )
        if account is None or not matches or account.disabled_at is not None:
            return None
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        expires_at = now + SIGN_IN_LASTS
        async with self._database.write() as session:
            await session.execute(delete(SignIn).where(SignIn.expires_at < now))
            session.add(
                SignIn(
                    token_hash=_digest(token),
                    account_id=account.id,
                    created_at=now,
                    expires_at=expires_at,
                    address=address[:64],
                )
            )
        return token, SignedIn(account.id, account.name, account.role, expires_at)

    async def who(self, token: str) -> SignedIn | None:
        """Whose token this is; None when it is unknown, has ended, or its account was disabled."""
        async with self._database.read() as session:
            row = await session.get(SignIn, _digest(token))
        if row is None or row.expires_at <= datetime.now(UTC) or row.account.disabled_at is not None:
            return None
        return SignedIn(row.account.id, row.account.name, row.account.role, row.expires_at)

    async def sign_out(self, token: str) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SignIn).where(SignIn.token_hash == _digest(token)))

    async def _hash(self, password: str) -> str:
        if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
            raise AccountError(f"a password needs {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters")
        async with self._verifying:
            return await asyncio.to_thread(self._hasher.hash, password)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
