"""Viewers a core can carry: this relay, plain aiortc senders, and Janus' streaming plugin; same clip, same receivers.

`python -m tests.benchmarks.relay --json`: the last line is one JSON object. Each sender is a process of its own and its
CPU time is taken by the kernel's clock of it, less what it takes with nobody watching (over loopback that holds the
kernel's delivery, too), for each packet that came: a sender that cannot keep up gains nothing. The receivers are other
processes: real ICE and DTLS, one cipher, NACK on, and every sequence number counted. All send the same payloads:
nothing is encoded, Janus is fed with the packets that our relay makes.
`janus` is as Debian ships it, a thread a viewer; `janus_tuned` has `event_loops` set, which its manual leaves open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aioice.ice

from streams.relay.packetizer import packetize
from tests.clips import make_clip
from tests.janus import running_janus
from tests.light_receivers import ReceiverProcess
from tests.live_feed import load_units
from tests.relay_senders import sender_process

FPS = 15
_SETTLE_SECONDS = 2.0
_RATIO_VIEWERS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under measurement. `idle` is its share of a core with nobody watching."""

    name: str
    pid: int
    url: str
    idle: float
    version: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. `us_per_packet` is of those that came; `pictures` the fewest any viewer got, of those due."""

    viewers: int
    core_share: float
    us_per_packet: float
    lost: int
    late: int
    pictures: int
    pictures_due: int


def cpu_seconds(pid: int) -> float:
    """CPU time of a whole process with all its threads, by its CPU clock (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


async def core_share(pid: int, seconds: float) -> float:
    """The share of a core a process takes from now on."""
    cpu, clock = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - clock)


@asynccontextmanager
async def _peer(name: str, clip: Path, seconds: float, event_loops: int) -> AsyncIterator[Peer]:
    if name.startswith("janus"):
        loops = event_loops if name == "janus_tuned" else 0
        async with (
            running_janus(event_loops=loops) as janus,
            sender_process("rtp", clip, FPS, janus.rtp_port),
        ):
            await asyncio.sleep(_SETTLE_SECONDS)
            yield Peer(name, janus.pid, janus.url, await core_share(janus.pid, seconds), janus.version)
    else:
        async with sender_process(name, clip, FPS) as sender:
            await asyncio.sleep(_SETTLE_SECONDS)
            yield Peer(name, sender.pid, sender.url, await core_share(sender.pid, seconds))


async def _sample(peer: Peer, receivers: ReceiverProcess, viewers: int, seconds: float) -> Sample:
    await asyncio.sleep(_SETTLE_SECONDS)
    await receivers.mark()
    began = time.monotonic()
    share = await core_share(peer.pid, seconds)
    due = int((time.monotonic() - began) * FPS)
    accounts = await receivers.accounts()
    used = share - peer.idle
    cost = used * seconds * 1e6 / max(1, sum(account.packets for account in accounts))
    lost, late = sum(account.lost for account in accounts), sum(account.late for account in accounts)
    return Sample(viewers, used, cost, lost, late, min(account.pictures for account in accounts), due)


