"""RTP to access units, with the faults that cameras have."""

from __future__ import annotations

import pytest

from streams.rtsp.assembler import Marker
from tests.rtp import (
    B_SLICE,
    DELIMITER,
    IDR,
    LATER_IDR_SLICE,
    LATER_SLICE,
    P_SLICE,
    PPS,
    SEI_RECOVERY_GRADUAL,
    SEI_RECOVERY_NOW,
    SPS,
    SPS_1080,
    Camera,
    Receiver,
    aggregate,
    interleaved,
    packet,
)

pytestmark = pytest.mark.usefixtures("each_scanner")


async def test_a_key_frame_and_pictures_come_out_as_they_went_in() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(IDR) + camera.picture(P_SLICE) + camera.picture(B_SLICE) + camera.picture(P_SLICE))
    assert receiver.nal_units == [(IDR,), (P_SLICE,), (B_SLICE,), (P_SLICE,)]
    assert [unit.is_key for unit in receiver.units] == [True, False, False, False]
    assert [unit.is_reference for unit in receiver.units] == [True, True, False, True]
    assert [unit.pts_90k for unit in receiver.units] == [90_000, 96_000, 102_000, 108_000]
    assert {unit.run for unit in receiver.units} == {7}
    assert not any(unit.is_damaged for unit in receiver.units)
    assert receiver.units[0].parameters.parameter_sets == (SPS, PPS)
    assert (receiver.units[0].parameters.width, receiver.units[0].parameters.height) == (640, 360)
    assert all(unit.parameters is receiver.units[0].parameters for unit in receiver.units)


async def test_the_result_is_the_same_wherever_the_reads_split() -> None:
    camera = Camera()
    data = camera.picture(SPS, PPS, IDR) + b"".join(camera.picture(P_SLICE, LATER_SLICE) for _ in range(4))
    data += b"RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 3\r\n\r\n$$$" + camera.picture(P_SLICE) + camera.proven()
    whole = Receiver()
    whole.feed(data)
    assert len(whole.units) == 9
    for read_size in range(1, 120):
        receiver = Receiver()
        receiver.feed(data, read_size)
        assert receiver.nal_units == whole.nal_units, read_size
        assert receiver.rtp.counts == whole.rtp.counts
        assert not receiver.faults
    for split in range(len(data)):
        receiver = Receiver()
        receiver.feed(data[:split])
        receiver.feed(data[split:])
        assert receiver.nal_units == whole.nal_units, split


async def test_aggregated_parameter_sets_and_slices_are_taken_apart() -> None:
    receiver, camera = Receiver(parameter_sets=()), Camera()
    first = interleaved(packet(aggregate(SPS, PPS, IDR), camera.sequence, camera.stamp, True))
    camera.sequence, camera.stamp = camera.sequence + 1, camera.stamp + camera.step
    receiver.feed(first + camera.picture(P_SLICE))
    assert receiver.nal_units == [(IDR,)]
    assert receiver.units[0].parameters.parameter_sets == (SPS, PPS)


async def test_padding_extensions_and_sources_are_passed_over() -> None:
    receiver = Receiver()
    receiver.feed(
        interleaved(packet(IDR, 1, 100, True, extension=bytes(8)))
        + interleaved(packet(P_SLICE, 2, 200, True, padding=7))
        + interleaved(packet(P_SLICE, 3, 300, True, sources=3, padding=1, extension=b""))
        + interleaved(packet(b"", 4, 300, padding=20))
        + interleaved(packet(LATER_SLICE, 5, 300))
        + interleaved(packet(P_SLICE, 6, 400))
    )
    assert receiver.nal_units == [(IDR,), (P_SLICE,), (P_SLICE,)]
    assert not receiver.faults


async def test_fragments_with_padding_inside_a_picture_are_joined() -> None:
    receiver, camera = Receiver(), Camera()
    frames = []
    for number, payload in enumerate(camera.payloads(IDR)):
        frames.append(interleaved(packet(payload, number, 100, padding=4 if number % 2 else 0)))
    receiver.feed(b"".join(frames) + interleaved(packet(P_SLICE, len(frames), 200)))
    assert receiver.nal_units == [(IDR,)]


async def test_padding_longer_than_the_packet_breaks_only_that_picture() -> None:
    receiver, camera = Receiver(), Camera(sequence=0)
    receiver.feed(camera.proven())
    number, stamp = camera.sequence, camera.stamp
    bad = bytearray(packet(P_SLICE, number, stamp, True, padding=9))
    bad[-1] = 255
    receiver.feed(interleaved(bytes(bad)) + interleaved(packet(P_SLICE, number + 1, stamp + 6_000, True)))
    assert [unit.is_damaged for unit in receiver.units] == [False, False, False, True]
    assert receiver.rtp.counts.malformed == 1


