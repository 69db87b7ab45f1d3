"""Packets: RTSP in, access units, GOP buffer, recorder, WebRTC relay, worker, virtual cameras."""
