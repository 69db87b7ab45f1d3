"""What the parts of an RTSP session counted, in the words of a stream."""

from __future__ import annotations

from streams.rtsp.assembler import AccessUnitAssembler
from streams.rtsp.connection import RtspConnection
from streams.rtsp.receiver import RtpReceiver
from streams.stream_status import StreamCounts


def counts_of(
    receiver: RtpReceiver | None, assembler: AccessUnitAssembler | None, connection: RtspConnection | None
) -> StreamCounts:
    """Zero while the session is not set up."""
    if receiver is None or assembler is None or connection is None:
        return StreamCounts()
    packets, units = receiver.counts, assembler.counts
    return StreamCounts(
        packets=packets.packets,
        bytes=packets.bytes,
        access_units=units.units,
        key_frames=units.key_frames,
        lost_packets=packets.lost,
        damaged_units=units.damaged_units,
        malformed=packets.malformed + units.malformed,
        resynchronisations=connection.resynchronisations,
        clock_jumps=assembler.timeline.jumps,
        reordered_units=units.reordered,
    )