async def test_a_gap_discards_the_picture_and_marks_damage_until_the_next_key_frame() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    frames = camera.packets(P_SLICE)
    assert len(frames) > 1
    receiver.feed(b"".join(frames[1:]))
    receiver.feed(camera.picture(P_SLICE) + camera.picture(B_SLICE) + camera.picture(IDR) + camera.picture(P_SLICE))
    assert receiver.nal_units == [(IDR,), (P_SLICE,), (P_SLICE,), (P_SLICE,), (B_SLICE,), (IDR,), (P_SLICE,)]
    assert [unit.is_damaged for unit in receiver.units] == [False, False, False, True, True, False, False]
    assert (receiver.rtp.counts.lost, receiver.rtp.counts.gaps) == (1, 1)
    assert receiver.faults[0].sequence == 1000 + 4 + 2 + 2 + 1
    assert receiver.faults[0].ssrc == 0x00C0FFEE


@pytest.mark.parametrize("missing", range(4))
async def test_any_lost_packet_of_a_key_frame_discards_it_whole(missing: int) -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    frames = camera.packets(IDR)
    receiver.feed(b"".join(frames[:missing] + frames[missing + 1 :]) + camera.picture(P_SLICE) + camera.picture(IDR))
    assert receiver.nal_units == [(IDR,), (P_SLICE,), (P_SLICE,), (P_SLICE,), (IDR,)]
    assert [unit.is_damaged for unit in receiver.units] == [False, False, False, True, False]


async def test_a_key_frame_right_after_a_gap_is_whole_and_heals() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    camera.packets(P_SLICE)
    receiver.feed(camera.picture(IDR))
    assert [(unit.is_key, unit.is_damaged) for unit in receiver.units][-1] == (True, False)
    assert receiver.rtp.counts.lost == 2


async def test_a_picture_whose_first_slice_was_lost_is_discarded_with_all_its_slices() -> None:
    receiver, camera = Receiver(), Camera(mtu=500)
    receiver.feed(camera.picture(IDR) + camera.picture(P_SLICE) + camera.picture(P_SLICE))
    frames = camera.packets(P_SLICE, LATER_SLICE, LATER_SLICE)
    receiver.feed(b"".join(frames[1:]) + camera.picture(P_SLICE, LATER_SLICE))
    assert receiver.nal_units[3:] == [(P_SLICE, LATER_SLICE)]
    assert receiver.units[-1].is_damaged


async def test_repeated_packets_are_dropped() -> None:
    receiver, camera = Receiver(), Camera()
    frames = camera.packets(IDR) + camera.packets(P_SLICE) + camera.packets(P_SLICE)
    receiver.feed(b"".join(frame + frame for frame in frames) + frames[2])
    assert receiver.nal_units == [(IDR,), (P_SLICE,), (P_SLICE,)]
    assert receiver.rtp.counts.duplicates == len(frames) + 1
    assert not receiver.faults


async def test_sequence_numbers_wrap() -> None:
    receiver, camera = Receiver(), Camera(sequence=0xFFFE)
    receiver.feed(camera.proven() + camera.picture(P_SLICE))
    assert len(receiver.units) == 4
    assert not receiver.faults


async def test_time_stamps_wrap_and_keep_growing() -> None:
    receiver, camera = Receiver(), Camera(stamp=0xFFFF_FFFF - 5_000)
    receiver.feed(camera.proven() + camera.picture(P_SLICE))
    stamps = [unit.pts_90k for unit in receiver.units]
    assert stamps == [stamps[0] + 6_000 * number for number in range(4)]


async def test_a_changed_source_is_damage_until_the_next_key_frame() -> None:
    receiver, camera = Receiver(), Camera(mtu=500)
    receiver.feed(camera.proven())
    receiver.feed(interleaved(packet(P_SLICE, 5, 50, True, ssrc=1)) + interleaved(packet(IDR, 6, 6050, True, ssrc=1)))
    assert [unit.is_damaged for unit in receiver.units] == [False, False, False, True, False]
    stamps = [unit.pts_90k for unit in receiver.units]
    assert stamps == sorted(set(stamps))
    assert receiver.rtp.counts.ssrc_changes == 1


async def test_other_payload_types_are_counted_and_left_alone() -> None:
    receiver = Receiver()
    receiver.feed(
        interleaved(packet(IDR, 1, 100, True))
        + interleaved(packet(b"text", 2, 100, payload_type=107))
        + interleaved(packet(P_SLICE, 3, 200, True))
    )
    assert receiver.nal_units == [(IDR,)]
    assert (receiver.rtp.counts.other_payload, receiver.rtp.seen_payload_type) == (1, 107)
    assert not receiver.faults


# --- boundaries


async def test_the_marker_is_trusted_after_two_proofs_and_then_saves_a_picture_of_delay() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(IDR) + camera.picture(P_SLICE))
    assert len(receiver.units) == 1
    receiver.feed(camera.picture(P_SLICE))
    assert receiver.assembler.marker is Marker.ENDS_UNIT
    assert len(receiver.units) == 3


