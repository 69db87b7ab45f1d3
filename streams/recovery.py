"""Finding the end of segments whose writer died, and rebuilding the index from the files.

Nothing is ever deleted here. Of a file whose writer died the incomplete tail after the last whole fragment is cut
off. A file that is still locked belongs to a living writer and is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import struct
import uuid
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streams.fmp4 import TIME_SCALE, utc_ns_of_ntp
from streams.recording_index import RecordingIndex, SegmentRow

logger = logging.getLogger(__name__)

_HASH_PIECE = 1 << 20
_LARGEST_HEADER_BOX = 1 << 20
_ZEROS = 16  # a NAL unit that ends in so many was never written: a file can be longer than what reached the disk
_LONGEST_90K = 86_400 * TIME_SCALE  # a segment is about a minute; a fragment that ends later is not one of ours
_RUN_HEADER = struct.Struct(">IIiI")


@dataclass(frozen=True, slots=True)
class SegmentScan:
    """What a file holds. `good_bytes` end with the last whole fragment. `started_utc_ns` is None without one."""

    good_bytes: int
    file_bytes: int
    fragment_count: int
    started_utc_ns: int | None
    duration_seconds: float


def scan_segment(path: Path) -> SegmentScan:
    """Walk the boxes of `path`; a fragment counts when its moof and mdat are whole and its samples are sound."""
    with path.open("rb") as file:
        file_bytes = os.fstat(file.fileno()).st_size
        good_bytes = fragments = 0
        started_utc_ns: int | None = None
        end_90k = 0
        reference_time: int | None = None
        header = b""
        position = 0
        while (box := _read_header(file.fileno(), position, file_bytes)) is not None:
            kind, size = box
            if kind in (b"ftyp", b"moov"):
                good_bytes = position + size
            elif kind == b"prft" and size >= 32:
                reference_time = int.from_bytes(os.pread(file.fileno(), 8, position + 16), "big")
            elif kind == b"moof" and size <= _LARGEST_HEADER_BOX:
                header = os.pread(file.fileno(), size, position)
            elif kind == b"mdat":
                fragment_end = _check_fragment(file.fileno(), header, position, size)
                if fragment_end is None:
                    break
                end_90k = max(end_90k, fragment_end)
                fragments += 1
                good_bytes = position + size
                if started_utc_ns is None and reference_time is not None:
                    started_utc_ns = utc_ns_of_ntp(reference_time)
            position += size
    return SegmentScan(good_bytes, file_bytes, fragments, started_utc_ns, end_90k / TIME_SCALE)


def recover(
    directory: Path, index_path: Path, camera_ids: Container[str] | None, started_before: datetime
) -> Iterator[SegmentRow | frozenset[str]]:
    """Rows to be stored, one for each open row and orphan file, whose tails are cut on the way. Blocking.

    Looks at files that began before `started_before`, of `camera_ids` only where given. Last come the cameras whose
    files are then all known: of these the next recovery looks at the newest days alone.
    """
    index = RecordingIndex(index_path)
    try:
        unsure = [*index.rows(state="open"), *index.rows(state="missing")]
        cameras = [
            name for name in sorted(_folders(directory / "recordings")) if camera_ids is None or name in camera_ids
        ]
        complete, newest = index.complete_cameras(), index.newest_start()
        paths: list[str] = []
        for camera_id in cameras:
            since = newest - timedelta(days=1) if newest is not None and camera_id in complete else None
            paths.extend(path for path in _files_since(directory, camera_id, since) if not index.knows(path))
    finally:
        index.close()
    for row in unsure:
        if row.started_at < started_before and (camera_ids is None or row.camera_id in camera_ids):
            yield from _recover_row(directory, row)
    for path in paths:
        row = _row_of(path)
        if row.started_at < started_before:
            yield from _recover_row(directory, row)
    yield frozenset(cameras)


@dataclass(frozen=True, slots=True)
class Found:
    """Files by what became of them. `right` are as their rows say; `new` had none; `mended` had an open one;
    `left` are being written or cannot be read; `changed` are not what their row says. `missing`: rows without a file.
    """

    right: int = 0
    new: int = 0
    mended: int = 0
    left: int = 0
    missing: int = 0
    changed: tuple[str, ...] = ()


def look_at_all(directory: Path, index_path: Path, camera_ids: Container[str], *, accept_changed: bool) -> Found:
    """Hold every file of `camera_ids` against its row; rows that are not there are made, open ones closed. Blocking.

    A closed row whose file has another hash is evidence: it is written anew only where `accept_changed`. Deletes
    nothing. Raises RecordingIndexError, sqlite3.Error, OSError.
    """
    index = RecordingIndex(index_path)
    try:
        rows = {row.path: row for row in index.rows() if row.camera_id in camera_ids}
        names = [name for name in sorted(_folders(directory / "recordings")) if name in camera_ids]
        found = Found()
        for path in (path for name in names for path in _files_since(directory, name, None)):
            found = _look(directory, index, path, rows.pop(path, None), found, accept_changed)
        gone = [row for row in rows.values() if row.state != "missing" and row.camera_id in names]
        index.put(replace(row, state="missing") for row in gone)
        index.put((), names)
        return replace(found, missing=len(rows))
    finally:
        index.close()


def _look(
    directory: Path, index: RecordingIndex, path: str, row: SegmentRow | None, found: Found, accept_changed: bool
) -> Found:
    if row is not None and row.state in ("closed", "recovered"):
        try:
            with (directory / path).open("rb") as file:
                is_right = (os.fstat(file.fileno()).st_size, _hash(file.fileno())) == (row.byte_count, row.sha256)
        except FileNotFoundError:
            return found  # retention was faster
        except OSError as error:
            logger.error("segment %s cannot be read: %s", path, error)
            return replace(found, left=found.left + 1)
        if is_right:
            return replace(found, right=found.right + 1)
        found = replace(found, changed=(*found.changed, path))
        if not accept_changed:
            return found
    stored = list(_recover_row(directory, row or _row_of(path)))
    index.put(stored)
    if row is None:
        return replace(found, new=found.new + len(stored), left=found.left + 1 - len(stored))
    if row.state in ("open", "missing"):
        return replace(found, mended=found.mended + len(stored), left=found.left + 1 - len(stored))
    return found


def _row_of(path: str) -> SegmentRow:
    at = _time_in_path(path)
    return SegmentRow(uuid.uuid4().hex, Path(path).parts[1], path, at, at, 0.0, 0, None, "open")


def _files_since(directory: Path, camera_id: str, since: datetime | None) -> Iterator[str]:
    """Paths relative to `directory`, in order of time, from the day of `since` on."""
    first_day = "" if since is None else since.strftime("%Y/%m/%d")
    root = directory / "recordings" / camera_id
    for year in sorted(_folders(root)):
        for month in sorted(_folders(root / year)):
            for day in sorted(_folders(root / year / month)):
                if f"{year}/{month}/{day}" >= first_day:
                    folder = root / year / month / day
                    yield from (str(path.relative_to(directory)) for path in sorted(folder.glob("*.mp4")))


def _folders(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []


def _time_in_path(path: str) -> datetime:
    """The start that a path like recordings/gate/2026/03/01/120000.mp4 says; the epoch when it says none."""
    *_, year, month, day, name = Path(path).parts
    try:
        return datetime.strptime(f"{year}{month}{day}{name[:6]}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)


def _recover_row(directory: Path, row: SegmentRow) -> Iterator[SegmentRow]:
    """The row as it is to be stored; nothing when the file has a living writer or cannot be read now."""
    path = directory / row.path
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            scan = scan_segment(path)
            if scan.fragment_count and scan.good_bytes < scan.file_bytes:
                os.ftruncate(file.fileno(), scan.good_bytes)
                os.fsync(file.fileno())
            byte_count = scan.good_bytes if scan.fragment_count else scan.file_bytes
            digest = _hash(file.fileno())
    except FileNotFoundError:
        if row.state == "open":
            logger.warning("segment %s was being written when the machine died, and is not on the disk", path)
            yield replace(row, state="missing")
        return
    except BlockingIOError:
        return
    except OSError as error:
        logger.error("segment %s cannot be recovered now: %s", path, error)
        return
    started_at = row.started_at
    if scan.started_utc_ns is not None:
        started_at = datetime.fromtimestamp(scan.started_utc_ns // 1000 / 1e6, UTC)
    lost = scan.file_bytes - byte_count
    logger.info("segment %s recovered: %d fragments, %d bytes of tail cut off", path, scan.fragment_count, lost)
    yield replace(
        row,
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=scan.duration_seconds),
        duration_seconds=scan.duration_seconds,
        byte_count=byte_count,
        sha256=digest,
        state="recovered",
    )


def _hash(descriptor: int) -> str:
    digest = hashlib.sha256()
    position = 0
    while piece := os.pread(descriptor, _HASH_PIECE, position):
        digest.update(piece)
        position += len(piece)
    return digest.hexdigest()


def _read_header(descriptor: int, position: int, file_bytes: int) -> tuple[bytes, int] | None:
    """(kind, size) of the box at `position`, None when it is not whole or no box of ours."""
    head = os.pread(descriptor, 8, position)
    if len(head) < 8:
        return None
    size, kind = int.from_bytes(head[:4], "big"), head[4:]
    if size < 8 or position + size > file_bytes or kind not in (b"ftyp", b"moov", b"prft", b"moof", b"mdat"):
        return None
    return kind, size


def _check_fragment(descriptor: int, header: bytes, position: int, size: int) -> int | None:
    """End of the fragment in the file's time, None when the moof in `header` and the mdat do not fit together."""
    time_at, run_at = header.find(b"tfdt"), header.find(b"trun")
    if time_at < 0 or run_at < 0 or len(header) < run_at + 8 + _RUN_HEADER.size - 4:
        return None
    decode_time = int.from_bytes(header[time_at + 8 : time_at + 16], "big")
    flags, count, _, _ = _RUN_HEADER.unpack_from(header, run_at + 4)
    entry_size = 12 if flags & 0x800 else 8
    table = header[run_at + 4 + _RUN_HEADER.size :]
    if count == 0 or len(table) < count * entry_size:
        return None
    data = os.pread(descriptor, size - 8, position + 8)
    start = 0
    for entry in range(0, count * entry_size, entry_size):
        duration, sample_size = struct.unpack_from(">II", table, entry)
        decode_time += duration
        end = start + sample_size
        while start < end:
            start += 4 + int.from_bytes(data[start : start + 4], "big")
            if start > len(data) or not any(data[max(0, start - _ZEROS) : start]):
                return None
        if start != end:
            return None
    return decode_time if start == len(data) and decode_time < _LONGEST_90K else None
