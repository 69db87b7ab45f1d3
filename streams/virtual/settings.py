"""What virtual cameras there are and what is wrong with them: the YAML file's and the control channel's models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from config.settings import Identifier, Section

Pacing = Literal["paced", "burst"]


class Faults(Section):
    """What a mount does wrong. All off by default.

    `refuse`: every request ends in a closed connection or in 503. `wrong_password`: always 401. `stall`: sessions
    stay, packets stop. `drop`: share of packets lost (sequence gaps). `not_video`: the SDP has only audio.
    `session_limit`: more sessions get `over_limit_status`; a killed client's session stays until it times out.
    `only_transport`: SETUP of the other one is answered with 461. `reorder`, `duplicate`: share of packets that UDP
    brings late or twice. `half_open`: connections stand and say nothing; once it is off, old ones are reset.
    `clock_offset_seconds`: the camera's clock is so far off; RTP time and sender reports jump when it changes.
    `changed`: the mount's `changed` clip is described and played, for sessions that stand too, or for new ones only.
    """

    refuse: Literal["no", "close", "503"] = "no"
    wrong_password: bool = False
    stall: bool = False
    drop: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    not_video: bool = False
    session_limit: Annotated[int | None, Field(ge=0)] = None
    over_limit_status: Literal[453, 503] = 453
    only_transport: Literal["tcp", "udp"] | None = None
    reorder: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    duplicate: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    half_open: bool = False
    clock_offset_seconds: Annotated[float, Field(ge=-4e9, le=4e9)] = 0.0
    changed: Literal["no", "now", "new_sessions"] = "no"


class Mount(Section):
    """A virtual camera. `sub` and `changed` must last as long as `main` (within half a second).

    `changed` is played instead of `main` while the fault of that name is on. No user name: no password asked.
    """

    name: Identifier
    main: Path
    sub: Path | None = None
    changed: Path | None = None
    phase_seconds: float = 0.0
    username: str | None = None
    password: SecretStr = SecretStr("")
    authentication: Literal["digest", "digest-sha256", "basic"] = "digest"
    faults: Faults = Faults()


class VirtualCameraSettings(Section):
    """The file of `python -m streams.virtual`. Clip paths are relative to the file's folder."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    pacing: Pacing = "paced"
    session_timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    tick_seconds: Annotated[float, Field(ge=0.001, le=0.1, description="packets due within it go in one write")] = 0.002
    mounts: Annotated[tuple[Mount, ...], Field(min_length=1)]

    @field_validator("mounts")
    @classmethod
    def _names_differ(cls, mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
        names = [mount.name for mount in mounts]
        if len(set(names)) != len(names):
            raise ValueError("mount names must differ")
        return mounts

    def relative_to(self, folder: Path) -> VirtualCameraSettings:
        """The same with clip paths made absolute from `folder`."""
        mounts = tuple(
            mount.model_copy(
                update={name: folder / path for name in ("main", "sub", "changed") if (path := getattr(mount, name))}
            )
            for mount in self.mounts
        )
        return self.model_copy(update={"mounts": mounts})


class ControlMessage(Section):
    """One line of the control channel: new faults for a mount, an RST for all its connections, or its reboot.

    A reboot without a mount is one of the whole server: its port is closed for so long. `statistics` asks for counters.
    """

    mount: Identifier | None = None
    faults: Faults | None = None
    reset: bool = False
    reboot_seconds: Annotated[float | None, Field(ge=0, le=3600)] = None
    statistics: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> ControlMessage:
        if self.faults is None and not self.reset and self.reboot_seconds is None and not self.statistics:
            raise ValueError("needs `faults`, `reset`, `reboot_seconds` or `statistics`")
        if self.mount is None and (self.faults is not None or self.reset):
            raise ValueError("`faults` and `reset` need a `mount`")
        return self
