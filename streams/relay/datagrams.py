"""Sending runs of equal-sized datagrams: one system call a run where the kernel can cut it (UDP GSO)."""

from __future__ import annotations

import errno
import socket
import struct

_SOL_UDP, _UDP_SEGMENT = 17, 103  # linux/udp.h; the socket module of Python 3.11 does not name them
_GSO_REFUSED = frozenset({errno.EINVAL, errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE})


class UdpSender:
    """Sends straight to `address` through `sock` (not blocking, not connected). Falls back to plain sends for good."""

    def __init__(self, sock: socket.socket, address: tuple[str, int]) -> None:
        self._sock = sock
        self._address = address
        self.uses_gso = True
        self._control = (0, [(_SOL_UDP, _UDP_SEGMENT, b"")])

    def send_run(self, data: memoryview, segment_bytes: int) -> bool:
        """Send `data` cut every `segment_bytes`. False: not (all) sent, there is no room or no way now."""
        try:
            if len(data) <= segment_bytes:
                self._sock.sendto(data, self._address)
                return True
            if not self.uses_gso:
                return self._send_each(data, segment_bytes)
            if self._control[0] != segment_bytes:
                self._control = (segment_bytes, [(_SOL_UDP, _UDP_SEGMENT, struct.pack("=H", segment_bytes))])
            self._sock.sendmsg((data,), self._control[1], 0, self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            if not self.uses_gso or len(data) <= segment_bytes or error.errno not in _GSO_REFUSED:
                return False
            self.uses_gso = False
            return self.send_run(data, segment_bytes)
        return True

    def _send_each(self, data: memoryview, segment_bytes: int) -> bool:
        for start in range(0, len(data), segment_bytes):
            self._sock.sendto(data[start : start + segment_bytes], self._address)
        return True
