"""Showing what was recorded: a process of its own beside the packets process, which reads files and index only.

library: which segments there are; layout: the fragments of a file; playlist: HLS (RFC 8216); media: bytes of a file
with times of the playlist's or the clip's own; thumbnail: one key frame as JPEG; service: the routes; process: the
packets process's side.
"""
