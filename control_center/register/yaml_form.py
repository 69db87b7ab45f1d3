"""The register as YAML: the same `cameras` list as in the settings file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from config.settings import Camera
from control_center.register.definition import whole

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_HEAD = "# Cameras of a Haechi register; `haechi camera import` reads this list, and so does a settings file.\n"
_WITHOUT = "# Without passwords: an import keeps those that the register has.\n"


def to_yaml(cameras: Iterable[Camera], *, with_passwords: bool) -> str:
    """What `config.load.read_cameras` reads back; with passwords only where that is said."""
    listed = [_listed(camera, with_passwords) for camera in cameras]
    # None: short lists, such as a point, stand on one line.
    body: str = yaml.dump(
        {"cameras": listed}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=120
    )
    return _HEAD + ("" if with_passwords else _WITHOUT) + body


def _listed(camera: Camera, with_passwords: bool) -> dict[str, Any]:
    fields = whole(camera)
    if not with_passwords:
        del fields["password"]
    return {name: value for name, value in fields.items() if value is not None}
