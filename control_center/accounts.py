"""Accounts and signed-in browsers. Whatever changes one is a row of the ledger in the same transaction."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_center.database import Account, Database, SignIn
from control_center.identifiers import new_id
from control_center.ledger import COMMAND_LINE, Actor, Entry, LedgerAction, append
from control_center.passwords import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS, Passwords
from control_center.rights import Desk, Right, Role, Scope, desk_of, rights_of

# A shift of eight hours and its handovers.
SIGN_IN_LASTS = timedelta(hours=12)
MAX_NAME_CHARACTERS = 64


class AccountError(Exception):
    """An account cannot be made or changed; the text says why."""


class AccountUnknown(AccountError):
    """There is no such account."""


class NameTaken(AccountError):
    """Another account has this name, perhaps in other letters of the same sound and shape."""


class NameRefused(AccountError):
    """The name is empty, too long, or holds what cannot be seen."""


class PasswordRefused(AccountError):
    """The password is too short or too long."""


class LastAdministrator(AccountError):
    """Nobody could manage accounts any more."""


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


class Accounts:
    """Making, changing and disabling accounts, and who is signed in.

    Every change of role or password, and disabling, ends the account's sign-ins at once.
    """

    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._passwords = Passwords(hasher)

    async def exists_any(self) -> bool:
        async with self._database.read() as session:
            return bool(await session.scalar(select(func.count()).select_from(Account)))

    async def has_administrator(self) -> bool:
        """Also a disabled one: the last of them cannot be disabled."""
        async with self._database.read() as session:
            query = select(func.count()).where(Account.role == Role.ADMINISTRATOR.value)
            return bool(await session.scalar(query))

    async def all(self) -> list[Account]:
        """In the order they were made."""
        async with self._database.read() as session:
            return list(await session.scalars(select(Account).order_by(Account.created_at, Account.id)))

    async def named(self, name: str) -> Account:
        """Raises AccountUnknown."""
        async with self._database.read() as session:
            account = await _find(session, name)
        if account is None:
            raise AccountUnknown(f"there is no account {name!r}")
        return account

    async def create(self, name: str, password: str, role: Role, actor: Actor = COMMAND_LINE) -> str:
        """Make an account and give back its id. Raises NameRefused, NameTaken, PasswordRefused."""
        name = checked_name(name)
        hashed = await self._hash(password)
        async with self._database.write() as session:
            if (other := await _find(session, name)) is not None:
                raise NameTaken(f"an account {other.name!r} exists already")
            account = Account(
                id=new_id(), name=name, role=role.value, password_hash=hashed, created_at=datetime.now(UTC)
            )
            session.add(account)
            await append(session, _entry(actor, "account.created", account, role=role.value))
        return account.id

    async def change(
        self, account_id: str, actor: Actor, role: Role | None = None, disabled: bool | None = None
    ) -> Account:
        """Give another role, disable or enable; what stays the same is no change. Raises AccountUnknown,
        LastAdministrator.
        """
        async with self._database.write() as session:
            account = await _get(session, account_id)
            manages = _manages(account)
            entries: list[Entry] = []
            if role is not None and role.value != account.role:
                entries.append(_entry(actor, "account.role_changed", account, before=account.role, after=role.value))
                account.role = role.value
            if disabled is not None and disabled != (account.disabled_at is not None):
                entries.append(_entry(actor, "account.disabled" if disabled else "account.enabled", account))
                account.disabled_at = datetime.now(UTC) if disabled else None
            if entries:
                await session.flush()
                if manages and not _manages(account):
                    await _keep_an_administrator(session)
                await _end_sign_ins(session, account_id)
                await append(session, *entries)
        return account

    async def set_password(
        self, account_id: str, password: str, actor: Actor = COMMAND_LINE, keep_token: str | None = None
    ) -> None:
        """Change a password and end every sign-in made with the old one, but for the browser of `keep_token`.

        Raises AccountUnknown, PasswordRefused.
        """
        hashed = await self._hash(password)
        async with self._database.write() as session:
            account = await _get(session, account_id)
            account.password_hash = hashed
            await _end_sign_ins(session, account_id, keep_token)
            await append(session, _entry(actor, "account.password_changed", account))

    async def is_password_of(self, account_id: str, password: str) -> bool:
        """Raises AccountUnknown."""
        async with self._database.read() as session:
            account = await _get(session, account_id)
        return await self._passwords.matches(account.password_hash, password)

    async def sign_in(self, name: str, password: str, address: str) -> tuple[str, SignedIn] | None:
        """A new token and who it stands for, or None. An unknown name costs the same time as a wrong password."""
        async with self._database.read() as session:
            found = await _find(session, name)
        checked = found.password_hash if found else None
        matches = await self._passwords.matches(checked, password)
        async with self._database.write() as session:
            # Read again: the password may have been changed, or the account disabled, while this one was checked.
            account = await session.get(Account, found.id) if found else None
            if account is None or not matches or account.password_hash != checked or account.disabled_at is not None:
                await append(session, _refusal(account, matches, address))
                return None
            return await _begin_sign_in(session, account, address)

    async def who(self, token: str) -> SignedIn | None:
        """Whose token this is; None when it is unknown, has ended, or its account was disabled."""
        async with self._database.read() as session:
            row = await session.get(SignIn, sign_in_id(token))
        if row is None or row.expires_at <= datetime.now(UTC) or row.account.disabled_at is not None:
            return None
        return SignedIn(row.account.id, row.account.name, row.account.role, row.expires_at)

    async def sign_out(self, token: str, actor: Actor) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SignIn).where(SignIn.token_hash == sign_in_id(token)))
            await append(session, Entry(actor, "session.signed_out"))

    async def _hash(self, password: str) -> str:
        if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
            raise PasswordRefused(f"a password needs {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters")
        return await self._passwords.hash(password)


def checked_name(name: str) -> str:
    """The name as it is stored: trimmed, in composed letters. Raises NameRefused."""
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise NameRefused(f"a name needs 1 to {MAX_NAME_CHARACTERS} letters that can be seen")
    return name


def name_key(name: str) -> str:
    """The same for two names that a person would take for one: `Admin`, `admin` and `ａｄｍｉｎ`."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())


