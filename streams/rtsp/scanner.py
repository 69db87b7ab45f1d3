"""The hot loop of reading a camera: the packets of a slice, in order, as one NAL unit.

Cost decides here: a camera of 2 Mbit/s sends about 180 packets a second, and a core is to carry 900 cameras
(`tests.benchmarks.ingest`). So `scan` takes plain packets that are the ones expected, the bulk of all, and leaves
every other one to ordinary code. It has two forms: `scan_in_python` here, and `_scanner.c`, which
`streams.rtsp.scanner_build` compiles where there is a compiler (ADR 0026). The second is found by a name that holds
what it was made of, so that it is never older than its source. Both take what the ordinary code would take in the
same way; where the one goes farther than the other, the ordinary code does the rest.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import logging
import sysconfig
from pathlib import Path
from struct import Struct
from typing import Literal, Protocol, cast

logger = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("_scanner.c")
COMPILER_OPTIONS = ("-O2", "-Wall", "-Wextra", "-shared", "-fPIC")

H264, H265, H265_ORDERED = 2, 3, 4  # forms; ORDERED: with decoding order numbers
FU_START, FU_END = 0x80, 0x40
_FRAME = Struct(">HHHHIII")  # '$' and channel, length, flags and payload type, sequence, time stamp, SSRC, payload
_LOOK_BYTES = 20
_DOLLAR = 0x24


Scanned = tuple[int, int, int, bool, int, int, bytes | None, bool]


class Scan(Protocol):
    """Take frames of `channel` that are whole in `buffer[pos:end]`, up to the end of a NAL unit.

    Only packets of `payload_type` and `ssrc`, the first one with `sequence`, without padding, extension or sources.
    `mid` is what the bytes before the data of the next fragment of the open NAL unit look like, `ending` before that
    of its last one, `stamp` its time stamp; -1 while none is open. What is joined so far is in `fragment`.

    Returns where it stopped, how many packets it took, the time stamp of the last one, whether a NAL unit started
    among them, the new `mid` and `ending`, and of the NAL unit that was completed (None: none was) its bytes and the
    marker bit. Raises ValueError when the buffer ends before `end`.
    """

    def __call__(
        self,
        buffer: memoryview,
        pos: int,
        end: int,
        channel: int,
        payload_type: int,
        ssrc: int,
        stamp: int,
        sequence: int,
        mid: int,
        ending: int,
        form: int,
        fragment: bytearray,
        /,
    ) -> Scanned: ...


def scan_in_python(
    buffer: memoryview,
    pos: int,
    end: int,
    channel: int,
    payload_type: int,
    ssrc: int,
    stamp: int,
    sequence: int,
    mid: int,
    ending: int,
    form: int,
    fragment: bytearray,
    /,
) -> Scanned:
    """See `Scan`. A measured hot loop, one function for its cost (`tests.benchmarks.ingest`)."""
    unpack = _FRAME.unpack_from
    frame = _DOLLAR << 8 | channel
    plain = 0x8000 | payload_type
    shift = 16 if form == H264 else 8
    skipped = 18 if form == H264 else 19
    packets = 0
    is_started = False
    limit = end - _LOOK_BYTES
    while pos <= limit:
        magic, length, head, number, at, source, word = unpack(buffer, pos)
        if (
            number != sequence
            or source != ssrc
            or magic != frame
            or length < 16
            or head & 0xFF7F != plain
            or (after := pos + 4 + length) > end
        ):
            break
        found = word >> shift
        if mid >= 0:
            if at != stamp:
                break
            if found == mid and head == plain:
                fragment += buffer[pos + skipped : after]
                pos = after
                sequence = sequence + 1 & 0xFFFF
                packets += 1
                continue
            if found != ending:
                break
            fragment += buffer[pos + skipped : after]
            nal = bytes(fragment)
            fragment.clear()
            return after, packets + 1, stamp, is_started, -1, -1, nal, head != plain
        if form != H264 or found not in _H264_STARTS or head != plain:
            break
        is_started, stamp = True, at
        mid, ending, first = _H264_STARTS[found]
        fragment += first
        fragment += buffer[pos + skipped : after]
        pos = after
        sequence = sequence + 1 & 0xFFFF
        packets += 1
    return pos, packets, stamp, is_started, mid, ending, None, False


def _h264_starts() -> dict[int, tuple[int, int, bytes]]:
    """First fragments of slices (types 1 to 5) of each nal_ref_idc by their two bytes: mid, ending, NAL unit header."""
    starts = {}
    for importance in (0x00, 0x20, 0x40, 0x60):
        for nal_type in range(1, 6):
            mid = (importance | 28) << 8 | nal_type
            starts[mid | FU_START] = mid, mid | FU_END, bytes((importance | nal_type,))
    return starts


_H264_STARTS = _h264_starts()


def compiled_file() -> Path:
    """Where the compiled form is, or would be: its name says from which source and for which Python."""
    made_of = hashlib.sha256(SOURCE.read_bytes() + " ".join(COMPILER_OPTIONS).encode())
    return SOURCE.with_name(f"_scanner-{made_of.hexdigest()[:16]}{sysconfig.get_config_var('EXT_SUFFIX')}")


class Compiled(Protocol):
    """What `_scanner.c` has. `access_unit` takes its class, its slots, a list of NAL units and the other fields."""

    scan: Scan

    def access_unit(self, *arguments: object) -> object: ...


def load_compiled() -> Compiled | None:
    """The compiled forms; None where they were not built."""
    try:
        path = compiled_file()
        if not path.exists():
            return None
        loader = importlib.machinery.ExtensionFileLoader("_scanner", str(path))
        spec = importlib.util.spec_from_loader("_scanner", loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    except (ImportError, OSError) as error:
        logger.warning("the compiled scanner cannot be used, the slower one in Python is: %s", error)
        return None
    return cast(Compiled, module)


compiled = load_compiled()
scan: Scan = scan_in_python if compiled is None else compiled.scan
FORM: Literal["compiled", "python"] = "python" if compiled is None else "compiled"
