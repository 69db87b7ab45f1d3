"""Live pictures to browsers over WebRTC, copied from the GOP buffers (WHEP)."""

from streams.relay.choice import StreamKey, StreamWish
from streams.relay.errors import RelayError
from streams.relay.relay import Opened, Relay
from streams.relay.session import SessionLimits
from streams.relay.whep import whep_routes

__all__ = ["Opened", "Relay", "RelayError", "SessionLimits", "StreamKey", "StreamWish", "whep_routes"]