async def _find(session: AsyncSession, name: str) -> Account | None:
    """By key, which no database can compare: a city has some hundreds of accounts at most."""
    key = name_key(name)
    rows = await session.execute(select(Account.id, Account.name))
    ids = [account_id for account_id, stored in rows if name_key(stored) == key]
    return await session.get(Account, ids[0]) if ids else None


async def _get(session: AsyncSession, account_id: str) -> Account:
    account = await session.get(Account, account_id)
    if account is None:
        raise AccountUnknown("there is no such account")
    return account


def _manages(account: Account) -> bool:
    return account.role == Role.ADMINISTRATOR and account.disabled_at is None


async def _keep_an_administrator(session: AsyncSession) -> None:
    left = select(func.count()).where(Account.role == Role.ADMINISTRATOR.value, Account.disabled_at.is_(None))
    if not await session.scalar(left):
        raise LastAdministrator("this is the last administrator; make another one first")


async def _end_sign_ins(session: AsyncSession, account_id: str, keep_token: str | None = None) -> None:
    ended = delete(SignIn).where(SignIn.account_id == account_id)
    if keep_token is not None:
        ended = ended.where(SignIn.token_hash != sign_in_id(keep_token))
    await session.execute(ended)


async def _begin_sign_in(session: AsyncSession, account: Account, address: str) -> tuple[str, SignedIn]:
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    person = SignedIn(account.id, account.name, account.role, now + SIGN_IN_LASTS)
    await session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(
        SignIn(
            token_hash=sign_in_id(token),
            account_id=account.id,
            created_at=now,
            expires_at=person.expires_at,
            address=address[:64],
        )
    )
    await append(session, Entry(Actor.of(person, address), "session.signed_in"))
    return token, person


def _refusal(account: Account | None, matches: bool, address: str) -> Entry:
    """An unknown name is not written down: people type their password into the wrong field."""
    actor = Actor(account.id, account.name, address) if account else Actor(None, "unknown", address)
    reason = "unknown name" if account is None else "disabled" if matches else "wrong password"
    return Entry(actor, "session.refused", reason=reason)


def _entry(actor: Actor, action: LedgerAction, account: Account, **details: str) -> Entry:
    return Entry(actor, action, subject=account.name, details={"account_id": account.id, **details})


def sign_in_id(token: str) -> str:
    """Names a sign-in without giving its token away."""
    return hashlib.sha256(token.encode()).hexdigest()
