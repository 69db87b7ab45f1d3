"""Reading a settings file. Every fault names the file, the line, the field and the mend."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from config import settings
from config.settings import Settings


class SettingsError(Exception):
    """A settings file cannot be used; the text says where and how to mend it, one fault a line."""


def load_settings(path: Path) -> Settings:
    """Read `path` (YAML). Relative paths in it are relative to the working directory.

    Raises SettingsError.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); check the path given with --config") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SettingsError(f"{path}{where}: is not YAML ({problem}); mend the indentation or quoting there") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: must be a mapping with a `cameras` list; see config/examples/")
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = [_fault(path, node, document, fault) for fault in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from error


def _fault(path: Path, node: yaml.Node | None, document: Any, fault: Any) -> str:
    location = [part for part in fault["loc"] if not _is_union_tag(part)]
    field, line = _locate(node, location)
    message = fault["msg"].removeprefix("Value error, ")
    mend = ""
    if fault["type"] == "extra_forbidden":
        message = "is not a known field"
        close = difflib.get_close_matches(str(location[-1]), _field_names(), n=1)
        mend = f"; did you mean `{close[0]}`?" if close else "; remove it"
    elif fault["type"] == "missing":
        message, mend = "is missing", "; add it"
    where = f":{line}" if line else ""
    name = _camera_name(document, location)
    return f"{path}{where}: {field or 'settings'}{name}: {message}{mend}"


def _is_union_tag(part: object) -> bool:
    return isinstance(part, str) and (
        part in {"intrusion", "loitering", "dumping", "parking", "fire", "int"}
        or part.startswith(("literal[", "constrained"))
    )


def _locate(node: yaml.Node | None, location: list[Any]) -> tuple[str, int | None]:
    """Dotted field name and line of the deepest node on the way to `location`."""
    field = ""
    line = node.start_mark.line + 1 if node else None
    for part in location:
        field += f"[{part}]" if isinstance(part, int) else f".{part}" if field else str(part)
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    child, line = value, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
            line = child.start_mark.line + 1
        node = child
    return field, line


def _camera_name(document: Any, location: list[Any]) -> str:
    if len(location) >= 2 and location[0] == "cameras" and isinstance(location[1], int):
        camera = document["cameras"][location[1]]
        if isinstance(camera, dict) and "id" in camera:
            return f" (camera {camera['id']})"
    return ""


def _field_names() -> list[str]:
    sections = [value for value in vars(settings).values() if isinstance(value, type) and issubclass(value, BaseModel)]
    return [name for section in sections for name in section.model_fields]
