"""The SQLite file holds the cameras' passwords and who looked at what: only its owner may read it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# SQLite makes these two beside the file, with its rights, and takes them away when the last one closes it.
_BESIDE = ("-wal", "-shm")


def make_private(path: str) -> None:
    """Make the file with mode 0600 where there is none; take the rights of others from one that has them.

    One that belongs to somebody else is left as it is. Raises OSError.
    """
    # Never open one that is there: closing it drops the locks that SQLite holds on it in this process (POSIX), and
    # another process that closes the database then takes the write-ahead log away under us ("disk I/O error").
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR))
    for name in (path, *(path + ending for ending in _BESIDE)):
        try:
            found = os.stat(name)
        except FileNotFoundError:
            continue
        if found.st_mode & _OTHERS and os.geteuid() in {0, found.st_uid}:
            os.chmod(name, stat.S_IMODE(found.st_mode) & ~_OTHERS)
