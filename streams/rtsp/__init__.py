"""RTSP 1.0 client over TCP (RFC 2326) and RTP to access units (RFC 3550, 6184, 7798)."""