async def test_a_camera_that_never_sets_the_marker_is_cut_by_time_stamps() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(b"".join(camera.picture(nal, markers="never") for nal in (IDR, P_SLICE, P_SLICE, P_SLICE)))
    assert receiver.nal_units == [(IDR,), (P_SLICE,), (P_SLICE,)]
    assert receiver.assembler.marker is Marker.UNPROVEN


async def test_a_camera_that_marks_every_slice_is_cut_by_time_stamps() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(IDR, LATER_IDR_SLICE, markers="each"))
    receiver.feed(b"".join(camera.picture(P_SLICE, LATER_SLICE, markers="each") for _ in range(3)))
    assert receiver.nal_units == [(IDR, LATER_IDR_SLICE), (P_SLICE, LATER_SLICE), (P_SLICE, LATER_SLICE)]
    assert receiver.assembler.marker is Marker.LIES
    assert not any(unit.is_damaged for unit in receiver.units)


async def test_a_marker_that_turns_out_to_lie_costs_one_gop() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    for nal_units in ((P_SLICE, LATER_SLICE), (P_SLICE, LATER_SLICE), (IDR, LATER_IDR_SLICE), (P_SLICE,)):
        receiver.feed(camera.picture(*nal_units, markers="each"))
    assert receiver.assembler.marker is Marker.LIES
    assert receiver.nal_units[4:] == [(P_SLICE, LATER_SLICE), (IDR, LATER_IDR_SLICE)]
    assert [unit.is_damaged for unit in receiver.units[4:]] == [True, False]


async def test_parameter_sets_alone_with_a_marker_and_their_own_time_stamp_join_the_next_picture() -> None:
    receiver, camera = Receiver(parameter_sets=()), Camera()
    receiver.feed(camera.picture(SPS) + camera.picture(PPS) + camera.picture(IDR) + camera.picture(P_SLICE))
    assert receiver.nal_units == [(IDR,)]
    assert receiver.units[0].pts_90k == 90_000 + 2 * 6_000
    assert receiver.units[0].parameters.parameter_sets == (SPS, PPS)


async def test_delimiters_and_parameter_sets_are_not_handed_on_but_sei_is() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(DELIMITER, SPS, PPS, b"\x06\x05\x01\x00\x80", IDR, b"\x0c\xff") + camera.proven())
    assert receiver.nal_units[0] == (b"\x06\x05\x01\x00\x80", IDR)


async def test_one_nal_unit_that_holds_start_codes_is_split() -> None:
    receiver, camera = Receiver(parameter_sets=()), Camera()
    joined = SPS + b"\x00\x00\x00\x01" + PPS + b"\x00\x00\x01" + IDR
    receiver.feed(camera.picture(joined) + camera.picture(P_SLICE))
    assert receiver.nal_units == [(IDR,)]


# --- key frames and parameter sets


async def test_nothing_is_handed_on_before_the_first_key_frame() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(P_SLICE) + camera.picture(P_SLICE) + camera.picture(IDR) + camera.picture(P_SLICE))
    assert receiver.units[0].is_key
    assert receiver.assembler.counts.before_key == 2


async def test_a_recovery_point_with_count_0_is_a_key_frame() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(SEI_RECOVERY_NOW, P_SLICE) + camera.picture(P_SLICE))
    assert receiver.units[0].is_key


async def test_periodic_intra_refresh_is_no_key_frame_and_is_told() -> None:
    receiver, camera = Receiver(), Camera()
    for _ in range(3):
        receiver.feed(camera.picture(SEI_RECOVERY_GRADUAL, P_SLICE) + camera.picture(P_SLICE))
    assert receiver.units == []
    assert receiver.assembler.refreshes_gradually


async def test_without_parameter_sets_nothing_is_handed_on_until_they_come() -> None:
    receiver, camera = Receiver(parameter_sets=()), Camera()
    receiver.feed(camera.proven())
    assert receiver.units == []
    assert receiver.assembler.parameters is None
    receiver.feed(camera.picture(SPS, PPS, IDR))
    assert receiver.units[0].is_key


async def test_new_parameter_sets_make_a_new_object_and_repeated_ones_do_not() -> None:
    receiver, camera = Receiver(), Camera()
    for _ in range(4):
        receiver.feed(camera.picture(SPS, PPS, IDR))
    receiver.feed(camera.picture(SPS_1080, PPS, IDR) + camera.picture(P_SLICE))
    parameters = [unit.parameters for unit in receiver.units]
    assert all(found is parameters[0] for found in parameters[:4])
    assert {found.width for found in parameters[4:]} == {1920}
    assert parameters[4].parameter_sets == (SPS_1080, PPS)


async def test_a_broken_parameter_set_is_ignored() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.picture(SPS[:5], IDR) + camera.proven())
    assert receiver.units[0].parameters.parameter_sets == (SPS, PPS)
    assert receiver.assembler.counts.malformed == 1