async def measure(peer: Peer, counts: Sequence[int], seconds: float, arguments: argparse.Namespace) -> list[Sample]:
    """One run: viewers join until there are as many as each of `counts`."""
    samples = []
    async with ReceiverProcess(cipher=arguments.cipher, host=_address()) as receivers:
        connected = 0
        for count in counts:
            if peer.name.startswith("janus"):
                await receivers.connect_janus(peer.url, count - connected)
            else:
                more = count - connected
                await receivers.connect(peer.url, more, extensions=arguments.extensions and peer.name == "haechi")
            connected = count
            samples.append(await _sample(peer, receivers, count, seconds))
            print(f"  {peer.name:8} {samples[-1]}", file=sys.stderr, flush=True)
    return samples


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All peers in turn, `--runs` times over, each time in new processes."""
    names = [name for name in arguments.peers if not name.startswith("janus") or shutil.which("janus")]
    counts = sorted(arguments.viewers)
    samples: dict[str, list[list[Sample]]] = {name: [] for name in names}
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        clip = await asyncio.to_thread(_clip, Path(folder), arguments.kilobits, arguments.lines)
        stream = _stream(clip)
        for _ in range(arguments.runs):
            for name in names:
                async with _peer(name, clip, arguments.seconds, arguments.event_loops) as peer:
                    versions[name] = peer.version
                    samples[name].append(await measure(peer, counts, arguments.seconds, arguments))
    return _result(samples, counts, stream, versions, arguments)


def _result(
    samples: dict[str, list[list[Sample]]],
    counts: Sequence[int],
    stream: dict[str, float],
    versions: dict[str, str],
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """Medians over the runs; a ratio is the median of the ratios of single runs, for they were taken side by side."""
    ours = samples.get("haechi", [])
    result: dict[str, Any] = {"benchmark": "relay", "cipher": arguments.cipher, "runs": arguments.runs} | stream
    result["janus_version"] = versions.get("janus", "not installed")
    result["load_average"] = round(os.getloadavg()[0], 1)
    reference = _RATIO_VIEWERS if _RATIO_VIEWERS in counts else counts[-1]
    for index, count in enumerate(counts):
        for name, runs in samples.items():
            cost = statistics.median(run[index].us_per_packet for run in runs)
            result[f"{name}_us_per_packet_{count}"] = round(cost, 2)
            result[f"{name}_viewers_per_core_{count}"] = round(1e6 / cost / stream["packets_per_second"])
            if name != "haechi" and ours:
                ratios = [a[index].us_per_packet / b[index].us_per_packet for a, b in zip(runs, ours, strict=True)]
                result[f"ratio_{name}_{count}"] = round(statistics.median(ratios), 2)
                if count == reference:
                    result[f"ratio_{name}"] = result[f"ratio_{name}_{count}"]
    result["viewers_per_core"] = result.get(f"haechi_viewers_per_core_{reference}")
    for name, runs in samples.items():
        flat = [sample for run in runs for sample in run]
        result["lost" if name == "haechi" else f"{name}_lost"] = sum(sample.lost for sample in flat)
        result[f"{name}_least_pictures"] = min(round(sample.pictures / sample.pictures_due, 3) for sample in flat)
    return result


def _clip(folder: Path, kilobits: int, lines: int) -> Path:
    """Eight seconds; encoded twice, since the encoder misses the wanted rate by as much again."""
    size = lines * 16 // 9, lines
    first = make_clip(folder / "first.mp4", 8, FPS, size, 30, kilobits * 1000, "baseline")
    wanted = round(kilobits * 1000 * kilobits / _stream(first)["kilobits_per_second"])
    return make_clip(folder / "clip.mp4", 8, FPS, size, 30, wanted, "baseline")


def _stream(clip: Path) -> dict[str, float]:
    units = load_units(clip)
    packets = sum(len(packetize(unit)) for unit in units)
    kilobits = sum(unit.size for unit in units) * 8 * FPS / len(units) / 1000
    return {"kilobits_per_second": round(kilobits), "packets_per_second": round(packets * FPS / len(units), 1)}


def _address() -> str:
    """An address of this machine that is not loopback, which Janus leaves out; all of it stays inside the kernel."""
    return next(iter(aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False)), "127.0.0.1")


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--viewers", type=int, nargs="+", default=[20, 60, 150])
    parser.add_argument("--peers", nargs="+", default=["haechi", "aiortc", "janus", "janus_tuned"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--kilobits", type=int, default=2000)
    parser.add_argument("--lines", type=int, default=1080, help="of the picture")
    parser.add_argument("--cipher", choices=["gcm", "sha1"], default="gcm")
    parser.add_argument("--event-loops", type=int, default=2, help="of janus_tuned; janus has a thread a viewer")
    parser.add_argument("--extensions", action="store_true", help="let our relay write header extensions, too")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = options()
    result = asyncio.run(run(arguments))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:32} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
