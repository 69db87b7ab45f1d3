"""Reading settings and lists of cameras. Every fault names the file, the line, the field and the mend."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from config import settings
from config.settings import Camera, CameraList, Section, Settings, TurnSettings

# The loader in C reads a thousand cameras in a second, the one in Python takes ten.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_NODES = 2_000_000
_MAX_DEPTH = 50
_LEAST_SECRET = 16
_LONGEST_ID = 63
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_Model = TypeVar("_Model", bound=Section)


@dataclass(frozen=True, slots=True)
class Fault:
    """`field` is a path such as `cameras[3].main`, empty for the whole; `camera` is an id; `message` has the mend."""

    message: str
    field: str = ""
    camera: str = ""
    line: int | None = None

    def told(self, source: str) -> str:
        """One line for people."""
        where = f":{self.line}" if self.line else ""
        camera = f" (camera {self.camera})" if self.camera else ""
        field = f"{self.field}{camera}: " if self.field else ""
        return f"{source}{where}: {field}{self.message}"


class SettingsError(Exception):
    """Settings or cameras cannot be used; the text says where and how to mend it, one fault a line."""

    def __init__(self, text: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(text)
        self.faults = faults


def load_settings(path: Path) -> Settings:
    """Read `path` (YAML). Relative paths in it are relative to the working directory.

    Raises SettingsError.
    """
    return _read(Settings, read_text(path), str(path))


def read_cameras(text: str, source: str) -> tuple[Camera, ...]:
    """The `cameras` list of YAML text; the other parts of a settings file may stand beside it and are passed over.

    `source` names the text in faults. Raises SettingsError.
    """
    return _read(CameraList, text, source).cameras


def read_text(path: Path) -> str:
    """Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def turn_secret(turn: TurnSettings) -> str:
    """What is shared with the TURN servers, from where the settings say. Raises SettingsError."""
    if turn.secret is not None:
        secret, place = turn.secret.get_secret_value(), "turn.secret"
    elif turn.secret_file is not None:
        secret, place = next(iter(read_text(turn.secret_file).splitlines()), ""), f"turn.secret_file {turn.secret_file}"
    else:
        name = turn.secret_variable or ""
        secret, place = os.environ.get(name, ""), f"turn.secret_variable {name}"
    if len(secret.strip()) < _LEAST_SECRET:
        raise SettingsError(
            f"{place}: holds no secret of at least {_LEAST_SECRET} characters; see `openssl rand -hex 32`"
        )
    return secret.strip()


def _read(model: type[_Model], text: str, source: str) -> _Model:
    node, document = _parse(text, source)
    if not isinstance(document, dict):
        raise _refused(source, Fault("must be a mapping with a `cameras` list; see config/examples/"))
    others = set(Settings.model_fields) - set(model.model_fields)
    try:
        return model.model_validate({key: value for key, value in document.items() if key not in others})
    except ValidationError as error:
        faults = [_fault(node, document, fault) for fault in error.errors(include_url=False, include_input=False)]
        raise _refused(source, *faults) from error


def _refused(source: str, *faults: Fault) -> SettingsError:
    return SettingsError("\n".join(fault.told(source) for fault in faults), faults)


def _parse(text: str, source: str) -> tuple[yaml.Node | None, Any]:
    loader = None
    try:
        if _depth(text) > _MAX_DEPTH:
            raise _refused(source, Fault("is nested too deeply; see config/examples/"))
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, None
        if _size(node, {}) > _MAX_NODES:
            raise _refused(source, Fault("repeats its own parts too often; write them out"))
        return node, loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _refused(source, Fault(_yaml_problem(error), line=mark.line + 1 if mark else None)) from None
    except ValueError as error:  # a date or number that is none, as in 2026-13-01
        raise _refused(source, Fault("holds a date or number that is none; put text in quotes")) from error
    finally:
        if loader is not None:
            loader.dispose()


def _yaml_problem(error: yaml.YAMLError) -> str:
    """What is wrong, without the words of the text: one of them may be a password."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    if "alias" in problem or "anchor" in problem or "tag" in problem:
        return "is not YAML (* & and ! have a meaning of their own); put the text there in quotes"
    return f"is not YAML ({problem}); mend the indentation or quoting there"


def _depth(text: str) -> int:
    """Asked first: the loader in C overruns its stack on text that is nested without end."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > _MAX_DEPTH:
            break
    return deepest


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Nodes once every alias stands written out; an alias within itself counts as too many."""
    if id(node) in sizes:
        return sizes[id(node)]
    sizes[id(node)] = _MAX_NODES + 1
    size = 1
    if isinstance(node, yaml.MappingNode):
        size += sum(_size(key, sizes) + _size(value, sizes) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_size(item, sizes) for item in node.value)
    sizes[id(node)] = size
    return size


def _fault(node: yaml.Node | None, document: Any, fault: Any) -> Fault:
    location = [part for part in fault["loc"] if not _is_union_tag(part)]
    field, line = _locate(node, location)
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1]), _field_names(), n=1)
        message = f"is not a known field; {f'did you mean `{close[0]}`?' if close else 'remove it'}"
    elif fault["type"] == "missing":
        message = "is missing; add it"
    elif fault["type"] == "string_type":
        message = "must be text; put it in quotes"
    elif fault["type"] == "tuple_type":
        message = "must be a list"
    return Fault(message, field, _camera_id(document, location), line)


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
        field += f"[{part}]" if isinstance(part, int) else f".{_name(part)}" if field else _name(part)
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


def _camera_id(document: Any, location: list[Any]) -> str:
    if len(location) >= 2 and location[0] == "cameras" and isinstance(location[1], int):
        camera = document["cameras"][location[1]]
        told = str(camera["id"]) if isinstance(camera, dict) and "id" in camera else ""
        # In text that is torn, half a list may stand where an id belongs, and a password in it.
        return told if len(told) <= _LONGEST_ID and told.isprintable() else ""
    return ""


def _name(part: object) -> str:
    """A field's name; what cannot be one is not repeated: it may be text that is torn, with a password in it."""
    name = str(part)
    return name if _FIELD.fullmatch(name) else "?"


def _field_names() -> list[str]:
    sections = [value for value in vars(settings).values() if isinstance(value, type) and issubclass(value, BaseModel)]
    return [name for section in sections for name in section.model_fields]
