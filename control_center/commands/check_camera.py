"""`haechi camera check`: can Haechi use this camera?"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from rich.table import Table

from control_center.supervision.errors import StartError
from control_center.terminal import output, progress
from streams.errors import StreamError
from streams.probe import ProbeReport, probe
from streams.rtsp.address import without_credentials

LONG_GOP_SECONDS = 4.0


def check(
    url: Annotated[
        str, typer.Argument(help="rtsp://host[:port]/path, https://host/playlist.m3u8, or file:///folder/clip.mp4")
    ],
    username: Annotated[str | None, typer.Option(help="The camera's user name.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="How long to look.")] = 5.0,
) -> None:
    """Play a camera for a few seconds and tell what it sends and what that means."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    shown = without_credentials(url)
    try:
        with progress.status(f"looking at {shown} for {seconds:.0f} s"):
            report = asyncio.run(probe(url, username, password, seconds))
    except StreamError as error:
        raise StartError(f"{shown}: {error}") from error
    output.print(_table(report))
    for advice in advices(report):
        output.print(f"note: {advice}")


def advices(report: ProbeReport) -> list[str]:
    """What a person should know or change, in sentences."""
    said: list[str] = []
    if report.is_reordered:
        said.append(
            "the stream has B frames, which WebRTC cannot relay; switch them off (baseline or main, no B frames)"
        )
    if report.gop_seconds is None:
        said.append("no whole group of pictures was seen; set the key frame interval to 1 or 2 s")
    elif report.gop_seconds > LONG_GOP_SECONDS:
        said.append(f"a key frame comes every {report.gop_seconds:.1f} s; 1 or 2 s records and starts better")
    if report.codec == "h265":
        said.append("few browsers play H.265 over WebRTC; give the camera an H.264 sub stream")
    if report.lost_packets:
        said.append(f"{report.lost_packets} packets were missing; look at the network or the camera's load")
    offset = report.wall_clock_offset_seconds
    if offset is not None and abs(offset) > 2:
        said.append(f"the camera's clock is {offset:+.0f} s off; point it at an NTP server")
    return said


def _table(report: ProbeReport) -> Table:
    table = Table(show_header=False, title=report.url, title_justify="left")
    rows = [
        ("camera", report.server or "does not say"),
        ("video", f"{report.codec} {report.width}x{report.height}"),
        ("pictures", f"{report.frames_per_second:.1f} a second, {report.bits_per_second / 1e6:.2f} Mbit/s"),
        ("key frame", "not seen twice" if report.gop_seconds is None else f"every {report.gop_seconds:.1f} s"),
        ("first picture", f"after {report.first_picture_seconds:.2f} s"),
        ("missing packets", str(report.lost_packets)),
    ]
    if report.others_offered:
        rows.append(("also offered", ", ".join(report.others_offered) + " (neither recorded nor relayed)"))
    for name, value in rows:
        table.add_row(name, value)
    return table
