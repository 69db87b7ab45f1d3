"""H.265 over RTP to access units."""

from __future__ import annotations

import struct

import pytest

from streams.rtsp.depacketizer import H265Depacketizer
from tests.rtp import PPS_265, SPS_265, VPS_265, Camera, Receiver, interleaved, packet

pytestmark = pytest.mark.usefixtures("each_scanner")


def nal(nal_type: int, *, first_slice: bool = True, length: int = 120) -> bytes:
    return bytes((nal_type << 1, 1, 0x80 if first_slice else 0x00)) + bytes(n % 250 + 1 for n in range(length))


IDR, CRA, RASL, RADL = nal(19), nal(21), nal(9), nal(7)
TRAIL, TRAIL_UNREFERENCED = nal(1), nal(0)
SUFFIX_SEI = bytes((40 << 1, 1, 5, 1, 0, 0x80))


def rig() -> tuple[Receiver, Camera]:
    receiver = Receiver("h265", (VPS_265, SPS_265, PPS_265))
    camera = Camera()
    camera.codec = "h265"
    return receiver, camera


async def test_fragments_make_pictures_wherever_the_reads_split() -> None:
    _, camera = rig()
    data = b"".join(camera.picture(picture) for picture in (IDR, TRAIL, TRAIL_UNREFERENCED, TRAIL))
    for read_size in range(1, 100):
        receiver, _ = rig()
        receiver.feed(data, read_size)
        assert receiver.nal_units == [(IDR,), (TRAIL,), (TRAIL_UNREFERENCED,), (TRAIL,)]
    assert [unit.is_key for unit in receiver.units] == [True, False, False, False]
    assert [unit.is_reference for unit in receiver.units] == [True, True, False, True]
    assert (receiver.units[0].parameters.width, receiver.units[0].parameters.height) == (640, 360)
    assert receiver.units[0].parameters.codec == "h265"


async def test_an_aggregation_packet_brings_the_parameter_sets() -> None:
    receiver, camera = Receiver("h265", ()), rig()[1]
    together = b"".join(struct.pack(">H", len(part)) + part for part in (VPS_265, SPS_265, PPS_265, IDR))
    receiver.feed(interleaved(packet(bytes((48 << 1, 1)) + together, camera.sequence, camera.stamp, True)))
    camera.sequence, camera.stamp = camera.sequence + 1, camera.stamp + camera.step
    receiver.feed(camera.picture(TRAIL))
    assert receiver.nal_units == [(IDR,)]
    assert receiver.units[0].parameters.parameter_sets == (VPS_265, SPS_265, PPS_265)


async def test_skipped_leading_pictures_go_where_decoding_starts_and_stay_elsewhere() -> None:
    receiver, camera = rig()
    for picture in (CRA, RASL, RADL, TRAIL, CRA, RASL, TRAIL):
        receiver.feed(camera.picture(picture))
    assert receiver.nal_units == [(CRA,), (RADL,), (TRAIL,), (CRA,), (RASL,), (TRAIL,)]
    assert receiver.assembler.counts.needs_earlier_gop == 1
    assert [unit.is_key for unit in receiver.units] == [True, False, False, True, False, False]


async def test_skipped_leading_pictures_after_a_loss_are_dropped_too() -> None:
    receiver, camera = rig()
    for picture in (CRA, TRAIL, TRAIL):
        receiver.feed(camera.picture(picture))
    receiver.feed(b"".join(camera.packets(TRAIL)[1:]))
    for picture in (CRA, RASL, TRAIL):
        receiver.feed(camera.picture(picture))
    assert receiver.nal_units[3:] == [(CRA,), (TRAIL,)]
    assert not any(unit.is_damaged for unit in receiver.units)


async def test_sei_is_no_reference_and_stays_with_its_picture() -> None:
    receiver, camera = rig()
    receiver.feed(camera.picture(IDR) + camera.picture(TRAIL_UNREFERENCED, SUFFIX_SEI) + camera.picture(TRAIL))
    assert receiver.nal_units[1] == (TRAIL_UNREFERENCED, SUFFIX_SEI)
    assert not receiver.units[1].is_reference


def test_decoding_order_numbers_are_passed_over() -> None:
    depacketizer = H265Depacketizer(has_order=True)
    header, order = IDR[:2], b"\x00\x07"
    assert depacketizer.push(memoryview(header + order + IDR[2:])) == [IDR]
    sizes = struct.pack(">H", len(IDR)), struct.pack(">H", len(TRAIL))
    pair = bytes((48 << 1, 1)) + order + sizes[0] + IDR + b"\x01" + sizes[1] + TRAIL
    assert depacketizer.push(memoryview(pair)) == [IDR, TRAIL]
    fragment = bytes((49 << 1, 1))
    assert depacketizer.push(memoryview(fragment + b"\x93" + order + IDR[2:50])) == []
    assert depacketizer.push(memoryview(fragment + b"\x53" + IDR[50:])) == [IDR]
